import Configuration
import Glibc
import Platform
import Records

/// Is it the home that is meant, and may its owner use it?
struct HomeEvidence: Sendable {
    enum State: Hashable, Sendable {
        case missing
        case unreachable(errno: Int32)
        case there(mode: UInt32, owner: UInt32)
    }

    var state: State
    /// It was named with `--home`.
    var isNamed: Bool
    var callerHome: String?
    /// As /etc/passwd has it.
    var recordedHome: String?
    /// What its owner would meet when writing; 0: nothing. Only for the caller's own home.
    var writeError: Int32 = 0
    /// Below the home, of another user.
    var foreignFiles: [String] = []
    /// nil: fine; else why the working directory cannot be used.
    var directoryProblem: String?

    static func collect(_ paths: HomePaths, isNamed: Bool) -> HomeEvidence {
        var status = stat()
        let state: State =
            stat(paths.home, &status) == 0
            ? .there(mode: status.st_mode & 0o7777, owner: status.st_uid)
            : errno == ENOENT || errno == ENOTDIR ? .missing : .unreachable(errno: errno)
        var evidence = HomeEvidence(
            state: state, isNamed: isNamed, callerHome: getenv("HOME").map { String(cString: $0) },
            recordedHome: PasswordEntry.caller()?.home)
        if case .there(_, let owner) = state {
            if owner == Caller.userID, access(paths.base, W_OK | X_OK) != 0 { evidence.writeError = errno }
            evidence.foreignFiles = foreignFiles(paths, owner: owner)
        }
        if CallerHome.workingDirectory() == nil {
            evidence.directoryProblem = "it was removed"
        } else if access(".", R_OK | X_OK) != 0 {
            evidence.directoryProblem = FileProbe.describe(errno)
        }
        return evidence
    }

    /// Log files may belong to the user of an app; the rest is the owner's alone.
    private static func foreignFiles(_ paths: HomePaths, owner: UInt32) -> [String] {
        let runtime = ((try? FileSystem.names(in: paths.run)) ?? []).map { "\(paths.run)/\($0)" }
        var found: [String] = []
        for directory in [paths.base, paths.state, paths.snapshots, paths.run] + runtime {
            for name in (try? FileSystem.names(in: directory)) ?? [] {
                var status = stat()
                let path = "\(directory)/\(name)"
                if lstat(path, &status) == 0, status.st_uid != owner { found.append(path) }
                if found.count == 20 { return found }
            }
        }
        for path in [paths.home, paths.logs, paths.daemonLog, paths.pidFile] where !found.contains(path) {
            var status = stat()
            if lstat(path, &status) == 0, status.st_uid != owner { found.append(path) }
        }
        return found
    }
}

enum HomeLayer {
    static func judge(_ evidence: HomeEvidence, _ paths: HomePaths, caller: UInt32, _ fix: FixCommands) -> [Finding] {
        var findings: [Finding] = []
        let user = UserNames.name(of: caller)
        if let problem = evidence.directoryProblem {
            findings.append(
                Finding(
                    .directoryUnreadable, "the working directory cannot be used by '\(user)': \(problem)",
                    ["programs that are started from here may end at once"], fix: "cd /"))
        }
        switch evidence.state {
        case .missing:
            findings.append(contentsOf: variable(evidence, user, paths))
            findings.append(
                Finding(
                    .homeMissing, "there is no home yet: nothing was ever started in it", ["'\(paths.home)'"],
                    fix: fix("up")))
        case .unreachable(let code):
            findings.append(
                Finding(
                    .homeOfAnotherUser, "the home cannot be looked at by '\(user)': \(FileProbe.describe(code))",
                    ["'\(paths.home)'"] + whereabouts(evidence, user), fix: correct(evidence, user)))
        case .there(let mode, let owner):
            findings += there(evidence, paths, caller, mode: mode, owner: owner)
        }
        return findings
    }

    private static func there(
        _ evidence: HomeEvidence, _ paths: HomePaths, _ caller: UInt32, mode: UInt32, owner: UInt32
    ) -> [Finding] {
        var findings: [Finding] = []
        let name = UserNames.name(of: owner)
        if owner != caller {
            let user = UserNames.name(of: caller)
            if caller != 0 {
                findings.append(
                    Finding(
                        .homeOfAnotherUser, "the home belongs to '\(name)', and you are '\(user)'",
                        ["'\(paths.home)'"] + whereabouts(evidence, user), fix: "sudo -u \(name) hearth doctor"))
            } else if !evidence.isNamed {
                findings.append(
                    Finding(
                        .homeFromVariable,
                        "you are root, and HOME or HEARTH_HOME leads into the home of '\(name)': no daemon is started there",
                        ["'\(paths.home)'"] + whereabouts(evidence, user), fix: "sudo -u \(name) hearth doctor"))
            }
        }
        if mode & 0o077 != 0, !paths.isPM2 {
            findings.append(
                Finding(
                    .homeOpen, "other users may look into the home: the list holds environments with secrets",
                    ["'\(paths.home)' has mode \(String(mode, radix: 8))"],
                    fix: "chmod 700 \(SimpleStartup.quoted(paths.home))", repair: .closeHome))
        }
        if evidence.writeError != 0 {
            findings.append(
                Finding(
                    .homeNotWritable, "the home cannot be written to: \(FileProbe.describe(evidence.writeError))",
                    ["'\(paths.base)' has mode \(String(mode, radix: 8))"],
                    fix: evidence.writeError == EACCES ? "chmod u+rwx \(SimpleStartup.quoted(paths.base))" : nil))
        }
        if !evidence.foreignFiles.isEmpty {
            findings.append(
                Finding(
                    .homeForeignFiles, "files of the home belong to somebody else: a command was run as another user",
                    evidence.foreignFiles.prefix(5).map { "'\($0)'" },
                    fix: (caller == 0 ? "" : "sudo ") + "chown -R \(name): \(SimpleStartup.quoted(paths.base))"))
        }
        return findings
    }

    /// HOME of somebody else, as `sudo` may keep it.
    private static func variable(_ evidence: HomeEvidence, _ user: String, _ paths: HomePaths) -> [Finding] {
        guard !evidence.isNamed, let home = evidence.callerHome, let recorded = evidence.recordedHome, home != recorded,
            paths.home.hasPrefix(home + "/"), let owner = Scene.owner(of: home), owner != Caller.userID
        else { return [] }
        return [
            Finding(
                .homeFromVariable, "HOME is that of '\(UserNames.name(of: owner))', and you are '\(user)'",
                whereabouts(evidence, user), fix: correct(evidence, user))
        ]
    }

    private static func whereabouts(_ evidence: HomeEvidence, _ user: String) -> [String] {
        guard let home = evidence.callerHome, let recorded = evidence.recordedHome, home != recorded else { return [] }
        return ["HOME is '\(home)'; that of '\(user)' is '\(recorded)'"]
    }

    private static func correct(_ evidence: HomeEvidence, _ user: String) -> String? {
        evidence.recordedHome.map { "HOME=\(SimpleStartup.quoted($0)) hearth doctor" }
    }
}
