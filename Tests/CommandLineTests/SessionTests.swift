import Control
import Foundation
import Model
import TestSupport
import Testing

@testable import CommandLine

@Suite("A command's way to the daemon")
struct SessionTests {
    private static let done = "{\"results\":[],\"instances\":[],\"durable\":true}"

    private func session(_ server: FakeServer, timeout: Int = 5000) throws -> Session {
        Session(paths: try CommonOptions.paths(home: server.directory), timeout: timeout)
    }

    private func stop(_ session: Session, token: String?, repeats: Bool) throws -> ActReply {
        try session.change(
            .act, ActParameters(action: .stop, selectors: ["api"], token: token, origin: nil), repeats: repeats)
    }

    private static func token(of call: [String: Any]?) -> String {
        (call?["parameters"] as? [String: Any])?["token"] as? String ?? "none"
    }

    @Test("a call that a dying daemon took along is repeated with the same token")
    func repeats() throws {
        let server = try FakeServer { peer, server in
            peer.greet()
            // The first three daemons die under the call.
            server.note(Self.token(of: peer.receive()))
            if peer.number >= 3 { peer.reply(Self.done) }
        }
        defer { server.stop() }
        let reply = try stop(session(server), token: "t", repeats: true)
        #expect(reply.durable)
        #expect(server.noted == ["t", "t", "t", "t"])
    }

    @Test("a call that must not be done twice is not repeated")
    func doesNotRepeat() throws {
        let server = try FakeServer { peer, server in
            peer.greet()
            server.note(Self.token(of: peer.receive()))
        }
        defer { server.stop() }
        #expect(throws: ClientError.connectionLost) { try stop(session(server), token: nil, repeats: false) }
        #expect(server.noted == ["none"])
    }

    @Test("a changing command waits until the daemon has adopted what runs")
    func waitsForReady() throws {
        let server = try FakeServer { peer, server in
            for count in 0..<3 { peer.greet(ready: count == 2) }
            server.note("\(peer.receive()?["method"] ?? "")")
            peer.reply(Self.done)
        }
        defer { server.stop() }
        _ = try stop(session(server), token: "t", repeats: true)
        #expect(server.noted == ["dev.hearth.Manager.Act"])
    }

    @Test("tokens differ, and are 128 bits")
    func tokens() {
        let tokens = Set((0..<100).map { _ in Session.makeToken() })
        #expect(tokens.count == 100)
        #expect(tokens.allSatisfy { $0.utf8.count == 32 })
    }

    @Test("a reason shows the command without options, and nothing that moves a cursor")
    func origin() {
        #expect(Session.origin("start", ["npm run dev", "a\u{1b}b"]) == "hearth start \"npm run dev\" a\\eb")
        #expect(Session.origin("stop", [String(repeating: "x", count: 500)]).count == 80)
    }

    @Test(
        "every failure has its exit code",
        arguments: [
            (ClientError.noDaemon(socket: "/s"), Exit.noDaemon), (.notAnswering(waited: 1), .notAnswering),
            (.notPermitted("x"), .notPermitted), (.otherVersion("x"), .incompatible), (.connectionLost, .failed),
            (.malformed("x"), .failed), (.remote(ControlError(.notFound, "x")), .failed),
            (.remote(ControlError(.badRequest, "x")), .failed),
            (.remote(ControlError(.notPermitted, "x")), .notPermitted),
        ] as [(ClientError, Exit)])
    func exitCodes(error: ClientError, exit: Exit) {
        #expect(Failure(error)?.exit == exit)
    }
}
