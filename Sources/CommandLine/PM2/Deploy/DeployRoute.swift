import Configuration
import Glibc

/// How a script gets to where it runs: to a shell of this machine, or through ssh to one of another.
struct DeployRoute {
    let target: DeployTarget

    /// Runs a script on the host. Its exit code; 128 + SIGNAL when a signal ended it.
    ///
    /// It goes there on standard input: on a command line everybody on both machines could read the variables in it.
    /// With `needs_tty` standard input is the person's terminal, and the script an argument.
    func run(_ script: String) throws -> Int32 {
        guard target.needsTerminal else { return try run(Array(script.utf8), arguments: []) }
        if target.isLocal { return try Self.runHere(script) }
        return try ssh(["-t"], Self.posix("bash -c \"$1\"", "sh -c \"$1\"", [script])).run()
    }

    /// Runs the contents of a script file on the host.
    func run(_ script: [UInt8], arguments: [String]) throws -> Int32 {
        if target.isLocal {
            return try DeployChild(program: Self.shell(), arguments: ["-s", "--"] + arguments, input: script).run()
        }
        var child = try ssh([], Self.posix("bash -s -- \"$@\"", "sh -s -- \"$@\"", arguments))
        child.input = script
        return try child.run()
    }

    /// Runs a script on this machine, with our own standard input.
    static func runHere(_ script: String) throws -> Int32 {
        try DeployChild(program: shell(), arguments: ["-c", script]).run()
    }

    /// bash where there is one, as hooks are mostly written for it.
    private static func shell() -> String { program("bash") ?? "/bin/sh" }

    private static func program(_ name: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? Paths.defaultSearchPath
        return Paths.program(name, path: path, base: CallerHome.workingDirectory() ?? "/")
    }

    /// A command line that means the same to every login shell, of which ssh asks one to run it.
    private static func posix(_ bash: String, _ sh: String, _ arguments: [String]) -> String {
        let choice = "if command -v bash >/dev/null 2>&1; then exec \(bash); else exec \(sh); fi"
        return (["sh", "-c"] + ([choice, "sh"] + arguments).map(DeployScript.quote)).joined(separator: " ")
    }

    private func ssh(_ extra: [String], _ command: String) throws -> DeployChild {
        guard let program = Self.program("ssh") else {
            throw Failure(.failed, "there is no program 'ssh' in PATH; install OpenSSH's client")
        }
        return DeployChild(program: program, arguments: sshOptions + extra + [target.destination, command])
    }

    private var sshOptions: [String] {
        var options = target.sshOptions.flatMap { ["-o", $0] }
        if let port = target.port { options += ["-p", String(port)] }
        if let key = target.key {
            // Each argument is ssh's own: no shell is there to know what `~` is.
            let home = CallerHome.directory() ?? ""
            options += ["-i", key == "~" || key.hasPrefix("~/") ? home + key.dropFirst() : key]
        }
        if target.forwardsAgent { options.append("-A") }
        return options
    }
}
