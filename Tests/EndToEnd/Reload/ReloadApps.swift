import Control
import Foundation
import Glibc
import Model
import TestSupport

extension Home {
    /// A web server on a socket that Hearth holds. It answers with the version in the file `version` as it was at its
    /// start; on SIGTERM it takes no more connections, answers what it has, and ends. The file `NAME.fail`, if it is
    /// there, is Python that runs at its start.
    func heldServer(_ name: String = "web", port: Int, instances: Int = 1, uptime: Int64 = 2000) throws -> AppSpec {
        var spec = app(
            name, try script("held.py", Self.held), [name], interpreter: "python3",
            restart: RestartPolicy(minUptime: Milliseconds(uptime)))
        spec.listen = [ListenSpec(name: "web", address: .tcp(host: "127.0.0.1", port: port))]
        spec.instances = instances
        return spec
    }

    /// Waits until every process of the server has read what it reads at its start.
    func awaitServers(_ name: String = "web") throws {
        try eventually("'\(name)' is up") {
            try list(name).allSatisfy { FileManager.default.fileExists(atPath: file("up.\($0.pid ?? 0)")) }
        }
    }

    func setVersion(_ version: String) throws {
        // In one step: a process that starts in this moment finds the old one or the new one.
        try write(version, to: "version.new")
        try FileManager.default.moveOrReplace(file("version.new"), file("version"))
    }

    private static let held = """
        import os, signal, socket, sys, threading, time
        name = sys.argv[1]
        if os.path.exists(name + ".fail"): exec(open(name + ".fail").read())
        version = open("version").read()
        listener = socket.socket(fileno=3)
        listener.settimeout(0.02)
        stopping = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stopping.set())
        body = (version + " " + str(os.getpid()) + "\\n").encode()
        reply = b"HTTP/1.0 200 OK\\r\\nContent-Length: " + str(len(body)).encode() + b"\\r\\n\\r\\n" + body
        def answer(client):
            with client:
                client.settimeout(10)
                if client.recv(4096): client.sendall(reply)
        threads = []
        open("up." + str(os.getpid()), "w").close()
        while not stopping.is_set():
            try: client = listener.accept()[0]
            except (socket.timeout, BlockingIOError): continue
            thread = threading.Thread(target=answer, args=(client,))
            thread.start()
            threads = [t for t in threads if t.is_alive()] + [thread]
        for thread in threads: thread.join()
        """
}

extension FileManager {
    func moveOrReplace(_ from: String, _ to: String) throws {
        guard rename(from, to) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }
}

/// The body of one answer of the server on 127.0.0.1, nil when there is none.
func fetched(_ port: Int) -> String? {
    let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard fd >= 0 else { return nil }
    defer { close(fd) }
    var patience = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let isConnected = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
    let question = Array("GET / HTTP/1.0\r\n\r\n".utf8)
    guard isConnected, send(fd, question, question.count, Int32(MSG_NOSIGNAL)) == question.count else { return nil }
    var all: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = recv(fd, &block, block.count, 0)
        guard count > 0 else { break }
        all += block[..<count]
    }
    let text = String(decoding: all, as: UTF8.self)
    guard let end = text.range(of: "\r\n\r\n") else { return nil }
    return text[end.upperBound...].trimmingCharacters(in: .whitespacesAndNewlines)
}
