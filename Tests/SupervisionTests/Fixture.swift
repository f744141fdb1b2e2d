import Model

@testable import Supervision

/// Testing has one, too.
typealias ExitStatus = Model.ExitStatus

let alice = Actor("alice")
let bob = Actor("bob")

func instant(_ milliseconds: Int64) -> Instant { Instant(milliseconds: milliseconds) }
func generation(_ number: UInt32) -> Generation { Generation(number) }
func identity(_ pid: Int32) -> ProcessIdentity { ProcessIdentity(pid: pid, startTime: UInt64(pid) * 10) }

func spec(_ restart: RestartPolicy = RestartPolicy(), stop: StopPolicy = StopPolicy()) -> AppSpec {
    AppSpec(name: "api", script: "/srv/api/main.js", cwd: "/srv/api", restart: restart, stop: stop)
}

let spawnFailure = SpawnFailure(stage: .exec, errno: 2, message: "cannot execute '/srv/api/main.js': no such file")

extension Signal {
    static func number(_ number: Int32) -> Signal { Signal(rawValue: number) ?? .kill }
}

extension ExitStatus {
    static func killed(by number: Int32) -> ExitStatus { .signalled(.number(number), coreDumped: false) }
}

/// A machine with the least executor around it: it answers spawns and keeps the two timers, on a clock of its own.
struct Bench {
    var machine: InstanceMachine
    var now: Int64
    private(set) var spawns: [Int64] = []
    private(set) var timers: [TimerKind: (generation: Generation, at: Int64)] = [:]
    private(set) var isRemoved = false
    var spawnsFail = false

    init(_ spec: AppSpec = spec(), at now: Int64 = 1_000_000) {
        self.now = now
        machine = InstanceMachine(id: InstanceID(3), spec: spec, wanted: .stopped, by: alice, at: instant(now))
    }

    init(machine: InstanceMachine, effects: [Effect], at now: Int64) {
        self.machine = machine
        self.now = now
        perform(effects)
    }

    var status: Status { machine.status }
    var generation: Generation { machine.generation }

    @discardableResult
    mutating func send(_ event: Event) -> [Effect] {
        let effects = machine.handle(event, at: instant(now))
        perform(effects)
        return effects
    }

    private mutating func perform(_ effects: [Effect]) {
        for effect in effects {
            switch effect {
            case .spawn(let generation):
                spawns.append(now)
                if spawnsFail {
                    send(.spawnFailed(generation, spawnFailure))
                } else {
                    send(.spawned(generation, identity(100 + Int32(truncatingIfNeeded: generation.rawValue))))
                }
            case .arm(let kind, let generation, let at): timers[kind] = (generation, at.milliseconds)
            case .disarm(let kind): timers[kind] = nil
            case .remove: isRemoved = true
            default: break
            }
        }
    }

    /// The main process lives for `uptime`, then ends.
    @discardableResult
    mutating func runs(for uptime: Int64, then status: ExitStatus = .exited(code: 1)) -> [Effect] {
        now += uptime
        return send(.exited(machine.generation, status))
    }

    /// Lets the clock run to a timer; how long it took, or nil when none is armed.
    @discardableResult
    mutating func waits(for kind: TimerKind = .restart) -> Int64? {
        guard let timer = timers.removeValue(forKey: kind) else { return nil }
        let wait = max(0, timer.at - now)
        now += wait
        send(.timer(kind, timer.generation))
        return wait
    }

    /// A stop that goes well.
    mutating func stops(by event: Event) {
        send(event)
        send(.exited(machine.generation, .killed(by: 15)))
        send(.treeGone(machine.generation))
    }
}

/// SplitMix64: the same stream for the same seed on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
    mutating func milliseconds(_ bound: Int64) -> Int64 { Int64(next() % UInt64(bound)) }
}
