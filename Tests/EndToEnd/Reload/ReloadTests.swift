import Control
import Foundation
import Glibc
import Model
import Records
import TestSupport
import Testing

@Suite("reload: the new process runs beside the old one", .waiting)
struct ReloadTests {
    @Test("five reloads under load: no request fails, every pid is new, the new version answers")
    func noneLost() throws {
        try withHome { home in
            let port = try freePort()
            try home.setVersion("v0")
            try home.start(home.heldServer(port: port, instances: 2, uptime: 300))
            try home.awaitServers()
            var pids = Set(try home.list("web").compactMap(\.pid))
            let load = RequestLoad(ports: [UInt16(port)])
            var answered = 0
            for round in 1...5 {
                try home.eventually("requests are answered") { load.answered > answered + 20 }
                answered = load.answered
                try home.setVersion("v\(round)")
                let reply = try home.act(.reload, "web")
                #expect(reply.results.map(\.ok) == [true, true], "\(reply.results)")
                #expect(load.answered > answered)
                let next = Set(try home.list("web").compactMap(\.pid))
                #expect(next.count == 2 && next.isDisjoint(with: pids))
                #expect(pids.allSatisfy { !Processes.isRunning($0) })
                #expect(fetched(port)?.hasPrefix("v\(round) ") == true)
                pids = next
            }
            answered = load.answered
            try home.eventually("requests are answered afterwards") { load.answered > answered + 20 }
            let tally = load.stop()
            #expect(tally.failures == [], "of \(tally.answered) requests")
            #expect(try home.list("web").map(\.restarts) == [5, 5])
        }
    }

    @Test("never fewer than wanted, and no more than one at a time unless more are asked for", arguments: [nil, 3])
    func inTurn(parallel: Int?) throws {
        try withHome { home in
            try home.setVersion("v0")
            try home.start(home.heldServer(port: try freePort(), instances: 3))
            try home.awaitServers()
            let before = Set(try home.list("web").compactMap(\.pid))
            var words = ["reload", "web"]
            if let parallel { words += ["--parallel", "\(parallel)"] }
            let run = try home.startHearth(words)
            var most = 0
            var fewest = 3
            var isOver = false
            try home.eventually("the reload is over", within: 60, every: 10) {
                let all = Processes.all.filter { Processes.commandLine($0).contains(home.file("held.py")) }
                most = max(most, all.count)
                fewest = min(fewest, all.count)
                isOver = before.isDisjoint(with: all) && all.count == 3
                return isOver
            }
            #expect(try home.result(of: run).code == 0)
            #expect(fewest == 3)
            #expect(parallel == nil ? most == 4 : most > 4, "\(most) at most")
        }
    }

    @Test("an app that never gets ready: the old one serves on, exit code 1, the reason and its last lines")
    func neverReady() throws {
        try withHome { home in
            let port = try freePort()
            try home.setVersion("old")
            var app = try home.heldServer(port: port)
            app.readiness = ReadinessPolicy(waitReady: true, timeout: Milliseconds(4000))
            // The channel has another number where held sockets begin at 3.
            try home.write("os.write(int(os.environ['NODE_CHANNEL_FD']), b'\"ready\"\\n')", to: "web.fail")
            let started = try home.start(app)
            #expect(started.instances.map(\.status) == [.online])
            try home.awaitServers()
            let pid = try home.pid("web")
            let load = RequestLoad(ports: [UInt16(port)])
            try home.write("print('no database', file=sys.stderr, flush=True)", to: "web.fail")
            let result = try home.hearth("reload", "web")
            #expect(result.code == 1)
            #expect(result.errors.contains("did not say 'ready' on its channel within"), "\(result.errors)")
            #expect(result.errors.contains("no database"), "\(result.errors)")
            let instance = try home.instance("web")
            #expect(instance.pid == pid && instance.status == .online && instance.restarts == 0)
            #expect(instance.reason.contains("goes on; its reload by"))
            let tally = load.stop()
            #expect(tally.failures == [] && fetched(port) == "old \(pid)")
            let others = Processes.all.filter { Processes.commandLine($0).contains(home.file("held.py")) }
            #expect(others == [pid])
        }
    }

    @Test("one that ends at once leaves all others as they are")
    func crashes() throws {
        try withHome { home in
            let port = try freePort()
            try home.setVersion("old")
            try home.start(home.heldServer(port: port, instances: 2))
            try home.awaitServers()
            let pids = try home.list("web").map(\.pid)
            try home.write("raise SystemExit('cannot parse config')", to: "web.fail")
            let result = try home.hearth("reload", "web")
            #expect(result.code == 1)
            #expect(result.errors.contains("ended with exit code 1") && result.errors.contains("cannot parse config"))
            #expect(result.errors.contains("the new version failed in another instance"))
            #expect(try home.list("web").map(\.pid) == pids)
            // Mended, it goes through.
            try home.write("", to: "web.fail")
            #expect(try home.hearth("reload", "web").code == 0)
            #expect(try home.list("web").allSatisfy { !pids.contains($0.pid) })
        }
    }

    @Test(
        "a changed specification that does not run is taken back, everywhere; --keep keeps it",
        arguments: [false, true])
    func takenBack(keep: Bool) throws {
        try withHome { home in
            let port = try freePort()
            try home.setVersion("v")
            let script = try home.heldServer(port: port).script
            // The second instance fails: the first one has the new version then, and gets the old one again.
            let fail = "if os.environ.get('BAD') and os.environ['NODE_APP_INSTANCE'] == '1': sys.exit(7)"
            try home.write(fail, to: "web.fail")
            func file(_ bad: String) -> String {
                """
                {"apps": [{"name": "web", "script": "\(script)", "args": "web", "interpreter": "python3", "instances": 2,
                  "cwd": "\(home.path)", "min_uptime": 2000, "listen": "127.0.0.1:\(port)", "env": {"BAD": "\(bad)"}}]}
                """
            }
            try home.write(file(""), to: "apps.json")
            let first = try home.hearth("apply", home.file("apps.json"))
            #expect(first.code == 0, "\(first.errors)")
            try home.awaitServers()
            let pids = try home.list("web").map(\.pid)
            try home.write(file("1"), to: "apps.json")
            let result = try home.hearth(["apply", home.file("apps.json")] + (keep ? ["--keep"] : []))
            #expect(result.code == 1 && result.errors.contains("exit code 7"), "\(result.output)\(result.errors)")
            let after = try home.list("web")
            #expect(after.map(\.status) == [.online, .online])
            // The second went on all the time.
            #expect(after.last?.pid == pids.last && after.first?.pid != pids.first)
            let environment = try home.hearth("env", "0", "--reveal").output
            #expect(environment.contains("BAD=1") == keep, "\(environment)")
            let changed = try #require(after.first?.pid)
            #expect(Processes.environment(changed).contains("BAD=1") == keep)
        }
    }

    @Test("an app that holds its port itself is stopped and started, and that is said")
    func stopStart() throws {
        try withHome { home in
            try home.start(home.sleeper("plain"))
            let pid = try home.pid("plain")
            let result = try home.hearth("reload", "plain")
            #expect(result.code == 0 && result.errors.contains("stopped and started"), "\(result.errors)")
            #expect(try home.pid("plain") != pid)
        }
    }

    @Test("reload: overlap waits for a socket of the new process's own")
    func overlap() throws {
        try withHome { home in
            let port = try freePort()
            let source = """
                import os, socket, time
                time.sleep(float(open("delay").read()))
                s = socket.socket()
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                s.bind(("127.0.0.1", \(port)))
                s.listen()
                open("listens." + str(os.getpid()), "w")
                while True: time.sleep(1)
                """
            try home.write("0", to: "delay")
            var app = home.app("own", try home.script("own.py", source), interpreter: "python3")
            app.restart.minUptime = Milliseconds(100)
            app.reload = ReloadPolicy(overlaps: true)
            try home.start(app)
            let pid = try home.pid("own")
            try home.eventually("it listens") { FileManager.default.fileExists(atPath: home.file("listens.\(pid)")) }
            // Longer than min_uptime: living alone is no proof for one whose predecessor listened.
            try home.write("1", to: "delay")
            let result = try home.hearth("reload", "own")
            #expect(result.code == 0, "\(result.errors)")
            let next = try home.pid("own")
            #expect(
                next != pid && FileManager.default.fileExists(atPath: home.file("listens.\(next)"))
                    && !Processes.isRunning(pid))
        }
    }

    @Test("a crash of another app is restarted at once while a reload hangs")
    func neighbour() throws {
        try withHome { home in
            try home.setVersion("v")
            var app = try home.heldServer(port: try freePort())
            app.readiness = ReadinessPolicy(waitReady: true, timeout: Milliseconds(20_000))
            try home.write("os.write(int(os.environ['NODE_CHANNEL_FD']), b'\"ready\"\\n')", to: "web.fail")
            try home.start(app, home.sleeper("neighbour"))
            try home.awaitServers()
            try home.write("", to: "web.fail")
            let run = try home.startHearth(["reload", "web"])
            try home.eventually("the new process runs") {
                Processes.all.filter { Processes.commandLine($0).contains(home.file("held.py")) }.count == 2
            }
            for _ in 0..<5 {
                let pid = try home.pid("neighbour")
                kill(pid, SIGKILL)
                try home.eventually("it is restarted", within: 10) {
                    let instance = try home.instance("neighbour")
                    return instance.status == .online && instance.pid != pid
                }
            }
            #expect(home.output(of: run) == "" && Processes.isRunning(run.pid))
            // A stop ends the reload, too.
            try home.act(.stop, "web")
            #expect(try home.result(of: run).code == 1)
            #expect(try home.instance("web").status == .stopped)
            try home.eventually("nothing of it is left") {
                !Processes.all.contains { Processes.commandLine($0).contains(home.file("held.py")) }
            }
        }
    }

    @Test("a delete in the middle ends the reload, and whoever waits for it is told")
    func deleted() throws {
        try withHome { home in
            try home.setVersion("v")
            var app = try home.heldServer(port: try freePort())
            app.readiness = ReadinessPolicy(waitReady: true, timeout: Milliseconds(60_000))
            try home.write("os.write(int(os.environ['NODE_CHANNEL_FD']), b'\"ready\"\\n')", to: "web.fail")
            try home.start(app)
            try home.awaitServers()
            try home.write("", to: "web.fail")
            let run = try home.startHearth(["reload", "web"])
            try home.eventually("the new process runs") {
                Processes.all.filter { Processes.commandLine($0).contains(home.file("held.py")) }.count == 2
            }
            try home.act(.delete, "web")
            let result = try home.result(of: run, within: 30)
            #expect(result.code == 1 && result.errors.contains("was deleted meanwhile"), "\(result.errors)")
            #expect(!Processes.all.contains { Processes.commandLine($0).contains(home.file("held.py")) })
            #expect(try home.list().isEmpty)
        }
    }

    @Test("without a daemon, kill ends both processes of a reload")
    func killedOffline() throws {
        try withHome { home in
            try home.setVersion("v")
            try home.start(home.heldServer(port: try freePort(), uptime: 60_000))
            try home.awaitServers()
            let run = try home.startHearth(["reload", "web"])
            try home.eventually("the new process runs") {
                Processes.all.filter { Processes.commandLine($0).contains(home.file("held.py")) }.count == 2
            }
            // The copy of the table on disk is a moment behind.
            try home.eventually("the records have it") {
                InstanceTable.read(home.paths, .current())?.first?.successor?.process?.startTime ?? 0 != 0
            }
            // It would bring the daemon back.
            kill(run.pid, SIGKILL)
            try home.eventually("keeper and daemon are gone") {
                // Each starts the other, up to its last moment.
                let all = home.keeperPids + home.daemonPids
                for pid in all { kill(pid, SIGKILL) }
                return all.isEmpty
            }
            let result = try home.hearth("kill")
            #expect(result.code == 0, "\(result.errors)")
            #expect(!Processes.all.contains { Processes.commandLine($0).contains(home.file("held.py")) })
        }
    }

    private static let blows: [[String]] = [["hearthd"], ["keeper"], ["hearthd", "keeper"]]

    @Test(
        "whoever of the manager dies in the middle: one generation is left, at the wanted count", arguments: blows,
        [5, 300, 1900])
    func interrupted(victims: [String], after milliseconds: UInt32) throws {
        try withHome { home in
            let port = try freePort()
            try home.setVersion("v0")
            try home.start(home.heldServer(port: port, instances: 2))
            try home.awaitServers()
            let load = RequestLoad(ports: [UInt16(port)], threads: 1)
            try home.setVersion("v1")
            let before = Set(try home.list("web").compactMap(\.pid))
            let run = try home.startHearth(["reload", "web"])
            try home.eventually("the reload has begun", every: 1) {
                Processes.all.contains {
                    !before.contains($0) && Processes.commandLine($0).contains(home.file("held.py"))
                }
            }
            usleep(milliseconds * 1000)
            let pids =
                (victims.contains("hearthd") ? home.daemonPids : [])
                + (victims.contains("keeper") ? home.keeperPids : [])
            for pid in pids { kill(pid, SIGKILL) }
            // Whoever runs a command next brings them back, if both are dead.
            let result = try home.result(of: run)
            #expect([0, 3, 4].contains(result.code), "\(result.code) \(result.errors)")
            _ = try home.hearth("up")
            var versions: Set<String> = []
            try home.eventually("one generation serves", within: 30) {
                let listed = Set(try home.list("web").compactMap(\.pid))
                let all = Set(Processes.all.filter { Processes.commandLine($0).contains(home.file("held.py")) })
                versions = Set((0..<20).compactMap { _ in fetched(port)?.split(separator: " ").first.map(String.init) })
                return listed.count == 2 && all == listed && versions.count == 1
            }
            if result.code == 0 { #expect(versions == ["v1"]) }
            let tally = load.stop()
            #expect(tally.failures == [], "of \(tally.answered)")
            // And the next one goes through.
            try home.setVersion("v2")
            let next = try home.hearth("reload", "web")
            #expect(next.code == 0, "\(next.errors)")
            #expect(fetched(port)?.hasPrefix("v2 ") == true)
        }
    }
}
