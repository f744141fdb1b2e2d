import Foundation
import Model
import Testing

@testable import Supervision

/// One machine that is never interrupted, and one that is replaced again and again by a machine made from its own record
/// and the truth about its processes. Both see the same commands, answers, ends and times; they must stay alike.
@Suite("Adoption: a restored machine goes on as an uninterrupted one")
struct DifferentialTests {
    @Test("whenever the daemon is replaced, the instance does what it would have done")
    func restoredEqualsUninterrupted() throws {
        for seed in 1...250 {
            guard let difference = try Self.firstDifference(seed: UInt64(seed)) else { continue }
            Issue.record("seed \(seed): \(difference)")
            return
        }
    }

    private static func firstDifference(seed: UInt64) throws -> String? {
        var twins = Twins(seed: seed)
        func difference() -> String? {
            let (left, right) = (Likeness(twins.steady), Likeness(twins.replaced))
            if left == right, twins.steady.isRemoved == twins.replaced.isRemoved { return nil }
            return "\(left) became \(right)\n\(twins.story.suffix(12).joined(separator: "\n"))"
        }
        for _ in 0..<120 where !twins.steady.isRemoved {
            try twins.step()
            if let difference = difference() { return difference }
        }
        twins.settle()
        if let difference = difference() { return difference }
        return twins.steady.isRemoved || twins.steady.machine.isSettled ? nil : "it does not settle"
    }
}

/// What must be alike. Generations may differ (a spawn that never happened is done again), and so may times of reasons.
private struct Likeness: Equatable {
    var status: Status
    var wanted: Wanted
    var purpose: InstanceRecord.StopPurpose?
    var due: Instant?
    var restarts: Int
    var counters: RestartCounters
    var reason: Reason.Kind
    var actor: Actor
    var lastStatus: ExitStatus?
    var lastCause: ExitCause?

    init(_ side: Side) {
        let record = side.machine.record
        status = record.status
        wanted = record.wanted
        purpose = record.purpose
        due = record.due
        restarts = record.restarts
        counters = side.machine.counters
        reason = record.reason.kind
        actor = record.reason.actor
        lastStatus = record.lastExit?.status
        lastCause = record.lastExit?.cause
    }
}

/// A machine with its process, its tree and its timers. Spawns wait until they are answered; SIGKILL always works.
private struct Side {
    var machine: InstanceMachine
    var timers: [TimerKind: (generation: Generation, at: Instant)] = [:]
    var isSpawning = false
    var isMainAlive = false
    var isTreeAlive = false
    var watches = false
    var isRemoved = false

    mutating func send(_ event: Event, at now: Instant) {
        if isRemoved { return }
        perform(machine.handle(event, at: now), at: now)
    }

    mutating func perform(_ effects: [Effect], at now: Instant) {
        for effect in effects {
            switch effect {
            case .spawn: isSpawning = true
            case .arm(let kind, let generation, let at): timers[kind] = (generation, at)
            case .disarm(let kind): timers[kind] = nil
            case .watchTree:
                watches = true
                tellOfTree(at: now)
            case .kill:
                isTreeAlive = false
                if isMainAlive { mainEnds(.killed(by: 9), leavesTree: false, at: now) }
                tellOfTree(at: now)
            case .sweep: isTreeAlive = false
            case .remove: isRemoved = true
            default: break
            }
        }
    }

    mutating func answerSpawn(fails: Bool, at now: Instant) {
        isSpawning = false
        isMainAlive = !fails
        watches = false
        send(
            fails ? .spawnFailed(machine.generation, spawnFailure) : .spawned(machine.generation, identity(7)), at: now)
    }

    mutating func mainEnds(_ status: ExitStatus, leavesTree: Bool, at now: Instant) {
        isMainAlive = false
        isTreeAlive = leavesTree
        send(.exited(machine.generation, status), at: now)
    }

    mutating func tellOfTree(at now: Instant) {
        guard watches, !isMainAlive, !isTreeAlive else { return }
        watches = false
        send(.treeGone(machine.generation), at: now)
    }

    mutating func fireTimers(at now: Instant) {
        while let (kind, timer) = timers.filter({ $0.value.at <= now }).min(by: { $0.value.at < $1.value.at }) {
            timers[kind] = nil
            send(.timer(kind, timer.generation), at: now)
        }
    }
}

private struct Twins {
    var steady: Side
    var replaced: Side
    var now = instant(5_000_000)
    var random: SeededGenerator
    var story: [String] = []

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        var policy = RestartPolicy(maxRestarts: 3, stopExitCodes: [7], slowRetry: random.chance(70))
        if random.chance(30) { policy.mode = .onFailure }
        if random.chance(30) { policy.restartDelay = Milliseconds(700) }
        if random.chance(30) { policy.exponentialBackoff = Milliseconds(100) }
        let stop = StopPolicy(killTimeout: Milliseconds(1600), wholeTree: random.chance(75))
        let machine = InstanceMachine(
            id: InstanceID(1), spec: spec(policy, stop: stop), wanted: .stopped, by: alice, at: now)
        steady = Side(machine: machine)
        replaced = steady
    }

    private mutating func both(_ what: String, _ body: (inout Side) -> Void) {
        story.append("\(now.milliseconds) \(what)")
        body(&steady)
        body(&replaced)
    }

    mutating func step() throws {
        let now = now
        switch random.below(100) {
        case 0..<20:
            let actor = random.chance(50) ? alice : bob
            let event: Event =
                switch random.below(20) {
                case 0..<6: .start(actor)
                case 6..<11: .stop(actor)
                case 11..<16: .restart(actor)
                case 16: .reset(actor)
                case 17..<19: .killWithDaemon(actor)
                default: .delete(actor)
                }
            both("\(event)") { $0.send(event, at: now) }
        case 20..<45 where steady.isSpawning:
            let fails = random.chance(25)
            both("spawn \(fails ? "fails" : "is done")") { $0.answerSpawn(fails: fails, at: now) }
        case 45..<65 where steady.isMainAlive:
            let status = randomStatus()
            let leavesTree = random.chance(30)
            both("main ends: \(status)") { $0.mainEnds(status, leavesTree: leavesTree, at: now) }
        case 65..<70 where steady.isTreeAlive:
            both("tree ends") {
                $0.isTreeAlive = false
                $0.tellOfTree(at: now)
            }
        case 70..<85:
            self.now = now.advanced(by: Milliseconds(random.chance(20) ? 40_000 : random.milliseconds(1700)))
            let later = self.now
            both("time passes") { $0.fireTimers(at: later) }
        default: try replace()
        }
    }

    private mutating func randomStatus() -> ExitStatus {
        switch random.below(5) {
        case 0: .exited(code: 0)
        case 1: .exited(code: 7)
        case 2: .killed(by: 11)
        default: .exited(code: 1)
        }
    }

    /// The daemon of one of the two dies and comes back. What it sees has happened to the other one, too.
    private mutating func replace() throws {
        guard !replaced.isRemoved else { return }
        let data = try JSONEncoder().encode(replaced.machine.record)
        let record = try JSONDecoder().decode(InstanceRecord.self, from: data)
        let observation: Observation
        if replaced.isSpawning {
            let status = randomStatus()
            switch random.below(3) {
            case 0:
                observation = .running(identity(7))
                steady.answerSpawn(fails: false, at: now)
                replaced.isMainAlive = true
            case 1:
                observation = .gone(status)
                steady.answerSpawn(fails: false, at: now)
                if steady.isMainAlive { steady.mainEnds(status, leavesTree: false, at: now) }
            default:
                observation = .neverSpawned
                if record.purpose != nil { steady.answerSpawn(fails: true, at: now) }
            }
            replaced.isSpawning = false
        } else if replaced.isMainAlive {
            if random.chance(60) {
                observation = .running(identity(7))
            } else {
                let status = randomStatus()
                observation = .gone(status)
                steady.mainEnds(status, leavesTree: false, at: now)
                replaced.isMainAlive = false
            }
        } else {
            observation = random.chance(50) ? .neverSpawned : .gone(.unknown)
        }
        story.append("\(now.milliseconds) daemon replaced: \(record.phase) \(observation)")
        var effects: [Effect] = []
        replaced.machine = InstanceMachine(
            restoring: record, spec: replaced.machine.spec, observation: observation, at: now, effects: &effects)
        replaced.timers = [:]
        replaced.watches = false
        replaced.perform(effects, at: now)
    }

    /// Everything goes well from here on.
    mutating func settle() {
        for _ in 0..<6 {
            let now = now
            both("all goes well") { side in
                if side.isSpawning { side.answerSpawn(fails: false, at: now) }
                if side.machine.status == .stopping, side.isMainAlive {
                    side.mainEnds(.killed(by: 15), leavesTree: false, at: now)
                }
                side.isTreeAlive = false
                side.tellOfTree(at: now)
            }
            self.now = now.advanced(by: Milliseconds(700_000))
            let later = self.now
            both("time passes") { $0.fireTimers(at: later) }
        }
        let now = now
        both("all goes well") { if $0.isSpawning { $0.answerSpawn(fails: false, at: now) } }
    }
}
