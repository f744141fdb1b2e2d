import Control
import Foundation
import Glibc
import Model
import Records
import TestSupport
import Testing

@Suite("Every command, through the real binary", .waiting)
struct CommandTests {
    /// Runs a command that must succeed, and reads what it prints.
    private func json(_ home: Home, _ line: String, _ location: SourceLocation = #_sourceLocation) throws -> JSON {
        let result = try home.shellRun(line)
        #expect(result.code == 0, "\(line): \(result.errors)", sourceLocation: location)
        let json = try JSON(result.output)
        expectDocumented(json, line, location)
        return json
    }

    @discardableResult
    private func text(_ home: Home, _ line: String, _ location: SourceLocation = #_sourceLocation) throws -> String {
        let result = try home.shellRun(line)
        #expect(result.code == 0, "\(line): \(result.errors)", sourceLocation: location)
        return result.output
    }

    /// Every key is in docs/json.md.
    private func expectDocumented(_ json: JSON, _ line: String, _ location: SourceLocation) {
        guard !Self.documentation.isEmpty else { return }
        for key in json.allKeys {
            #expect(
                Self.documentation.contains(key), "\(line): '\(key)' is not in docs/json.md", sourceLocation: location)
        }
    }

    /// The words of docs/json.md; none while there is no such page.
    private static let documentation: Set<String> = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../..")
        let page = (try? String(contentsOf: root.appendingPathComponent("docs/json.md"), encoding: .utf8)) ?? ""
        return Set(page.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init))
    }()

    private static let row: Set<String> = [
        "id", "name", "namespace", "pid", "status", "reason", "restarts", "unstableRestarts", "uptimeMs", "cpuPercent",
        "memoryBytes", "ports", "cwd", "command",
    ]

    private func prepare(_ home: Home) throws {
        try home.write(
            "#!/bin/sh\necho out $$ $*\necho err $$ >&2\nwhile :; do sleep 1; done\n", to: "app.sh", executable: true)
        try home.write("LATE=from-file\nQUOTED=\"a b\"\n", to: "vars.env")
    }

    @Test("from `up` to `kill`: the daemon's own commands")
    func daemonCommands() throws {
        try withHome(starting: false) { home in
            try prepare(home)
            #expect(try home.hearth("ping").code == 3)
            let up = try json(home, "hearth up --json")
            for key in ["version", "protocol", "pid", "keeperPid", "home", "ready", "uptimeMs"] { #expect(up.has(key)) }
            #expect(up["ready"].bool == true && up["home"].string == home.path)
            let pid = try #require(up["pid"].int)
            #expect(try json(home, "hearth up --json")["pid"].int == pid)
            #expect(try json(home, "hearth ping --json")["pid"].int == pid)
            #expect(try text(home, "hearth ping").contains("pid \(pid)"))

            try text(home, "hearth start app.sh --name kept")
            let app = try home.pid("kept")
            let upgrade = try json(home, "hearth upgrade --json")
            #expect(upgrade["pid"].int == pid && upgrade.has("version"))
            #expect(try home.pid("kept") == app)

            #expect(try json(home, "hearth daemon detach --json")["running"].int == 1)
            #expect(Processes.isRunning(app))
            try home.eventually("both are gone") { home.daemonPids.isEmpty && home.keeperPids.isEmpty }
            try text(home, "hearth up")
            #expect(try home.pid("kept") == app)

            #expect(try json(home, "hearth kill --json")["stopped"].int == 1)
            #expect(!Processes.isRunning(app))
            // The keeper is the last to go.
            try home.eventually("both are gone") { home.daemonPids.isEmpty && home.keeperPids.isEmpty }
            #expect(try home.hearth("kill").code == 0)
            // It is not forgotten, and not started by looking or by `up`.
            let down = try home.hearth("list", "--json")
            #expect(down.code == 3)
            #expect(try JSON(down.output)[0]["name"].string == "kept")
            try text(home, "hearth up")
            #expect(try home.instance("kept").status == .stopped)
            let resurrect = try json(home, "hearth resurrect --json")
            #expect(resurrect["instances"][0]["name"].string == "kept")
            #expect(try home.instance("kept").status == .online)
        }
    }

    @Test("start with every option, list, show, env, pid, restart, stop, reset, signal, delete")
    func appCommands() throws {
        try withHome { home in
            try prepare(home)
            let started = try json(
                home,
                "hearth start app.sh --name one --cwd . --interpreter sh -i 2 --env A=1 --env B=x=y "
                    + "--namespace web --kill-timeout 2s --max-restarts 5 --min-uptime 2s --restart-delay 100 "
                    + "--kill-signal INT --restart on-failure --stop-exit-codes 0,143 --no-slow-retry --env-file vars.env "
                    + "--json -- -v --name x"
            )
            #expect(started.array.count == 2)
            for instance in started.array {
                #expect(Self.row.isSubset(of: instance.keys), "missing: \(Self.row.subtracting(instance.keys))")
                #expect(instance["status"].string == "online" && instance["namespace"].string == "web")
                #expect(instance["command"].string?.hasSuffix("-v --name x") == true)
            }
            let list = try json(home, "hearth ls --json")
            #expect(list.array.count == 2 && Self.row.isSubset(of: list[0].keys))
            #expect(list[1]["cpuPercent"].isNull || list[1]["cpuPercent"].int != nil || list[1].has("cpuPercent"))
            let table = try text(home, "hearth list")
            #expect(table.contains("one") && table.contains("online"))

            let show = try json(home, "hearth describe one --json")
            #expect(show.array.count == 2)
            for key in ["memoryPeakBytes", "cpuSeconds", "tasks", "fds", "processes", "restart", "stop", "user"] {
                #expect(show[0].has(key), "\(key)")
            }
            #expect(show[0]["instance"]["name"].string == "one" || show[0]["name"].string == "one")
            #expect(show[0]["restart"]["maxRestarts"].int == 5 && show[0]["restart"]["mode"].string == "on-failure")
            #expect(show[0]["stop"]["killTimeout"].int == 2000 && show[0]["stop"]["signal"].string == "SIGINT")
            #expect(try text(home, "hearth show one").contains("on-failure"))

            let env = try json(home, "hearth env 0 --json")
            let variables = Dictionary(
                env["variables"].array.map { ($0["name"].string ?? "", $0["value"].string ?? "") },
                uniquingKeysWith: { $1 })
            #expect(variables["A"] == "1" && variables["B"] == "x=y" && variables["QUOTED"] == "a b")
            #expect(variables["LATE"] == "from-file" && variables["HEARTH_HOME"] != "")
            #expect(try text(home, "hearth env 1").contains("QUOTED=a b"))
            // That is what the process has.
            let real = Processes.environment(try #require(started[0]["pid"].int.map(Int32.init)))
            for (name, value) in variables where !name.isEmpty {
                // The spawner alone knows which generation it starts next.
                if name != "HEARTH_INSTANCE" { #expect(real.contains("\(name)=\(value)"), "\(name)") }
            }

            let pids = try json(home, "hearth pid one --json")
            #expect(pids.array.compactMap { $0["pid"].int } == started.array.compactMap { $0["pid"].int })
            #expect(try text(home, "hearth pid 0") == "\(pids[0]["pid"].int ?? 0)\n")

            let restart = try json(home, "C=3 hearth restart one --update-env --json")
            #expect(restart["results"].array.allSatisfy { $0["ok"].bool == true } && restart["durable"].bool == true)
            #expect(restart["instances"][0]["restarts"].int == 1)
            #expect(try text(home, "hearth env 0").contains("C=3"))
            #expect(try json(home, "hearth reset one --json")["instances"][0]["restarts"].int == 0)

            let signal = try json(home, "hearth signal WINCH one --json")
            #expect(signal["results"].array.count == 2 && signal["results"][0]["ok"].bool == true)

            #expect(try json(home, "hearth stop '/^on/' --json")["instances"][1]["status"].string == "stopped")
            #expect(try json(home, "hearth list web --json").array.allSatisfy { $0["pid"].isNull })
            #expect(try text(home, "hearth pid one") == "0\n0\n")
            #expect(try text(home, "hearth start one").contains("online"))
            #expect(try json(home, "hearth delete web --json")["results"].array.count == 2)
            #expect(try json(home, "hearth list --json") == (try JSON("[]")))
        }
    }

    @Test("shell strings, binaries, and an app file with all keys of this issue")
    func waysToStart() throws {
        try withHome { home in
            try prepare(home)
            try text(home, "hearth start 'exec sleep 1000 # a comment' --name line")
            try text(home, "hearth start sleep --name binary -- 1000")
            try home.write(
                """
                {"apps": [{"name": "file", "script": "./app.sh", "args": ["a", "b c"], "cwd": ".", "interpreter": "sh",
                  "env": {"PORT": 8080, "X": "y"}, "instances": 2, "namespace": "ns", "max_restarts": 3,
                  "min_uptime": "5s", "restart_delay": 10, "kill_timeout": 3000, "autorestart": true,
                  "stop_exit_codes": [0]}, {"name": "second", "script": "sleep 1000"}]}
                """, to: "apps.json")
            #expect(try json(home, "hearth start apps.json --json").array.count == 3)
            let list = try home.list()
            #expect(list.map(\.name) == ["line", "binary", "file", "file", "second"])
            #expect(list.allSatisfy { $0.status == .online })
            #expect(list[2].command.hasSuffix("app.sh a b c") && list[2].namespace == "ns")
            // Once more: nothing is started twice, and it is said.
            let again = try home.shellRun("hearth start apps.json")
            #expect(again.code == 0 && again.errors.contains("already running"), "\(again.errors)")
            #expect(try home.list().count == 5)
            try text(home, "hearth stop apps.json")
            #expect(try home.list().filter { $0.status == .stopped }.count == 3)
        }
    }

    @Test("scale up, down, relatively and to nothing")
    func scale() throws {
        try withHome { home in
            try prepare(home)
            try text(home, "hearth start app.sh --name many")
            for (count, expected) in [("3", 3), ("+2", 5), ("-1", 4), ("1", 1), ("1", 1)] {
                let reply = try json(home, "hearth scale many \(count) --json")
                #expect(reply["instances"].array.count == expected, "\(count)")
                #expect(try home.list("many").filter { $0.status == .online }.count == expected, "\(count)")
            }
            let last = try home.pid("many")
            try text(home, "hearth scale many 0")
            #expect(try home.list().isEmpty && !Processes.isRunning(last))
        }
    }

    @Test("save, snapshots, diff, undo and resurrect")
    func snapshots() throws {
        try withHome { home in
            try prepare(home)
            #expect(try home.hearth("save").code == 1)
            try text(home, "hearth start app.sh --name one && hearth start app.sh --name two")
            let saved = try json(home, "hearth save good --json")
            #expect(saved["name"].string == "good" && saved["apps"].int == 2 && saved["kind"].string == "saved")
            try text(home, "hearth delete two && hearth start app.sh --name three")
            let list = try json(home, "hearth snapshots --json")
            #expect(list.array.contains { $0["name"].string == "good" })
            for key in ["name", "at", "apps", "instances", "kind"] { #expect(list[0].has(key), "\(key)") }
            let diff = try json(home, "hearth snapshots diff good --json")
            let changes = Dictionary(
                diff.array.map { ($0["name"].string ?? "", $0["change"].string ?? "") }, uniquingKeysWith: { $1 })
            #expect(changes == ["two": "removed", "three": "added"], "\(diff)")
            #expect(try text(home, "hearth snapshots diff good").contains("two"))
            #expect(try json(home, "hearth snapshots undo --json")["differences"].array.count == 1)
            #expect(try Set(home.list().map(\.name)) == ["one"])
            let resurrect = try json(home, "hearth resurrect good --json")
            #expect(resurrect["instances"].array.map { $0["name"].string } == ["two"], "\(resurrect)")
            #expect(try Set(home.list().map(\.name)) == ["one", "two"])
            // An empty list never replaces a good one unasked.
            try text(home, "hearth delete all")
            let refused = try home.hearth("save", "good")
            #expect(refused.code == 1 && refused.errors.contains("--force"), "\(refused.errors)")
            try text(home, "hearth save nothing --force && hearth resurrect good")
            #expect(try home.list().filter { $0.status == .online }.count == 2)
        }
    }

    @Test("logs: last lines, one stream, raw, JSON, and following across restart and flush")
    func logs() throws {
        try withHome { home in
            try prepare(home)
            try home.write(
                "i=0; while [ $i -lt 30 ]; do echo old $i; i=$((i+1)); done; echo bad >&2\n"
                    + "while :; do [ -e say ] && { echo said $$ $(cat say); mv say said; }; sleep 0.02; done\n",
                to: "talk.sh")
            try text(home, "hearth start talk.sh --name talk")
            try home.eventually("it has talked") {
                try text(home, "hearth logs talk --nostream --err --raw") == "" || true
            }
            try home.eventually("all is written") { home.read(home.paths.logs + "/talk-error.log") == "bad\n" }
            #expect(try text(home, "hearth logs talk --nostream --out --raw --lines 3") == "old 27\nold 28\nold 29\n")
            let all = try text(home, "hearth logs --no-stream --lines 2")
            #expect(all.contains("old 29") && all.contains("bad") && all.contains("talk"))
            #expect(!all.contains("old 27"))
            #expect(try !text(home, "hearth logs talk --err --nostream").contains("old"))
            #expect(try text(home, "hearth logs talk --nostream --lines 0") == "")
            let lines = try JSON.lines(try text(home, "hearth logs talk --nostream --json --lines 2"))
            #expect(lines.count == 3 && lines.allSatisfy { !$0.keys.isEmpty })
            for line in lines { expectDocumented(line, "logs --json", #_sourceLocation) }

            let follower = try home.startShell("exec \"$HEARTH\" logs talk --out --raw --lines 1")
            try home.eventually("the follower follows") { home.output(of: follower) == "old 29\n" }
            func say(_ word: String) throws {
                try home.write(word, to: "saying")
                rename(home.file("saying"), home.file("say"))
                try home.eventually("'\(word)' is followed") {
                    home.output(of: follower).split(separator: "\n").contains {
                        $0.hasPrefix("said") && $0.hasSuffix(" \(word)")
                    }
                }
            }
            try say("first")
            try text(home, "hearth restart talk")
            try home.eventually("the new process has talked") {
                home.output(of: follower).components(separatedBy: "old 29\n").count == 3
            }
            try say("after-restart")
            let flush = try json(home, "hearth flush talk --json")
            #expect(flush["results"][0]["ok"].bool == true)
            #expect(home.read(home.paths.logs + "/talk-out.log").isEmpty)
            try say("after-flush")
            kill(follower.pid, SIGINT)
            let result = try home.result(of: follower)
            let said = result.output.split(separator: "\n").filter { $0.hasPrefix("said") }
            #expect(said.map { $0.split(separator: " ").last ?? "" } == ["first", "after-restart", "after-flush"])
        }
    }

    @Test("events as they happen, with the last ones first, of chosen apps")
    func events() throws {
        try withHome { home in
            try prepare(home)
            try text(home, "hearth start app.sh --name one && hearth start app.sh --name two")
            let stream = try home.startShell("exec \"$HEARTH\" events one --replay 10 --json")
            try home.eventually("what was is told") { home.output(of: stream).contains("\"kind\":\"online\"") }
            try text(home, "hearth restart two && hearth restart one && hearth stop one")
            try home.eventually("what happens is told") { home.output(of: stream).contains("\"kind\":\"stop\"") }
            kill(stream.pid, SIGINT)
            let events = try JSON.lines(try home.result(of: stream).output)
            for event in events {
                #expect(event["name"].string == "one")
                for key in ["at", "kind", "id", "name", "pid", "message"] { #expect(event.has(key), "\(key)") }
                expectDocumented(event, "events", #_sourceLocation)
            }
            #expect(
                events.contains { $0["kind"].string == "restart" } && events.contains { $0["kind"].string == "exit" })
        }
    }

    @Test("output is plain without a terminal, ASCII where the locale says so, and narrow where it must be")
    func tables() throws {
        try withHome { home in
            try prepare(home)
            try text(home, "hearth start app.sh --name one")
            let plain = try text(home, "hearth list")
            #expect(!plain.contains("\u{1b}["))
            let ascii = try text(home, "LC_ALL=C hearth list")
            #expect(ascii.utf8.allSatisfy { $0 < 128 } && ascii.contains("one"))
            let utf8 = try text(home, "LC_ALL=C.UTF-8 hearth list")
            #expect(utf8.contains("│"))
            let closed = try home.shellRun("hearth list | true")
            #expect(closed.code == 0 && closed.errors.isEmpty)
            #expect(try home.shellRun("hearth list > /dev/full").code == 1)
        }
    }

    @Test("help, version and manual are there without a daemon")
    func help() throws {
        try withHome(starting: false) { home in
            #expect(try text(home, "hearth --version") == "\(Interface.productVersion)\n")
            let help = try text(home, "hearth --help")
            for name in [
                "start", "stop", "restart", "delete", "list", "show", "logs", "flush", "save", "resurrect", "reset",
                "scale",
                "signal", "pid", "env", "events", "ping", "up", "kill", "daemon", "upgrade", "why", "snapshots",
            ] {
                #expect(help.contains(name), "\(name)")
                #expect(try text(home, "hearth \(name) --help").contains("USAGE"), "\(name)")
            }
            #expect(home.daemonPids.isEmpty && home.keeperPids.isEmpty)
        }
    }
}
