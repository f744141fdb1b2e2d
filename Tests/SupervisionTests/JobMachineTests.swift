import Model
import Testing

@testable import Supervision

@Suite("State machine: jobs")
struct JobMachineTests {
    private static func job(_ policy: JobPolicy) -> AppSpec {
        var job = spec(RestartPolicy(mode: .never))
        job.job = policy
        return job
    }

    private func scheduled() -> Bench {
        var bench = Bench(Self.job(JobPolicy(pattern: "0 3 * * *")))
        bench.send(.schedule(alice))
        return bench
    }

    private let clock = Actor("hearth (0 3 * * *)")

    @Test("a schedule that begins starts nothing, and is wanted")
    func begins() {
        let bench = scheduled()
        #expect(bench.spawns.isEmpty)
        #expect(bench.status == .scheduled)
        #expect(bench.machine.isSettled)
        #expect(bench.machine.wanted == .running)
        #expect(bench.machine.reason.text == "scheduled by alice")
    }

    @Test("a run that is over leaves the job scheduled, whatever its exit code", arguments: [0, 1])
    func runs(code: Int) {
        var bench = scheduled()
        bench.send(.start(clock))
        #expect(bench.status == .online)
        let effects = bench.runs(for: 5, then: .exited(code: code))
        #expect(bench.status == .scheduled)
        #expect(bench.spawns.count == 1 && bench.timers.isEmpty)
        #expect(bench.machine.reason.text == "last run: exit code \(code) after 5 ms")
        #expect(bench.machine.counters.unstable == 0)
        #expect(effects.contains(.explain(generation(1), .exited(code: code))))
        #expect(!effects.contains(.persist))
        bench.send(.start(clock))
        #expect(bench.spawns.count == 2 && bench.machine.restarts == 0)
    }

    @Test("what runs once is not wanted any more when it has ended, and is not scheduled")
    func once() {
        var bench = Bench(Self.job(JobPolicy()))
        bench.send(.start(alice))
        let effects = bench.runs(for: 5)
        #expect(bench.status == .stopped)
        #expect(bench.machine.wanted == .stopped)
        #expect(effects.contains(.persist))
        // The end of the daemon is no news to it.
        bench.send(.killWithDaemon(bob))
        #expect(bench.machine.reason.text == "last run: exit code 1 after 5 ms")
    }

    @Test("a run that is ended leaves its schedule as it is")
    func endRun() {
        var bench = scheduled()
        bench.send(.start(clock))
        bench.stops(by: .endRun(Actor("hearth (too long)")))
        #expect(bench.status == .scheduled)
        #expect(bench.machine.wanted == .running)
        #expect(bench.machine.reason.text == "last run: ended by hearth (too long)")
        #expect(bench.machine.lastExit?.detail == "ended by hearth (too long)")
        #expect(bench.send(.endRun(bob)) == [])
    }

    @Test("a stop ends the run and pauses the schedule; a start of either kind lets it go on")
    func paused() {
        var bench = scheduled()
        bench.send(.start(clock))
        bench.stops(by: .stop(bob))
        #expect(bench.status == .stopped && bench.machine.wanted == .stopped)
        #expect(bench.send(.schedule(bob)).contains(.persist))
        #expect(bench.status == .scheduled && bench.spawns.count == 1)
        bench.send(.stop(bob))
        #expect(bench.status == .stopped)
        bench.send(.start(bob))
        #expect(bench.status == .online && bench.machine.wanted == .running)
    }

    @Test("a schedule that goes on while its run is being stopped waits for the end, and starts nothing")
    func resumedWhileStopping() {
        var bench = scheduled()
        bench.send(.start(clock))
        bench.send(.stop(bob))
        bench.send(.schedule(bob))
        #expect(bench.status == .stopping)
        bench.send(.exited(bench.generation, .killed(by: 15)))
        bench.send(.treeGone(bench.generation))
        #expect(bench.status == .scheduled && bench.spawns.count == 1)
    }

    @Test("a run that cannot be started is errored until the next one")
    func notStarted() {
        var bench = scheduled()
        bench.spawnsFail = true
        bench.send(.start(clock))
        #expect(bench.status == .errored && bench.timers.isEmpty)
        bench.spawnsFail = false
        bench.send(.start(clock))
        #expect(bench.status == .online)
    }

    @Test("the end of the daemon stops the run; nothing is scheduled until somebody says so")
    func killed() {
        var bench = scheduled()
        bench.send(.start(clock))
        bench.stops(by: .killWithDaemon(bob))
        #expect(bench.status == .stopped && bench.machine.wanted == .running)
        bench.send(.schedule(alice))
        #expect(bench.status == .scheduled && bench.spawns.count == 1)
    }

    @Test("what was cut off is not wanted, and says why; what runs is not concerned")
    func abandoned() {
        var bench = Bench(Self.job(JobPolicy()))
        bench.send(.abandon(.hearth, detail: "cut off by a restart of the machine"))
        #expect(bench.machine.wanted == .stopped)
        #expect(bench.machine.reason.text == "last run: cut off by a restart of the machine")
        bench.send(.start(alice))
        #expect(bench.send(.abandon(.hearth, detail: "x")) == [])
        #expect(bench.status == .online)
    }

    @Test("a deleted job is gone, also in the middle of a run that is being ended")
    func deleted() {
        var bench = scheduled()
        bench.send(.start(clock))
        bench.send(.endRun(.hearth))
        bench.send(.delete(bob))
        #expect(bench.send(.schedule(alice)) == [])
        bench.send(.exited(bench.generation, .killed(by: 15)))
        bench.send(.treeGone(bench.generation))
        #expect(bench.isRemoved)
    }

    @Test("a daemon that takes over goes on with the end of a run, and knows the end of one that ended without it")
    func adopted() {
        var bench = scheduled()
        bench.send(.start(clock))
        let online = bench.machine.record
        bench.send(.endRun(.hearth))
        let ending = bench.machine.record
        #expect(ending.purpose == .endRun)

        func restored(_ record: InstanceRecord, _ observation: Observation) -> Bench {
            var effects: [Effect] = []
            let machine = InstanceMachine(
                restoring: record, spec: bench.machine.spec, observation: observation, at: instant(bench.now),
                effects: &effects)
            return Bench(machine: machine, effects: effects, at: bench.now)
        }
        var next = restored(ending, .running(identity(101)))
        #expect(next.status == .stopping)
        next.send(.exited(next.generation, .killed(by: 15)))
        next.send(.treeGone(next.generation))
        #expect(next.status == .scheduled)

        let ended = restored(online, .gone(.exited(code: 4)))
        #expect(ended.status == .scheduled && ended.spawns.isEmpty)
        #expect(ended.machine.lastExit?.status == .exited(code: 4))
    }
}
