import Control
import DisplayText
import Glibc
import Model
import Testing

@testable import CommandLine

@Suite("Tables")
struct TableTests {
    private static func terminal(_ columns: Int, color: Bool = false, unicode: Bool = true) -> Terminal {
        Terminal(columns: columns, color: color, unicode: unicode)
    }

    @Test(
        "the list looks as it was agreed",
        arguments: [
            ("list-wide", terminal(300)), ("list-120", terminal(120)), ("list-80", terminal(80)),
            ("list-50", terminal(50)), ("list-ascii", terminal(100, unicode: false)),
            ("list-colour", terminal(100, color: true)),
        ])
    func list(name: String, terminal: Terminal) throws {
        let text = ListTable.render(Samples.fleet, terminal)
        #expect(try Golden.matches(text, name), "\n\(text)")
    }

    @Test("a name can't reach the terminal", arguments: [true, false])
    func hostile(unicode: Bool) throws {
        let text = ListTable.render(Samples.hostile, Self.terminal(110, unicode: unicode))
        #expect(try Golden.matches(text, unicode ? "list-hostile" : "list-hostile-ascii"), "\n\(text)")
        let harmful = text.unicodeScalars.filter { $0.value < 0x20 && $0 != "\n" || (0x7f..<0xa0).contains($0.value) }
        #expect(harmful.isEmpty)
        #expect(unicode || text.utf8.allSatisfy { $0 < 0x80 })
    }

    @Test("no line is wider than the terminal, however narrow it is", arguments: [40, 60, 77, 80, 100, 132, 200])
    func fits(columns: Int) {
        for line in ListTable.render(Samples.fleet + Samples.hostile, Self.terminal(columns)).split(separator: "\n") {
            #expect(DisplayText.width(String(line)) <= columns)
        }
    }

    @Test("all lines are equally wide, wide characters included")
    func aligned() {
        let lines = ListTable.render(Samples.hostile, Self.terminal(300)).split(separator: "\n")
        #expect(Set(lines.map { DisplayText.width(String($0)) }).count == 1)
    }

    @Test("show prints what is known")
    func show() throws {
        setTimeZone()
        let detail = InstanceDetail(
            instance: Samples.fleet[0], script: "/srv/api.js", interpreter: "node", interpreterArguments: ["--inspect"],
            arguments: ["--port", "3000"], user: "deploy", memoryPeakBytes: 50 << 20, cpuSeconds: 61.2, tasks: 11,
            fds: 23,
            processes: [4321, 4322], restart: RestartPolicy(stopExitCodes: [0]), stop: StopPolicy(), autostart: true)
        let text = DetailBlock.make(detail).render(Self.terminal(100))
        #expect(try Golden.matches(text, "show"), "\n\(text)")
    }

    @Test("why says it in full")
    func why() throws {
        setTimeZone()
        var instance = Samples.fleet[3]
        instance.lastExit = ExitView(
            LastExit(
                status: .exited(code: 1), cause: .exit, at: Instant(milliseconds: 0), uptime: Milliseconds(900), pid: 7,
                detail: "address in use"), wallClockOffset: 1_700_000_000_000)
        let explanation = Explanation(
            instance: instance, cause: .exit, summary: "site exits at once.", advice: ["free port 80"],
            lastErrorLines: ["Error: EADDRINUSE \u{1b}[31m"], nextStartAt: 1_700_000_005_000,
            portHolders: [
                PortHolderView(
                    port: 80, address: "0.0.0.0", pid: 9, user: "root", command: "nginx", ageSeconds: 7200,
                    ours: "orphan of site (id 3)")
            ])
        let text = WhyCommand.text(explanation, now: 1_700_000_000_000, Self.terminal(100))
        #expect(try Golden.matches(text, "why"), "\n\(text)")
    }

    private func setTimeZone() {
        setenv("TZ", "UTC", 1)
        tzset()
    }

    @Test(
        "the terminal decides about colour, width and characters",
        arguments: [
            (["LANG": "en_US.UTF-8"], 80, Terminal(columns: 80, color: true, unicode: true)),
            (["LANG": "C.utf8", "LC_ALL": "C"], 80, Terminal(columns: 80, color: true, unicode: false)),
            (["NO_COLOR": "1", "LC_CTYPE": "C.UTF-8"], 80, Terminal(columns: 80, color: false, unicode: true)),
            (["NO_COLOR": ""], 80, Terminal(columns: 80, color: true, unicode: false)),
            (["TERM": "dumb"], 80, Terminal(columns: 80, color: false, unicode: false)),
            (["COLUMNS": "60"], 80, Terminal(columns: 60, color: true, unicode: false)),
            ([:], 0, Terminal(columns: 300, color: false, unicode: false)),
        ] as [([String: String], Int, Terminal)])
    func terminals(environment: [String: String], columns: Int, expected: Terminal) {
        #expect(Terminal(environment: environment, terminalColumns: columns) == expected)
    }

    @Test(
        "durations",
        arguments: [
            (0, "0s"), (59_999, "59s"), (60_000, "1m"), (11_520_000, "3h 12m"), (360_000_000, "4d 4h"), (-5, "0s"),
        ]
            as [(Int64, String)])
    func durations(milliseconds: Int64, text: String) {
        #expect(Quantities.duration(milliseconds: milliseconds) == text)
    }

    @Test(
        "sizes",
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KB"), (47_400_000, "45.2 MB"), (1 << 40, "1.0 TB"),
            (Int64.max, "8388608.0 TB"),
        ] as [(Int64, String)])
    func sizes(count: Int64, text: String) {
        #expect(Quantities.bytes(count) == text)
    }
}
