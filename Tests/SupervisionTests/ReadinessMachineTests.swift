import Model
import Testing

@testable import Supervision

@Suite("State machine: readiness and stopping by message")
struct ReadinessMachineTests {
    private func bench(timeout: Int64? = nil, restart: RestartPolicy = RestartPolicy()) -> Bench {
        var spec = spec(restart)
        spec.readiness = ReadinessPolicy(waitReady: true, timeout: timeout.map { Milliseconds($0) })
        return Bench(spec)
    }

    @Test("a process is launching until it says that it is ready")
    func ready() {
        var bench = bench()
        bench.send(.start(alice))
        #expect(bench.status == .launching && !bench.machine.isSettled && bench.machine.process == identity(101))
        bench.send(.ready(generation(7), .message))
        #expect(bench.status == .launching)
        bench.send(.ready(generation(1), .message))
        #expect(bench.status == .online && bench.machine.isSettled && bench.machine.reason.detail == nil)
        #expect(bench.waits(for: .ready) == nil)
    }

    @Test("without a word it counts as online after its time; the reason says so")
    func timeout() {
        var bench = bench()
        bench.send(.start(alice))
        #expect(bench.waits(for: .ready) == 3000)
        #expect(bench.status == .online)
        #expect(bench.machine.reason.text == "started by alice (declared online after 3 s without 'ready')")
        #expect(bench.send(.ready(bench.generation, .message)) == [])
    }

    @Test("an end before that is a crash, and the time of the next process is its own")
    func crash() {
        var bench = bench(timeout: 500)
        bench.send(.start(alice))
        bench.runs(for: 400)
        #expect(bench.status == .launching && bench.machine.restarts == 1)
        #expect(bench.waits(for: .ready) == 500)
        #expect(bench.status == .online)
        #expect(bench.machine.startedAt == instant(1_000_400))
    }

    @Test("one that never gets ready is given up like any unstable one")
    func givesUp() {
        var bench = bench(restart: RestartPolicy(maxRestarts: 3, slowRetry: false))
        bench.send(.start(alice))
        for _ in 0..<10 where bench.status == .launching { bench.runs(for: 50) }
        #expect(bench.status == .errored)
    }

    @Test("a later daemon goes on waiting until the recorded time, or begins where none was recorded")
    func adoption() {
        var launching = bench()
        launching.send(.start(alice))
        var effects: [Effect] = []
        let adopted = InstanceMachine(
            restoring: launching.machine.record, spec: launching.machine.spec, observation: .running(identity(101)),
            at: instant(1_002_900), effects: &effects)
        #expect(adopted.status == .launching && effects.contains(.arm(.ready, generation(1), at: instant(1_003_000))))

        var record = launching.machine.record
        record.due = nil
        record.process = nil
        effects = []
        let unseen = InstanceMachine(
            restoring: record, spec: launching.machine.spec, observation: .running(identity(101)),
            at: instant(1_002_900), effects: &effects)
        #expect(unseen.status == .launching && effects.contains(.arm(.ready, generation(1), at: instant(1_005_900))))
    }

    @Test("with a message only the main process is asked; what it leaves gets the signal")
    func message() {
        var machine = Bench(spec(stop: StopPolicy(withMessage: true)))
        machine.send(.start(alice))
        let asked = machine.send(.stop(bob))
        #expect(asked.contains(.askToEnd(generation(1), otherwise: .term, wholeTree: true)))
        #expect(!asked.contains(.terminate(generation(1), .term, wholeTree: true)))
        let ended = machine.send(.exited(generation(1), .exited(code: 0)))
        #expect(ended.suffix(2) == [.terminate(generation(1), .term, wholeTree: true), .watchTree(generation(1))])
        machine.send(.treeGone(generation(1)))
        #expect(machine.status == .stopped)
    }

    @Test("who does not follow the message is killed in its time, and the reason does not speak of a signal")
    func deaf() {
        var machine = Bench(spec(stop: StopPolicy(killTimeout: Milliseconds(700), withMessage: true)))
        machine.send(.start(alice))
        machine.send(.stop(bob))
        #expect(machine.waits(for: .kill) == 700)
        let ended = machine.send(.exited(generation(1), .killed(by: 9)))
        #expect(!ended.contains(.terminate(generation(1), .term, wholeTree: true)))
        machine.send(.treeGone(generation(1)))
        #expect(
            machine.machine.reason.text
                == "stopped by bob (did not end within 700 ms after it was asked to, so it was killed)")
    }
}
