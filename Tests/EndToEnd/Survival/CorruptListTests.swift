import Control
import Foundation
import Glibc
import Model
import Records
import TestSupport
import Testing

@Suite("A list on disk that cannot be read")
struct CorruptListTests {
    /// What happens to desired.json while nobody looks.
    enum Damage: CaseIterable, CustomTestStringConvertible {
        case empty, oneByte, half, lastByteMissing, garbage, otherJSON

        func applied(to data: Data) -> Data {
            switch self {
            case .empty: Data()
            case .oneByte: data.prefix(1)
            case .half: data.prefix(data.count / 2)
            case .lastByteMissing: data.dropLast()
            case .garbage: Data((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 197 &+ 31) })
            case .otherJSON: Data("[1, 2, {\"instances\": 7}]".utf8)
            }
        }

        var testDescription: String { "\(self)" }
    }

    @Test("it is set aside, the backup is used, that is said, and no app is touched", arguments: Damage.allCases)
    func backupIsUsed(_ damage: Damage) throws {
        try withHome { home in
            try home.start(home.sleeper("one"))
            try home.start(home.sleeper("two"))
            try home.act(.stop, "two")
            try home.start(home.sleeper("three"))
            let pids = [try home.pid("one"), try home.pid("three")]
            try home.eventually("the backup is as the list") {
                FileManager.default.contents(atPath: home.paths.desiredStateBackup)
                    == FileManager.default.contents(atPath: home.paths.desiredState)
            }
            try home.killBoth()
            let damaged = damage.applied(to: try data(home.paths.desiredState))
            try damaged.write(to: URL(fileURLWithPath: home.paths.desiredState))

            try home.up()
            #expect([try home.pid("one"), try home.pid("three")] == pids)
            #expect(try home.instance("two").status == .stopped)
            #expect(home.appPids.count == 2)
            let notes = try home.notes().joined(separator: "\n")
            #expect(notes.contains(home.paths.desiredState))
            #expect(notes.contains("corrupt-"))
            let aside = try #require(try namesInState(home).first { $0.contains("corrupt-") })
            #expect(try data(home.paths.state + "/" + aside) == damaged)

            // The next daemon finds a good list again.
            try home.eventually("the list is written again") {
                FileManager.default.fileExists(atPath: home.paths.desiredState)
            }
            try home.killBoth()
            try home.up()
            #expect([try home.pid("one"), try home.pid("three")] == pids)
            #expect(try home.notes().isEmpty)
        }
    }

    @Test("with the backup unreadable too no app is ended, and what runs without an entry is said")
    func nothingReadable() throws {
        try withHome { home in
            try home.start(home.sleeper("one"))
            let pid = try home.pid("one")
            try home.killBoth()
            for path in [home.paths.desiredState, home.paths.desiredStateBackup] {
                try Data("{".utf8).write(to: URL(fileURLWithPath: path))
            }
            try home.up()
            let notes = try home.notes().joined(separator: "\n")
            #expect(notes.contains("desired.json"))
            #expect(notes.contains("pid \(pid)"))
            #expect(Processes.isRunning(pid))
            #expect(try namesInState(home).filter { $0.contains("corrupt-") }.count == 2)
            // The home works.
            try home.start(home.sleeper("two"))
            #expect(try home.instance("two").status == .online)
            #expect(Processes.isRunning(pid))
        }
    }

    @Test("with the backup unreadable too, the newest snapshot is used")
    func snapshotIsUsed() throws {
        try withHome { home in
            try home.start(home.sleeper("one"))
            try home.save("good")
            let pid = try home.pid("one")
            try home.killBoth()
            for path in [home.paths.desiredState, home.paths.desiredStateBackup] {
                try Data("{".utf8).write(to: URL(fileURLWithPath: path))
            }
            try home.up()
            #expect(try home.pid("one") == pid)
            #expect(try home.notes().joined(separator: "\n").contains("good"))
            #expect(home.appPids.count == 1)
        }
    }

    private func data(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    private func namesInState(_ home: Home) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: home.paths.state)
    }
}
