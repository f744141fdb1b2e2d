import Model
import Supervision
import Testing

@Suite("What an app says on its notification socket")
struct NotificationTests {
    private func parse(_ bytes: [UInt8]) -> Notification? { bytes.withUnsafeBytes { Notification($0) } }
    private func parse(_ text: String) -> Notification? { parse(Array(text.utf8)) }

    @Test("each key means what the protocol says; unknown ones mean nothing")
    func keys() {
        var expected = Notification()
        expected.isReady = true
        expected.status = "works: 3 of 4"
        expected.watchdog = .alive
        expected.watchdogPeriod = Milliseconds(1500)
        #expect(
            parse("READY=1\nSTATUS=works: 3 of 4\nMAINPID=4711\nWATCHDOG=1\nX_UNKNOWN=1\nWATCHDOG_USEC=1500000\n")
                == expected)
        expected = Notification()
        expected.isReloading = true
        expected.isStopping = true
        expected.stores = true
        expected.removes = true
        expected.isBarrier = true
        expected.descriptorName = "web-1"
        expected.watchdog = .trigger
        #expect(
            parse("RELOADING=1\nSTOPPING=1\nFDSTORE=1\nFDSTOREREMOVE=1\nBARRIER=1\nFDNAME=web-1\nWATCHDOG=trigger")
                == expected)
    }

    @Test("of a key that comes twice the last counts; another value than 1 is no statement")
    func values() {
        #expect(parse("READY=1\nREADY=0") == Notification())
        #expect(parse("READY=yes\nWATCHDOG=2\nSTOPPING=\nready=1\nREADY =1") == Notification())
        #expect(parse("STATUS=a\nSTATUS=")?.status == "")
        #expect(parse("STATUS=a=b")?.status == "a=b")
    }

    @Test("a text may end with NUL bytes, and holds none elsewhere")
    func zeroBytes() {
        #expect(parse("READY=1\0")?.isReady == true)
        #expect(parse("READY=1\n\0\0")?.isReady == true)
        #expect(parse("STATUS=a\0READY=1") == nil)
    }

    @Test("what is no text of lines is refused")
    func garbage() {
        for text in ["", "\0", "\n\n", "READY", "ready 1"] { #expect(parse(text) == nil, "\(text.debugDescription)") }
        #expect(parse((0...255).map { UInt8($0) }.filter { $0 != 0x3d }) == nil)
        #expect(parse([0xff, 0x3d, 0xfe]) == Notification())
        #expect(parse("=1\n==\n=READY=1") == Notification())
    }

    @Test("a status is one line of at most 200 bytes, cut between characters")
    func status() {
        #expect(parse("STATUS=a\tb\u{1b}[31mc\u{9b}")?.status == "a b [31mc ")
        let cut = parse("STATUS=" + String(repeating: "ä", count: 90) + String(repeating: "€", count: 50))?.status
        #expect(cut == String(repeating: "ä", count: 90) + String(repeating: "€", count: 6))
        let broken = parse(Array("STATUS=".utf8) + [UInt8](repeating: 0xff, count: 300))?.status
        #expect((broken?.utf8.count ?? 0) <= 200)
        #expect(parse(Array("STATUS=a".utf8) + [0xff])?.status == "a\u{fffd}")
    }

    @Test("64 KiB of one line, of many lines and of many keys are read in bounded space")
    func large() {
        let long = parse([UInt8](repeating: UInt8(ascii: "K"), count: 65_536) + Array("=1\nREADY=1".utf8))
        #expect(long?.isReady == true)
        #expect(parse(Array(repeating: Array("A=1\n".utf8), count: 16_384).flatMap { $0 }) == Notification())
        #expect(parse([UInt8](repeating: 0x0a, count: 65_536)) == nil)
        #expect(parse("STATUS=" + String(repeating: "x", count: 65_536))?.status?.utf8.count == 200)
    }

    @Test("a period is in microseconds, bounded on both sides; what is no number leaves it as it was")
    func period() {
        #expect(parse("WATCHDOG_USEC=0")?.watchdogPeriod == Milliseconds(0))
        #expect(parse("WATCHDOG_USEC=1")?.watchdogPeriod == Notification.shortestPeriod)
        #expect(parse("WATCHDOG_USEC=2999999")?.watchdogPeriod == Milliseconds(2999))
        #expect(parse("WATCHDOG_USEC=18446744073709551615")?.watchdogPeriod == Notification.longestPeriod)
        for text in ["", "-1", "+1", "1s", "99999999999999999999", "١"] {
            #expect(parse("WATCHDOG_USEC=\(text)")?.watchdogPeriod == nil, "\(text)")
        }
    }

    @Test("a name that LISTEN_FDNAMES could not carry is none")
    func names() {
        #expect(parse("FDNAME=a")?.descriptorName == "a")
        for name in ["", "a:b", "a b", "a\u{1}", "ä", String(repeating: "a", count: 256)] {
            #expect(parse("FDNAME=\(name)")?.descriptorName == nil, "\(name)")
        }
    }
}
