import CLinux
import Configuration
import Glibc

/// A shell or ssh at work: its output is ours, and it ends with us.
struct DeployChild {
    var program: String
    var arguments: [String]
    /// Its standard input; nil: ours.
    var input: [UInt8]?

    /// Milliseconds after an interruption until it is killed.
    private static let patience: Int32 = 5000

    /// Waits for its end. Its exit code; 128 + SIGNAL when a signal ended it.
    ///
    /// When this process is interrupted or terminated meanwhile, the child is too, and this process does not return.
    func run() throws -> Int32 {
        var former = sigset_t()
        // Read before they are blocked, so that the child begins with the same.
        pthread_sigmask(SIG_BLOCK, nil, &former)
        let signals = [SIGINT, SIGTERM]
        let interruptions = clinux_signalfd(signals, Int32(signals.count))
        defer {
            if interruptions >= 0 { close(interruptions) }
            pthread_sigmask(SIG_SETMASK, &former, nil)
        }
        // With a terminal the child stays in our group: Ctrl-C reaches everything in it, and ssh may ask for a
        // password. Without one it leads a group, through which all that it started can be reached.
        let isLeader = !Self.hasTerminal
        let pid = try spawn(mask: &former, isLeader: isLeader)
        let pidfd = clinux_pidfd_open(pid)
        defer { if pidfd >= 0 { close(pidfd) } }
        var received: Int32?
        while pidfd >= 0 {
            var polled = [
                pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0),
                pollfd(fd: interruptions, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&polled, nfds_t(polled.count), received == nil ? -1 : Self.patience)
            if polled.first.map({ $0.revents != 0 }) ?? true { break }
            if count == 0 {
                kill(isLeader ? -pid : pid, SIGKILL)
                break
            }
            var sender: pid_t = 0
            var user: uid_t = 0
            let signal = clinux_signalfd_read(interruptions, &sender, &user)
            guard signal > 0 else { continue }
            received = signal
            kill(isLeader ? -pid : pid, signal)
        }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        if let received {
            // As if we had never held it back: whoever called sees what ended us.
            pthread_sigmask(SIG_SETMASK, &former, nil)
            raise(received)
        }
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }

    private static var hasTerminal: Bool {
        let fd = clinux_open("/dev/tty", O_RDWR | O_NOCTTY, 0)
        if fd >= 0 { close(fd) }
        return fd >= 0
    }

    private func spawn(mask: inout sigset_t, isLeader: Bool) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let file = try input.map(Self.file)
        defer { if let file { close(file) } }
        if let file { posix_spawn_file_actions_adddup2(&actions, file, 0) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setsigmask(&attributes, &mask)
        // Only what we changed: under nohup the child shall not mind a hang-up either.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        // POSIX_SPAWN_SETPGROUP (0x02) | SETSIGDEF (0x04) | SETSIGMASK (0x08)
        posix_spawnattr_setflags(&attributes, (isLeader ? 0x02 : 0) | 0x04 | 0x08)
        posix_spawnattr_setpgroup(&attributes, 0)

        var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        argv.append(nil)
        defer { for pointer in argv { free(pointer) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, &actions, &attributes, argv, environ)
        guard code == 0 else { throw Failure(.failed, "cannot start '\(program)': \(FileProbe.describe(code))") }
        return pid
    }

    /// A file in memory: unlike a pipe it takes any number of bytes at once.
    private static func file(of bytes: [UInt8]) throws -> Int32 {
        let fd = clinux_memfd("hearth-deploy")
        guard fd >= 0 else { throw Failure(.failed, "no memory for a script: \(FileProbe.describe(-fd))") }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(fd, $0.baseAddress, $0.count) }
            guard count > 0 else {
                let code = errno
                close(fd)
                throw Failure(.failed, "no memory for a script: \(FileProbe.describe(code))")
            }
            rest = rest.dropFirst(count)
        }
        lseek(fd, 0, SEEK_SET)
        return fd
    }
}
