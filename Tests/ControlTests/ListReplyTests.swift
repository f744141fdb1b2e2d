import Control
import FoundationEssentials
import Model
import Testing

@Suite("The answer to List")
struct ListReplyTests {
    private func view(_ id: UInt32, name: String, exit: ExitView?, percent: Double?) -> InstanceView {
        InstanceView(
            id: InstanceID(id), name: name, namespace: "default", number: 0, generation: Generation(3),
            pid: exit == nil ? 4711 : nil, status: .waitingRestart, wanted: .running,
            reason: "tab\there \"quoted\" \\ \u{1}",
            reasonKind: "crashed", restarts: 2, unstableRestarts: 1, uptimeMs: 12, startedAt: nil,
            createdAt: 1_795_270_760_471, cpuPercent: percent, memoryBytes: 1 << 33,
            ports: [PortView(protocol: "tcp6", address: "::", port: 3000, pid: 4711, command: "node ä\n")],
            cwd: "/srv/app", command: "node /srv/app/index.js", outLog: "/a/b-out.log", errorLog: nil,
            nextStartAt: 1_795_270_761_000, lastExit: exit)
    }

    private var reply: ListReply {
        let exit = LastExit(
            status: .signalled(.kill, coreDumped: true), cause: .oom, at: Instant(milliseconds: 5),
            uptime: Milliseconds(7), pid: 12, detail: "Killed process 12 (node)")
        return ListReply(
            instances: [
                view(0, name: "api", exit: nil, percent: 12.25),
                view(1, name: "naïve\u{7f}\r", exit: ExitView(exit, wallClockOffset: 100), percent: nil),
            ], notes: ["a note", "with \"quotes\""])
    }

    @Test("is read back as it was written")
    func roundTrip() throws {
        let message = reply.message()
        #expect(message.last == 0)
        let read = try Varlink.parameters(ListReply.self, of: message.dropLast())
        #expect(read.instances == reply.instances)
        #expect(read.notes == reply.notes)
    }

    @Test("is read by the fast reader as JSONDecoder reads it")
    func fastReading() throws {
        let fast = try #require(ListReply(fast: reply.message().dropLast()))
        #expect(fast.instances == reply.instances)
        #expect(fast.notes == reply.notes)
        let empty = try #require(ListReply(fast: ListReply(instances: [], notes: []).message().dropLast()))
        #expect(empty.instances.isEmpty && empty.notes.isEmpty)
    }

    @Test(
        "leaves to JSONDecoder what it does not expect",
        arguments: [
            "", "{}", "null", #"{"error":"x","parameters":{}}"#, #"{"parameters":{"instances":[{}],"notes":[]}}"#,
            #"{"parameters":{"instances":[],"notes":[]},"continues":true}"#,
            #"{"parameters":{"instances":[],"notes":["#,
            #"{"parameters":{"instances":[{"id":99999999999999999999}],"notes":[]}}"#,
            #"{"parameters":{"notes":["\"#, #"{"parameters":{"notes":["\u12"]}}"#,
        ])
    func fastReadingGivesUp(text: String) {
        #expect(ListReply(fast: Data(text.utf8))?.instances == nil)
    }

    @Test("is cut at every byte: the fast reader gives up and nothing traps")
    func fastReadingOfCutMessages() {
        let message = reply.message().dropLast()
        for end in 0..<message.count { #expect(ListReply(fast: Data(message.prefix(end)))?.instances == nil) }
    }

    @Test("has the keys that JSONEncoder writes, null where there is no value")
    func keys() throws {
        let fast = try JSONDecoder().decode(Object.self, from: reply.message().dropLast())
        let slow = try JSONDecoder().decode(Object.self, from: Varlink.reply(reply).dropLast())
        #expect(fast == slow)
    }

    /// Any JSON, to compare two documents key by key.
    private enum Object: Decodable, Equatable {
        case object([String: Object])
        case array([Object])
        case text(String)
        case number(Double)
        case flag(Bool)
        case null

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let flag = try? container.decode(Bool.self) {
                self = .flag(flag)
            } else if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else if let text = try? container.decode(String.self) {
                self = .text(text)
            } else if let array = try? container.decode([Object].self) {
                self = .array(array)
            } else {
                self = .object(try container.decode([String: Object].self))
            }
        }
    }
}
