import Control
import Glibc
import Model
import Platform
import Records
import TestSupport
import Testing

@Suite("Jobs, while nobody was there", .waiting)
struct AbsenceTests {
    private static let hours: Int64 = 3_600_000

    private static func catching(_ policy: JobPolicy) -> JobPolicy {
        var policy = policy
        policy.catchUp = true
        return policy
    }

    @Test("after a reboot @reboot jobs run, and what runs once is not repeated; what had run is remembered")
    func reboot() throws {
        try withHome { home in
            let once = home.job("migrate", "echo run >> migrate; exec sleep 1000", JobPolicy())
            try home.start(
                home.job("boot", "echo run >> boot", JobPolicy(pattern: JobPolicy.atBoot)),
                home.job("night", "echo run >> night; exit 4", JobPolicy(pattern: Home.never)), once,
                home.job("done", "echo run >> done", JobPolicy()))
            try home.act(.start, "night")
            try home.eventually("all that runs once has begun") {
                home.lines("migrate") == 1 && home.lines("done") == 1 && home.lines("night") == 1
            }
            try home.eventually("it has ended") {
                try home.instance("done").wanted == .stopped && home.instance("night").status == .scheduled
            }
            #expect(home.lines("boot") == 0)
            #expect(try home.instance("boot").status == .scheduled)
            // A new daemon is no boot.
            try home.replaceDaemon()
            try home.eventually("all is on disk") {
                try home.storedRecords().count == 4 && home.storedRuns().count == 3
                    && home.storedRuns().filter(\.isOver).count == 2
            }

            try home.loseMachine()
            try home.becomeAnotherBoot()
            try home.up()
            try home.eventually("the job of the boot ran") { home.lines("boot") == 1 }
            try home.eventually("the other is scheduled") { try home.instance("night").status == .scheduled }
            let migrate = try home.instance("migrate")
            #expect(migrate.status == .stopped && migrate.wanted == .stopped)
            #expect(migrate.reason.contains("cut off by a restart of the machine"), "\(migrate.reason)")
            #expect(try home.runs(of: "migrate").last?.note == "cut off by a restart of the machine")
            #expect(home.lines("migrate") == 1 && home.lines("done") == 1 && home.lines("night") == 1)
            // The machine forgot it, the history did not.
            #expect(try home.instance("night").lastExit?.code == 4)
            #expect(try home.runs(of: "night").map(\.exit?.code) == [4])

            try home.replaceDaemon()
            try home.act(.start, "night")
            try home.eventually("a run of this boot is another one") { try home.runs(of: "night").count == 2 }
            #expect(home.lines("boot") == 1)
        }
    }

    @Test("one run is made up for all that were missed, where that is asked for; nothing else is")
    func catchUp() throws {
        try withHome { home in
            // Due each hour, but not now: the next is never near enough to run by itself.
            let minute = (SystemClock.wallClock() / 60_000 + 30) % 60
            let hourly = JobPolicy(pattern: "\(minute) * * * *")
            try home.start(
                home.job("made-up", "echo run >> made-up", Self.catching(hourly)),
                home.job("missed", "echo run >> missed", hourly),
                home.job("interval", "echo run >> interval", Self.catching(JobPolicy(every: Milliseconds(Self.hours)))),
                home.job("rhythm", "echo run >> rhythm", JobPolicy(every: Milliseconds(Self.hours))))
            try home.eventually("it is on disk") { home.storedJobCount() == 4 }
            try home.killBoth()
            try home.forgeJobs { $0.handled -= 5 * Self.hours + Self.hours / 2 }
            try home.up()
            try home.eventually("two were made up") { home.lines("made-up") == 1 && home.lines("interval") == 1 }
            try home.eventually("the other is told") { home.log.contains("it is not made up (no catch_up)") }
            #expect(home.lines("missed") == 0 && home.lines("rhythm") == 0)
            // The rhythm goes on as if it had never been away: half an hour is left.
            let now = SystemClock.wallClock()
            let next = try #require(try home.instance("rhythm").nextStartAt)
            #expect(abs(next - now - Self.hours / 2) < 120_000, "\(next - now)")
            try home.replaceDaemon()
            #expect(home.lines("made-up") == 1 && home.lines("missed") == 0)
        }
    }

    @Test("a run that ended while no daemon lived is in the history")
    func unseen() throws {
        try withHome { home in
            var job = home.exiter("job", code: 7)
            job.job = JobPolicy(pattern: Home.never)
            try home.start(job)
            try home.act(.start, "job")
            try home.eventually("it runs") { try home.instance("job").pid != nil }
            let pid = try home.pid("job")
            try home.eventually("it is on disk") { try home.storedRecords().contains { $0.process != nil } }
            try home.killBoth()
            try home.write("", to: "job.go")
            try home.eventually("it has ended") { !Processes.isRunning(pid) }
            try home.up()
            try home.eventually("it is between two runs") { try home.instance("job").status == .scheduled }
            let runs = try home.runs(of: "job")
            #expect(runs.count == 1 && runs[0].endedAt != nil && runs[0].pid == pid, "\(runs)")
        }
    }

    @Test("after 'kill' nothing runs; 'resurrect' lets schedules go on, and repeats nothing")
    func kill() throws {
        try withHome { home in
            try home.start(
                home.job("tick", "echo run >> tick", JobPolicy(pattern: Home.everySecond)),
                home.job("once", "echo run >> once; exec sleep 1000", JobPolicy()))
            try home.eventually("they run") { home.lines("tick") >= 1 && home.lines("once") == 1 }
            try home.stopEverything()
            try home.eventually("they have ended") { home.keeperPids.isEmpty && home.daemonPids.isEmpty }
            let before = home.lines("tick")
            try home.up()
            #expect(try home.list().allSatisfy { $0.status == .stopped })
            try home.resurrect()
            try home.eventually("the schedule goes on") { home.lines("tick") > before }
            #expect(home.lines("once") == 1)
            #expect(try home.instance("once").reason.contains("it is not repeated"))
        }
    }

    @Test("after 'kill' a command for one leaves the other schedules down; 'start all' is enough for all")
    func oneAfterKill() throws {
        try withHome { home in
            try home.start(
                home.job("tick", "echo run >> tick", JobPolicy(pattern: Home.everySecond)), home.sleeper("web"))
            try home.stopEverything()
            try home.eventually("they have ended") { home.keeperPids.isEmpty && home.daemonPids.isEmpty }
            try home.up()
            try home.act(.start, "web")
            try home.replaceDaemon()
            let before = home.lines("tick")
            let tick = try home.instance("tick")
            #expect(tick.status == .stopped && tick.nextStartAt == nil, "\(tick)\n\(home.log)")
            #expect(home.lines("tick") == before)
            let result = try home.hearth("start", "all")
            #expect(result.code == 0, "\(result)")
            try home.eventually("it runs again") { home.lines("tick") > before }
        }
    }

    @Test("a note of a run that was lost with its daemon is no reason to run again")
    func lostNote() throws {
        try withHome { home in
            try home.start(
                home.job(
                    "yearly", "echo run >> yearly; exec sleep 1000", Self.catching(JobPolicy(pattern: "0 0 1 1 *"))))
            try home.act(.start, "yearly")
            try home.eventually("it runs") { home.lines("yearly") == 1 }
            try home.eventually("it is on disk") {
                try home.storedRecords().contains { $0.process != nil } && home.storedRuns().count == 1
            }
            try home.killBoth()
            try home.forgeJobs {
                $0.handled -= 400 * 24 * Self.hours
                $0.runs = []
            }
            try home.up()
            try home.act(.stop, "yearly")
            #expect(home.lines("yearly") == 1)
            #expect(try home.jobView("yearly").skipped == 0)
            #expect(try home.runs(of: "yearly").count == 1)
        }
    }

    @Test("a history that cannot be read costs the history and nothing else")
    func corrupt() throws {
        try withHome { home in
            try home.start(home.job("tick", "echo run >> tick", JobPolicy(pattern: Home.everySecond)))
            try home.eventually("it is on disk") { home.storedJobCount() == 1 }
            try home.killBoth()
            try home.write("{\"version\": 1, \"jo", to: home.paths.jobRecords)
            let before = home.lines("tick")
            try home.up()
            try home.eventually("it goes on") { home.lines("tick") > before }
            #expect(home.log.contains("the history of jobs is lost: '\(home.paths.jobRecords)' cannot be used"))
            let scale = try home.hearth("scale", "tick", "2")
            #expect(scale.code == 1 && scale.errors.contains("'tick' is a job"), "\(scale)")
        }
    }
}
