import Configuration
import Glibc
import Model
import PM2Format
import Platform
import Records

/// Who else starts what this home starts.
struct ManagerEvidence: Sendable {
    /// A process that runs the same as an app, and is none of ours.
    struct Copy: Hashable, Sendable {
        var app: String
        var process: ObservedProcess
        var origin: Origin
    }

    /// A unit or another manager's file that would start the same as an app.
    struct Mention: Hashable, Sendable {
        var app: String
        var file: String
        var line: String
        /// nil: no single command does.
        var disable: String?
    }

    /// PM2's own daemon on our home.
    var genuine: ObservedProcess?
    var copies: [Copy] = []
    var mentions: [Mention] = []
    /// Apps that PM2 would bring back at boot from a home of its own, and what starts it.
    var savedByPM2: (names: [String], home: String, starter: String, fix: String?)?
    var crontab: [CrontabEntry] = []
    /// Hearth's unit for this home exists.
    var hasUnit = false
    /// Of the same user.
    var otherHomes: [HearthProcess] = []
}

extension ManagerEvidence {
    static func collect(_ scene: Scene, root: String = SimpleStartup.root) -> ManagerEvidence {
        let user = scene.owner.map { UserNames.name(of: $0) } ?? ""
        let mentions = UnitMentions(root: root, userDirectory: userDirectory(scene))
        var evidence = ManagerEvidence()
        if scene.paths.isPM2 {
            evidence.genuine = GenuinePM2.daemon(of: scene.paths).flatMap(ObservedProcess.look)
        }
        evidence.copies = Copies.find(scene)
        evidence.mentions = mentions.find(scene.apps.map(\.spec))
        evidence.crontab = Crontabs.entries(of: user, root: root, asksCrontab: scene.owner == scene.caller)
        evidence.hasUnit = ManagerUnits.installed(for: scene.paths) != nil
        evidence.otherHomes = scene.daemon.otherDaemons.filter { $0.process.uid == scene.owner }
        evidence.savedByPM2 = saved(scene, mentions, evidence.crontab)
        return evidence
    }

    private static func userDirectory(_ scene: Scene) -> String? {
        scene.owner == scene.caller ? PasswordEntry.caller()?.home : nil
    }

    /// `~/.pm2` with a list that a unit or a crontab line brings back.
    private static func saved(
        _ scene: Scene, _ units: UnitMentions, _ crontab: [CrontabEntry]
    ) -> (names: [String], home: String, starter: String, fix: String?)? {
        guard !scene.paths.isPM2, let directory = userDirectory(scene) else { return nil }
        let home = HomePaths(home: directory + "/.pm2")
        guard let bytes = try? FileSystem.read(home.pm2Dump),
            let dump = try? DumpReader.read(bytes, paths: HomePaths(home: home.home, isPM2: true))
        else { return nil }
        let names = dump.entries.filter { entry in
            scene.apps.contains { $0.spec.script == entry.spec.script && $0.spec.cwd == entry.spec.cwd }
        }.map(\.spec.name)
        guard !names.isEmpty else { return nil }
        if let unit = units.starter(ofPM2Home: home.home) {
            return (names, home.home, unit, "sudo systemctl disable --now \(Paths.baseName(unit))")
        }
        if let line = crontab.first(where: { $0.isAtBoot && $0.managerCall?.prefix(2) == ["pm2", "resurrect"] }) {
            return (names, home.home, "\(line.source): @reboot \(line.command)", "crontab -e")
        }
        return nil
    }
}

/// Processes that do the same as an app of the list.
enum Copies {
    /// An app, and the command lines of its processes: a title that one has given itself is in no specification.
    private typealias Known = (spec: AppSpec, commands: Set<[String]>)

    static func find(_ scene: Scene) -> [ManagerEvidence.Copy] {
        var known: [Known] = []
        var places: [String: Int] = [:]
        for app in scene.apps where app.isWanted {
            let key = app.spec.name + "\0" + app.spec.cwd
            let place = places[key] ?? known.count
            if place == known.count { known.append((app.spec, [])) }
            places[key] = place
            for pid in app.members where ProcessFacts.workingDirectory(of: pid) == app.spec.cwd {
                known[place].commands.insert(ProcessFacts.arguments(of: pid))
            }
        }
        guard !known.isEmpty else { return [] }
        let skipped = scene.ownProcesses.union([getpid()])
        var found: [ManagerEvidence.Copy] = []
        for entry in scene.processes.entries
        where !entry.isKernelThread && entry.isAlive && !skipped.contains(entry.pid) {
            let words = ProcessFacts.arguments(of: entry.pid)
            guard !words.isEmpty, let spec = match(known, words, ProcessFacts.workingDirectory(of: entry.pid)) else {
                continue
            }
            let origin = Origin.of(entry.pid, in: scene.processes)
            if case .hearth(let home) = origin, home == scene.paths.home { continue }
            found.append(.init(app: spec.name, process: ObservedProcess(entry), origin: origin))
        }
        // A copy and its children are one.
        let pids = Set(found.map(\.process.pid))
        return found.filter { copy in
            scene.processes.entry(of: copy.process.pid).map { !pids.contains($0.parent) } ?? true
        }
    }

    private static func match(_ known: [Known], _ words: [String], _ directory: String?) -> AppSpec? {
        known.first { spec, commands in
            runs(spec, words, directory) || directory == spec.cwd && commands.contains(words)
        }?.spec
    }

    /// Whether a command line is that of the app.
    static func runs(_ spec: AppSpec, _ words: [String], _ directory: String?) -> Bool {
        // PM2 gives what it runs one title: "node /srv/api/server.js".
        let words = words.count == 1 ? words[0].split(separator: " ").map(String.init) : words
        guard let program = words.first else { return false }
        let base = directory ?? "/"
        guard let interpreter = spec.interpreter else {
            // A shell or php says little by itself: only with the same arguments in the same directory.
            return Paths.baseName(program) == Paths.baseName(spec.script) && Array(words.dropFirst()) == spec.arguments
                && (!spec.arguments.isEmpty && directory == spec.cwd
                    || spec.arguments.isEmpty && Paths.absolute(program, base: base, home: nil) == spec.script)
        }
        guard Paths.baseName(program) == Paths.baseName(interpreter) else { return false }
        let rest = words.dropFirst().drop { $0.hasPrefix("-") }
        guard let script = rest.first else { return false }
        return Paths.absolute(script, base: base, home: nil) == spec.script && Array(rest.dropFirst()) == spec.arguments
    }
}
