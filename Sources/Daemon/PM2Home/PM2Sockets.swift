import CLinux
import Control
import Model
import Platform
import Records

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Glibc)
    import Glibc
#endif

/// Holds `rpc.sock` and `pub.sock` of a home of PM2's, and answers each call with an error that names Hearth: a genuine
/// `pm2` beside us finds a daemon there, and starts no second one.
///
/// The frames are AMP's, version 1: a byte (0x10 and the number of arguments), then each argument with its length in
/// four bytes, high byte first. The last argument names the request.
final class PM2Sockets {
    private static let mostClients = 64
    private static let longestFrame = 64 << 10

    private let services: Services
    private var listeners: [String: Int32] = [:]
    private var clients: [Int32: [UInt8]] = [:]

    init(_ services: Services) { self.services = services }

    func open() {
        for path in services.paths.pm2Sockets { try? listen(path) }
    }

    /// Also again, when somebody removed the file.
    func listen(_ path: String) throws(SystemError) {
        let fd = try checked(clinux_unix_listen(path, Int32(SOCK_STREAM.rawValue), 0o775, 64), "listen on '\(path)'")
        if let former = listeners[path] {
            services.loop.unwatch(former)
            Glibc.close(former)
        }
        listeners[path] = fd
        try services.loop.watch(fd, .readable) { [unowned self] _ in self.accept(fd) }
    }

    func close() {
        for (path, fd) in listeners {
            services.loop.unwatch(fd)
            Glibc.close(fd)
            unlink(path)
        }
        listeners = [:]
    }

    private func accept(_ listener: Int32) {
        for _ in 0..<16 {
            let fd = clinux_accept(listener)
            guard fd >= 0 else { return }
            let isWatched =
                clients.count < Self.mostClients
                && (try? services.loop.watch(fd, .readable) { [unowned self] _ in self.receive(fd) }) != nil
            guard isWatched else {
                Glibc.close(fd)
                continue
            }
            clients[fd] = []
        }
    }

    private func drop(_ fd: Int32) {
        guard clients.removeValue(forKey: fd) != nil else { return }
        services.loop.unwatch(fd)
        Glibc.close(fd)
    }

    private func receive(_ fd: Int32) {
        var chunk = [UInt8](repeating: 0, count: 4096)
        let count = read(fd, &chunk, chunk.count)
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0, var bytes = clients[fd] else { return drop(fd) }
        bytes += chunk[..<count]
        guard bytes.count <= Self.longestFrame else { return drop(fd) }
        while let (request, length) = Self.lastArgument(of: bytes) {
            bytes.removeFirst(length)
            let answer = Self.refusal(of: request, in: services.paths.home)
            // An answer fits into an empty socket buffer; a client that does not read gets no second one.
            guard send(fd, answer, answer.count, Int32(MSG_NOSIGNAL)) == answer.count else { return drop(fd) }
        }
        clients[fd] = bytes
    }

    /// The last argument of the frame at the front, and how long the frame is; nil: it is not there whole.
    static func lastArgument(of bytes: [UInt8]) -> (argument: [UInt8], length: Int)? {
        guard let head = bytes.first else { return nil }
        var position = 1
        var argument: [UInt8] = []
        for _ in 0..<Int(head & 0x0f) {
            guard bytes.count - position >= 4 else { return nil }
            let length = bytes[position..<(position + 4)].reduce(0) { $0 << 8 | Int($1) }
            position += 4
            guard bytes.count - position >= length else { return nil }
            argument = Array(bytes[position..<(position + length)])
            position += length
        }
        return (argument, position)
    }

    private static func refusal(of request: [UInt8], in home: String) -> [UInt8] {
        let words = "Hearth manages the apps of \(home), not PM2: use the pm2 that Hearth installs, or 'hearth'"
        let body = try? JSONEncoder().encode(["error": words, "stack": words])
        var frame: [UInt8] = [0x12]
        for argument in [Array("j:".utf8) + (body.map { [UInt8]($0) } ?? []), request] {
            frame += (0..<4).reversed().map { UInt8(truncatingIfNeeded: argument.count >> ($0 * 8)) } + argument
        }
        return frame
    }
}
