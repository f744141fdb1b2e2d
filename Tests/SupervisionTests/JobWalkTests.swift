import Model
import Testing

@testable import Supervision

/// Random commands, exits and lost daemons, with the seed in the failure.
@Suite("State machine: jobs, at random")
struct JobWalkTests {
    private struct Walk {
        var machine: InstanceMachine
        var random: SeededGenerator
        var now: Int64 = 1_000_000
        var spawning: Generation?
        var running: Generation?
        var treeWaitedFor: Generation?
        /// Somebody asked for a run, and none has begun since.
        var isAsked = false
        var story: [String] = []

        init(seed: UInt64, isOnce: Bool) {
            random = SeededGenerator(seed: seed)
            var job = spec(RestartPolicy(mode: .never), stop: StopPolicy(killTimeout: Milliseconds(100)))
            job.job = isOnce ? JobPolicy() : JobPolicy(pattern: "@daily")
            machine = InstanceMachine(id: InstanceID(1), spec: job, wanted: .running, by: alice, at: instant(now))
        }

        mutating func send(_ event: Event) -> String? {
            story.append("\(event)")
            switch event {
            case .start: if ![.online, .launching].contains(machine.status) { isAsked = true }
            case .restart: isAsked = true
            case .stop: isAsked = false
            // A restart that is under way is a run of its own.
            case .endRun where machine.status != .stopping: isAsked = false
            default: break
            }
            return perform(machine.handle(event, at: instant(now)))
        }

        /// What is wrong; nil: nothing.
        mutating func perform(_ effects: [Effect]) -> String? {
            for effect in effects {
                switch effect {
                case .spawn(let generation):
                    if spawning != nil || running != nil { return "two processes" }
                    if !isAsked { return "nobody asked for a run" }
                    isAsked = false
                    spawning = generation
                case .watchTree(let generation), .kill(let generation, _): treeWaitedFor = generation
                case .arm(.restart, _, _): return "a restart that nobody asked for is planned"
                default: break
                }
            }
            let status = machine.status
            if status == .scheduled, machine.wanted != .running || running != nil || spawning != nil {
                return "scheduled, and not at rest"
            }
            if status == .scheduled, machine.spec.job?.isOnce == true { return "scheduled, though it runs once" }
            return status == .waitingRestart ? "it waits for a restart" : nil
        }

        mutating func step() -> String? {
            now += random.milliseconds(50)
            switch random.below(12) {
            case 0: return send(.start(bob))
            case 1: return send(.restart(bob))
            case 2: return send(.stop(bob))
            case 3: return send(.schedule(bob))
            case 4: return send(.endRun(.hearth))
            case 5: return random.chance(20) ? send(.killWithDaemon(bob)) : send(.abandon(bob, detail: "x"))
            case 6, 7:
                guard let generation = spawning else { return nil }
                spawning = nil
                if random.chance(15) { return send(.spawnFailed(generation, spawnFailure)) }
                running = generation
                return send(.spawned(generation, identity(Int32(generation.rawValue) + 10)))
            case 8, 9:
                guard let generation = running else { return nil }
                running = nil
                return send(.exited(generation, random.chance(50) ? .exited(code: 0) : .killed(by: 15)))
            case 10:
                guard let generation = treeWaitedFor, running == nil else { return nil }
                treeWaitedFor = nil
                return send(.treeGone(generation))
            default: return loseDaemon()
            }
        }

        /// The next daemon looks at the record and at the process.
        mutating func loseDaemon() -> String? {
            guard spawning == nil else { return nil }
            story.append("daemon lost")
            let record = machine.record
            let observation: Observation =
                if let running { .running(identity(Int32(running.rawValue) + 10)) } else { .neverSpawned }
            var effects: [Effect] = []
            machine = InstanceMachine(
                restoring: record, spec: machine.spec, observation: observation, at: instant(now), effects: &effects)
            treeWaitedFor = nil
            return perform(effects)
        }
    }

    @Test(
        "a job has one process at most, runs only when somebody asks, and rests in between",
        arguments: [false, true])
    func walk(isOnce: Bool) {
        for seed in 1...300 as ClosedRange<UInt64> {
            var walk = Walk(seed: seed, isOnce: isOnce)
            for _ in 0..<200 {
                guard let fault = walk.step() else { continue }
                Issue.record("seed \(seed): \(fault); last: \(walk.story.suffix(8))")
                return
            }
        }
    }
}
