import Foundation
import Model
import Testing

/// Testing has one, too.
typealias ExitStatus = Model.ExitStatus

@Suite("Values")
struct ValueTests {
    @Test("a wait status tells code, signal and core dump")
    func waitStatus() throws {
        #expect(ExitStatus(waitStatus: 0) == .exited(code: 0))
        #expect(ExitStatus(waitStatus: 0xff00) == .exited(code: 255))
        #expect(ExitStatus(waitStatus: 9) == .signalled(.kill, coreDumped: false))
        #expect(ExitStatus(waitStatus: 0x86) == .signalled(try #require(Signal(rawValue: 6)), coreDumped: true))
        #expect(ExitStatus(waitStatus: 0x137f) == .unknown, "stopped by a signal is no end")
        for status in stride(from: Int32.min, through: Int32.max - 99_991, by: 99_991) {
            _ = ExitStatus(waitStatus: status)
        }
    }

    @Test("a signal is read by name with or without SIG, in any case, and by number")
    func signals() {
        #expect(Signal(parsing: "SIGTERM") == .term)
        #expect(Signal(parsing: "term") == .term)
        #expect(Signal(parsing: "15") == .term)
        #expect(Signal(parsing: "SIGPOLL")?.description == "SIGIO")
        #expect(Signal(parsing: "64")?.rawValue == 64)
        for bad in ["", "SIG", "0", "65", "-9", "SIGSIGTERM", "TERMINATE", "9 ", "99999999999"] {
            #expect(Signal(parsing: bad) == nil, "'\(bad)'")
        }
    }

    @Test("every signal is read back from its own description")
    func signalNames() {
        for number in Int32(1)...64 {
            guard let signal = Signal(rawValue: number) else {
                Issue.record("\(number) is a signal")
                continue
            }
            #expect(Signal(parsing: signal.description) == signal)
        }
        #expect(Signal(rawValue: 0) == nil)
        #expect(Signal(rawValue: 65) == nil)
    }

    @Test(
        "a length of time reads well",
        arguments: [
            (0, "0 ms"), (999, "999 ms"), (1000, "1 s"), (1500, "1.5 s"), (59_999, "59.9 s"), (60_000, "1 min"),
            (3_599_999, "59 min"), (3_600_000, "1 h"), (-5, "-5 ms"),
        ] as [(Int64, String)])
    func lengths(milliseconds: Int64, text: String) {
        #expect(Milliseconds(milliseconds).description == text)
    }

    @Test("times beyond the end stay at the end they passed")
    func saturation() {
        let last = Instant(milliseconds: .max)
        let first = Instant(milliseconds: .min)
        #expect(last.advanced(by: Milliseconds(1)) == last)
        #expect(first.advanced(by: Milliseconds(-1)) == first)
        #expect(last.since(first) == Milliseconds(.max))
        #expect(first.since(last) == Milliseconds(.min))
        #expect(Milliseconds.seconds(.max) == Milliseconds(.max))
        #expect(Milliseconds.seconds(.min) == Milliseconds(.min))
    }

    @Test("every reason makes one line, with and without a detail", arguments: Reason.Kind.allCases)
    func reasons(kind: Reason.Kind) {
        let time = Instant(milliseconds: 1)
        let bare = Reason(kind, by: Actor("alice"), at: time).text
        #expect(!bare.isEmpty && !bare.hasSuffix(":"))
        let full = Reason(kind, by: Actor("alice"), detail: "the detail", at: time).text
        #expect(full.contains("the detail"))
    }
}
