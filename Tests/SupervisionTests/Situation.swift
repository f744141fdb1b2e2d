import Model

@testable import Supervision

/// Every state a machine can be in, with what distinguishes it to a later event.
enum Situation: String, CaseIterable {
    case fresh
    case stopped
    case stoppedWithLeftovers
    case deleted
    case starting
    case startingThenStop
    case startingThenRestart
    case startingThenDelete
    case startingThenDaemonKill
    case launching
    case online
    case stoppingForStop
    case stoppingForRestart
    case stoppingForDelete
    case stoppingForDaemonKill
    case stoppingForStopMainGone
    case stoppingForRestartMainGone
    case stoppingForDeleteMainGone
    case stoppingForDaemonKillMainGone
    case stoppingForStopKilled
    case stoppingForRestartKilled
    case stoppingForDeleteKilled
    case stoppingForDaemonKillKilled
    case stuckForStop
    case stuckForRestart
    case stuckForDelete
    case stuckForStopMainGone
    case waiting
    case waitingTreeGone
    case erroredWithRetry
    case erroredWithoutRetry
    case erroredSpawnFailed

    /// A machine in this situation a little before `eventTime`; no due time is past by then.
    static let eventTime: Int64 = 101_000
    /// Every due time is past.
    static let lateTime: Int64 = 50_000_000

    var machine: InstanceMachine {
        var policy = RestartPolicy()
        switch self {
        case .stoppedWithLeftovers: policy.mode = .onFailure
        case .waiting, .waitingTreeGone: policy.restartDelay = Milliseconds(4000)
        case .erroredWithRetry: policy.maxRestarts = 1
        case .erroredWithoutRetry:
            policy.maxRestarts = 1
            policy.slowRetry = false
        default: break
        }
        let stop = StopPolicy(killTimeout: Milliseconds(isLateStage ? 100 : 5000))
        var spec = spec(policy, stop: stop)
        if self == .launching { spec.readiness = ReadinessPolicy(waitReady: true, timeout: Milliseconds(15_000)) }
        var machine = InstanceMachine(
            id: InstanceID(3), spec: spec, wanted: .stopped, by: alice, at: instant(90_000))
        for (event, time) in story { _ = machine.handle(event, at: instant(time)) }
        return machine
    }

    private var isLateStage: Bool { rawValue.hasSuffix("Killed") || rawValue.hasPrefix("stuck") }

    private var story: [(Event, Int64)] {
        let first = generation(1)
        let online: [(Event, Int64)] = [(.start(alice), 90_000), (.spawned(first, identity(101)), 90_001)]
        let ended: [(Event, Int64)] = online + [(.exited(first, .exited(code: 1)), 100_500)]
        func stopping(_ event: Event, mainGone: Bool = false, killed: Bool = false, stuck: Bool = false) -> [(
            Event, Int64
        )] {
            let begin: Int64 = stuck ? 92_000 : 99_000
            var story = online + [(event, begin)]
            if mainGone { story.append((.exited(first, .killed(by: 15)), begin + 50)) }
            if killed || stuck { story.append((.timer(.kill, first), begin + 100)) }
            if stuck { story.append((.timer(.kill, first), begin + 5100)) }
            return story
        }
        switch self {
        case .fresh: return []
        case .stopped:
            return stopping(.stop(bob), mainGone: true) + [(.treeGone(first), 99_100)]
        case .stoppedWithLeftovers: return online + [(.exited(first, .exited(code: 0)), 99_000)]
        case .deleted: return stopping(.delete(bob), mainGone: true) + [(.treeGone(first), 99_100)]
        case .starting: return [(.start(alice), 90_000)]
        case .startingThenStop: return [(.start(alice), 90_000), (.stop(bob), 90_001)]
        case .startingThenRestart: return [(.start(alice), 90_000), (.restart(bob), 90_001)]
        case .startingThenDelete: return [(.start(alice), 90_000), (.delete(bob), 90_001)]
        case .startingThenDaemonKill: return [(.start(alice), 90_000), (.killWithDaemon(bob), 90_001)]
        case .launching, .online: return online
        case .stoppingForStop: return stopping(.stop(bob))
        case .stoppingForRestart: return stopping(.restart(bob))
        case .stoppingForDelete: return stopping(.delete(bob))
        case .stoppingForDaemonKill: return stopping(.killWithDaemon(bob))
        case .stoppingForStopMainGone: return stopping(.stop(bob), mainGone: true)
        case .stoppingForRestartMainGone: return stopping(.restart(bob), mainGone: true)
        case .stoppingForDeleteMainGone: return stopping(.delete(bob), mainGone: true)
        case .stoppingForDaemonKillMainGone: return stopping(.killWithDaemon(bob), mainGone: true)
        case .stoppingForStopKilled: return stopping(.stop(bob), killed: true)
        case .stoppingForRestartKilled: return stopping(.restart(bob), killed: true)
        case .stoppingForDeleteKilled: return stopping(.delete(bob), killed: true)
        case .stoppingForDaemonKillKilled: return stopping(.killWithDaemon(bob), killed: true)
        case .stuckForStop: return stopping(.stop(bob), stuck: true)
        case .stuckForRestart: return stopping(.restart(bob), stuck: true)
        case .stuckForDelete: return stopping(.delete(bob), stuck: true)
        case .stuckForStopMainGone: return stopping(.stop(bob), mainGone: true, stuck: true)
        case .waiting: return ended
        case .waitingTreeGone: return ended + [(.treeGone(first), 100_600)]
        case .erroredWithRetry, .erroredWithoutRetry:
            return [
                (.start(alice), 100_000), (.spawned(first, identity(101)), 100_001),
                (.exited(first, .exited(code: 1)), 100_500),
            ]
        case .erroredSpawnFailed: return [(.start(alice), 100_000), (.spawnFailed(first, spawnFailure), 100_500)]
        }
    }
}

/// Every event, with the distinctions that matter to a state.
enum Occurrence: String, CaseIterable {
    case start, stop, restart, delete, reset, killWithDaemon, signalSent
    case spawned, spawnFailed, exited, treeGone, explained, ready
    case restartTimer, killTimer, readyTimer, earlyRestartTimer, earlyKillTimer, earlyReadyTimer
    case staleSpawned, staleSpawnFailed, staleExited, staleTreeGone, staleExplained, staleRestartTimer, staleKillTimer
    case staleReady, staleReadyTimer

    var time: Int64 {
        switch self {
        case .restartTimer, .killTimer, .readyTimer, .staleRestartTimer, .staleKillTimer, .staleReadyTimer:
            Situation.lateTime
        default: Situation.eventTime
        }
    }

    func event(for machine: InstanceMachine) -> Event {
        let present = machine.generation
        let stale = Generation(present.rawValue &- 2)
        return switch self {
        case .start: .start(alice)
        case .stop: .stop(alice)
        case .restart: .restart(alice)
        case .delete: .delete(alice)
        case .reset: .reset(alice)
        case .killWithDaemon: .killWithDaemon(alice)
        case .signalSent: .signalSent(.usr1, alice)
        case .spawned: .spawned(present, identity(102))
        case .spawnFailed: .spawnFailed(present, spawnFailure)
        case .exited: .exited(present, .exited(code: 1))
        case .treeGone: .treeGone(present)
        case .explained: .explained(present, .oom, detail: "the kernel's words")
        case .restartTimer, .earlyRestartTimer: .timer(.restart, present)
        case .killTimer, .earlyKillTimer: .timer(.kill, present)
        case .readyTimer, .earlyReadyTimer: .timer(.ready, present)
        case .ready: .ready(present, .message)
        case .staleReady: .ready(stale, .message)
        case .staleReadyTimer: .timer(.ready, stale)
        case .staleSpawned: .spawned(stale, identity(102))
        case .staleSpawnFailed: .spawnFailed(stale, spawnFailure)
        case .staleExited: .exited(stale, .exited(code: 1))
        case .staleTreeGone: .treeGone(stale)
        case .staleExplained: .explained(stale, .oom, detail: "the kernel's words")
        case .staleRestartTimer: .timer(.restart, stale)
        case .staleKillTimer: .timer(.kill, stale)
        }
    }
}
