import Foundation
import TestSupport
import Testing

@testable import Control

@Suite("The client, against a server that misbehaves")
struct ClientTests {
    /// Runs `body` with a client of a server that follows `script`.
    @discardableResult
    private func withClient<Result>(
        timeout: Int = 5000, _ script: @escaping @Sendable (FakeServer.Peer, FakeServer) -> Void,
        _ body: (Client, FakeServer) throws -> Result
    ) throws -> Result {
        let server = try FakeServer(script)
        defer { server.stop() }
        return try body(try Client.connect(socketPath: server.path, timeout: timeout), server)
    }

    private func list(_ client: Client, kind: Client.Kind = .reading, deadline: Int = 5000) throws -> ListReply {
        try client.call(.list, SelectorParameters(selectors: []), as: ListReply.self, kind: kind, deadline: deadline)
    }

    private static let empty = "{\"instances\":[],\"notes\":[\"n\"]}"

    @Test("a reading call goes out together with Hello")
    func pipelined() throws {
        let reply = try withClient { peer, _ in
            // Both calls are there before the first is answered.
            _ = peer.receive()
            _ = peer.receive()
            peer.reply(FakeServer.hello())
            peer.reply(Self.empty)
        } _: { client, _ in
            try self.list(client)
        }
        #expect(reply.notes == ["n"])
    }

    @Test("a changing call is not sent to a daemon of another version")
    func otherVersion() throws {
        try withClient { peer, server in
            peer.greet(protocol: 99)
            while let call = peer.receive() { server.note("\(call["method"] ?? "")") }
            server.note("end")
        } _: { client, server in
            let error = #expect(throws: ClientError.self) { try self.list(client, kind: .changing) }
            guard case .otherVersion(let why) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(why.contains("version 99") && why.contains("pid 77"))
            #expect(server.noted.isEmpty)
        }
    }

    @Test("no Hello in time: not answering, and a changing call was never sent")
    func hung() throws {
        try withClient(timeout: 50) { peer, server in
            while let call = peer.receive() { server.note("\(call["method"] ?? "")") }
        } _: { client, server in
            #expect(throws: ClientError.notAnswering(waited: 50)) { try self.list(client, kind: .changing) }
            #expect(server.noted.allSatisfy { $0.hasSuffix(".Hello") })
        }
    }

    @Test("Hello and then nothing: the call's own deadline")
    func slow() throws {
        try withClient { peer, _ in
            peer.greet()
            while peer.receive() != nil {}
        } _: { client, _ in
            #expect(throws: ClientError.notAnswering(waited: 60)) { try self.list(client, deadline: 60) }
        }
    }

    @Test("half a reply and a closed connection")
    func halfReply() throws {
        try withClient { peer, _ in
            peer.greet()
            _ = peer.receive()
            peer.send("{\"parameters\":{\"insta", terminated: false)
        } _: { client, _ in
            #expect(throws: ClientError.connectionLost) { try self.list(client) }
        }
    }

    @Test("replies byte by byte, and two in one piece")
    func framing() throws {
        let reply = try withClient { peer, _ in
            _ = peer.receive()
            for byte in FakeServer.hello().isEmpty ? [] : Array("{\"parameters\":\(FakeServer.hello())}".utf8) {
                peer.send(String(decoding: [byte], as: UTF8.self), terminated: false)
            }
            peer.send("\0{\"parameters\":\(Self.empty)}")
        } _: { client, _ in
            try self.list(client)
        }
        #expect(reply.notes == ["n"])
    }

    @Test(
        "error replies keep their code, words and hint",
        arguments: [
            (
                "{\"error\":\"dev.hearth.Manager.NotFound\",\"parameters\":{\"message\":\"m\",\"hint\":\"h\"}}",
                ClientError.remote(ControlError(.notFound, "m", hint: "h"))
            ),
            (
                "{\"error\":\"dev.hearth.Manager.Refused\",\"parameters\":{\"message\":\"m\"}}",
                .remote(ControlError(.refused, "m"))
            ),
            (
                "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":\"X\"}}",
                .otherVersion("hearthd does not know 'X'")
            ),
            (
                "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"p\"}}",
                .remote(ControlError(.failed, "org.varlink.service.InvalidParameter: parameter 'p'"))
            ),
        ])
    func errors(reply: String, expected: ClientError) throws {
        try withClient { peer, _ in
            peer.greet()
            _ = peer.receive()
            peer.send(reply)
        } _: { client, _ in
            #expect(throws: expected) { try self.list(client) }
        }
    }

    @Test("nonsense is called so", arguments: ["hello", "{}", "[]", "{\"parameters\":{}}", ""])
    func nonsense(reply: String) throws {
        try withClient { peer, _ in
            peer.greet()
            _ = peer.receive()
            peer.send(reply)
        } _: { client, _ in
            let error = #expect(throws: ClientError.self) { try self.list(client) }
            guard case .malformed = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test("a stream is handed on reply by reply until it ends")
    func stream() throws {
        let messages = try withClient { peer, _ in
            peer.greet()
            _ = peer.receive()
            for index in 0..<3 {
                let event = "{\"event\":{\"at\":1,\"kind\":\"k\",\"message\":\"m\(index)\"}}"
                peer.send("{\"continues\":\(index < 2),\"parameters\":\(event)}")
            }
        } _: { client, _ in
            var messages: [String] = []
            let parameters = EventsParameters(replay: nil, selectors: [])
            try client.stream(.events, parameters, as: EventReply.self) {
                messages.append($0.event.message)
                return true
            }
            return messages
        }
        #expect(messages == ["m0", "m1", "m2"])
    }

    @Test("no socket, and a socket that nobody listens on, are the same: no daemon")
    func noDaemon() throws {
        let server = try FakeServer { _, _ in }
        defer { server.stop() }
        let missing = server.directory + "/none.sock"
        #expect(throws: ClientError.noDaemon(socket: missing)) { try Client.connect(socketPath: missing) }
        let dead = server.directory + "/dead.sock"
        close(FakeServer.listen(dead))
        #expect(throws: ClientError.noDaemon(socket: dead)) { try Client.connect(socketPath: dead) }
    }

    @Test("the path of a socket may be long")
    func longPath() throws {
        let server = try FakeServer { _, _ in }
        defer { server.stop() }
        let directory = server.directory + "/" + String(repeating: "d", count: 150)
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let fd = FakeServer.listen(directory + "/s")
        defer { close(fd) }
        let client = try Client.connect(socketPath: directory + "/s")
        #expect(client.peer.pid == getpid())
        #expect(!client.isForeign)
    }

}
