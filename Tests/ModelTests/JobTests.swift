import Model
import Testing

@Suite("Jobs")
struct JobTests {
    private static func app(_ change: (inout AppSpec) -> Void = { _ in }) -> AppSpec {
        var spec = AppSpec(name: "a", script: "/a", cwd: "/", restart: RestartPolicy(mode: .never))
        spec.job = JobPolicy(pattern: "@daily")
        change(&spec)
        return spec
    }

    @Test("what an app has that a job cannot have is said")
    func faults() {
        #expect(Self.app().jobFault == nil)
        let wrong: [(String, (inout AppSpec) -> Void)] = [
            ("restart must be never", { $0.restart.mode = .onFailure }), ("one instance", { $0.instances = 2 }),
            ("no cron_restart", { $0.schedule = RestartSchedule(pattern: "@daily") }),
            ("no watch", { $0.watch = WatchPolicy(paths: ["/w"]) }), ("memory_max ends it", { $0.memoryLimit = 1 }),
            ("not a watchdog", { $0.watchdog = Milliseconds(1000) }), ("no sockets", { $0.listen = [] }),
            ("no cluster", { $0.mode = .cluster }), ("cron and every", { $0.job?.every = Milliseconds(2000) }),
            ("every 10 ms is not", { $0.job = JobPolicy(every: Milliseconds(10)) }),
            ("timeout 0 ms is not", { $0.job?.timeout = Milliseconds(0) }),
            ("history -1 is not", { $0.job?.history = -1 }),
            (
                "jitter puts off",
                {
                    $0.job = JobPolicy(pattern: "@reboot"); $0.job?.jitter = Milliseconds(5)
                }
            ),
        ]
        for (text, change) in wrong {
            let fault = Self.app(change).jobFault ?? "none"
            #expect(fault.contains(text), "\(fault)")
        }
    }

    @Test("a policy says in a word when it runs")
    func summaries() {
        #expect(JobPolicy().summary == "once" && JobPolicy().isOnce)
        #expect(JobPolicy(pattern: "0 3 * * *").summary == "0 3 * * *")
        #expect(JobPolicy(every: Milliseconds(900_000)).summary == "every 15 min")
        #expect(JobPolicy(pattern: "@reboot").runsAtBoot)
    }

    @Test("after a reboot a run that went on was cut off, and no run is taken for one of the new boot")
    func reboot() {
        var record = JobRecord(schedule: "@daily", boot: "b", handled: 5)
        var over = JobRun(generation: Generation(1), startedAt: 10, pid: 7, by: "x")
        over.end(
            with: LastExit(
                status: .exited(code: 0), cause: .exit, at: Instant(milliseconds: 1), uptime: Milliseconds(3), pid: 7),
            at: 13)
        record.runs = [over, JobRun(generation: Generation(2), startedAt: 20, pid: 8, by: "x")]
        let after = record.afterReboot()
        #expect(after.runs.map(\.generation) == [Generation(0), Generation(0)])
        #expect(after.runs[0].status == .exited(code: 0) && after.runs[0].endedAt == 13)
        #expect(after.runs[1].detail == "cut off by a restart of the machine" && after.runs[1].isOver)
        #expect(after.handled == 5)
    }

    @Test("so many of the last runs are kept, and at least the present one")
    func history() {
        var record = JobRecord(schedule: "@daily", boot: "b", handled: 5)
        record.runs = (1...5).map { JobRun(generation: Generation($0), startedAt: 1, pid: nil, by: "x") }
        record.keep(3)
        #expect(record.runs.map(\.generation.rawValue) == [3, 4, 5])
        record.keep(0)
        #expect(record.runs.map(\.generation.rawValue) == [5])
    }

    @Test("an end that the clock puts before the start is at the start")
    func clockSetBack() {
        var run = JobRun(generation: Generation(1), startedAt: 1000, pid: 1, by: "x")
        run.end(unseen: "x", at: 10)
        #expect(run.endedAt == 1000)
    }
}
