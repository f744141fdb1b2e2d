import Model
import Testing

@testable import Supervision

@Suite("State machine: reload")
struct ReloadMachineTests {
    private func bench(_ change: (inout AppSpec) -> Void = { _ in }) -> Bench {
        var spec = spec()
        spec.reload = ReloadPolicy(overlaps: true)
        change(&spec)
        var bench = Bench(spec)
        bench.send(.start(alice))
        bench.now += 60_000
        return bench
    }

    private func reloading(_ change: (inout AppSpec) -> Void = { _ in }) -> Bench {
        var bench = bench(change)
        bench.send(.queueReload(bob, isRollback: false))
        bench.send(.reload(hasOwnSocket: false))
        return bench
    }

    @Test("the old process serves until the new one has lived for min_uptime, then it leaves")
    func replaced() {
        var bench = reloading()
        #expect(bench.machine.process == identity(101) && bench.status == .online && !bench.machine.isSettled)
        #expect(bench.machine.successor?.process == identity(102))
        #expect(bench.waits(for: .proof) == 1000)
        #expect(bench.machine.process == identity(102) && bench.generation == generation(2))
        #expect(bench.machine.reason.text == "reloaded by bob" && bench.machine.restarts == 1)
        #expect(bench.machine.process(of: generation(1)) == identity(101) && !bench.machine.isSettled)
        bench.send(.exited(generation(1), .killed(by: 15)))
        #expect(!bench.machine.isSettled)
        bench.send(.treeGone(generation(1)))
        #expect(bench.machine.isSettled && bench.machine.reload?.phase == .done && bench.status == .online)
    }

    @Test("any sign of being ready is taken before that; the one that is promised is waited for")
    func signs() {
        var early = reloading()
        early.send(.ready(generation(2), .notified))
        #expect(early.machine.process == identity(102))

        var other = bench { $0.readiness = ReadinessPolicy(waitReady: true, timeout: Milliseconds(700)) }
        other.send(.ready(generation(1), .message))
        other.send(.queueReload(bob, isRollback: false))
        other.send(.reload(hasOwnSocket: false))
        other.send(.ready(generation(2), .listening))
        #expect(other.machine.process == identity(101))
        other.send(.ready(generation(2), .message))
        #expect(other.machine.process == identity(102))
    }

    @Test("a worker has to listen if the one before it did", arguments: [true, false])
    func listening(did: Bool) {
        var bench = bench {
            $0.interpreter = "/usr/bin/node"
            $0.mode = .cluster
        }
        if did { bench.send(.ready(generation(1), .listening)) }
        bench.send(.queueReload(bob, isRollback: false))
        bench.send(.reload(hasOwnSocket: false))
        #expect(bench.waits(for: .proof) == (did ? 30_000 : 1000))
        #expect(bench.machine.process == identity(did ? 101 : 102))
        #expect(bench.machine.reload?.phase == (did ? .failed : .done))
    }

    @Test("one that does not get ready in time leaves, the old one goes on, and the reason says so")
    func neverReady() {
        var bench = bench { $0.readiness = ReadinessPolicy(waitReady: true, timeout: Milliseconds(700)) }
        bench.send(.ready(generation(1), .message))
        bench.send(.queueReload(bob, isRollback: false))
        bench.send(.reload(hasOwnSocket: false))
        #expect(bench.waits(for: .proof) == 700)
        #expect(bench.machine.process == identity(101) && bench.status == .online)
        #expect(
            bench.machine.reason.text
                == "goes on; its reload by bob failed: its new process (pid 102) did not say 'ready' on its channel within 700 ms"
        )
        #expect(bench.machine.leaving.map(\.generation) == [generation(2)])
        bench.send(.exited(generation(2), .killed(by: 15)))
        bench.send(.treeGone(generation(2)))
        #expect(bench.machine.isSettled && bench.machine.restarts == 0)
        // Its number is not used again.
        bench.send(.restart(alice))
        bench.send(.exited(generation(1), .killed(by: 15)))
        bench.send(.treeGone(generation(1)))
        #expect(bench.generation == generation(3))
    }

    @Test("one that ends at once, or cannot be started, changes nothing for the old one")
    func fails() {
        var ended = reloading()
        let effects = ended.send(.exited(generation(2), .exited(code: 3)))
        #expect(ended.machine.isSettled && ended.machine.process == identity(101))
        #expect(ended.machine.reload?.detail == "its new process (pid 102) ended with exit code 3 after 0 ms")
        #expect(effects.contains { if case .sweep(generation(2), _, _) = $0 { true } else { false } })

        var unspawned = bench()
        unspawned.spawnsFail = true
        unspawned.send(.queueReload(bob, isRollback: false))
        unspawned.send(.reload(hasOwnSocket: false))
        #expect(unspawned.machine.isSettled && unspawned.status == .online)
        #expect(unspawned.machine.reason.kind == .notReloaded)
    }

    @Test("the old one ends in the middle: the new one takes its place at once")
    func steps() {
        var bench = reloading()
        bench.send(.exited(generation(1), .killed(by: 11)))
        #expect(bench.machine.process == identity(102) && bench.status == .online && bench.machine.isSettled)
        #expect(bench.machine.lastExit?.pid == 101 && bench.machine.restarts == 1)
        #expect(bench.waits(for: .proof) == nil)
    }

    @Test("a stop in the middle ends both, and is finished when neither is left")
    func stopped() {
        for event in [Event.stop(alice), .delete(alice), .killWithDaemon(alice)] {
            var bench = reloading()
            bench.send(event)
            #expect(bench.machine.successor == nil && bench.machine.leaving.map(\.generation) == [generation(2)])
            bench.send(.exited(generation(1), .killed(by: 15)))
            bench.send(.treeGone(generation(1)))
            #expect(!bench.machine.isSettled && !bench.isRemoved)
            bench.send(.exited(generation(2), .killed(by: 15)))
            bench.send(.treeGone(generation(2)))
            #expect(bench.status == .stopped && bench.machine.isSettled)
            #expect(bench.isRemoved == (event == .delete(alice)))
        }
    }

    @Test("one that is asked for while another is under way follows it")
    func again() {
        var bench = reloading()
        bench.send(.queueReload(alice, isRollback: false))
        #expect(bench.waits(for: .proof) == 1000)
        #expect(bench.machine.process == identity(102) && bench.machine.reload?.phase == .queued)
        bench.send(.reload(hasOwnSocket: false))
        #expect(bench.machine.successor == nil)
        bench.send(.exited(generation(1), .killed(by: 15)))
        bench.send(.treeGone(generation(1)))
        bench.send(.reload(hasOwnSocket: false))
        #expect(bench.waits(for: .proof) == 1000)
        #expect(bench.machine.process == identity(103) && bench.machine.reload?.phase == .done)
    }

    @Test("a restart in the middle starts a third process")
    func restarted() {
        var bench = reloading()
        bench.send(.restart(alice))
        bench.send(.exited(generation(1), .killed(by: 15)))
        bench.send(.treeGone(generation(1)))
        #expect(bench.machine.process == identity(103) && bench.machine.leaving.map(\.generation) == [generation(2)])
    }

    @Test("a worker drains, then gets its signal, then SIGKILL")
    func drains() {
        var bench = bench {
            $0.interpreter = "/usr/bin/node"
            $0.mode = .cluster
        }
        bench.send(.queueReload(bob, isRollback: false))
        bench.send(.reload(hasOwnSocket: false))
        #expect(bench.send(.ready(generation(2), .listening)).contains(.drain(generation(1))))
        #expect(bench.machine.leaving.map(\.stage) == [.draining])
        #expect(bench.waits(for: .leave) == 5000)
        #expect(bench.machine.leaving.map(\.stage) == [.signalled])
        #expect(bench.waits(for: .leave) == 5000)
        #expect(bench.machine.leaving.map(\.stage) == [.killed])
        // It hangs in the kernel: nobody waits for it for ever.
        #expect(bench.waits(for: .leave) == 5000)
        #expect(bench.machine.isSettled && bench.status == .online)
    }

    @Test("what cannot overlap, or does not run, is restarted")
    func restartsInstead() {
        var plain = bench { $0.reload = nil }
        plain.send(.queueReload(bob, isRollback: false))
        plain.send(.reload(hasOwnSocket: false))
        #expect(plain.status == .stopping && plain.machine.reload == nil && plain.machine.successor == nil)
        var stopped = bench()
        stopped.stops(by: .stop(alice))
        stopped.send(.queueReload(bob, isRollback: false))
        stopped.send(.reload(hasOwnSocket: false))
        #expect(stopped.status == .online && stopped.generation == generation(2))
    }

    @Test("a later daemon goes on with the successor, whatever became of it")
    func adoption() {
        let record = reloading().machine.record
        let spec = reloading().machine.spec
        func restored(_ old: Observation, _ new: Observation, at time: Int64 = 1_060_100) -> Bench {
            var effects: [Effect] = []
            let machine = InstanceMachine(
                restoring: record, spec: spec, observation: old, at: instant(time), effects: &effects,
                find: { generation, _ in generation == Generation(2) ? new : .neverSpawned })
            return Bench(machine: machine, effects: effects, at: time)
        }
        var both = restored(.running(identity(101)), .running(identity(102)))
        #expect(both.machine.process == identity(101) && both.waits(for: .proof) == 900)
        #expect(both.machine.process == identity(102) && both.machine.leaving.map(\.generation) == [generation(1)])

        let newGone = restored(.running(identity(101)), .gone(.exited(code: 1)))
        #expect(newGone.machine.process == identity(101) && newGone.machine.reload?.phase == .failed)

        let oldGone = restored(.gone(.killed(by: 9)), .running(identity(102)))
        #expect(oldGone.machine.process == identity(102) && oldGone.machine.isSettled)

        let neverBorn = restored(.running(identity(101)), .neverSpawned)
        #expect(neverBorn.spawns == [1_060_100] && neverBorn.machine.successor?.process == identity(102))

        let bothGone = restored(.gone(.killed(by: 9)), .gone(.killed(by: 9)))
        #expect(bothGone.generation == generation(3) && bothGone.machine.successor == nil)
    }

    @Test("the sign may have been lost with the former daemon: an adopted successor does not fail for it")
    func adoptedWithoutSign() {
        var first = bench { $0.readiness = ReadinessPolicy(waitReady: true, timeout: Milliseconds(700)) }
        first.send(.ready(generation(1), .message))
        first.send(.queueReload(bob, isRollback: false))
        first.send(.reload(hasOwnSocket: false))
        var effects: [Effect] = []
        let machine = InstanceMachine(
            restoring: first.machine.record, spec: first.machine.spec, observation: .running(identity(101)),
            at: instant(first.now), effects: &effects, find: { _, _ in .running(identity(102)) })
        var next = Bench(machine: machine, effects: effects, at: first.now)
        #expect(next.waits(for: .proof) == 700)
        #expect(next.machine.process == identity(102))
    }
}
