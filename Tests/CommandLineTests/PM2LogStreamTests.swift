import CLinux
import Control
import Foundation
import Glibc
import Model
import Records
import Synchronization
import TestSupport
import Testing

@testable import CommandLine

/// What a stream has written so far, from whichever thread.
private final class Written: Sendable {
    private let bytes = Mutex<[UInt8]>([])

    func add(_ more: [UInt8]) { bytes.withLock { $0 += more } }
    var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }
    var lines: [String] { text.split(separator: "\n").map(String.init) }
}

@Suite("Logs of a running daemon, as PM2 shows them")
struct PM2LogStreamTests {
    private static let plain = Terminal(columns: 300, color: false, unicode: true)

    /// Runs `logs` on a thread of its own until `body` is done; what it has written.
    private func logs(
        _ home: Home, _ target: String, _ change: (inout PM2Logs.Options) -> Void = { _ in },
        _ body: (Written) throws -> Void
    ) throws -> Written {
        let written = Written()
        var options = PM2Logs.Options()
        change(&options)
        let ending = clinux_eventfd()
        defer { close(ending) }
        let work = LogWork(options: options, target: target, home: home.path, ending: ending, written: written)
        let thread = Thread { work.run() }
        thread.start()
        defer {
            var one: UInt64 = 1
            _ = write(ending, &one, 8)
            try? home.eventually("the stream ends") { work.isOver }
        }
        try body(written)
        return written
    }

    private final class LogWork: Sendable {
        let options: PM2Logs.Options
        let target: String
        let home: String
        let ending: Int32
        let written: Written
        private let over = Atomic(false)

        init(options: PM2Logs.Options, target: String, home: String, ending: Int32, written: Written) {
            self.options = options
            self.target = target
            self.home = home
            self.ending = ending
            self.written = written
        }

        var isOver: Bool { over.load(ordering: .acquiring) }

        func run() {
            let session = Session(paths: HomePaths(home: home), timeout: 10_000)
            var logs = PM2Logs(options: options, target: target)
            logs.write = { [written] bytes, fd in written.add(fd == 2 ? Array("2: ".utf8) + bytes : bytes) }
            do {
                try logs.run(session: session, terminal: plain, ending: ending)
            } catch {
                written.add(Array("failed: \(error)\n".utf8))
            }
            over.store(true, ordering: .releasing)
        }
    }

    private func lines(of file: String, _ home: Home) -> [String] {
        home.read(file).split(separator: "\n").map(String.init)
    }

    /// Lines of apps, without names.
    private func shown(_ written: Written) -> [String] {
        written.lines.filter { $0.contains(" | ") }.compactMap { $0.components(separatedBy: " | ").last }
    }

    /// Prints its pid and a number, again and again; a shell whose `sleep` is ended would say so.
    private func counter(_ home: Home, _ name: String) throws -> AppSpec {
        let line =
            "exec 2>/dev/null; number=0; while :; do echo \"$$ $number\"; number=$((number + 1)); sleep 0.002; done"
        return home.shell(name, line)
    }

    @Test(
        "nothing is missing and nothing comes twice: not at the beginning, across a restart, a rotation, a new instance"
    )
    func exactlyOnce() throws {
        try withHome { home in
            try home.start(try counter(home, "app"))
            let log = home.paths.logs + "/app-out.log"
            try home.eventually("it writes") { home.read(log).count > 1000 }
            let written = try logs(home, "app", { $0.lines = 5 }) { written in
                try home.eventually("it streams") { written.lines.count > 100 }
                try home.act(.restart, "app")
                let before = written.lines.count
                try home.eventually("it streams on") { written.lines.count > before + 100 }
                #expect(rename(log, log + ".1") == 0)
                try home.act(.restart, "app")
                try home.eventually("there is a new file") { home.read(log).count > 1000 }
                try home.start(try counter(home, "app"))
                try home.eventually("there are two") { home.appPids.count == 2 }
                let then = written.lines.count
                try home.eventually("both go on") { written.lines.count > then + 100 }
                try home.act(.stop, "all")
                try home.eventually("everything is shown") { shown(written).last == lines(of: log, home).last }
            }
            // Both write into one file; each line is there once, and its pid makes it the only one of its kind.
            let files = lines(of: log + ".1", home) + lines(of: log, home)
            let first = try #require(shown(written).first.flatMap { files.firstIndex(of: $0) })
            #expect(shown(written) == Array(files[first...]))
            #expect(
                written.lines.first
                    == "[TAILING] Tailing last 5 lines for [app] process (change the value with --lines option)")
        }
    }

    @Test("history: the daemon's log first, then each file, with names ten columns wide")
    func history() throws {
        try withHome { home in
            try home.start(home.shell("web", "echo hello; echo; echo no >&2; sleep 1000"))
            try home.eventually("it has spoken") { home.read(home.paths.logs + "/web-error.log") == "no\n" }
            let written = try logs(home, "all", { $0.nostream = true }) { written in
                try home.eventually("it is shown") { written.text.contains("no\n") && written.text.hasSuffix("\n\n") }
            }
            let logs = home.paths.logs
            let text = written.text
            #expect(
                text.hasPrefix(
                    "[TAILING] Tailing last 15 lines for [all] processes (change the value with --lines option)\n"
                        + "\(home.paths.daemonLog) last 15 lines:\nPM2        | "))
            #expect(text.contains("\(logs)/web-out.log last 15 lines:\n0|web      | hello\n0|web      | \n\n"))
            #expect(text.contains("\(logs)/web-error.log last 15 lines:\n0|web      | no\n\n"))
        }
    }

    @Test("one object a line, of the target only, and events of all")
    func json() throws {
        try withHome { home in
            try home.start(home.shell("one", "while :; do echo 'a \"b\"'; echo; sleep 0.02; done"), home.sleeper("two"))
            let written = try logs(home, "one", { $0.json = true }) { written in
                try home.eventually("lines come") { written.lines.count > 3 }
                try home.act(.restart, "two")
                try home.eventually("the event comes") { written.text.contains("\"app_name\":\"two\"") }
            }
            let objects = try written.lines.map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
            }
            let lines = objects.filter { $0["type"] as? String == "out" }
            #expect(lines.count > 3 && lines.allSatisfy { $0["message"] as? String == "a \"b\"" })
            #expect(lines.allSatisfy { $0["process_id"] as? Int == 0 && $0["app_name"] as? String == "one" })
            #expect(objects.contains { $0["type"] as? String == "process_event" && $0["app_name"] as? String == "two" })
        }
    }

    @Test("the text alone, errors apart; times in front; pairs")
    func forms() throws {
        try withHome { home in
            try home.start(home.shell("app", "while :; do echo out; echo bad >&2; sleep 0.02; done"))
            let raw = try logs(home, "app", { ($0.raw, $0.lines) = (true, 0) }) { written in
                try home.eventually("lines come") { written.lines.count > 3 }
            }
            #expect(Set(raw.lines).isSubset(of: ["out", "2: out", "2: bad", "bad"]) && raw.text.contains("2: bad"))
            let timed = try logs(home, "app", { ($0.timestamp, $0.lines, $0.out) = ("[at] YYYY", 0, true) }) {
                written in
                try home.eventually("lines come") { written.lines.count > 3 }
            }
            let year = CalendarTime.local().year
            #expect(timed.lines.allSatisfy { $0 == "at \(year) 0|app  | out" })
            let pairs = try logs(home, "app", { ($0.format, $0.err) = (true, true) }) { written in
                try home.eventually("lines come") { written.lines.count > 3 }
            }
            #expect(pairs.lines.allSatisfy { $0.hasPrefix("timestamp=\(year)-") })
            #expect(pairs.lines.allSatisfy { $0.hasSuffix(" app=app id=0 type=error message=bad") })
        }
    }
}
