import Foundation
import Model
import Testing

@Suite("Instance record")
struct InstanceRecordTests {
    private static let phases: [InstanceRecord.Phase] = [.stopped, .starting, .online, .stopping, .waiting, .errored]
    private static let purposes: [InstanceRecord.StopPurpose?] = [nil, .stop, .restart, .delete, .daemonKill]

    /// As the table writes it.
    private static func encode(_ record: InstanceRecord) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        return try encoder.encode(record)
    }

    private static func record(
        _ phase: InstanceRecord.Phase, _ purpose: InstanceRecord.StopPurpose?, _ text: String, number: Int64,
        status: ExitStatus
    ) -> InstanceRecord {
        let time = Instant(milliseconds: number)
        let process = ProcessIdentity(
            pid: Int32(truncatingIfNeeded: number), startTime: UInt64(truncatingIfNeeded: number))
        return InstanceRecord(
            id: InstanceID(.max), generation: Generation(.max), phase: phase, purpose: purpose, process: process,
            wanted: .running, reason: Reason(.killedWithDaemon, by: Actor(text), detail: text, at: time),
            restarts: Int(number), unstableRestarts: Int(number), createdAt: time, startedAt: time,
            previousDelay: Milliseconds(number), due: time, slowRetries: Int(number),
            lastExit: LastExit(
                status: status, cause: .outside, at: time, uptime: Milliseconds(number), pid: process.pid,
                detail: text),
            token: text.bounded(to: 64))
    }

    private static let statuses: [ExitStatus] =
        [
            .exited(code: .min), .exited(code: 0), .unknown,
        ]
        + (1...64).compactMap { Signal(rawValue: $0) }.flatMap {
            [.signalled($0, coreDumped: false), .signalled($0, coreDumped: true)]
        }

    @Test("every record comes back from JSON as it was")
    func roundTrip() throws {
        for phase in Self.phases {
            for purpose in Self.purposes {
                for status in Self.statuses {
                    let record = Self.record(phase, purpose, "ä \"x\" \\ /tmp\n", number: 7, status: status)
                    #expect(try JSONDecoder().decode(InstanceRecord.self, from: Self.encode(record)) == record)
                }
            }
        }
    }

    @Test("a record with nothing optional comes back, too")
    func smallest() throws {
        let record = InstanceRecord(
            id: InstanceID(0), generation: Generation(0), phase: .stopped, wanted: .stopped,
            reason: Reason(.registered, by: .hearth, at: Instant(milliseconds: 0)), createdAt: Instant(milliseconds: 0))
        #expect(try JSONDecoder().decode(InstanceRecord.self, from: Self.encode(record)) == record)
    }

    @Test(
        "a record fits into its slot, whatever is in its texts",
        arguments: ["a", "\"", "\\", "/", "\n", "\u{1}", "\u{7f}", "ä", "€", "🔥", "👩‍👩‍👧‍👦", "e\u{301}\u{302}\u{303}"])
    func size(character: String) throws {
        let text = String(repeating: character, count: 500)
        for number in [Int64.min, .max] {
            for status in [.exited(code: .min), .signalled(.kill, coreDumped: true)] as [ExitStatus] {
                let record = Self.record(.stopping, .daemonKill, text, number: number, status: status)
                let data = try Self.encode(record)
                #expect(data.count < 1800)
                #expect(try JSONDecoder().decode(InstanceRecord.self, from: data) == record)
            }
        }
    }

    @Test("one character with a thousand accents does not get around the bound")
    func longCharacter() throws {
        let text = "e" + String(repeating: "\u{301}", count: 1000)
        #expect(text.count == 1)
        #expect(Actor(text).description.utf8.count <= 96)
        let record = Self.record(.online, nil, text, number: .max, status: .unknown)
        #expect(try Self.encode(record).count < 1800)
    }

    @Test("texts are cut by the bytes they take in JSON, between characters of Unicode")
    func bounded() {
        #expect("hello".bounded(to: 5) == "hello")
        #expect("hello".bounded(to: 4) == "hell")
        #expect("äöü".bounded(to: 4) == "äö")
        #expect("äöü".bounded(to: 5) == "äö")
        #expect("\"\"\"".bounded(to: 5) == "\"\"")
        #expect("a\u{1}b".bounded(to: 6) == "a")
        #expect("🔥".bounded(to: 3).isEmpty)
        #expect("".bounded(to: 0).isEmpty)
        #expect(Actor(String(repeating: "x", count: 500)).description.count == 96)
    }

    @Test("a detail that is set later is bounded like one from the beginning")
    func laterDetail() {
        let time = Instant(milliseconds: 1)
        var exit = LastExit(
            status: .unknown, cause: .unknown, at: time, uptime: Milliseconds(1), pid: 1,
            detail: String(repeating: "x", count: 999))
        #expect(exit.detail?.count == LastExit.longestDetail)
        exit.detail = String(repeating: "ä", count: 999)
        #expect(exit.detail?.utf8.count == LastExit.longestDetail)
        exit.detail = nil
        #expect(exit.detail == nil)
    }
}
