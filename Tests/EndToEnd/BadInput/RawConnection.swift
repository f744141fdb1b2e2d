import CLinux
import Control
import Foundation
import Glibc
import Records
import TestSupport

/// A connection to the control socket that sends whatever bytes a test likes.
final class RawConnection {
    private let fd: Int32
    private var received: [UInt8] = []
    private var searched = 0

    init(_ home: Home) throws {
        fd = clinux_unix_connect(home.paths.controlSocket, Int32(SOCK_STREAM.rawValue), 30_000)
        guard fd >= 0 else { throw Unexpected("cannot connect: errno \(-fd)", in: home) }
        _ = clinux_set_nonblocking(fd, 1)
    }

    deinit { close(fd) }

    /// Sends until everything is out, the peer closes, or `seconds` have passed. Number of bytes that went out.
    @discardableResult
    func send(_ bytes: [UInt8], within seconds: Double = 30) -> Int {
        let deadline = ContinuousClock.now + .milliseconds(Int(seconds * 1000))
        var sent = 0
        while sent < bytes.count, ContinuousClock.now < deadline {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(fd, buffer.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count > 0 { sent += count } else if errno != EAGAIN { break } else { wait(POLLOUT, 50) }
        }
        return sent
    }

    @discardableResult
    func send(_ text: String) -> Int { send(Array(text.utf8)) }

    /// The next message without its NUL; nil when the peer closed, or nothing came in time.
    func receive(within seconds: Double = 30) -> String? {
        let deadline = ContinuousClock.now + .milliseconds(Int(seconds * 1000))
        while true {
            if let end = received[searched...].firstIndex(of: 0) {
                defer {
                    received.removeSubrange(...end)
                    searched = 0
                }
                return String(decoding: received[..<end], as: UTF8.self)
            }
            searched = received.count
            guard ContinuousClock.now < deadline, read() else { return nil }
        }
    }

    /// Reads away what comes, until the peer closes. False: not in time.
    func isClosed(within seconds: Double) -> Bool {
        let deadline = ContinuousClock.now + .milliseconds(Int(seconds * 1000))
        while ContinuousClock.now < deadline {
            (received, searched) = ([], 0)
            if !read() { return true }
        }
        return false
    }

    /// False at the end of the stream.
    private func read() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.read(fd, &buffer, buffer.count)
        if count > 0 {
            received += buffer[..<count]
        } else if count == 0 || errno != EAGAIN {
            return false
        } else {
            wait(POLLIN, 50)
        }
        return true
    }

    private func wait(_ event: Int32, _ milliseconds: Int32) {
        var entry = pollfd(fd: fd, events: Int16(event), revents: 0)
        _ = poll(&entry, 1, milliseconds)
    }
}

extension Home {
    /// Resident bytes of the daemon, in KiB.
    func daemonMemory() throws -> Int {
        let pid = try hello().pid
        let line = read("/proc/\(pid)/status").split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line.flatMap { Int($0.split(separator: " ", omittingEmptySubsequences: true)[1]) } ?? 0
    }
}
