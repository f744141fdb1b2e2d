import Control
import Model
import TestSupport
import Testing

@Suite("Restarts by the clock", .waiting)
struct CronTests {
    private static let everySecond = "* * * * * *"

    @Test("a schedule restarts its app again and again, in the next daemon too")
    func restarts() throws {
        try withHome { home in
            var app = home.sleeper("ticks")
            app.schedule = RestartSchedule(pattern: Self.everySecond)
            try home.start(app, home.sleeper("still"))
            try home.eventually("it was restarted") { try home.instance("ticks").restarts >= 1 }
            let reason = "restarted by hearth (cron \(Self.everySecond))"
            try home.eventually("it says why") { try home.instance("ticks").reason == reason }
            let still = try home.pid("still")

            try home.replaceDaemon()
            let before = try home.instance("ticks").restarts
            try home.eventually("the next daemon goes on") { try home.instance("ticks").restarts > before }
            #expect(try home.pid("still") == still)

            try home.act(.delete, "ticks")
            #expect(try home.list().map(\.name) == ["still"])
        }
    }

    @Test("a stopped app stays stopped, unless its schedule says that it is started")
    func stopped() throws {
        try withHome { home in
            var hearth = home.sleeper("hearth")
            hearth.schedule = RestartSchedule(pattern: Self.everySecond)
            var pm2 = home.sleeper("pm2")
            pm2.schedule = RestartSchedule(pattern: Self.everySecond, startsStopped: true)
            try home.start(hearth, pm2)
            try home.act(.stop, "hearth")
            // Without a wait for its end: its schedule may start it before the answer comes.
            let run = try home.startHearth(["stop", "pm2"])
            try home.eventually("the other was started again") {
                home.log.contains("pm2 (1): start: started by hearth (cron")
                    || home.log.contains("pm2 (1): restart: restarted by hearth (cron")
            }
            _ = try home.result(of: run)
            #expect(try home.instance("hearth").status == .stopped)
            #expect(try home.instance("hearth").reason.hasPrefix("stopped by"))
        }
    }

    @Test("an app that ended by itself is run again at its time")
    func jobs() throws {
        try withHome { home in
            var job = home.shell("job", "echo run >> runs", restart: RestartPolicy(mode: .never))
            job.schedule = RestartSchedule(pattern: Self.everySecond)
            try home.start(job)
            try home.eventually("it ran three times") {
                home.read("runs").split(separator: "\n").count >= 3
            }
        }
    }

    @Test("a pattern that is wrong is refused with its mistake")
    func mistake() throws {
        try withHome { home in
            var app = home.sleeper("never")
            app.schedule = RestartSchedule(pattern: "75 * * * *")
            let refusal = #expect(throws: (any Error).self) { try home.start(app) }
            let text = "Cron pattern error: minute '75' is not between 0 and 59"
            #expect(refusal.map { "\($0)".contains(text) } ?? false)
            let list = try home.list()
            #expect(list.isEmpty)
        }
    }
}
