import CLinux
import Configuration
import Control
import Glibc
import Model
import Platform
import Records

/// What `--fix` does: to the caller's own home only, and nothing that ends an app.
struct Repairs {
    let paths: HomePaths
    /// Milliseconds that a daemon may take to say hello.
    let timeout: Int

    /// What was done, or why not, a sentence each. A repair that several findings ask for is done once.
    func perform(_ findings: [Finding]) -> [String] {
        var done: Set<Repair> = []
        var sentences: [String] = []
        for case let repair? in findings.map(\.repair) where done.insert(repair).inserted {
            do {
                sentences.append(try perform(repair))
            } catch {
                let lines = Failure(error)?.lines ?? ["\(error)"]
                sentences.append("failed: " + lines.joined(separator: "; "))
            }
        }
        return sentences
    }

    private func perform(_ repair: Repair) throws -> String {
        // In somebody else's home nothing is started and nothing is ended: root included.
        try HomeOwner(paths: paths).requireOwn()
        switch repair {
        case .startKeeper:
            let client = try DaemonLauncher(paths: paths, helloTimeout: timeout).launch()
            return "started a keeper; the daemon is pid \(try client.greet().pid)"
        case .replaceDaemon(let daemon): return try replace(daemon)
        case .resumeKeeper(let keeper):
            try signal(keeper, SIGCONT)
            return "let the keeper go on (pid \(keeper.pid))"
        case .closeHome:
            guard chmod(paths.home, 0o700) == 0 else { throw SystemError(errno, "chmod '\(paths.home)'") }
            return "closed the home for others ('\(paths.home)', mode 700)"
        case .enableLinger(let user):
            guard let output = ProgramOutput.of("/usr/bin/loginctl", ["enable-linger", user]), output.code == 0 else {
                throw Failure(.failed, "'loginctl enable-linger \(user)' did not work; run it as root")
            }
            return "enabled lingering for '\(user)'"
        }
    }

    private func replace(_ daemon: ProcessIdentity) throws -> String {
        try signal(daemon, SIGKILL)
        let start = SystemClock.now()
        // Its keeper starts the next one; where there is none, `launch` does.
        while daemon.isAlive(), SystemClock.now().since(start).rawValue < 5000 { usleep(2000) }
        guard !daemon.isAlive() else {
            throw Failure(.failed, "the daemon (pid \(daemon.pid)) does not die of SIGKILL")
        }
        let client = try DaemonLauncher(paths: paths, helloTimeout: timeout).launch()
        return "killed the daemon that did not answer (pid \(daemon.pid)); pid \(try client.greet().pid) has taken over"
    }

    private func signal(_ process: ProcessIdentity, _ signal: Int32) throws {
        let pidfd = clinux_pidfd_open(process.pid)
        guard pidfd >= 0 else { return }
        defer { close(pidfd) }
        // Another one may have its number by now.
        guard process.isAlive() else { return }
        let result = clinux_pidfd_send_signal(pidfd, signal)
        guard result == 0 else { throw SystemError(-result, "signal pid \(process.pid)") }
    }
}
