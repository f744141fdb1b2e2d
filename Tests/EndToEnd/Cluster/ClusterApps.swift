import Control
import Foundation
import Glibc
import Model
import TestSupport

// Apps on the real Node that know nothing of Hearth, as workers of its cluster.

extension Home {
    /// Two workers of a script. `http` is there; `note(word)` appends a line to the file `notes`, `said(port)` tells the test
    /// where it listens.
    func workers(_ name: String, _ body: String, count: Int = 2, environment: [String: String] = [:]) throws -> AppSpec
    {
        let prelude = """
            const fs = require('fs'), http = require('http');
            const note = word => fs.appendFileSync('notes', word + '\\n');
            const said = port => {
                const own = '\(name).port.' + process.pid;
                fs.writeFileSync(own, String(port));
                fs.renameSync(own, '\(name).port');
            };
            const answer = (request, response) => response.end(String(process.pid));

            """
        var spec = app(name, try script("\(name).js", prelude + body), interpreter: "node", environment: environment)
        spec.mode = .cluster
        spec.instances = count
        return spec
    }

    /// An ordinary HTTP server on any free port.
    func webWorkers(_ name: String, count: Int = 2) throws -> AppSpec {
        try workers(
            name, "const server = http.createServer(answer).listen(0, () => said(server.address().port));", count: count
        )
    }

    func workerPids(_ name: String) throws -> Set<Int32> { Set(try list(name).compactMap(\.pid)) }

    /// Waits until each worker that the list has, and nobody else, has answered.
    func everyWorkerAnswers(_ name: String, count: Int, at port: UInt16) throws {
        try everyWorkerAnswers(name, count: count) { Exchange.http(port: port) }
    }

    func everyWorkerAnswers(_ name: String, count: Int, _ ask: () -> String?) throws {
        var seen: Set<Int32> = []
        try eventually("all \(count) workers of '\(name)' answer", within: 60, every: 2) {
            if let pid = ask().flatMap({ Int32($0) }) { seen.insert(pid) }
            guard seen.count >= count else { return false }
            let living = try workerPids(name)
            seen.formIntersection(living)
            return living.count == count && seen == living
        }
    }

    func scale(_ name: String, to count: Int) throws {
        let parameters = ScaleParameters(name: name, count: count, change: nil, origin: "test")
        _ = try call(.scale, parameters, as: InstancesReply.self)
    }

    var clusterNotes: [String] { read("notes").split(separator: "\n").map(String.init).sorted() }
}

/// One question and its answer, without a client of anybody's.
enum Exchange {
    /// The body, if it was answered with 200 within 10 s.
    static func http(port: UInt16) -> String? {
        let fd = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        return exchange(fd, "GET / HTTP/1.0\r\n\r\n", connectedTo: loopback(port)).flatMap(body)
    }

    static func http(path: String) -> String? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8.prefix(107))) }
        return exchange(
            Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0), "GET / HTTP/1.0\r\n\r\n", connectedTo: address
        ).flatMap(body)
    }

    static func udp(port: UInt16) -> String? {
        exchange(
            Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0), "who", connectedTo: loopback(port), isStream: false)
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    private static func exchange<Address>(
        _ fd: Int32, _ question: String, connectedTo address: Address, isStream: Bool = true
    ) -> String? {
        defer { close(fd) }
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let isConnected = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(fd, $0, socklen_t(MemoryLayout<Address>.size)) == 0
            }
        }
        guard isConnected, send(fd, question, question.utf8.count, Int32(MSG_NOSIGNAL)) > 0 else { return nil }
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(fd, &piece, piece.count, 0)
            if count < 0 { return nil }
            text += piece[..<count]
            if count == 0 || !isStream { return String(decoding: text, as: UTF8.self) }
        }
    }

    private static func body(_ answer: String) -> String? {
        guard answer.hasPrefix("HTTP/1.1 200") || answer.hasPrefix("HTTP/1.0 200") else { return nil }
        return answer.range(of: "\r\n\r\n").map { String(answer[$0.upperBound...]) }
    }
}
