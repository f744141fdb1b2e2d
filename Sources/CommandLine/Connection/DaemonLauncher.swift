import CLinux
import Configuration
import Control
import Glibc
import Platform
import Records

/// Starts hearth-keeper, which starts hearthd, and waits until the daemon is ready.
struct DaemonLauncher {
    let paths: HomePaths
    let helloTimeout: Int
    /// Milliseconds until the daemon must be ready.
    var patience = 10_000
    /// The daemon may use a home that another machine ran last.
    var takesOver = false

    func launch() throws -> Client {
        try HomeOwner(paths: paths).create()
        if let client = try launchUnit() { return client }
        let program = try InstalledProgram.path(of: "hearth-keeper")
        let logSize = size(of: paths.daemonLog)
        let keeper = try spawn(program)
        let deadline = clinux_boottime_ns() + Int64(patience) * 1_000_000
        var status: Int32 = 0
        var isGone = false
        while clinux_boottime_ns() < deadline {
            if let client = try readyClient(until: deadline) { return client }
            if !isGone, waitpid(keeper, &status, WNOHANG) == keeper {
                isGone = true
                // 0: another one was quicker, and is the one we wait for.
                guard status == 0 || Int(status >> 8) == Int(KEEPER_EXIT_LOCKED) else { break }
            }
            usleep(2000)
        }
        throw failure(since: logSize, gone: isGone ? status : nil)
    }

    /// Where there is a unit for this home it starts the daemon; nil: there is none, or it is not ours to start.
    private func launchUnit() throws -> Client? {
        guard !takesOver, Systemctl.isAvailable, let units = ManagerUnits.installed(for: paths) else { return nil }
        let rights = units.scope == .user || geteuid() == 0
        if rights {
            // Only a daemon is wanted: what was stopped on purpose stays so.
            try? FileSystem.makeDirectory(paths.run)
            try? FileSystem.replace(PlainStart.mark(paths), with: [], sync: false)
            defer { unlink(PlainStart.mark(paths)) }
            let answer = Systemctl(scope: units.scope).run(
                ["start", units.manager], seconds: Int64(patience / 1000) + 5)
            if answer.isDone {
                let deadline = clinux_boottime_ns() + Int64(patience) * 1_000_000
                while clinux_boottime_ns() < deadline {
                    if let client = try readyClient(until: deadline) { return client }
                    usleep(2000)
                }
            }
            Output.complain("'systemctl start \(units.manager)' did not bring a daemon: \(answer.output)")
        }
        let command = units.scope == .user ? "systemctl --user start" : "sudo systemctl start"
        Output.complain(
            "the daemon is started outside \(units.manager) and is not restarted by systemd until '\(command) \(units.manager)'"
        )
        return nil
    }

    private func readyClient(until deadline: Int64) throws -> Client? {
        do {
            let client = try Client.connect(socketPath: paths.controlSocket, timeout: helloTimeout)
            var hello = try client.greet()
            while !hello.ready, clinux_boottime_ns() < deadline {
                usleep(2000)
                hello = try client.greet(again: true)
            }
            return hello.ready ? client : nil
        } catch ClientError.noDaemon, ClientError.connectionLost, ClientError.notAnswering {
            return nil
        }
    }

    // MARK: - The process

    /// A session of its own, nothing of ours but the log: no descriptor, no ignored signal, no blocked one.
    private func spawn(_ program: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, paths.daemonLog, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        // POSIX_SPAWN_SETSID (0x80) | SETSIGMASK (0x08) | SETSIGDEF (0x04)
        posix_spawnattr_setflags(&attributes, 0x80 | 0x08 | 0x04)

        let arguments = Self.cStrings([program, "--home", paths.home])
        let environment = Self.cStrings(Self.environment(takesOver: takesOver))
        defer { for pointer in arguments + environment { free(pointer) } }
        Self.keepInheritedDescriptors()
        let directory = clinux_open(".", O_RDONLY | O_DIRECTORY, 0)
        _ = chdir("/")
        defer {
            if directory >= 0 {
                _ = fchdir(directory)
                close(directory)
            }
        }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, &actions, &attributes, arguments, environment)
        guard code == 0 else {
            throw Failure(
                .failed,
                "cannot start '\(program)' with its log '\(paths.daemonLog)': \(FileProbe.describe(code))")
        }
        return pid
    }

    private static func cStrings(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
        var pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) }
        pointers.append(nil)
        return pointers
    }

    /// What this process inherited is not for the daemon, which would hold it for ever: a lock, the end of a pipe.
    private static func keepInheritedDescriptors() {
        guard let names = try? FileSystem.names(in: "/proc/self/fd") else { return }
        for fd in names.compactMap(Int32.init) where fd > 2 { _ = clinux_set_cloexec(fd, 1) }
    }

    /// Ours, without what another manager or a home of ours put there.
    private static func environment(takesOver: Bool) -> [String] {
        let settings = ["HEARTH_HEARTBEAT_MS=", "HEARTH_CGROUP="]
        var entries: [String] = takesOver ? ["HEARTH_TAKE_OVER=1"] : []
        var pointer = environ
        while let entry = pointer.pointee {
            pointer += 1
            guard let text = String(validatingCString: entry) else { continue }
            let isForeign =
                ["NODE_CHANNEL_", "NOTIFY_SOCKET=", "LISTEN_"].contains { text.hasPrefix($0) }
                || (text.hasPrefix("HEARTH_") && !settings.contains { text.hasPrefix($0) })
            if !isForeign { entries.append(text) }
        }
        return entries
    }

    // MARK: - Failures

    private func size(of path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    private func failure(since start: Int, gone status: Int32?) -> Failure {
        var lines = [
            status.map { status in
                let end = status & 0x7f == 0 ? "exit code \(status >> 8)" : "signal \(status & 0x7f)"
                return "the daemon could not be started: hearth-keeper ended with \(end)"
            } ?? "the daemon was started, and is not ready after \(patience / 1000) s; see '\(paths.daemonLog)'"
        ]
        let tail = (try? LogTail.lastLines(paths.daemonLog, count: 5)) ?? []
        for line in tail where line.offset >= start {
            lines.append("  \(paths.daemonLog): " + String(decoding: line.bytes, as: UTF8.self))
        }
        return Failure(status == nil ? .notAnswering : .failed, lines: lines)
    }
}
