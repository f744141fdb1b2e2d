import Configuration
import Glibc
import Model
import Platform
import Records

/// Starts at boot without systemd: an OpenRC service, a runit service, or a crontab line. Each runs `hearth up` (`pm2
/// resurrect` in a home of PM2's) as the user; the keeper looks after the daemon from then on.
struct SimpleStartup {
    let system: InitSystem
    let target: StartupTarget
    let name: String

    init(system: InitSystem, target: StartupTarget, name: String? = nil) {
        self.system = system
        self.target = target
        self.name = name ?? (target.home.isPM2 ? "pm2-" : "hearth-") + ManagerUnits.escape(target.user.name)
    }

    /// The file that is made; nil: the crontab.
    var file: String? {
        switch system {
        case .openrc: Self.root + "/etc/init.d/\(name)"
        case .runit: Self.root + "/etc/sv/\(name)/run"
        case .systemd, .cron: nil
        }
    }

    /// Tests install below a directory of their own.
    static var root: String { getenv("HEARTH_TEST_ROOT").map { String(cString: $0) } ?? "" }

    // MARK: - Texts

    private var variables: [(name: String, value: String)] {
        UnitText.environment(from: CallerEnvironment.everything()) + [
            ("HOME", target.user.home), ("USER", target.user.name), ("LOGNAME", target.user.name),
            ("HEARTH_HOME", target.home.home),
        ]
    }

    private var start: [String] {
        [target.commandLine] + (target.home.isPM2 ? ["unit-start", "--scope", "none"] : ["up"])
    }

    /// What is written, or the line of the crontab.
    var text: String {
        let words = start.map(Self.quoted).joined(separator: " ")
        let environment = variables.map { "\($0.name)=\(Self.quoted($0.value))" }
        switch system {
        case .openrc:
            return """
                #!/sbin/openrc-run
                # Made by 'hearth startup'.
                description="Hearth process manager of \(target.user.name)"

                depend() {
                    need localmount
                    after net bootmisc
                }

                start() {
                    ebegin "Starting ${RC_SVCNAME}"
                    \(asUser(words, environment))
                    eend $?
                }

                stop() {
                    ebegin "Stopping ${RC_SVCNAME}"
                    \(asUser("\(Self.quoted(target.commandLine)) unit-stop --scope none", environment))
                    eend $?
                }

                """
        case .runit:
            // runit wants a process in the foreground: the keeper is one.
            let keeper = [target.keeper, "--home", target.home.home, "--log", target.home.daemonLog].map(Self.quoted)
                .joined(separator: " ")
            let exports = environment.map { "export \($0)" }.joined(separator: "\n")
            let groups = target.user.uid == 0 ? "" : "chpst -u \(Self.quoted(target.user.name)) "
            return """
                #!/bin/sh
                # Made by 'hearth startup'.
                \(exports)
                HEARTH_UNIT=\(Self.quoted(name)); export HEARTH_UNIT
                (sleep 1; exec \(groups)\(Self.quoted(target.commandLine)) unit-start --scope none) >/dev/null 2>&1 &
                exec \(groups)\(keeper)

                """
        case .systemd, .cron:
            return "@reboot \(environment.joined(separator: " ")) \(words) \(Self.mark(name))"
        }
    }

    private func asUser(_ command: String, _ environment: [String]) -> String {
        let line = "env \(environment.joined(separator: " ")) \(command)"
        return target.user.uid == 0 ? line : "su -s /bin/sh \(Self.quoted(target.user.name)) -c \(Self.quoted(line))"
    }

    private static func mark(_ name: String) -> String { "# \(name)" }

    /// A word for the shell; a crontab wants its `%` escaped, too.
    static func quoted(_ word: String) -> String {
        let plain = word.unicodeScalars.allSatisfy { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".", "/", ":", "=", "@", "+", ",": true
            default: false
            }
        }
        if plain, !word.isEmpty { return word }
        return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    // MARK: - Installing

    /// What was done, a sentence each.
    func install() throws -> [String] {
        try target.makeHome()
        guard let file else { return try installLine() }
        try FileSystem.makeDirectory(FileSystem.parent(of: file), mode: 0o755)
        try FileSystem.replace(file, with: Array(text.utf8), mode: 0o755, sync: true)
        _ = chmod(file, 0o755)
        var done = ["wrote \(file)"]
        if system == .openrc {
            try run("rc-update", ["add", name, "default"])
            done.append("added to the runlevel 'default'")
        } else {
            let link = Self.root + "/etc/service/\(name)"
            try FileSystem.makeDirectory(FileSystem.parent(of: link), mode: 0o755)
            if symlink(FileSystem.parent(of: file), link) != 0, errno != EEXIST {
                throw SystemError(errno, "link '\(link)'")
            }
            done.append("linked as \(link)")
        }
        return done
    }

    func remove() throws -> [String] {
        guard let file else { return try removeLine() }
        guard FileSystem.exists(file) else { throw Failure(.failed, "there is no '\(file)': nothing was set up") }
        if system == .openrc {
            try run("rc-update", ["delete", name, "default"])
        } else {
            _ = unlink(Self.root + "/etc/service/\(name)")
        }
        guard unlink(file) == 0 else { throw SystemError(errno, "remove '\(file)'") }
        if system == .runit { _ = rmdir(FileSystem.parent(of: file)) }
        return ["removed \(file)"]
    }

    private func run(_ program: String, _ arguments: [String]) throws {
        guard let path = Self.program(program) else { throw Failure(.failed, "there is no '\(program)' in PATH") }
        guard let answer = ProgramOutput.of(path, arguments, seconds: 20), answer.code == 0 else {
            throw Failure(.failed, "'\(program) \(arguments.joined(separator: " "))' failed")
        }
    }

    static func program(_ name: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        let places = path.split(separator: ":").map(String.init) + ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]
        return places.lazy.filter { $0.hasPrefix("/") }.map { "\($0)/\(name)" }.first(where: FileSystem.isExecutable)
    }

    // MARK: - The crontab

    private func installLine() throws -> [String] {
        // cron turns an unescaped % into a newline.
        let line = text.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "\\%")
        try writeCrontab(try otherLines() + [line])
        return ["added to the crontab of \(target.user.name): \(line)"]
    }

    private func removeLine() throws -> [String] {
        let (all, others) = (try lines(), try otherLines())
        guard all.count > others.count else {
            throw Failure(.failed, "the crontab of '\(target.user.name)' has no line of \(name): nothing was set up")
        }
        try writeCrontab(others)
        return ["removed the line of \(name) from the crontab of \(target.user.name)"]
    }

    private func otherLines() throws -> [String] { try lines().filter { !$0.hasSuffix(Self.mark(name)) } }

    private var crontabArguments: [String] {
        geteuid() == 0 && target.user.uid != 0 ? ["-u", target.user.name] : []
    }

    private func lines() throws -> [String] {
        guard let program = Self.program("crontab") else { throw Failure(.failed, "there is no 'crontab' in PATH") }
        guard let answer = ProgramOutput.of(program, crontabArguments + ["-l"]) else {
            throw Failure(.failed, "'crontab -l' does not end")
        }
        // 1: there is none yet.
        return answer.code == 0 ? answer.text.split(separator: "\n").map(String.init) : []
    }

    private func writeCrontab(_ lines: [String]) throws {
        guard let program = Self.program("crontab") else { throw Failure(.failed, "there is no 'crontab' in PATH") }
        let text = lines.map { $0 + "\n" }.joined()
        guard let answer = ProgramOutput.of(program, crontabArguments + ["-"], input: Array(text.utf8)),
            answer.code == 0
        else { throw Failure(.failed, "'crontab -' did not take the new crontab") }
    }
}
