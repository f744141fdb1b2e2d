import Model
import Testing

@testable import Supervision

@Suite("Waiting for what it depends on")
struct HoldTests {
    private func held() -> Bench {
        var bench = Bench()
        bench.send(.hold(alice, detail: "db (launching)"))
        return bench
    }

    @Test("it is wanted, runs nothing, and says what it waits for; a start then starts it once")
    func holds() {
        var bench = held()
        #expect(bench.status == .waiting)
        #expect(bench.machine.wanted == .running)
        #expect(bench.machine.reason.text == "waits for db (launching)")
        #expect(bench.machine.isSettled && bench.machine.isHeld && bench.machine.isOnItsWay)
        #expect(bench.spawns.isEmpty)
        #expect(bench.send(.hold(alice, detail: "db (launching)")).isEmpty)
        #expect(bench.send(.hold(alice, detail: "db (errored)")) == [.record])
        #expect(bench.machine.reason.text == "waits for db (errored)")

        bench.send(.start(alice))
        #expect(bench.status == .online)
        #expect(bench.spawns.count == 1)
        #expect(bench.machine.reason.text == "started by alice")
        // What runs is not held back any more.
        #expect(bench.send(.hold(alice, detail: "db (errored)")).isEmpty)
        #expect(bench.status == .online)
    }

    @Test(
        "stop, delete and the end of the daemon end the waiting; a restart ends it by a start",
        arguments: [Event.stop(bob), .delete(bob), .killWithDaemon(bob), .restart(bob)])
    func ends(event: Event) {
        var bench = held()
        bench.send(event)
        #expect(!bench.machine.isHeld)
        switch event {
        case .restart: #expect(bench.status == .online)
        case .killWithDaemon: #expect(bench.machine.wanted == .running && bench.status == .stopped)
        default: #expect(bench.machine.wanted == .stopped && bench.status == .stopped)
        }
    }

    @Test("what was given up waits too, and its retry does not start it meanwhile")
    func holdsErrored() throws {
        var bench = Bench()
        bench.spawnsFail = true
        bench.send(.start(alice))
        #expect(bench.status == .errored)
        let timer = try #require(bench.timers[.restart])
        bench.send(.hold(bob, detail: "db (launching)"))
        #expect(bench.timers.isEmpty)
        bench.send(.timer(.restart, timer.generation))
        #expect(bench.status == .waiting)
    }

    @Test("the next daemon goes on waiting")
    func adopted() {
        let record = held().machine.record
        #expect(record.status == .waiting)
        var effects: [Effect] = []
        let machine = InstanceMachine(
            restoring: record, spec: spec(), observation: .neverSpawned, at: instant(2_000_000), effects: &effects)
        #expect(machine.isHeld)
        #expect(machine.reason.text == "waits for db (launching)")
        #expect(effects == [.record])
    }

    @Test("what was not waited for is part of the reason")
    func startsAnyway() {
        var bench = held()
        let effects = bench.send(.startAnyway(bob, detail: "not waited for: db is stopped"))
        #expect(bench.machine.reason.text == "started by bob (not waited for: db is stopped)")
        #expect(effects.contains(.report(.start, "started by bob (not waited for: db is stopped)")))
    }
}

@Suite("Patience after a restore")
struct PatienceTests {
    /// With a policy that gives up.
    private func restored(_ mode: RestartPolicy.Mode = .always) -> Bench {
        var bench = Bench(spec(RestartPolicy(mode: mode, slowRetry: false)))
        bench.send(.bePatient(until: instant(bench.now + RestartCounters.patience.rawValue)))
        return bench
    }

    @Test("what cannot be started is tried for ten minutes, at most 30 s apart, and then given up by its policy")
    func spawnFails() {
        var bench = restored(.never)
        bench.spawnsFail = true
        bench.send(.start(alice))
        var waits: [Int64] = []
        while let wait = bench.waits(), waits.count < 100 { waits.append(wait) }
        #expect(waits.prefix(6) == [1000, 2000, 4000, 8000, 16_000, 30_000])
        #expect(waits.dropFirst(5).allSatisfy { $0 == 30_000 })
        #expect((600_000...630_000).contains(waits.reduce(0, +)))
        #expect(bench.status == .errored && bench.timers.isEmpty)
    }

    @Test("what crashes until its name server is there is not given up either, also after a person's restart")
    func crashes() {
        var bench = restored()
        bench.send(.start(alice))
        for _ in 0..<16 { bench.runs(for: 1) }
        #expect(bench.status == .errored)
        #expect(bench.waits() == 1000)
        bench.runs(for: 1)
        #expect(bench.waits() == 2000)
        bench.stops(by: .restart(bob))
        for _ in 0..<16 { bench.runs(for: 1) }
        #expect(bench.timers[.restart] != nil)
    }

    @Test("it outlives the daemon")
    func isRecorded() {
        var bench = restored()
        bench.send(.start(alice))
        #expect(bench.machine.record.patientUntil != nil)
        var effects: [Effect] = []
        let machine = InstanceMachine(
            restoring: bench.machine.record, spec: bench.machine.spec, observation: .running(identity(101)),
            at: instant(bench.now), effects: &effects)
        #expect(machine.record.patientUntil == bench.machine.record.patientUntil)
    }
}
