import Foundation
import Model
import Testing

@testable import Supervision

@Suite("Adoption: every record and observation")
struct AdoptionTests {
    enum Sight: String, CaseIterable {
        case running, gone, neverSpawned

        var observation: Observation {
            switch self {
            case .running: .running(identity(101))
            case .gone: .gone(.exited(code: 1))
            case .neverSpawned: .neverSpawned
            }
        }
    }

    @Test("each record goes on as the table says, whatever is found", arguments: Situation.allCases)
    func adoption(situation: Situation) throws {
        let expected = try #require(Self.table[situation.rawValue], "no entry for \(situation)")
        #expect(Set(expected.keys) == Set(Sight.allCases.map(\.rawValue)), "\(situation)")
        for sight in Sight.allCases {
            #expect(try Self.outcome(of: sight, in: situation) == expected[sight.rawValue], "\(situation) × \(sight)")
        }
    }

    static func outcome(of sight: Sight, in situation: Situation) throws -> String {
        let before = try stored(situation.machine.record)
        var effects: [Effect] = []
        let machine = InstanceMachine(
            restoring: before, spec: situation.machine.spec, observation: sight.observation,
            at: instant(Situation.eventTime), effects: &effects)
        return TransitionTests.outcome(from: before, to: machine.record, effects, at: Situation.eventTime)
    }

    private static func stored(_ record: InstanceRecord) throws -> InstanceRecord {
        try JSONDecoder().decode(InstanceRecord.self, from: JSONEncoder().encode(record))
    }

    private static let table = TransitionTests.parse(adoptionTable)

    private func restored(
        _ record: InstanceRecord, _ observation: Observation, spec: AppSpec = spec(), at now: Int64 = 101_000
    ) -> Bench {
        var effects: [Effect] = []
        let machine = InstanceMachine(
            restoring: record, spec: spec, observation: observation, at: instant(now), effects: &effects)
        return Bench(machine: machine, effects: effects, at: now)
    }

    @Test("an adopted process keeps its start, counters, reason and token")
    func unchanged() throws {
        var machine = Situation.online.machine
        machine.token = "8d0f5c3e-1b7a-4f1e-9a53-7b6c1f0f2f11"
        let before = machine.record
        let bench = restored(try Self.stored(before), .running(identity(101)))
        #expect(bench.machine.record == before)
        #expect(bench.machine.process == identity(101))
    }

    @Test("time that is left until SIGKILL is not given anew, however often the daemon is replaced")
    func killIsNotPutOff() throws {
        var record = Situation.stoppingForStop.machine.record
        let due = try #require(record.due)
        for now in stride(from: Int64(99_300), to: due.milliseconds, by: 300) {
            record = restored(record, .running(identity(101)), at: now).machine.record
            #expect(record.due == due)
        }
        var late = restored(record, .running(identity(101)), at: due.milliseconds + 700)
        let effects = late.send(.timer(.kill, late.generation))
        #expect(effects.contains(.kill(late.generation, wholeTree: true)))
    }

    @Test("a stop that was pending when the daemon died goes on in the name of who asked")
    func pendingActor() throws {
        for situation in [Situation.startingThenStop, .startingThenDelete, .startingThenRestart] {
            for sight in Sight.allCases {
                let bench = restored(try Self.stored(situation.machine.record), sight.observation)
                #expect(bench.machine.reason.actor == bob, "\(situation) \(sight)")
            }
        }
    }

    @Test("the known status of an end is kept when the new daemon no longer finds it")
    func statusIsKept() throws {
        let record = try Self.stored(Situation.stoppingForStopMainGone.machine.record)
        for observation in [Observation.gone(.unknown), .neverSpawned] {
            let bench = restored(record, observation)
            #expect(bench.machine.lastExit?.status == .killed(by: 15))
            #expect(bench.machine.lastExit?.uptime == record.lastExit?.uptime)
        }
    }

    @Test("an end that happened during a stop without a daemon is ours, with pid and uptime")
    func endedDuringStop() throws {
        let bench = restored(try Self.stored(Situation.stoppingForStop.machine.record), .gone(.killed(by: 15)))
        let exit = bench.machine.lastExit
        #expect(exit?.cause == .ours)
        #expect(exit?.pid == 101)
        #expect(exit?.uptime == Milliseconds(101_000 - 90_001))
    }

    @Test("an end without a daemon counts as a crash like any other")
    func endedUnseen() throws {
        let bench = restored(try Self.stored(Situation.online.machine.record), .gone(.killed(by: 9)))
        #expect(bench.status == .online)
        #expect(bench.machine.restarts == 1)
        #expect(bench.machine.lastExit?.cause == .outside)
        #expect(bench.machine.lastExit?.pid == 101)
    }

    @Test("a delay that ran out while no daemon ran is over at once")
    func dueInThePast() throws {
        for situation in [Situation.waiting, .erroredWithRetry] {
            var bench = restored(
                try Self.stored(situation.machine.record), .neverSpawned, spec: situation.machine.spec,
                at: Situation.lateTime)
            #expect(bench.waits() == 0)
            #expect(bench.status == .online)
        }
    }

    @Test("a process that SIGKILL could not end is still known: nothing starts beside it until it is gone")
    func stuck() throws {
        let situation = Situation.stuckForRestart
        var bench = restored(
            try Self.stored(situation.machine.record), .running(identity(101)), spec: situation.machine.spec)
        #expect(bench.status == .errored)
        bench.send(.start(alice))
        #expect(bench.status == .stopping)
        #expect(bench.spawns.isEmpty)
        bench.waits(for: .kill)
        bench.waits(for: .kill)
        #expect(bench.status == .errored)
        bench.send(.exited(bench.generation, .killed(by: 9)))
        bench.send(.treeGone(bench.generation))
        #expect(bench.status == .online)
        #expect(bench.spawns.count == 1)
    }

    @Test("a delete whose last step was lost with the daemon is finished")
    func deleted() throws {
        #expect(restored(try Self.stored(Situation.deleted.machine.record), .neverSpawned).isRemoved)
    }
}
