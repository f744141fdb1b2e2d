import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("plan and apply", .waiting)
struct ApplyTests {
    @Test("what is there is left alone, what is new is started: applying twice changes nothing")
    func idempotent() throws {
        try withHome(starting: false) { home in
            try home.apps(home.steady("one"), home.steady("two", "\"instances\": 2, \"env\": {\"A\": \"1\"}"))
            let plan = try home.expect(10, "hearth plan apps.json")
            #expect(plan.contains("+ one added") && plan.contains("+ two added") && plan.contains("instances: 2"))
            #expect(home.daemonPids.isEmpty, "a plan starts no daemon")
            try home.expect(0, "hearth apply apps.json")
            let before = try home.list()
            #expect(before.map(\.name).sorted() == ["one", "two", "two"])
            #expect(try home.expect(0, "hearth plan apps.json") == "no changes\n")
            #expect(try home.expect(0, "hearth apply apps.json") == "no changes\n")
            #expect(try home.expect(0, "hearth plan apps.json", environment: ["EXTRA": "x"]) == "no changes\n")
            #expect(try home.list().map(\.pid) == before.map(\.pid))
            // Without a daemon the plan is made from what is on disk.
            try home.expect(0, "hearth daemon detach")
            #expect(try home.expect(0, "hearth plan apps.json") == "no changes\n")
        }
    }

    @Test("a change is told as old and new; what needs no restart keeps the pid")
    func changes() throws {
        try withHome { home in
            try home.apps(home.steady("app", "\"max_memory_restart\": \"100M\", \"env\": {\"KEY\": \"old\"}"))
            try home.expect(0, "hearth apply apps.json")
            let pid = try home.pid("app")

            try home.apps(
                home.steady(
                    "app", "\"max_memory_restart\": \"200M\", \"kill_timeout\": 9000, \"env\": {\"KEY\": \"old\"}"))
            let quiet = try home.expect(10, "hearth plan apps.json")
            #expect(quiet.contains("max_memory_restart: 104857600 → 209715200"))
            #expect(quiet.contains("takes effect without a restart"))
            try home.expect(0, "hearth apply apps.json")
            #expect(try home.pid("app") == pid)
            #expect(try home.expect(0, "hearth plan apps.json") == "no changes\n")

            try home.apps(
                home.steady(
                    "app", "\"max_memory_restart\": \"200M\", \"kill_timeout\": 9000, \"env\": {\"KEY\": \"new\"}"))
            let loud = try home.expect(10, "hearth plan apps.json")
            #expect(loud.contains("env KEY: changed") && loud.contains("restarted") && !loud.contains("new\""))
            let json = try JSON(try home.shellRun("hearth apply apps.json --json").output)
            #expect(json[0]["name"].string == "app" && json[0]["change"].string == "changed")
            #expect(try home.pid("app") != pid)
            #expect(Processes.environment(try home.pid("app")).contains("KEY=new"))
        }
    }

    @Test("instances are added and removed, and those that stay keep their pids and log files")
    func instances() throws {
        try withHome { home in
            try home.apps(home.steady("app"))
            try home.expect(0, "hearth apply apps.json")
            let first = try home.pid("app")
            try home.apps(home.steady("app", "\"instances\": 3"))
            #expect(try home.expect(10, "hearth plan apps.json").contains("instances: 1 → 3"))
            try home.expect(0, "hearth apply apps.json")
            let three = try home.pids("app")
            #expect(three.count == 3 && three.contains(first))
            #expect(Set(try home.list("app").map(\.outLog)).count == 1, "they share the file of the first")
            #expect(try home.expect(0, "hearth plan apps.json") == "no changes\n")
            try home.apps(home.steady("app"))
            try home.expect(0, "hearth apply apps.json")
            #expect(try home.pids("app") == [first])
        }
    }

    @Test("an app that left the file stays without --prune, and goes with it; others are never touched")
    func prune() throws {
        try withHome { home in
            try home.start(home.sleeper("stranger"))
            try home.apps(home.steady("kept"), home.steady("gone"))
            try home.expect(0, "hearth apply apps.json")
            let kept = try home.pid("kept")
            try home.apps(home.steady("kept"))
            #expect(try home.expect(0, "hearth apply apps.json").contains("'gone' is in the list and no longer"))
            #expect(try home.names() == ["gone", "kept", "stranger"])
            #expect(try home.expect(10, "hearth plan apps.json --prune").contains("- gone removed"))
            #expect(try home.expect(0, "hearth plan apps.json --prune --only kept").contains("no changes"))
            try home.expect(0, "hearth apply apps.json --prune")
            #expect(try home.names() == ["kept", "stranger"])
            #expect(try home.pid("kept") == kept)
        }
    }

    @Test("instances are replaced one after the other")
    func rolling() throws {
        try withHome { home in
            try home.apps(home.steady("app", "\"instances\": 3, \"min_uptime\": 300"))
            try home.expect(0, "hearth apply apps.json")
            let before = try home.pids("app")
            try home.apps(home.steady("app", "\"instances\": 3, \"min_uptime\": 300, \"env\": {\"V\": \"2\"}"))
            try home.expect(0, "hearth apply apps.json")
            let after = try home.list("app")
            #expect(Set(after.compactMap(\.pid)).isDisjoint(with: before) && after.count == 3)
            // Each began when the one before had lived as long as it must.
            let starts = after.compactMap(\.startedAt).sorted()
            #expect(zip(starts, starts.dropFirst()).allSatisfy { $1 - $0 >= 250 })
        }
    }

    @Test("a version that does not run stops the roll, also at the second attempt; the rest serves on")
    func brokenVersion() throws {
        try withHome { home in
            let script = "\"name\": \"app\", \"script\": \"./app.sh\", \"instances\": 3, \"min_uptime\": 300"
            try home.write(
                "#!/bin/sh\n[ \"$BROKEN\" ] && exit 3\nexec sleep 100000\n", to: "app.sh", executable: true)
            try home.apps("{\(script)}")
            try home.expect(0, "hearth apply apps.json")
            let before = try home.pids("app")
            try home.apps("{\(script), \"env\": {\"BROKEN\": \"1\"}}")
            for _ in 1...2 {
                let text = try home.expect(1, "hearth apply apps.json")
                #expect(text.contains("does not stay up: it ended with exit code 3"), "\(text)")
                #expect(text.contains("2 instances left as before"), "\(text)")
                #expect(Set(try home.pids("app")).isSuperset(of: before.dropFirst()))
            }
            try home.apps("{\(script), \"env\": {\"MENDED\": \"1\"}}")
            try home.expect(0, "hearth apply apps.json")
            let after = try home.list("app")
            #expect(after.allSatisfy { $0.status == .online } && after.count == 3)
        }
    }

    @Test("a new app that does not run is a failure; the others of the file run")
    func brokenApp() throws {
        try withHome { home in
            try home.apps(
                home.steady("good"), "{\"name\": \"bad\", \"script\": \"/bin/false\"}",
                "{\"name\": \"job\", \"script\": \"/bin/true\", \"restart\": \"on-failure\"}")
            let text = try home.expect(1, "hearth apply apps.json")
            #expect(text.contains("'bad' (id 1): does not stay up") && !text.contains("'job' (id 2): "), "\(text)")
            #expect(try home.instance("good").status == .online)
        }
    }

    @Test("what somebody stopped stays stopped, with the new settings")
    func stopped() throws {
        try withHome { home in
            try home.apps(home.steady("app"))
            try home.expect(0, "hearth apply apps.json && hearth stop app")
            try home.apps(home.steady("app", "\"env\": {\"A\": \"1\"}"))
            #expect(try home.expect(0, "hearth apply apps.json").contains("takes effect at the next start"))
            #expect(try home.instance("app").status == .stopped)
            try home.expect(0, "hearth start app")
            #expect(Processes.environment(try home.pid("app")).contains("A=1"))
        }
    }

    @Test("an app gets a clean environment, and with pass_env what it names of the caller's")
    func passedVariables() throws {
        try withHome { home in
            try home.apps(
                home.steady("app", "\"pass_env\": [\"DATABASE\", \"TERM\", \"OWN\"], \"env\": {\"OWN\": \"file\"}"))
            let caller = ["DATABASE": "db1", "TERM": "vt100", "OWN": "caller", "SECRET": "s"]
            try home.expect(0, "hearth apply apps.json", environment: caller)
            let variables = Processes.environment(try home.pid("app"))
            #expect(variables.contains("DATABASE=db1") && variables.contains("TERM=vt100"))
            #expect(variables.contains("OWN=file") && !variables.contains("SECRET=s"))
            #expect(try home.expect(0, "hearth plan apps.json", environment: caller) == "no changes\n")
            let changed = caller.merging(["DATABASE": "db2"]) { $1 }
            #expect(
                try home.expect(10, "hearth plan apps.json", environment: changed).contains("env DATABASE: changed"))
            // Where it is not set an app keeps what it was given.
            let unset = try home.expect(0, "hearth plan apps.json", environment: ["TERM": "vt100"])
            #expect(unset.contains("'DATABASE' of pass_env is not set here") && unset.contains("no changes"))
        }
    }

    @Test("--env, --only and standard input")
    func choices() throws {
        try withHome { home in
            let text = "{\"apps\": [\(home.steady("a", "\"env_production\": {\"MODE\": \"p\"}")), \(home.steady("b"))]}"
            try home.write(text, to: "apps.json")
            try home.expect(0, "hearth apply - --only a --env production <apps.json")
            #expect(try home.names() == ["a"])
            #expect(Processes.environment(try home.pid("a")).contains("MODE=p"))
            #expect(try home.expect(10, "hearth plan apps.json").contains("env MODE: removed"))
            #expect(try home.expect(10, "hearth plan apps.json --env production").contains("+ b added"))
            #expect(try home.expect(1, "hearth plan apps.json --only c").contains("has no app 'c'"))
        }
    }

    @Test("validate tells every problem, and names of variables only")
    func validate() throws {
        try withHome(starting: false) { home in
            try home.apps(
                home.steady("a", "\"env\": {\"TOKEN\": \"hush\"}"), "{\"name\": \"b\", \"script\": \"./none.sh\"}")
            let text = try home.expect(1, "hearth validate apps.json")
            #expect(text.contains("a: /bin/sleep 100000") && text.contains("apps[1]: the script"))
            let result = try home.shellRun("hearth validate apps.json --json")
            let json = try JSON(result.output)
            #expect(json["ok"].bool == false && json["problems"].array.count == 1 && !result.output.contains("hush"))
            #expect(json["apps"][0]["variables"][0].string == "TOKEN" && json["apps"][0].has("interpreter"))
            try home.expect(0, "hearth validate apps.json --only a")
            try home.write("{\"apps\": 3}", to: "wrong.json")
            #expect(try JSON(try home.shellRun("hearth validate wrong.json --json").output)["ok"].bool == false)
            #expect(home.daemonPids.isEmpty)
        }
    }

    @Test("a daemon that is killed in the middle, or a command that is, leaves what the next apply completes")
    func killed() throws {
        try withHome { home in
            let apps = (0..<40).map { home.steady("app-\($0)", "\"instances\": 2") }
            try home.write("{\"apps\": [\(apps.joined(separator: ","))]}", to: "apps.json")
            let run = try home.startHearth(["apply", home.file("apps.json")])
            try home.eventually("some are there", within: 60) { !((try? home.list()) ?? []).isEmpty }
            for pid in home.daemonPids { kill(pid, SIGKILL) }
            _ = try home.result(of: run, within: 120)
            let second = try home.startHearth(["apply", home.file("apps.json")])
            kill(second.pid, SIGKILL)
            _ = try home.result(of: second)
            try home.ready()
            try home.expect(0, "hearth apply apps.json")
            #expect(try home.list().count == 80)
            #expect(home.appPids.values.allSatisfy { $0.count == 1 } && home.appPids.count == 80)
            #expect(try home.expect(0, "hearth plan apps.json") == "no changes\n")
        }
    }

    @Test("a file of a thousand apps")
    func thousand() throws {
        try withHome { home in
            let apps = (0..<1000).map { home.steady("app-\($0)", "\"autostart\": false") }
            try home.write("{\"apps\": [\(apps.joined(separator: ",\n"))]}", to: "apps.json")
            try home.expect(0, "hearth apply apps.json")
            #expect(try home.list().count == 1000)
            #expect(try home.expect(0, "hearth plan apps.json") == "no changes\n")
        }
    }
}
