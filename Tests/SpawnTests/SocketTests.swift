import CLinux
import Foundation
import Glibc
import Testing

@Suite("Sockets")
struct SocketTests {
    private static let stream = Int32(SOCK_STREAM.rawValue)
    private static let seqpacket = Int32(SOCK_SEQPACKET.rawValue)

    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test("a path of any length can be listened on and connected to", arguments: [1, 90, 200])
    func longPath(length: Int) throws {
        let directory = scratch.file(String(repeating: "d", count: length))
        mkdir(directory, 0o700)
        let path = directory + "/hearth.sock"
        let listener = clinux_unix_listen(path, Self.seqpacket, 0o600, 8)
        try #require(listener >= 0)
        defer { close(listener) }
        let client = clinux_unix_connect(path, Self.seqpacket, 1000)
        try #require(client >= 0)
        defer { close(client) }
        let server = clinux_accept(listener)
        try #require(server >= 0)
        defer { close(server) }
        var pid: pid_t = 0
        #expect(clinux_peer_credentials(client, &pid, nil, nil) == 0)
        #expect(pid == getpid())
        #expect(clinux_send_packet(client, "ping", 4, STDERR_FILENO) == 4)
        var buffer = [UInt8](repeating: 0, count: 16)
        var descriptor: Int32 = -1
        var truncated: Int32 = 1
        #expect(clinux_receive_packet(server, &buffer, 16, &descriptor, &truncated) == 4)
        #expect(descriptor >= 0)
        #expect(truncated == 0)
        close(descriptor)
        #expect(fcntl(client, F_GETFL) & O_NONBLOCK == 0)
        #expect(fcntl(client, F_GETFD) == FD_CLOEXEC)
        #expect(fcntl(listener, F_GETFL) & O_NONBLOCK != 0)
    }

    @Test("a stale socket is replaced, with the mode asked for; a file is not")
    func stale() throws {
        let path = scratch.file("s")
        close(clinux_unix_listen(path, Self.stream, 0o600, 8))
        #expect(clinux_unix_connect(path, Self.stream, 100) == -ECONNREFUSED)
        let second = clinux_unix_listen(path, Self.stream, 0o666, 8)
        #expect(second >= 0)
        close(second)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o666)
        _ = try scratch.script("precious", name: "file")
        #expect(clinux_unix_listen(scratch.file("file"), Self.stream, 0o600, 8) == -EADDRINUSE)
        #expect(scratch.read("file") == "precious")
    }

    @Test("a full backlog ends the wait in time")
    func fullBacklog() throws {
        let path = scratch.file("s")
        let listener = clinux_unix_listen(path, Self.stream, 0o600, 0)
        defer { close(listener) }
        let first = clinux_unix_connect(path, Self.stream, 100)
        #expect(first >= 0)
        defer { close(first) }
        let begin = clinux_boottime_ns()
        #expect(clinux_unix_connect(path, Self.stream, 150) == -ETIMEDOUT)
        let milliseconds = (clinux_boottime_ns() - begin) / 1_000_000
        #expect((100..<5000).contains(milliseconds))
    }

    @Test("listening sockets are seen, IPv4 and IPv6, with port, inode and user")
    func listening() throws {
        for family in [AF_INET, AF_INET6] {
            let socket = socket(family, Int32(SOCK_STREAM.rawValue), 0)
            try #require(socket >= 0)
            defer { close(socket) }
            #expect(listen(socket, 1) == 0)  // unbound: the kernel picks a free port
            var status = stat()
            fstat(socket, &status)
            let found = sockets().first { UInt64($0.inode) == UInt64(status.st_ino) }
            #expect(found?.family == UInt8(family))
            #expect(found?.port == port(of: socket))
            #expect(found?.uid == getuid())
            #expect(found?.v6only == 0)
        }
    }

    private func sockets() -> [clinux_socket] {
        var list = [clinux_socket](repeating: clinux_socket(), count: 4096)
        let count = clinux_listening_sockets(&list, 4096)
        #expect(count >= 0)
        return Array(list.prefix(max(0, Int(count))))
    }

    /// Both families have the port in bytes 2 and 3, in network order.
    private func port(of socket: Int32) -> UInt16 {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        withUnsafeMutablePointer(to: &storage) { pointer in
            _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
        }
        return withUnsafeBytes(of: storage) { UInt16($0[2]) << 8 | UInt16($0[3]) }
    }
}
