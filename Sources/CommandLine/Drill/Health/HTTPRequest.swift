import CLinux
import Configuration
import Glibc
import Model
import Platform

/// One GET over a socket that never blocks: only the status of the answer is of interest.
struct HTTPRequest {
    struct Failure: Error {
        var why: String
    }

    private let fd: Int32
    private var outgoing: ArraySlice<UInt8>
    private var received: [UInt8] = []

    /// A status line has `HTTP/1.1 200` and a phrase; more than this is no HTTP.
    private static let longestStatusLine = 1024

    private init(fd: Int32, request: String) {
        self.fd = fd
        outgoing = Array(request.utf8)[...]
    }

    static func begin(_ check: HealthCheck, _ address: Hosts.Address) -> Result<HTTPRequest, Failure> {
        let family = address.isV6 ? AF_INET6 : AF_INET
        let fd = socket(
            family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { return .failure(Failure(why: "no socket: \(FileProbe.describe(errno))")) }
        let code = address.connect(fd, port: UInt16(clamping: check.port))
        guard code == 0 || code == EINPROGRESS else {
            close(fd)
            return .failure(Failure(why: FileProbe.describe(code)))
        }
        let request =
            "GET \(check.target) HTTP/1.1\r\nHost: \(check.authority)\r\nUser-Agent: hearth-drill\r\nAccept: */*\r\n"
            + "Connection: close\r\n\r\n"
        return .success(HTTPRequest(fd: fd, request: request))
    }

    var wanted: pollfd { pollfd(fd: fd, events: Int16(outgoing.isEmpty ? POLLIN : POLLOUT), revents: 0) }

    func end() { close(fd) }

    /// Does what can be done without waiting. nil: there is more to come.
    mutating func advance() -> HealthProbe.Answer? {
        if !outgoing.isEmpty {
            let count = outgoing.withUnsafeBytes { send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0 { return errno == EAGAIN || errno == EINTR ? nil : .failed(FileProbe.describe(errno)) }
            outgoing = outgoing.dropFirst(count)
            return nil
        }
        var chunk = [UInt8](repeating: 0, count: 4096)
        let count = read(fd, &chunk, chunk.count)
        if count < 0 { return errno == EAGAIN || errno == EINTR ? nil : .failed(FileProbe.describe(errno)) }
        guard count > 0 else { return .failed("the connection was closed without an answer") }
        received += chunk.prefix(count)
        return Self.answer(in: received)
    }

    /// nil: the first line is not complete.
    static func answer(in bytes: [UInt8]) -> HealthProbe.Answer? {
        guard let end = bytes.firstIndex(of: 0x0a) else {
            return bytes.count > longestStatusLine ? .failed("the answer is not HTTP") : nil
        }
        let words = String(decoding: bytes[..<end], as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count >= 2, words[0].hasPrefix("HTTP/"), let status = Int(words[1]), (100...599).contains(status)
        else { return .failed("the answer is not HTTP") }
        return HealthProbe.Answer(status: status, failure: nil)
    }
}
