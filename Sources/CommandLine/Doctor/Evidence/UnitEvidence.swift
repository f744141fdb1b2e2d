import Configuration
import Control
import Glibc
import Platform
import Records

/// What starts the daemon at boot, and whether what runs was started by it.
struct UnitEvidence: Sendable {
    /// What boots this machine.
    enum Boot: Hashable, Sendable {
        case systemd
        /// Another init, by the name of its program.
        case other(String)
        /// Pid 1 is no init: a container.
        case container(String)
    }

    struct Unit: Hashable, Sendable {
        var name: String
        var scope: SystemdScope
        /// Written by `hearth startup` for this very home.
        var isOurs: Bool
        /// As `systemctl show` has them.
        var properties: [String: String]
        /// Cgroup of the unit with the apps, which is not restarted with the manager's; nil: there is no such unit.
        var appsCgroup: String?
        /// Paths named in it that do not exist.
        var missingProgram: String?
        var missingDirectories: [String] = []

        subscript(key: String) -> String { properties[key] ?? "" }

        /// A value of `Environment=`.
        func variable(_ name: String) -> String? {
            TextValues.words(self["Environment"]).last { $0.hasPrefix(name + "=") }.map {
                String($0.dropFirst(name.count + 1))
            }
        }

        var home: String? { variable("HEARTH_HOME") ?? variable("PM2_HOME") }
    }

    /// A running app, and where systemd counts it.
    struct Place: Hashable, Sendable {
        var label: String
        var pid: Int32
        var cgroup: String
    }

    var boot: Boot
    /// nil: there is none for this home.
    var unit: Unit?
    /// systemd was asked and did not answer: what is known of `unit` is its name.
    var isSilent = false
    /// A unit for this home in its owner's own systemd, which only the owner may ask.
    var unitOfOwner: String?
    /// The user's services are started at boot and outlive the last session.
    var lingers = true
    /// logind ends what a session leaves behind.
    var killsSessions = false
    /// Lines of other things that start Hearth at boot.
    var otherStarts: [String] = []
    var places: [Place] = []
}

extension UnitEvidence {
    static let properties = [
        "LoadState", "ActiveState", "SubState", "UnitFileState", "Type", "KillMode", "PIDFile", "ExecStart", "User",
        "Environment", "EnvironmentFiles", "FragmentPath", "MainPID", "ControlGroup", "Result", "ExecMainStatus",
    ]

    static func collect(_ scene: Scene, crontab: [CrontabEntry], root: String = SimpleStartup.root) -> UnitEvidence {
        var evidence = UnitEvidence(boot: boot())
        let user = scene.owner.map { UserNames.name(of: $0) } ?? ""
        evidence.otherStarts =
            crontab.filter { $0.isAtBoot && $0.managerCall != nil && $0.user == user }
            .map { "\($0.source): @reboot \($0.command)" } + otherServices(root)
        evidence.killsSessions = logindKills(root)
        evidence.lingers = FileSystem.exists("\(root)/var/lib/systemd/linger/\(user)")
        evidence.places = scene.apps.compactMap { app in
            guard let pid = app.view.pid, let cgroup = ProcessFacts.cgroup(of: pid) else { return nil }
            return Place(label: app.label, pid: pid, cgroup: cgroup)
        }
        guard evidence.boot == .systemd else { return evidence }
        evidence.unitOfOwner = scene.caller == scene.owner ? nil : unitOfOwner(scene, user)
        for candidate in candidates(scene, user: user) {
            guard let properties = Systemctl(scope: candidate.units.scope).show(candidate.units.manager, properties)
            else {
                evidence.isSilent = true
                evidence.unit = Unit(
                    name: candidate.units.manager, scope: candidate.units.scope, isOurs: candidate.isOurs,
                    properties: [:])
                continue
            }
            guard properties["LoadState"] != "not-found" || FileSystem.exists(candidate.units.managerFile) else {
                continue
            }
            evidence.isSilent = false
            evidence.unit = unit(candidate.units, isOurs: candidate.isOurs, properties)
            break
        }
        return evidence
    }

    private static func unitOfOwner(_ scene: Scene, _ user: String) -> String? {
        guard let home = PasswordEntry.named(user)?.home else { return nil }
        let directory = home + "/.config/systemd/user"
        let line = ManagerUnits.homeKey + UnitQuoting.specifierFree(scene.paths.home)
        return ((try? FileSystem.names(in: directory)) ?? []).map { "\(directory)/\($0)" }.first { path in
            guard path.hasSuffix(".service"), let bytes = try? FileSystem.read(path, limit: 64 << 10) else {
                return false
            }
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n").contains(Substring(line))
        }
    }

    private static func unit(_ units: ManagerUnits, isOurs: Bool, _ properties: [String: String]) -> Unit {
        var unit = Unit(name: units.manager, scope: units.scope, isOurs: isOurs, properties: properties)
        let apps = Systemctl(scope: units.scope).show(units.apps, ["LoadState", "ControlGroup"])
        if apps?["LoadState"] == "loaded" { unit.appsCgroup = apps?["ControlGroup"] }
        unit.missingProgram = programs(inExecStart: unit["ExecStart"]).first { !FileSystem.exists($0) }
        let path =
            (unit.variable("PATH") ?? recordedPath(unit["EnvironmentFiles"]))?.split(separator: ":").map(String.init)
            ?? []
        unit.missingDirectories = path.filter { $0.hasPrefix("/") && !FileSystem.isDirectory($0) }
        return unit
    }

    /// What `ExecStart` runs, and what that starts in turn: `{ path=/bin/sh ; argv[]=/bin/sh -c … /usr/lib/hearth/hearth-keeper
    /// --home … ; … }`.
    static func programs(inExecStart text: String) -> [String] {
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        let first = words.first { $0.hasPrefix("path=") }.map { String($0.dropFirst(5)) }
        let managers: Set<String> = ["hearth-keeper", "hearth", "hearthd", "pm2", "node"]
        let others = words.filter { $0.hasPrefix("/") && managers.contains(Paths.baseName($0)) && $0 != first }
        return (first.map { [$0] } ?? []) + others
    }

    /// PATH in the file with the variables that the service starts with: `/path (ignore_errors=yes)`.
    private static func recordedPath(_ files: String) -> String? {
        guard let path = files.split(separator: " ").first.map(String.init),
            let bytes = try? FileSystem.read(path, limit: 256 << 10)
        else { return nil }
        let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").last { $0.hasPrefix("PATH=") }
        return line.map { String($0.dropFirst(5).filter { $0 != "\"" }) }
    }

    private typealias Candidate = (units: ManagerUnits, isOurs: Bool)

    /// Made for this home; of the name that it would have; of somebody else's making that names this home.
    private static func candidates(_ scene: Scene, user: String) -> [Candidate] {
        var found: [Candidate] = []
        if let installed = ManagerUnits.installed(for: scene.paths) { found.append((installed, true)) }
        let scopes: [SystemdScope] = scene.caller == scene.owner ? [.system, .user] : [.system]
        for scope in scopes {
            let usual = ManagerUnits(scope: scope, user: user, home: scene.paths)
            if FileSystem.exists(usual.managerFile) { found.append((usual, false)) }
        }
        let directory = ManagerUnits.directory(of: .system)
        for name in (try? FileSystem.names(in: directory)) ?? []
        where name.hasPrefix("pm2") && name.hasSuffix(".service") {
            let path = "\(directory)/\(name)"
            guard let bytes = try? FileSystem.read(path, limit: 64 << 10) else { continue }
            let file = UnitImport(path: path, text: String(decoding: bytes, as: UTF8.self))
            guard file.pm2Home.map({ Paths.absolute($0, base: "/", home: nil) }) == scene.paths.home else { continue }
            let units = ManagerUnits(scope: .system, user: user, home: scene.paths, name: String(name.dropLast(8)))
            found.append((units, false))
        }
        return found
    }

    // MARK: - The machine

    private static func boot() -> Boot {
        if Systemctl.isAvailable { return .systemd }
        let name = ProcessTable.entry(of: 1)?.name ?? ""
        let inits: Set<String> = [
            "init", "openrc-init", "runit", "runit-init", "s6-svscan", "dinit", "finit", "systemd",
        ]
        return inits.contains(name) ? .other(name) : .container(name)
    }

    /// Service scripts of other inits.
    private static func otherServices(_ root: String) -> [String] {
        let directories = [
            "/etc/runlevels/default", "/etc/rc2.d", "/etc/runit/runsvdir/default", "/var/service", "/service",
            "/etc/s6/rc/compiled",
        ]
        return directories.flatMap { directory in
            ((try? FileSystem.names(in: root + directory)) ?? [])
                .filter { $0.contains("hearth") || $0.contains("pm2") }.map { "\(directory)/\($0)" }
        }
    }

    private static func logindKills(_ root: String) -> Bool {
        var files = ["/usr/lib/systemd/logind.conf", "/etc/systemd/logind.conf"].map { root + $0 }
        let directory = root + "/etc/systemd/logind.conf.d"
        files += ((try? FileSystem.names(in: directory)) ?? []).filter { $0.hasSuffix(".conf") }.map {
            "\(directory)/\($0)"
        }
        var kills = false
        for file in files {
            guard let bytes = try? FileSystem.read(file, limit: 256 << 10) else { continue }
            for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
                let text = line.filter { !$0.isWhitespace }
                guard text.hasPrefix("KillUserProcesses=") else { continue }
                kills = ["yes", "true", "1", "on"].contains(text.dropFirst(18).lowercased())
            }
        }
        return kills
    }
}
