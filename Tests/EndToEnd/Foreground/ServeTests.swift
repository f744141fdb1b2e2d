import Control
import Foundation
import Glibc
import Model
import Records
import TestSupport
import Testing

@Suite("hearth serve", .waiting)
struct ServeTests {
    /// The answer to a request, head and body; empty when nobody listens.
    private func get(_ port: Int, _ target: String) -> String {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(fd) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        let request = Array("GET \(target) HTTP/1.0\r\n\r\n".utf8)
        guard code == 0, send(fd, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { return "" }
        var all: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(fd, &block, block.count, 0)
            guard count > 0 else { return String(decoding: all, as: UTF8.self) }
            all += block[..<count]
        }
    }

    @Test("a directory is on the web as an app, until it is stopped")
    func lifetime() throws {
        try withHome { home in
            try FileManager.default.createDirectory(atPath: home.file("site"), withIntermediateDirectories: true)
            try home.write("<p>hello</p>", to: "site/index.html")
            let port = try freePort()
            let run = try home.shellRun("hearth serve site \(port) --spa")
            #expect(run.code == 0, "\(run.errors)")
            #expect(run.output.contains("serving \(home.file("site")) on port \(port)"))
            let name = "static-page-server-\(port)"
            try home.eventually("it answers") { get(port, "/").contains("<p>hello</p>") }
            #expect(get(port, "/any/route").contains("<p>hello</p>"))
            #expect(get(port, "/%2e%2e/hearthd.log").contains("403 Forbidden"))
            let log = home.paths.logs + "/\(name)-out.log"
            #expect(home.read(log) == "Exposing \(home.file("site")) directory on 0.0.0.0:\(port)\n")
            // A second one does not replace the first.
            #expect(try home.shellRun("hearth serve site \(port)").code == 1)

            try home.act(.stop, name)
            let exit = try #require(try home.instance(name).lastExit)
            #expect(exit.code == 0)
            #expect(get(port, "/").isEmpty)
        }
    }

    @Test("a port that is taken is told in the log, and is no success")
    func portInUse() throws {
        try withHome { home in
            let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(fd) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = bind(fd, $0, length)
                    _ = getsockname(fd, $0, &length)
                }
            }
            #expect(listen(fd, 1) == 0)
            let port = Int(UInt16(bigEndian: address.sin_port))
            try home.shellRun("hearth serve . \(port)")
            let log = home.paths.logs + "/static-page-server-\(port)-error.log"
            try home.eventually("it says so") {
                home.read(log).contains("hearth-serve: port \(port) of 0.0.0.0 is in use by another process\n")
            }
            try home.eventually("it has ended with 1") {
                try home.instance("static-page-server-\(port)").lastExit?.code == 1
            }
        }
    }

    @Test(
        "what cannot be served is refused before anything is started", arguments: ["none 1", ". 0", ". x", ". 70000"])
    func refused(operands: String) throws {
        try withHome(starting: false) { home in
            let run = try home.shellRun("hearth serve \(operands)")
            #expect(run.code == 1 || run.code == 2)
            #expect(run.errors.hasPrefix("hearth: "))
            #expect(home.daemonPids.isEmpty)
        }
    }
}
