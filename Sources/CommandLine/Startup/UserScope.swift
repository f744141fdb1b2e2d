import Configuration
import Glibc
import Model
import Platform

/// A user's own systemd: reached, and lingering, so that it runs without a login.
struct UserScope {
    let target: StartupTarget
    /// What root would run instead.
    let arguments: [String]

    func prepare() throws {
        Self.findRuntimeDirectory()
        if !isLingering { try enableLingering() }
        let deadline = SystemClock.now().advanced(by: .seconds(10))
        // Lingering starts it; that takes a moment.
        while !isReachable {
            guard SystemClock.now() < deadline else {
                throw failure("your systemd does not answer (systemctl --user)")
            }
            usleep(100_000)
            Self.findRuntimeDirectory()
        }
    }

    /// Sets XDG_RUNTIME_DIR: sudo and su forget it, and systemctl needs it. Before there are threads.
    static func findRuntimeDirectory() {
        if getenv("XDG_RUNTIME_DIR") == nil, FileSystem.isDirectory("/run/user/\(geteuid())") {
            setenv("XDG_RUNTIME_DIR", "/run/user/\(geteuid())", 1)
        }
    }

    private var isReachable: Bool { Systemctl(scope: .user).show("default.target", ["ActiveState"]) != nil }

    private var isLingering: Bool { FileSystem.exists("/var/lib/systemd/linger/\(target.user.name)") }

    private func enableLingering() throws {
        guard let program = SimpleStartup.program("loginctl") else { throw failure("there is no loginctl") }
        let answer = ProgramOutput.of(program, ["enable-linger", target.user.name])
        guard answer?.code == 0 else {
            let complaint = answer.map { $0.complaint.isEmpty ? $0.text : $0.complaint } ?? "it does not end"
            throw failure("lingering could not be enabled: \(complaint)")
        }
    }

    private func failure(_ reason: String) -> Failure {
        Failure(
            .notPermitted,
            "\(reason). Without it nothing starts before you log in. As root, for a service of the system:",
            "  \(RootCommand.text(arguments))")
    }
}
