import Foundation
import Testing

@testable import NodeBridge

// What real workers and a primary said to each other: `>` from the worker, `<` to it, `[handle]` with a descriptor. Node
// accepted every answer, so what is built here must be the same text.

@Suite("Recorded exchanges with real Node")
struct RecordingTests {
    struct Line {
        var isFromWorker: Bool
        var hasHandle: Bool
        var text: String
    }

    private static func recording(_ name: String, file: String = #filePath) throws -> [Line] {
        let path = (file as NSString).deletingLastPathComponent + "/Recordings/\(name).txt"
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
            let hasHandle = line.dropFirst(2).hasPrefix("[handle] ")
            return Line(
                isFromWorker: line.hasPrefix("> "), hasHandle: hasHandle,
                text: String(line.dropFirst(hasHandle ? 11 : 2)))
        }
    }

    @Test("every query is answered with the text that Node accepted", arguments: ["node20", "node22", "node24"])
    func answers(_ name: String) throws {
        let lines = try Self.recording(name)
        var sequence = 0
        var queries = 0
        var open: ListenQuery?
        for line in lines {
            if line.isFromWorker {
                let message = try #require(NodeMessage(text: line.text), "\(line.text)")
                if case .cluster(.query(let query)) = message { (open, queries) = (query, queries + 1) }
                #expect((message == .handle) == line.hasHandle)
                continue
            }
            let built = try Self.answer(to: open, line, sequence)
            #expect(built == line.text + "\n")
            if !line.text.contains("NODE_HANDLE_ACK") { sequence += 1 }
            open = nil
        }
        #expect(queries == 13)
    }

    private static func answer(to open: ListenQuery?, _ line: Line, _ sequence: Int) throws -> String {
        let bytes: [UInt8]
        if let open, line.hasHandle {
            bytes = PrimaryMessage.handle(for: open, key: open.key, data: open.data, sequence: sequence)
        } else if let open {
            let errno: Int32 = line.text.contains("-98") ? 98 : 9
            bytes = PrimaryMessage.failure(
                for: open, key: open.key, errno: errno, data: open.data, sequence: sequence)
        } else if line.text.contains("disconnect") {
            bytes = PrimaryMessage.disconnect(sequence: sequence)
        } else {
            bytes = PrimaryMessage.handleAcknowledged
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("what a worker wants is read as it was meant", arguments: ["node20", "node22", "node24"])
    func queries(_ name: String) throws {
        var queries: [ListenQuery] = []
        var messages: [NodeMessage] = []
        for line in try Self.recording(name) where line.isFromWorker {
            guard let message = NodeMessage(text: line.text) else { continue }
            messages.append(message)
            if case .cluster(.query(let query)) = message { queries.append(query) }
        }
        #expect(messages.prefix(2) == [.cluster(.online), .ready])
        #expect(messages[2] == .packet(type: "axm:monitor", data: #"{"Loop":{"value":"1.5","unit":"ms"}}"#))
        guard case .nodeVersion(let version) = messages[3] else { throw Missing() }
        #expect(version.hasPrefix("v2"))
        #expect(messages.contains(.other(#"{"please":"disconnect"}"#)))

        let kinds = queries.map(\.kind)
        #expect(
            kinds == [
                .tcp, .tcp, .tcp, .tcp, .tcp, .tcp, .tcp, .pipe, .descriptor, .tcp, .udp, .udp, .tcp,
            ])
        #expect(queries[0].address == nil && queries[0].port == 0 && queries[0].backlog == nil)
        #expect(queries[1].index == 1 && queries[1].key != queries[0].key)
        #expect(queries[2].address == "127.0.0.1" && queries[2].backlog == 77 && queries[2].family == 4)
        #expect(queries[5].backlog == nil, "`backlog: false`")
        #expect(queries[6].flags & 1 == 1 && queries[6].family == 6)
        #expect(queries[7].address == "/srv/app/a.sock" && queries[7].readableAll && !queries[7].writableAll)
        #expect(queries[8].descriptor == 3000)
        #expect(queries[9].data.hasPrefix(#"{"ticketKeys":""#))
        #expect(queries[10].descriptor == nil && queries[10].flags & 4 == 4 && queries[10].family == 4)
        #expect(Set(queries.map(\.key)).count == queries.count)
        let closed = messages.compactMap { if case .cluster(.close(let key)) = $0 { key } else { nil } }
        #expect(Set(closed).isSubset(of: queries.map(\.key)) && closed.count == 9)
    }

    @Test("a worker that leaves by itself is answered", arguments: ["node20-leave", "node22-leave", "node24-leave"])
    func leave(_ name: String) throws {
        let lines = try Self.recording(name)
        let last = try #require(lines.last)
        let asked = lines.compactMap { line -> Int? in
            guard line.isFromWorker, let message = NodeMessage(text: line.text),
                case .cluster(.exitedAfterDisconnect(let sequence)) = message
            else { return nil }
            return sequence
        }
        #expect(asked == [3])
        #expect(PrimaryMessage.acknowledgement(of: 3, sequence: 1) == Array((last.text + "\n").utf8))
    }

    private struct Missing: Error {}
}

extension NodeMessage {
    init?(text: String) {
        let message = Array(text.utf8).withUnsafeBytes { NodeMessage(line: $0) }
        guard let message else { return nil }
        self = message
    }
}
