import CLinux
import Model

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A program that works for this one for a moment: it gets some bytes and answers with some bytes, within limits of time
/// and size. Its whole process group ends with it, whatever happens.
struct BoundedChild {
    var program: String
    var arguments: [String]
    /// Its standard input; nil: nothing.
    var input: [UInt8]?
    /// The descriptor on which it answers: 1, or a further one; then its standard output is thrown away.
    var answersOn: Int32 = 1
    var timeout: Milliseconds
    var largestAnswer = 16 << 20

    struct Answer {
        var bytes: [UInt8]
        /// The end of its standard error.
        var complaint: String
        /// Exit code; nil when a signal ended it.
        var code: Int32?
        var signal: Int32
    }

    enum Failure: Error {
        case cannotStart(errno: Int32)
        case timedOut(complaint: String)
        case answerTooLarge
    }

    private static let largestComplaint = 16 << 10

    func run() throws(Failure) -> Answer {
        let answer = try Self.pipe()
        var running = Running(answer: answer.read)
        defer { running.end() }
        do {
            defer { close(answer.write) }
            let complaint = try Self.pipe()
            defer { close(complaint.write) }
            running.complaint = complaint.read
            running.pid = try spawn(answer: answer.write, complaint: complaint.write)
        }
        running.pidfd = clinux_pidfd_open(running.pid)
        guard running.pidfd >= 0 else { throw .cannotStart(errno: -running.pidfd) }
        return try wait(&running)
    }

    // MARK: - Starting

    private struct Pipe {
        var read: Int32
        var write: Int32
    }

    private static func pipe() throws(Failure) -> Pipe {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw .cannotStart(errno: errno) }
        for end in ends { _ = clinux_set_cloexec(end, 1) }
        return Pipe(read: ends[0], write: ends[1])
    }

    private func spawn(answer: Int32, complaint: Int32) throws(Failure) -> pid_t {
        var inputFile: Int32 = -1
        if let input { inputFile = try Self.file(of: input) }
        defer { if inputFile >= 0 { close(inputFile) } }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if inputFile >= 0 {
            posix_spawn_file_actions_adddup2(&actions, inputFile, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        // First the answer: what lies on 1 to 3 in this process is only replaced after it was used.
        let ends = try Self.above([answer, complaint], 3)
        defer { for end in ends { close(end) } }
        posix_spawn_file_actions_adddup2(&actions, ends[0], answersOn)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
        if answersOn != 1 { posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        // POSIX_SPAWN_SETPGROUP (0x02) | SETSIGDEF (0x04) | SETSIGMASK (0x08)
        posix_spawnattr_setflags(&attributes, 0x02 | 0x04 | 0x08)

        var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        argv.append(nil)
        defer { for pointer in argv { free(pointer) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, &actions, &attributes, argv, environ)
        guard code == 0 else { throw .cannotStart(errno: code) }
        return pid
    }

    /// Duplicates beyond the descriptors that the child's are laid over.
    private static func above(_ fds: [Int32], _ last: Int32) throws(Failure) -> [Int32] {
        var copies: [Int32] = []
        for fd in fds {
            let copy = fcntl(fd, F_DUPFD_CLOEXEC, last + 1)
            guard copy >= 0 else {
                let code = errno
                for copy in copies { close(copy) }
                throw .cannotStart(errno: code)
            }
            copies.append(copy)
        }
        return copies
    }

    /// A file in memory: unlike a pipe it takes any number of bytes at once.
    private static func file(of bytes: [UInt8]) throws(Failure) -> Int32 {
        let fd = clinux_memfd("hearth-input")
        guard fd >= 0 else { throw .cannotStart(errno: -fd) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(fd, $0.baseAddress, $0.count) }
            guard count > 0 else {
                let code = errno
                close(fd)
                throw .cannotStart(errno: code)
            }
            rest = rest.dropFirst(count)
        }
        lseek(fd, 0, SEEK_SET)
        return fd
    }

    // MARK: - Waiting

    /// What must be given back when the child's time is over.
    private struct Running {
        var answer: Int32
        var complaint: Int32 = -1
        var pid: pid_t = 0
        var pidfd: Int32 = -1

        /// Ends the child and whatever it started, and tells its wait status.
        @discardableResult
        mutating func end() -> Int32 {
            var status: Int32 = 0
            if pid > 0 {
                // Before it is reaped: until then nobody else can have its number.
                _ = kill(-pid, SIGKILL)
                while waitpid(pid, &status, 0) < 0, errno == EINTR {}
                pid = 0
            }
            for fd in [answer, complaint, pidfd] where fd >= 0 { close(fd) }
            (answer, complaint, pidfd) = (-1, -1, -1)
            return status
        }
    }

    private func wait(_ running: inout Running) throws(Failure) -> Answer {
        var answer: [UInt8] = []
        var complaint: [UInt8] = []
        // A person who interrupts this program means the child, too, which is in a group of its own.
        let interruption = Interruption()
        let deadline = clinux_boottime_ns() + Int64(timeout.rawValue) * 1_000_000
        _ = clinux_set_nonblocking(running.answer, 1)
        _ = clinux_set_nonblocking(running.complaint, 1)
        var open = [true, true]
        while true {
            let left = (deadline - clinux_boottime_ns()) / 1_000_000
            guard left > 0 else { throw .timedOut(complaint: Self.text(complaint)) }
            var polled = [
                pollfd(fd: open[0] ? running.answer : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: open[1] ? running.complaint : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: running.pidfd, events: Int16(POLLIN), revents: 0),
                pollfd(fd: interruption.fd, events: Int16(POLLIN), revents: 0),
            ]
            _ = poll(&polled, nfds_t(polled.count), Int32(min(left, 60_000)))
            if let signal = interruption.received() {
                running.end()
                interruption.passOn(signal)
            }
            let isGone = polled[2].revents != 0
            open[0] = Self.drain(running.answer, into: &answer, keeping: largestAnswer + 1, end: false) && open[0]
            open[1] =
                Self.drain(running.complaint, into: &complaint, keeping: Self.largestComplaint, end: true) && open[1]
            guard answer.count <= largestAnswer else { throw .answerTooLarge }
            if isGone {
                let status = running.end()
                let signal = status & 0x7f
                return Answer(
                    bytes: answer, complaint: Self.text(complaint), code: signal == 0 ? (status >> 8) & 0xff : nil,
                    signal: signal)
            }
        }
    }

    /// Reads what is there. Too many bytes: keeps the first ones, or the last when `end`. False: nobody writes any more.
    private static func drain(_ fd: Int32, into bytes: inout [UInt8], keeping limit: Int, end: Bool) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        // A child that writes without a pause must not keep us from looking at the clock; a pipe holds less than this.
        for _ in 0..<64 {
            let count = read(fd, &chunk, chunk.count)
            if count == 0 { return false }
            guard count > 0 else { return errno == EAGAIN || errno == EINTR }
            bytes += chunk[..<count]
            guard bytes.count > limit else { continue }
            if end {
                bytes.removeFirst(bytes.count - limit)
            } else {
                bytes.removeLast(bytes.count - limit)
            }
        }
        return true
    }

    private static func text(_ bytes: [UInt8]) -> String {
        var text = String(decoding: bytes, as: UTF8.self)
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text
    }

    /// SIGINT, SIGTERM and SIGHUP, held back while a child works.
    private struct Interruption: ~Copyable {
        let fd: Int32
        private var former = sigset_t()

        init() {
            // Read before they are blocked, so that the mask can be given back.
            pthread_sigmask(SIG_BLOCK, nil, &former)
            let signals = [SIGINT, SIGTERM, SIGHUP]
            fd = clinux_signalfd(signals, Int32(signals.count))
        }

        func received() -> Int32? {
            guard fd >= 0 else { return nil }
            var sender: pid_t = 0
            var uid: uid_t = 0
            let signal = clinux_signalfd_read(fd, &sender, &uid)
            return signal > 0 ? signal : nil
        }

        /// Does what would have happened without us.
        func passOn(_ signal: Int32) {
            var mask = former
            pthread_sigmask(SIG_SETMASK, &mask, nil)
            raise(signal)
        }

        deinit {
            if fd >= 0 { close(fd) }
            var mask = former
            pthread_sigmask(SIG_SETMASK, &mask, nil)
        }
    }
}
