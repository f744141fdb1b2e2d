import CLinux
import Foundation
import Glibc
import Testing

/// A home with a fake hearthd and any number of keepers; everything in it dies with the test.
final class Home {
    let path: String
    private var keepers: [Int32] = []

    /// `plans`: for every start, or from the second entry on for the start of that number.
    init(_ plan: String, later: [Int: String] = [:]) throws {
        path = FileManager.default.temporaryDirectory.path + "/hearth-keeper-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try write(plan, to: "plan")
        for (number, plan) in later { try write(plan, to: "plan.\(number)") }
        try write(FakeDaemon.script, to: "fake-hearthd")
        chmod(file("fake-hearthd"), 0o700)
    }

    deinit {
        // First the keepers: they would start others.
        for pid in keepers {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        try? write("", to: "go")  // apps wait for it
        for pid in startedPids where isFake(pid) { kill(pid, SIGKILL) }
        for pid in daemonsOnTheirWay() { kill(pid, SIGKILL) }
        try? FileManager.default.removeItem(atPath: path)
    }

    func file(_ name: String) -> String { path + "/" + name }

    func write(_ text: String, to name: String) throws {
        try text.write(toFile: file(name), atomically: false, encoding: .utf8)
    }

    func read(_ name: String) -> String { (try? String(contentsOfFile: file(name), encoding: .utf8)) ?? "" }

    // MARK: - Keepers

    /// Starts a keeper and returns its pid. With a service manager it is that one's main process, and gets what that
    /// has stored, as systemd would give it.
    @discardableResult
    func startKeeper(
        heartbeat: Int = 60_000, arguments: [String]? = nil, service: ServiceManager? = nil
    ) throws -> pid_t {
        let keeper = try Self.program()
        let usual = ["--home", path, "--daemon", file("fake-hearthd"), "--log", file("keeper.log")]
        let stored = service?.stored ?? []
        // Only the process itself knows its pid.
        let program = service == nil ? keeper : "/bin/sh"
        let shell = service == nil ? [] : ["-c", "LISTEN_PID=$$; export LISTEN_PID; exec \"$0\" \"$@\"", keeper]
        let words = [program] + shell + (arguments ?? usual)
        var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        var environment = ["PATH=\(path)", "HEARTH_HEARTBEAT_MS=\(heartbeat)"]
        if let service {
            environment += [
                "NOTIFY_SOCKET=@\(service.name)", "LISTEN_FDS=\(stored.count)",
                "LISTEN_FDNAMES=\(stored.map(\.name).joined(separator: ":"))",
            ]
        }
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        // What lives on must not hold the output of the tests: whoever reads that waits for its end.
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for fd in Int32(0)...2 { posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0) }
        // Above what they are laid over.
        let copies = stored.map { fcntl($0.descriptor, F_DUPFD_CLOEXEC, 200) }
        defer { for copy in copies { close(copy) } }
        for (index, copy) in copies.enumerated() { posix_spawn_file_actions_adddup2(&actions, copy, Int32(3 + index)) }
        var pid: pid_t = 0
        try #require(posix_spawn(&pid, program, &actions, nil, &argv, &envp) == 0)
        keepers.append(pid)
        return pid
    }

    /// Beside the test products, or in the directory (or the file) that HEARTH_TEST_BIN names.
    private static func program() throws -> String {
        let environment = ProcessInfo.processInfo.environment
        var candidates = environment["HEARTH_TEST_BIN"].map { [$0, $0 + "/hearth-keeper"] } ?? []
        for start in [CommandLine.arguments.first ?? "", Bundle.main.bundlePath, Bundle.main.executablePath ?? ""] {
            var url = URL(fileURLWithPath: start)
            while url.path != "/" {
                candidates.append(url.appendingPathComponent("hearth-keeper").path)
                url.deleteLastPathComponent()
            }
        }
        let found = candidates.first { candidate in
            var status = stat()
            return stat(candidate, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(candidate, X_OK) == 0
        }
        return try #require(found, "hearth-keeper is not built, or HEARTH_TEST_BIN is wrong")
    }

    /// Exit code of a keeper, -SIGNAL, or nil when it does not end in time.
    func exitCode(of keeper: pid_t, within seconds: Double = 20) -> Int32? {
        var status: Int32 = 0
        guard eventually(within: seconds, { clinux_reap(keeper, &status) == 1 }) else { return nil }
        keepers.removeAll { $0 == keeper }
        return status & 0x7f == 0 ? status >> 8 : -(status & 0x7f)
    }

    // MARK: - What the daemons told

    /// Pids of all daemons so far.
    var startedPids: [pid_t] { read("starts").split(separator: "\n").compactMap { pid_t($0) } }

    /// A number may belong to another process by now.
    /// Daemons of this home that a keeper started just before its end and that have not written their pids yet.
    private func daemonsOnTheirWay() -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { $0 != getpid() && isFake($0) }
    }

    private func isFake(_ pid: pid_t) -> Bool {
        let line = (try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/cmdline"))) ?? Data()
        return String(decoding: line, as: UTF8.self).contains(path)
    }

    /// Lines of daemon `number` that begin with `word`, each without both.
    func told(_ number: Int, _ word: String) -> [String] {
        let prefix = "\(number) \(word)"
        return read("told").split(separator: "\n").filter { $0 == prefix || $0.hasPrefix(prefix + " ") }
            .map { String($0.dropFirst(prefix.count + 1)) }
    }

    /// Waits for the first such line.
    func wait(_ number: Int, _ word: String, within seconds: Double = 20) throws -> String {
        let came = eventually(within: seconds) { !told(number, word).isEmpty }
        return try #require(came ? told(number, word).first : nil, "\(number) \(word) never came\n\(log)")
    }

    /// For a failed expectation.
    var log: Comment { "told:\n\(read("told"))\nkeeper:\n\(read("keeper.log"))" }
}

/// Waits until `condition` holds; false when the deadline passes first.
func eventually(within seconds: Double = 20, _ condition: () -> Bool) -> Bool {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while !condition() {
        if Date() > deadline { return false }
        usleep(5_000)
    }
    return true
}
