import Configuration
import Control
import Glibc
import Model
import Platform
import Records

/// What each app needs, and whether it is there.
struct AppEvidence: Sendable {
    struct Needs: Hashable, Sendable {
        /// nil: it is there and can be used; else why not.
        var script: String?
        var interpreter: String?
        var directory: String?
        var user: String?
        /// `PATH: why`
        var environmentFiles: [String] = []
        var logDirectories: [String] = []
        /// Logs that the app writes into and that have no name any more.
        var deletedLogs: [String] = []
        /// The last lines on standard error, of an app that has failed.
        var errorLines: [String] = []
    }

    var needs: [InstanceID: Needs]
    /// With this home's mark, and of no instance in the list.
    var unlisted: [ObservedProcess]

    static func collect(_ scene: Scene) -> AppEvidence {
        // Instances of one app need the same.
        var known: [AppSpec: Needs] = [:]
        var needs: [InstanceID: Needs] = [:]
        for app in scene.apps {
            var found = known[app.spec] ?? Self.needs(of: app)
            known[app.spec] = found
            if let pid = app.view.pid { found.deletedLogs = deletedLogs(of: pid) }
            if [.errored, .waitingRestart, .scheduled].contains(app.view.status), app.view.lastExit?.code != 0,
                let path = app.view.errorLog,
                let tail = try? LogTail.lastLines(path, count: 2)
            {
                found.errorLines = tail.map { String(decoding: $0.bytes.prefix(300), as: UTF8.self) }
            }
            needs[app.desired.id] = found
        }
        return AppEvidence(needs: needs, unlisted: unlisted(scene))
    }

    private static func needs(of app: Scene.App) -> Needs {
        let spec = app.spec
        var needs = Needs()
        needs.directory = problem(directory: spec.cwd)
        needs.script = problem(script: spec)
        if let interpreter = spec.interpreter, interpreter != "none" {
            let path = app.environment["PATH"] ?? Paths.defaultSearchPath
            if Paths.program(interpreter, path: path, base: spec.cwd) == nil {
                needs.interpreter = interpreter.contains("/") ? "'\(interpreter)'" : "'\(interpreter)' in PATH=\(path)"
            }
        }
        if let user = spec.uid, UInt32(user) == nil, PasswordEntry.named(user) == nil { needs.user = user }
        for path in spec.environmentFiles ?? [] where FileProbe.kind(of: path) != .file {
            needs.environmentFiles.append("'\(path)' is not there")
        }
        for case let path? in Set([app.view.outLog, app.view.errorLog]) {
            if let problem = problem(logDirectory: FileSystem.parent(of: path)) { needs.logDirectories.append(problem) }
        }
        return needs
    }

    private static func problem(directory path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return "'\(path)': \(FileProbe.describe(errno))" }
        return status.st_mode & S_IFMT == S_IFDIR ? nil : "'\(path)' is not a directory"
    }

    private static func problem(script spec: AppSpec) -> String? {
        var status = stat()
        guard stat(spec.script, &status) == 0 else {
            // What only the app's user may look at is not gone.
            return errno == EACCES ? nil : "'\(spec.script)': \(FileProbe.describe(errno))"
        }
        if status.st_mode & S_IFMT == S_IFDIR, spec.interpreter == nil { return "'\(spec.script)' is a directory" }
        if spec.interpreter == nil, status.st_mode & 0o111 == 0 { return "'\(spec.script)' may not be executed" }
        return nil
    }

    /// A directory that is missing is made at the start, if that can be.
    private static func problem(logDirectory path: String) -> String? {
        var directory = path
        while FileProbe.kind(of: directory) == .missing, directory != "/" {
            directory = FileSystem.parent(of: directory)
        }
        guard FileProbe.kind(of: directory) == .directory else { return "'\(directory)' is not a directory" }
        return access(directory, W_OK | X_OK) == 0 ? nil : "'\(directory)': \(FileProbe.describe(errno))"
    }

    private static func deletedLogs(of pid: Int32) -> [String] {
        let mark = " (deleted)"
        let names = [Int32(1), 2].compactMap { ProcessFacts.file(behind: $0, of: pid) }
        return Set(
            names.filter {
                $0.hasSuffix(mark) && $0.hasPrefix("/") && !$0.hasPrefix("/memfd:") && !$0.hasPrefix("/dev/")
            }
        )
        .map { String($0.dropLast(mark.count)) }.sorted()
    }

    private static func unlisted(_ scene: Scene) -> [ObservedProcess] {
        let own = scene.ownProcesses
        let scan = MembershipScan(
            scene.processes, keeper: scene.daemon.keepers.first?.pid, daemon: scene.daemon.process?.pid)
        return scan.taggedProcesses(homeID: scene.paths.id)
            .filter { $0.isMain && !own.contains($0.identity.pid) && $0.uid == scene.owner }
            .compactMap { process in ObservedProcess.look(at: process.identity.pid) }
    }
}

/// Can each app be started again, and does it run as it should?
enum AppLayer {
    static func judge(_ evidence: AppEvidence, _ scene: Scene) -> [Finding] {
        var findings: [Finding] = []
        var seen: Set<String> = []
        for app in scene.apps {
            guard let needs = evidence.needs[app.desired.id] else { continue }
            // One finding for an app, however many instances it has.
            if seen.insert(app.spec.name).inserted { findings += missing(app, needs) }
            findings += state(app, needs, scene)
        }
        for process in evidence.unlisted {
            findings.append(
                Finding(
                    .processUnlisted,
                    "a process that Hearth started runs, and no app in the list has it: nobody watches it",
                    [process.sentence], fix: "kill \(process.pid)"))
        }
        return findings
    }

    private static func missing(_ app: Scene.App, _ needs: AppEvidence.Needs) -> [Finding] {
        let running = app.isRunning ? ["it runs now, and cannot be started again"] : []
        let name = "'\(app.spec.name)'"
        var findings: [Finding] = []
        if let script = needs.script {
            findings.append(Finding(.scriptMissing, "the script of \(name) cannot be run", [script] + running))
        }
        if let interpreter = needs.interpreter {
            findings.append(
                Finding(.interpreterMissing, "the interpreter of \(name) is not there", [interpreter] + running))
        }
        if let directory = needs.directory {
            findings.append(
                Finding(.directoryMissing, "the working directory of \(name) cannot be used", [directory] + running))
        }
        if let user = needs.user {
            findings.append(
                Finding(
                    .userMissing, "\(name) runs as a user that /etc/passwd does not have", ["user '\(user)'"] + running)
            )
        }
        if !needs.environmentFiles.isEmpty {
            findings.append(
                Finding(
                    .environmentFileMissing, "an env_file of \(name) cannot be read", needs.environmentFiles + running))
        }
        if !needs.logDirectories.isEmpty {
            findings.append(
                Finding(.logDirectoryUnusable, "the logs of \(name) cannot be written", needs.logDirectories + running))
        }
        return findings
    }

    private static func state(_ app: Scene.App, _ needs: AppEvidence.Needs, _ scene: Scene) -> [Finding] {
        let view = app.view
        var findings: [Finding] = []
        var lines = [view.reason]
        if let exit = view.lastExit { lines.append("it last ended with \(exit.sentence)") }
        lines += needs.errorLines
        let why = scene.fix("why \(SimpleStartup.quoted(app.spec.name))")
        if view.status == .errored {
            findings.append(Finding(.appErrored, "\(app.label) has failed", lines, fix: why))
        } else if view.status == .waitingRestart || view.unstableRestarts >= 3 {
            lines.insert("\(Reporting.count(view.restarts, "restart")), \(view.unstableRestarts) in a row", at: 0)
            findings.append(Finding(.appRestarting, "\(app.label) ends again and again", lines, fix: why))
        } else if view.status == .waiting {
            findings.append(Finding(.appWaiting, "\(app.label) is not started yet", lines, fix: why))
        } else if app.spec.job != nil {
            findings += job(app, lines, fix: why)
        } else if scene.daemon.answers, app.isWanted, view.status == .stopped, !view.reasonKindIsFinal {
            findings.append(
                Finding(
                    .appNotRunning, "\(app.label) should run, and does not", lines,
                    fix: scene.fix("start \(SimpleStartup.quoted(app.spec.name))")))
        }
        if !needs.deletedLogs.isEmpty {
            findings.append(
                Finding(
                    .logDeleted,
                    "\(app.label) writes into a log that was deleted: nobody can read it, and it takes space",
                    needs.deletedLogs.map { "'\($0)'" },
                    fix: scene.fix("restart \(SimpleStartup.quoted(app.spec.name))"))
            )
        }
        return findings
    }

    /// A run that somebody stopped has not failed.
    private static func job(_ app: Scene.App, _ lines: [String], fix: String) -> [Finding] {
        guard !app.view.status.isRunning, let exit = app.view.lastExit, exit.code != 0,
            [.exit, .signal, .oom].contains(exit.cause)
        else { return [] }
        return [
            Finding(
                .jobFailed, "the last run of the job \(app.label) failed",
                lines + [Quantities.timestamp(milliseconds: exit.at)], fix: fix)
        ]
    }
}

extension InstanceView {
    /// It ended, and by its own policy it is not started again.
    fileprivate var reasonKindIsFinal: Bool {
        [Reason.Kind.notRestarted, .registered].contains { $0.rawValue == reasonKind }
    }
}
