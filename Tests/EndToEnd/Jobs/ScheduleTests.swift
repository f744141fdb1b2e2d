import Control
import Glibc
import Model
import Records
import TestSupport
import Testing

@Suite("Jobs by the clock", .waiting)
struct ScheduleTests {
    @Test("a job runs again and again, is told with its last runs, and goes on with the next daemon")
    func runs() throws {
        try withHome { home in
            var policy = JobPolicy(pattern: Home.everySecond)
            policy.history = 3
            try home.start(home.job("tick", "echo run >> runs; exit 3", policy))
            try home.eventually("it ran four times") { home.lines("runs") >= 4 }
            // While it runs there is one more than history.
            try home.eventually("three are remembered") { try home.runs(of: "tick").count == 3 }
            try home.eventually("it is between two runs") {
                let view = try home.instance("tick")
                return view.status == .scheduled && view.nextStartAt != nil && view.lastExit?.code == 3
                    && view.reason.hasPrefix("last run: exit code 3 after ")
            }
            let first = try #require(try home.runs(of: "tick").first)
            #expect(first.by == "hearth (\(Home.everySecond))")
            #expect(first.outcome.hasPrefix("exit code 3 after "))

            try home.replaceDaemon()
            let before = home.lines("runs")
            try home.eventually("the next daemon goes on") { home.lines("runs") > before }
            #expect(try home.runs(of: "tick").count == 3)

            let why = try home.hearth("why", "tick")
            #expect(why.output.contains("It is a job (\(Home.everySecond))."), "\(why)")
            let show = try home.hearth("show", "tick")
            #expect(show.output.contains("exit code 3 after"), "\(show)")
            try home.act(.delete, "tick")
            try home.eventually("it is forgotten") {
                JobRecordFile.read(home.paths, boot: "").jobs.isEmpty
            }
        }
    }

    @Test("a run that goes on is not run beside: it is skipped and counted, or replaced where that is asked for")
    func overlap() throws {
        try withHome { home in
            let line = "echo $$ >> \"$0\"; exec sleep 1000"
            var skip = home.job("skip", line, JobPolicy(pattern: Home.everySecond))
            skip.arguments.append("skip")
            var policy = JobPolicy(pattern: Home.everySecond)
            policy.overlap = .replace
            var replace = home.job("replace", line, policy)
            replace.arguments.append("replace")
            try home.start(skip, replace)
            try home.eventually("the one was skipped twice, the other replaced") {
                try home.jobView("skip").skipped >= 2 && home.lines("replace") >= 3
            }
            #expect(home.lines("skip") == 1)
            #expect(try home.jobView("replace").skipped == 0)
            let ended = try home.runs(of: "replace").first
            #expect(ended?.exit?.cause == .ours)
            #expect(home.appPids.values.allSatisfy { $0.count <= 1 })
        }
    }

    @Test("a run that takes too long is ended, and the schedule goes on; also when its daemon died meanwhile")
    func timeout() throws {
        try withHome { home in
            var policy = JobPolicy(pattern: Home.never)
            policy.timeout = Milliseconds(2000)
            try home.start(home.job("slow", "exec sleep 1000", policy))
            try home.act(.start, "slow")
            try home.eventually("it runs") { try home.instance("slow").pid != nil }
            try home.replaceDaemon()
            try home.eventually("it was ended") { try home.instance("slow").status == .scheduled }
            let text = "hearth (it took longer than its timeout of 2 s)"
            #expect(try home.instance("slow").reason == "last run: ended by \(text)")
            #expect(try home.instance("slow").wanted == .running)
            let runs = try home.runs(of: "slow")
            #expect(runs.count == 1 && runs[0].exit?.detail == "ended by \(text)", "\(runs)")
        }
    }

    @Test("an interval is counted from start to start, and a person's run counts, too")
    func interval() throws {
        try withHome { home in
            try home.start(home.job("often", "echo run >> often", JobPolicy(every: Milliseconds(1000))))
            let start = try home.instance("often")
            #expect(start.status == .scheduled && home.lines("often") == 0)
            try home.eventually("it ran three times") { home.lines("often") >= 3 }
            let runs = try home.runs(of: "often")
            for (one, next) in zip(runs, runs.dropFirst()) {
                #expect(next.startedAt - one.startedAt >= 950, "\(runs.map(\.startedAt))")
            }
            try home.start(home.job("rarely", "echo run >> rarely", JobPolicy(every: Milliseconds(3_600_000))))
            let planned = try #require(try home.instance("rarely").nextStartAt)
            usleep(20_000)
            try home.act(.start, "rarely")
            try home.eventually("it ran") { home.lines("rarely") == 1 }
            try home.eventually("the next is an hour from that") {
                try home.instance("rarely").nextStartAt ?? 0 >= planned + 20
            }
        }
    }

    @Test("a stop ends the run and pauses the schedule; commands for many neither run jobs nor restart them")
    func pause() throws {
        try withHome { home in
            let job = home.job("night", "echo run >> runs; exec sleep 1000", JobPolicy(pattern: Home.never))
            try home.start(home.sleeper("web"), job)
            for verb in ["start", "restart", "reload"] {
                let result = try home.hearth(verb, "all")
                #expect(result.code == 0, "\(result)")
            }
            #expect(home.lines("runs") == 0)
            #expect(try home.instance("web").restarts == 2)
            try home.act(.start, "night")
            try home.eventually("it runs") { home.lines("runs") == 1 }
            let pid = try home.pid("night")
            _ = try home.hearth("restart", "all")
            #expect(try home.pid("night") == pid)

            try home.act(.stop, "night")
            #expect(try home.instance("night").status == .stopped)
            #expect(try home.instance("night").nextStartAt == nil)
            #expect(try home.jobView("night").isPaused)
            try home.replaceDaemon()
            #expect(try home.instance("night").status == .stopped)
            _ = try home.hearth("start", "all")
            #expect(try home.instance("night").status == .scheduled)
            #expect(home.lines("runs") == 1)
            let result = try home.hearth("start", "night")
            #expect(result.code == 0 && result.output.contains("online"), "\(result)")
            #expect(home.lines("runs") == 2)
        }
    }

    @Test("another time in the file counts without a run; an app that becomes a job ends")
    func apply() throws {
        try withHome { home in
            func file(_ time: String, _ web: String) throws {
                try home.write(
                    """
                    {"apps": [{"name": "night", "script": "/bin/sh", "args": ["-c", "echo run >> runs"],
                     "schedule": "\(time)"}, {"name": "web", "script": "/bin/sleep", "args": ["1000"]\(web)}]}
                    """, to: "hearth.json")
            }
            try file("0 0 29 2 *", "")
            #expect(try home.hearth("apply", home.file("hearth.json")).code == 0)
            try file("0 0 28 2 *", "")
            let changed = try home.hearth("apply", home.file("hearth.json"))
            #expect(changed.code == 0 && changed.output.contains("schedule: 0 0 29 2 * → 0 0 28 2 *"), "\(changed)")
            #expect(home.lines("runs") == 0)
            #expect(try home.jobView("night").schedule == "0 0 28 2 *")

            try file("0 0 28 2 *", ", \"schedule\": \"@yearly\"")
            let turned = try home.hearth("apply", home.file("hearth.json"))
            #expect(turned.code == 0, "\(turned)")
            try home.eventually("it is a job") {
                try home.instance("web").status == .scheduled && home.appPids.isEmpty
            }
            let again = try home.hearth("plan", home.file("hearth.json"))
            #expect(again.code == 0, "\(again)")
        }
    }
}
