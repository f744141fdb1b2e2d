internal import CLinux
import FoundationEssentials
internal import Glibc

/// A connected control socket with deadlines: bytes out, NUL-terminated messages in.
final class ClientChannel {
    /// CLOCK_BOOTTIME in nanoseconds.
    typealias Deadline = Int64

    private let fd: Int32
    private var framer = MessageFramer()
    private var chunk = [UInt8](repeating: 0, count: 65_536)

    init(adopting fd: Int32) {
        self.fd = fd
        _ = clinux_set_nonblocking(fd, 1)
    }

    deinit { close(fd) }

    static func deadline(in milliseconds: Int) -> Deadline { clinux_boottime_ns() + Int64(milliseconds) * 1_000_000 }

    func send(_ message: Data, by deadline: Deadline) throws(ClientError) {
        let bytes = [UInt8](message)
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(fd, buffer.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                guard wait(for: Int16(POLLOUT), by: deadline) else { throw ClientError.notAnswering(waited: 0) }
            // A peer that closed may have left an answer to what it did read: the reader finds out.
            case EPIPE, ECONNRESET: return
            default: throw ClientError.connectionLost
            }
        }
    }

    /// The next whole message without its NUL.
    func receive(by deadline: Deadline?) throws(ClientError) -> Data {
        while true {
            if let message = framer.next() { return message }
            guard framer.pendingBytes <= Varlink.maximumMessageBytes else {
                throw ClientError.malformed("a reply of more than \(Varlink.maximumMessageBytes) bytes")
            }
            let count = read(fd, &chunk, chunk.count)
            if count > 0 {
                chunk.withUnsafeBytes { framer.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            } else if count == 0 {
                throw ClientError.connectionLost
            } else if errno == EAGAIN {
                guard wait(for: Int16(POLLIN), by: deadline) else { throw ClientError.notAnswering(waited: 0) }
            } else if errno != EINTR {
                throw ClientError.connectionLost
            }
        }
    }

    /// Waits until the peer closes. False: not within the deadline.
    func waitForEnd(by deadline: Deadline) -> Bool {
        while true {
            let count = read(fd, &chunk, chunk.count)
            if count == 0 { return true }
            if count < 0 {
                if errno == EINTR { continue }
                guard errno == EAGAIN else { return true }
                guard wait(for: Int16(POLLIN), by: deadline) else { return false }
            }
        }
    }

    private func wait(for events: Int16, by deadline: Deadline?) -> Bool {
        while true {
            var remaining: Int64 = -1
            if let deadline {
                remaining = (deadline - clinux_boottime_ns() + 999_999) / 1_000_000
                if remaining <= 0 { return false }
            }
            var entry = pollfd(fd: fd, events: events, revents: 0)
            let ready = poll(&entry, 1, Int32(clamping: remaining))
            if ready > 0 { return true }
            if ready < 0, errno != EINTR { return true }
        }
    }
}
