import Control
import Foundation
import Glibc
import Model
import Platform
import Records
import TestSupport
import Testing

@Suite("drill", .waiting)
struct DrillTests {
    @Test("--daemon: hearthd and keeper are others afterwards, every app is the same process and answers")
    func daemon() throws {
        try withHome { home in
            let port = try freePort()
            var web = try home.responder("web", port: port)
            web.checks = ["http://127.0.0.1:\(port)/"]
            try home.start(web, home.sleeper("worker"), home.sleeper("stopped"))
            try home.act(.stop, "stopped")
            _ = try home.port(of: "web")
            let before = (web: try home.pid("web"), worker: try home.pid("worker"))
            let (daemon, keeper) = (home.daemonPids, home.keeperPids)

            let drill = try home.drill("--daemon", "--check", "http://localhost:\(port)/")
            #expect(drill.ok && drill.level == "daemon" && drill.problems.isEmpty)
            #expect(drill.apps.map(\.pidBefore) == [before.web, before.worker, nil])
            #expect(drill.apps.map(\.pidAfter) == [before.web, before.worker, nil])
            #expect(drill.apps.map { $0.recoveredMs != nil } == [true, true, false])
            #expect(drill.checks.map(\.before) == [200, 200])
            #expect(drill.checks.map(\.after) == [200, 200])
            #expect(drill.notes.contains { $0.contains("in no systemd unit") })
            #expect(home.daemonPids.count == 1 && home.daemonPids != daemon)
            try home.eventually("one other keeper is there") { home.keeperPids.count == 1 && home.keeperPids != keeper }
            #expect([try home.pid("web"), try home.pid("worker")] == [before.web, before.worker])
        }
    }

    @Test("--daemon on a hundred apps takes at most three seconds, on a machine that does nothing else")
    func hundred() throws {
        try withHome { home in
            try home.start((0..<100).map { home.sleeper("app\($0)") })
            try home.eventually("all run") { try home.list().allSatisfy { $0.status == .online } }
            let drill = try home.drill("--daemon")
            #expect(drill.apps.count == 100 && drill.apps.allSatisfy { $0.pidBefore == $0.pidAfter })
            print("survival: drill --daemon on 100 apps: \(drill.tookMs) ms")
            // The test machine runs other tests at the same time.
            #expect(drill.tookMs < 30_000)
        }
    }

    @Test("an app that is another process afterwards fails the drill, and is named")
    func unfaithful() throws {
        try withHome { home in
            // Its connection ends with the daemon, and so does it.
            let frail = try home.script(
                "frail.py",
                """
                import socket, sys
                daemon = socket.socket(socket.AF_UNIX)
                daemon.connect("\(home.paths.controlSocket)")
                print("connected", flush=True)
                daemon.recv(1)
                sys.exit(3)
                """)
            try home.start(home.app("frail", frail, interpreter: "python3"), home.sleeper("sound"))
            try home.eventually("it is connected") {
                home.read(home.paths.logs + "/frail-out.log").contains("connected")
            }
            let drill = try home.drill("--daemon", code: 1)
            #expect(!drill.ok)
            #expect(try drill.app("frail").problem?.hasPrefix("another process: ") == true)
            #expect(try drill.app("sound").problem == nil)
        }
    }

    @Test("--app: one process dies and is replaced, the others are not touched, its address answers again")
    func app() throws {
        try withHome { home in
            let web = try home.responder("web", port: freePort())
            try home.start(web, home.sleeper("worker"))
            let url = "http://127.0.0.1:\(try home.port(of: "web"))/"
            let before = try home.pid("worker")
            let drill = try home.drill("--app", "web", "--check", url)
            let shown = try drill.app("web")
            #expect(drill.ok)
            #expect(shown.pidBefore != shown.pidAfter && shown.pidAfter != nil && shown.recoveredMs != nil)
            #expect(drill.checks.map(\.after) == [200])
            #expect(try home.pid("worker") == before)
            #expect(try home.instance("web").lastExit?.signal == "SIGKILL")
        }
    }

    @Test("--app: what does not come back fails the drill; what would not by its policy is not killed")
    func lost() throws {
        try withHome { home in
            var once = home.shell("once", "[ -e once ] && exit 1; touch once; exec sleep 100000")
            once.restart.maxRestarts = 1
            try home.start(once, home.app("job", "/bin/sleep", ["100000"], restart: RestartPolicy(mode: .never)))
            try home.eventually("it runs for good") {
                !home.read("once").isEmpty || access(home.file("once"), F_OK) == 0
            }
            let drill = try home.drill("--app", "once", "--within", "500ms", code: 1)
            #expect(try drill.app("once").problem?.hasPrefix("not back after 500 ms: ") == true)

            let job = try home.pid("job")
            let refusal = try home.hearth("drill", "--app", "job")
            #expect(refusal.code == 1 && refusal.errors.contains("restart: never"))
            #expect(try home.pid("job") == job)
        }
    }

    @Test("--resurrect needs a yes; then everything that ran runs again, and nothing else")
    func resurrect() throws {
        try withHome { home in
            try home.start(home.sleeper("one"), home.sleeper("two").depending(on: "one"), home.sleeper("stopped"))
            try home.act(.stop, "stopped")
            let before = [try home.pid("one"), try home.pid("two")]
            let refusal = try home.hearth("drill", "--resurrect")
            #expect(refusal.code == 2 && refusal.errors.contains("--yes"))
            #expect([try home.pid("one"), try home.pid("two")] == before)

            let drill = try home.drill("--resurrect", "--yes")
            #expect(drill.ok)
            #expect(drill.apps.map(\.pidBefore) == before + [nil])
            #expect(drill.apps.map { $0.pidAfter != nil } == [true, true, false])
            #expect(drill.apps.allSatisfy { $0.pidAfter != $0.pidBefore || $0.pidAfter == nil })
            #expect(try home.instance("stopped").status == .stopped)
        }
    }

    @Test("an interrupted --resurrect brings everything back all the same")
    func interrupted() throws {
        try withHome { home in
            let slow = home.shell("slow", "trap 'touch stopping; sleep 0.5; exit' TERM; while :; do sleep 0.02; done")
            try home.start(slow, home.sleeper("other"))
            let run = try home.startHearth(["drill", "--resurrect", "--yes"])
            try home.eventually("it stops them") { access(home.file("stopping"), F_OK) == 0 }
            for signal in [SIGINT, SIGHUP, SIGTERM] { kill(run.pid, signal) }
            #expect(try home.result(of: run).code == 0)
            #expect(try home.list().allSatisfy { $0.status == .online })
        }
    }

    @Test("a URL that does not answer as expected fails the drill, with the reason")
    func badChecks() throws {
        try withHome { home in
            let web = try home.responder("web")
            try home.start(web)
            let port = try home.port(of: "web")
            let closed = try freePort()
            let drill = try home.drill(
                "--daemon", "--check", "http://127.0.0.1:\(port)/", "--check", "http://127.0.0.1:\(port)/=404",
                "--check", "http://127.0.0.1:\(closed)/", code: 1)
            #expect(drill.checks.map(\.before) == [200, 200, nil])
            #expect(drill.checks.last?.failure == "connection refused")
            for text in ["", "--check", "--app", "--within"] {
                let arguments = text.isEmpty ? ["drill"] : ["drill", "--daemon", text, "x"]
                let result = try home.hearth(arguments)
                #expect(result.code == 2 || text == "--app", "\(text): \(result.errors)")
            }
        }
    }

    @Test("--report writes the evidence once; it is not written over")
    func report() throws {
        try withHome { home in
            try home.start(home.sleeper("web|1"))
            let pid = try home.pid("web|1")
            let first = try home.hearth("drill", "--daemon", "--report", home.file("drill.md"))
            #expect(first.code == 0, "\(first.errors)")
            #expect(first.output.contains("drill daemon: passed: 1 of 1 running apps kept their process"))
            let text = home.read("drill.md")
            #expect(text.hasPrefix("# Death of the process manager: passed\n"))
            #expect(text.contains("| web\\|1 | \(pid) | \(pid) |"))
            #expect(text.contains("SIGKILL to hearthd (pid "))
            let daemons = home.daemonPids
            let second = try home.hearth("drill", "--daemon", "--report", home.file("drill.md"))
            #expect(second.code == 1 && second.errors.contains("exists"))
            #expect(home.daemonPids == daemons)
        }
    }
}
