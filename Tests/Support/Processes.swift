import CLinux
import Foundation
import Glibc
import Platform

/// Processes of this machine as a test looks at them.
package enum Processes {
    /// Every process that is more than a zombie.
    package static var all: [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.filter(isRunning)
    }

    /// False for a zombie and for a number that nobody has.
    package static func isRunning(_ pid: Int32) -> Bool { ProcessTable.entry(of: pid)?.isAlive ?? false }

    /// The state letter of /proc, such as `T` for a stopped process; nil when there is none.
    package static func state(_ pid: Int32) -> Character? {
        ProcessTable.entry(of: pid).map { Character(UnicodeScalar($0.state)) }
    }

    package static func commandLine(_ pid: Int32) -> [String] { strings("/proc/\(pid)/cmdline") }
    package static func environment(_ pid: Int32) -> [String] { strings("/proc/\(pid)/environ") }

    package static func workingDirectory(_ pid: Int32) -> String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")) ?? ""
    }

    /// Living processes of `hearthd` or `hearth-keeper` that were started for this home.
    package static func programs(_ name: String, home: String) -> [Int32] {
        all.filter { pid in
            let words = commandLine(pid)
            guard let program = words.first else { return false }
            // In a home of PM2's the daemon has the title of PM2's.
            let isNamed = program == name || program.hasSuffix("/" + name)
            guard isNamed || (name == "hearthd" && program.hasPrefix("PM2 v")) else { return false }
            return zip(words, words.dropFirst()).contains { $0 == "--home" && $1 == home }
        }
    }

    private static func strings(_ path: String) -> [String] {
        guard let bytes = try? FileSystem.read(path) else { return [] }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Exit code, or -SIGNAL.
    package static func exitCode(_ status: Int32) -> Int32 {
        status & 0x7f == 0 ? (status >> 8) & 0xff : -(status & 0x7f)
    }

    package struct StartFailure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Starts a program in a session of its own with none of our descriptors. The caller reaps it.
    package static func start(
        _ program: String, _ arguments: [String], environment: [String: String], input: String = "/dev/null",
        output: String, errors: String? = nil
    ) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        if let errors {
            posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        } else {
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
        keepDescriptors()

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

        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + variables { free(text) } }
        var pid: Int32 = 0
        let code = posix_spawn(&pid, program, &actions, &attributes, &words, &variables)
        guard code == 0 else {
            throw StartFailure(description: "cannot start '\(program)': \(errorText(code))")
        }
        return pid
    }

    /// Waits for the end of a child, and kills it when its time is over. Exit code, or -SIGNAL.
    @discardableResult
    package static func wait(_ pid: Int32, within seconds: Double = 60) -> Int32 {
        let deadline = ContinuousClock.now + .milliseconds(Int(seconds * 1000))
        var status: Int32 = 0
        while waitpid(pid, &status, WNOHANG) == 0 {
            if ContinuousClock.now > deadline { kill(pid, SIGKILL) }
            usleep(2000)
        }
        return exitCode(status)
    }

    /// A keeper lives on after a test that crashed: it must not hold the pipe that the test runner's output goes to.
    private static func keepDescriptors() {
        for fd in ((try? FileSystem.names(in: "/proc/self/fd")) ?? []).compactMap(Int32.init) where fd > 2 {
            _ = clinux_set_cloexec(fd, 1)
        }
    }
}
