import DisplayText
import Glibc

/// Makes the standard descriptors what the rest of the program takes for granted.
enum StandardDescriptors {
    /// Opens /dev/null onto those of 0, 1 and 2 that are closed (otherwise the control socket would become fd 1), and
    /// makes a write to a closed pipe an error instead of a death.
    static func prepare() {
        for fd in Int32(0)...2 where fcntl(fd, F_GETFD) == -1 {
            // The lowest free number is `fd`, as those below are open.
            _ = open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY)
        }
        signal(SIGPIPE, SIG_IGN)
    }
}

/// Where a command's words go.
enum Output {
    /// Writes everything to standard output. When the reader has gone there is nothing left to do: the program ends.
    static func write(_ text: String) throws {
        try write(Array(text.utf8), to: 1)
    }

    static func line(_ text: String) throws { try write(text + "\n") }

    static func write(_ bytes: [UInt8], to fd: Int32) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(fd, buffer.baseAddress.map { $0 + done }, bytes.count - done)
            }
            if count >= 0 {
                done += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                // Somebody made our terminal or pipe non-blocking.
                var entry = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
                _ = poll(&entry, 1, -1)
            case EPIPE: exit(0)
            default:
                let reason = strerror(errno).map { String(cString: $0).lowercased() } ?? "unknown error"
                if fd == 2 { return }
                throw Failure(.failed, "cannot write to standard output: \(reason)")
            }
        }
    }

    /// One line on standard error, marked as ours. What it quotes may be hostile.
    static func complain(_ text: String) {
        let safe = DisplayText.escape(text, unicode: true)
        try? write(Array("hearth: \(safe)\n".utf8), to: 2)
    }
}
