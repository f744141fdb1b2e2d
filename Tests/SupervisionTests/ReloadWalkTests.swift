import Model
import Testing

@testable import Supervision

@Suite("State machine: reload at random")
struct ReloadWalkTests {
    /// Commands, exits, lost daemons and late answers in any order; then everything is left to come to rest.
    @Test("whatever happens, one process is left where one is wanted, and none where none is", arguments: 0..<400)
    func walk(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var walk = Walk(isCluster: seed % 2 == 0, seed: UInt64(seed))
        for _ in 0..<60 {
            walk.step(&random)
            #expect(walk.machine.leaving.count <= 3, "seed \(seed): \(walk.story)")
        }
        walk.rest()
        let wanted: Set<Generation> = walk.machine.wanted == .running ? [walk.machine.generation] : []
        #expect(walk.living == wanted, "seed \(seed): \(walk.machine.status) \(walk.story)")
        #expect(walk.machine.isSettled && walk.machine.reload?.phase != .running, "seed \(seed): \(walk.story)")
    }

    private struct Walk {
        var machine: InstanceMachine
        var now: Int64 = 1_000_000
        var living: Set<Generation> = []
        /// Spawns whose answer has not come.
        var unborn: [Generation] = []
        /// Processes that got a signal, or whose tree is watched.
        var dying: Set<Generation> = []
        var watched: Set<Generation> = []
        /// Got SIGKILL: they end, whether anybody remembers them or not.
        var killed: Set<Generation> = []
        var timers: [TimerKind: (Generation, Int64)] = [:]
        var story: [String] = []

        init(isCluster: Bool, seed: UInt64) {
            var spec = spec(RestartPolicy(maxRestarts: 1_000_000))
            spec.reload = ReloadPolicy(overlaps: true)
            if isCluster {
                spec.interpreter = "/usr/bin/node"
                spec.mode = .cluster
            }
            machine = InstanceMachine(
                id: InstanceID(3), spec: spec, wanted: .stopped, by: alice, at: Instant(milliseconds: now))
            send(.start(alice))
        }

        mutating func send(_ event: Event) {
            story.append("\(event)")
            let effects = machine.handle(event, at: instant(now))
            perform(effects)
        }

        private mutating func perform(_ effects: [Effect]) {
            for effect in effects {
                switch effect {
                case .spawn(let generation): unborn.append(generation)
                case .kill(let generation, _):
                    dying.insert(generation)
                    killed.insert(generation)
                case .terminate(let generation, _, _), .askToEnd(let generation, _, _),
                    .drain(let generation), .sweep(let generation, _, _):
                    dying.insert(generation)
                case .watchTree(let generation): watched.insert(generation)
                case .arm(let kind, let generation, let at): timers[kind] = (generation, at.milliseconds)
                case .disarm(let kind): timers[kind] = nil
                default: break
                }
            }
        }

        private mutating func answerSpawn() {
            guard !unborn.isEmpty else { return }
            let generation = unborn.removeFirst()
            living.insert(generation)
            send(.spawned(generation, identity(Int32(generation.rawValue) + 100)))
        }

        private mutating func end(_ generation: Generation) {
            guard living.remove(generation) != nil else { return }
            dying.remove(generation)
            send(.exited(generation, .killed(by: 15)))
        }

        private mutating func answerTrees() {
            let gone = watched
            watched = []
            for generation in gone.sorted() { send(.treeGone(generation)) }
        }

        private mutating func fire(_ kind: TimerKind) {
            guard let (generation, at) = timers.removeValue(forKey: kind) else { return }
            now = max(now, at)
            send(.timer(kind, generation))
        }

        /// The daemon dies; the next one reads the record.
        private mutating func die() {
            story.append("daemon dies")
            let record = machine.record
            // The child has written its own pid: it is found.
            living.formUnion(unborn)
            unborn = []
            timers = [:]
            watched = []
            dying = killed
            let alive = living
            func look(_ generation: Generation) -> Observation {
                alive.contains(generation) ? .running(identity(Int32(generation.rawValue) + 100)) : .gone(.unknown)
            }
            var observation = look(record.generation)
            switch record.phase {
            case .stopped, .waiting: observation = .neverSpawned
            case .errored where record.process == nil, .online where record.process == nil,
                .stopping where record.process == nil:
                observation = .neverSpawned
            default: break
            }
            var effects: [Effect] = []
            machine = InstanceMachine(
                restoring: record, spec: machine.spec, observation: observation, at: instant(now),
                effects: &effects, find: { generation, _ in look(generation) })
            perform(effects)
        }

        mutating func step(_ random: inout SeededGenerator) {
            now += Int64.random(in: 0...400, using: &random)
            switch Int.random(in: 0..<20, using: &random) {
            case 0...3: answerSpawn()
            case 4...6:
                send(.queueReload(bob, isRollback: false))
                send(.reload(hasOwnSocket: false))
            case 7: send(.stop(alice))
            case 8: send(.start(alice))
            case 9: send(.restart(alice))
            case 10: living.sorted().randomElement(using: &random).map { end($0) }
            case 11, 12: dying.intersection(living).sorted().randomElement(using: &random).map { end($0) }
            case 13: answerTrees()
            case 14: die()
            case 15: if let next = machine.successor { send(.ready(next.generation, .listening)) }
            case 16: send(.ready(machine.generation, .listening))
            default: timers.keys.sorted { "\($0)" < "\($1)" }.randomElement(using: &random).map { fire($0) }
            }
        }

        /// Everything that is under way comes to its end.
        mutating func rest() {
            story.append("rest")
            for _ in 0..<200 {
                while !unborn.isEmpty { answerSpawn() }
                for generation in dying.intersection(living).sorted() { end(generation) }
                answerTrees()
                if unborn.isEmpty, dying.isDisjoint(with: living), watched.isEmpty {
                    guard let next = timers.min(by: { $0.value.1 < $1.value.1 }) else { return }
                    fire(next.key)
                }
            }
        }
    }
}
