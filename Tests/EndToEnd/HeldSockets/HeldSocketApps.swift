import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

// Apps whose sockets Hearth holds. Any free port is asked for; the app tells which it is, in NAME.port.

extension Home {
    /// Answers HTTP with its pid, on the socket whose number an argument says. Ends on SIGTERM between two requests, as
    /// a server does that ends well.
    func holder(
        _ name: String, fd: String = "3", at address: ListenAddress = .tcp(host: "127.0.0.1", port: 0),
        delay: Double = 0
    ) throws -> AppSpec {
        let script = try script("holder.py", Self.holder)
        return app(name, script, [fd, String(delay)], interpreter: "python3", killTimeout: Milliseconds(20_000))
            .listening(address)
    }

    static let holder = """
        import os, select, signal, socket, sys, time
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        listener = socket.socket(fileno=int(sys.argv[1]))
        name = os.environ["HEARTH_NAME"]
        time.sleep(float(sys.argv[2]))
        if listener.family != socket.AF_UNIX:
            with open(name + ".new", "w") as file: file.write("%d\\n" % listener.getsockname()[1])
            os.rename(name + ".new", name + ".port")
        listener.setblocking(False)
        body = b"%d\\n" % os.getpid()
        while signal.SIGTERM not in signal.sigpending():
            if not select.select([listener], [], [], 0.02)[0]: continue
            try: client = listener.accept()[0]
            except BlockingIOError: continue
            try:
                client.settimeout(30)
                client.recv(4096)
                client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
            except OSError: pass
            client.close()
        """

    /// What the app's socket is called by the kernel: the same text is the same socket.
    func socketLink(of pid: Int32, _ descriptor: Int32 = 3) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\(descriptor)")
    }

    func socketLink(_ name: String, _ descriptor: Int32 = 3) throws -> String {
        let pid = try pid(name)
        var link: String?
        try eventually("'\(name)' has a socket") {
            link = socketLink(of: pid, descriptor)
            return link?.hasPrefix("socket:") ?? false
        }
        return try #require(link)
    }

    /// The app answers, under its present pid.
    func expectAnswer(
        _ name: String, at address: SocketAddress, _ location: SourceLocation = #_sourceLocation
    ) throws {
        let pid = try pid(name)
        let text = address.request()
        #expect(text?.contains("\n\(pid)\n") == true, "\(text ?? "refused")", sourceLocation: location)
    }
}

extension AppSpec {
    func listening(_ addresses: ListenAddress...) -> AppSpec {
        var spec = self
        spec.listen = addresses.enumerated().map {
            ListenSpec(name: ListenSpec.usualName(at: $0.offset), address: $0.element)
        }
        return spec
    }
}

/// Where a test asks.
enum SocketAddress {
    case port(UInt16)
    case path(String)

    /// Connects, asks and reads to the end. Waits up to 30 s for the answer; nil: refused, or nothing is there.
    func request() -> String? {
        guard let fd = connected() else { return nil }
        defer { close(fd) }
        var patience = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let question = Array("GET / HTTP/1.0\r\n\r\n".utf8)
        guard send(fd, question, question.count, Int32(MSG_NOSIGNAL)) == question.count else { return "not sent" }
        var answer: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(fd, &part, part.count, 0)
            guard count > 0 else { break }
            answer += part.prefix(count)
        }
        return String(decoding: answer, as: UTF8.self).replacing("\r", with: "")
    }

    private func connected() -> Int32? {
        let fd: Int32
        let result: Int32
        switch self {
        case .port(let port):
            fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            result = Self.connect(fd, &address)
        case .path(let path):
            fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
            result = Self.connect(fd, &address)
        }
        if result == 0 { return fd }
        close(fd)
        return nil
    }

    private static func connect<Address>(_ fd: Int32, _ address: inout Address) -> Int32 {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(fd, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }
}
