import Model
import Testing

@testable import Supervision

@Suite("Restart arithmetic")
struct RestartArithmeticTests {
    private func started(_ policy: RestartPolicy = RestartPolicy()) -> Bench {
        var bench = Bench(spec(policy))
        bench.send(.start(alice))
        return bench
    }

    // MARK: PM2's numbers

    @Test("an app that exits at once is started 16 times in all and ends errored with 15 restarts")
    func crashLoop() {
        var bench = started(RestartPolicy(slowRetry: false))
        for _ in 0..<40 where bench.status == .online { bench.runs(for: 5) }
        #expect(bench.spawns.count == 16)
        #expect(bench.status == .errored)
        #expect(bench.machine.restarts == 15)
        #expect(bench.machine.counters.unstable == 0)
        #expect(bench.machine.lastExit?.status == .exited(code: 1))
        #expect(bench.machine.wanted == .running)
        #expect(bench.timers.isEmpty)
        #expect(bench.machine.record.due == nil)
        #expect(bench.machine.reason.kind == .gaveUp)
    }

    @Test("an app that lives 1.1 s each time is restarted for ever")
    func livesLongEnough() {
        var bench = started(RestartPolicy(slowRetry: false))
        for _ in 0..<500 { bench.runs(for: 1100) }
        #expect(bench.status == .online)
        #expect(bench.machine.restarts == 500)
        #expect(bench.machine.counters.unstable == 0)
    }

    @Test("an uptime of exactly min_uptime is stable, one millisecond less is not")
    func minUptimeBoundary() {
        var bench = started()
        bench.runs(for: 1000)
        #expect(bench.machine.counters.unstable == 0)
        bench.runs(for: 999)
        #expect(bench.machine.counters.unstable == 1)
    }

    @Test("crashes count only within min_uptime × max_restarts of the start")
    func window() {
        var bench = started(RestartPolicy(slowRetry: false))
        // 15.5 s of the window of 16 s are used up by one stable run: what follows counts until the window ends.
        bench.runs(for: 15_500)
        bench.runs(for: 499)
        #expect(bench.machine.counters.unstable == 1)
        bench.runs(for: 1)
        #expect(bench.machine.counters.unstable == 1, "at 16.000 s the window is over")
        for _ in 0..<100 { bench.runs(for: 10) }
        #expect(bench.machine.counters.unstable == 1)
        #expect(bench.status == .online)
    }

    @Test(
        "max_restarts says how often an app that exits at once is started in all",
        arguments: [(1, 1), (2, 2), (3, 3), (16, 16), (100, 100)])
    func maxRestarts(limit: Int, starts: Int) {
        var bench = started(RestartPolicy(maxRestarts: limit, slowRetry: false))
        for _ in 0..<200 where bench.status == .online { bench.runs(for: 1) }
        #expect(bench.spawns.count == starts)
        #expect(bench.machine.restarts == starts - 1)
        #expect(bench.status == .errored)
    }

    @Test("max_restarts 0 gives up after the first exit, however long it ran")
    func noRestarts() {
        var bench = started(RestartPolicy(maxRestarts: 0, slowRetry: false))
        bench.runs(for: 3_600_000, then: .exited(code: 0))
        #expect(bench.status == .errored)
        #expect(bench.spawns.count == 1)
    }

    @Test("a negative max_restarts gives up as 0 does")
    func negativeRestarts() {
        var bench = started(RestartPolicy(maxRestarts: -1, slowRetry: false))
        bench.runs(for: 1)
        #expect(bench.status == .errored)
    }

    @Test("the exponential back-off of 100 ms grows as in PM2 and ends at 15 s")
    func exponentialBackoff() {
        var bench = started(RestartPolicy(exponentialBackoff: Milliseconds(100), slowRetry: false))
        var delays: [Int64] = []
        for _ in 0..<18 {
            bench.runs(for: 1)
            #expect(bench.status == .waitingRestart)
            delays.append(bench.waits() ?? -1)
        }
        #expect(
            delays == [
                100, 150, 225, 337, 505, 757, 1135, 1702, 2553, 3829, 5743, 8614, 12921, 15000, 15000, 15000, 15000,
                15000,
            ])
        #expect(bench.status == .online, "with a back-off of 100 ms the limit is never reached")
        #expect(bench.machine.restarts == 18)
    }

    @Test("the back-off starts anew only after more than 30 s of uptime")
    func backoffReset() {
        var bench = started(RestartPolicy(exponentialBackoff: Milliseconds(100)))
        bench.runs(for: 1)
        #expect(bench.waits() == 100)
        bench.runs(for: 30_000)
        #expect(bench.waits() == 150)
        bench.runs(for: 30_001)
        #expect(bench.waits() == 100)
    }

    @Test("a first back-off above 15 s is kept once, then capped")
    func longBackoff() {
        var bench = started(RestartPolicy(exponentialBackoff: Milliseconds(20_000)))
        bench.runs(for: 1)
        #expect(bench.waits() == 20_000)
        bench.runs(for: 1)
        #expect(bench.waits() == 15_000)
    }

    @Test("restart_delay waits the same time before each restart")
    func restartDelay() {
        var bench = started(RestartPolicy(restartDelay: Milliseconds(2000)))
        for _ in 0..<50 {
            bench.runs(for: 1)
            #expect(bench.machine.record.due == instant(bench.now + 2000))
            #expect(bench.waits() == 2000)
        }
        #expect(bench.status == .online)
        #expect(bench.machine.restarts == 50)
    }

    @Test("an app with restart_delay that hits the limit is errored, not waiting")
    func restartDelayAtTheLimit() {
        var bench = started(RestartPolicy(restartDelay: Milliseconds(10), slowRetry: false))
        for _ in 0..<40 {
            bench.runs(for: 1)
            bench.waits()
        }
        #expect(bench.status == .errored)
        #expect(bench.spawns.count == 16)
    }

    @Test("the exponential back-off wins over restart_delay; zero means none")
    func delaysCombined() {
        var both = started(
            RestartPolicy(restartDelay: Milliseconds(7), exponentialBackoff: Milliseconds(100)))
        both.runs(for: 1)
        #expect(both.waits() == 100)
        var none = started(RestartPolicy(restartDelay: Milliseconds(0), exponentialBackoff: Milliseconds(0)))
        none.runs(for: 1)
        #expect(none.status == .online)
    }

    // MARK: When no restart is wanted

    @Test("stop_exit_codes leave the app stopped; other codes do not")
    func stopExitCodes() {
        var bench = started(RestartPolicy(stopExitCodes: [0, 7]))
        bench.runs(for: 10, then: .exited(code: 1))
        #expect(bench.status == .online)
        bench.runs(for: 10, then: .exited(code: 7))
        #expect(bench.status == .stopped)
        #expect(bench.machine.wanted == .running)
        #expect(bench.machine.reason.kind == .notRestarted)
        #expect(bench.timers.isEmpty)
    }

    @Test("a death by signal matches no stop exit code", arguments: [Int32(9), 11, 15])
    func signalIsNoExitCode(signal: Int32) {
        var bench = started(RestartPolicy(stopExitCodes: [0, Int(signal), 128 + Int(signal)]))
        bench.runs(for: 10, then: .killed(by: signal))
        #expect(bench.status == .online)
    }

    @Test("on-failure restarts after codes, signals and unknown ends, not after success")
    func onFailure() {
        var bench = started(RestartPolicy(mode: .onFailure))
        for status in [ExitStatus.exited(code: 1), .exited(code: 255), .killed(by: 9), .unknown] {
            bench.runs(for: 5000, then: status)
            #expect(bench.status == .online, "\(status)")
        }
        bench.runs(for: 5000, then: .exited(code: 0))
        #expect(bench.status == .stopped)
    }

    @Test("never is never", arguments: [ExitStatus.exited(code: 0), .exited(code: 1), .killed(by: 9), .unknown])
    func never(status: ExitStatus) {
        var bench = started(RestartPolicy(mode: .never, restartDelay: Milliseconds(100)))
        bench.runs(for: 10, then: status)
        #expect(bench.status == .stopped)
        #expect(bench.spawns.count == 1)
        #expect(bench.timers.isEmpty)
    }

    // MARK: Slow retry

    @Test("an app that was given up is tried again after 30 s, 1 min, 2 min … 10 min")
    func slowRetry() {
        var bench = started()
        for _ in 0..<16 { bench.runs(for: 1) }
        var waits: [Int64] = []
        for _ in 0..<8 {
            #expect(bench.status == .errored)
            waits.append((bench.waits() ?? -1) / 1000)
            #expect(bench.status == .online)
            bench.runs(for: 1)
        }
        #expect(waits == [30, 60, 120, 240, 480, 600, 600, 600])
        #expect(bench.machine.restarts == 15 + 8)
    }

    @Test("a slow retry that lives long enough ends the slow retry: the next crashes count from none")
    func slowRetryRecovers() {
        var bench = started()
        for _ in 0..<16 { bench.runs(for: 1) }
        bench.waits()
        bench.runs(for: 1)
        #expect(bench.waits() == 60_000)
        bench.runs(for: 1000)
        #expect(bench.status == .online)
        #expect(bench.machine.counters.slowRetries == 0)
        let starts = bench.spawns.count
        for _ in 0..<100 where bench.status == .online { bench.runs(for: 1) }
        #expect(bench.spawns.count - starts == 15)
        #expect(bench.waits() == 30_000)
    }

    @Test("a slow retry that ends with a stop exit code stays stopped")
    func slowRetryStops() {
        var bench = started(RestartPolicy(stopExitCodes: [3]))
        for _ in 0..<16 { bench.runs(for: 1) }
        bench.waits()
        bench.runs(for: 1, then: .exited(code: 3))
        #expect(bench.status == .stopped)
    }

    @Test("an early retry timer is armed again and starts nothing")
    func earlyTimer() {
        var bench = started()
        for _ in 0..<16 { bench.runs(for: 1) }
        let due = bench.now + 30_000
        bench.now += 29_999
        let starts = bench.spawns.count
        #expect(
            bench.send(.timer(.restart, bench.generation)) == [.arm(.restart, bench.generation, at: instant(due))])
        #expect(bench.spawns.count == starts)
    }

    // MARK: Spawn failures

    @Test("a program that cannot be started is tried after 1, 2, 4, … s, at most 10 min")
    func spawnFailures() {
        var bench = Bench()
        bench.spawnsFail = true
        bench.send(.start(alice))
        var waits: [Int64] = []
        for _ in 0..<12 {
            #expect(bench.status == .errored)
            #expect(bench.machine.reason.kind == .spawnFailed)
            waits.append((bench.waits() ?? -1) / 1000)
        }
        #expect(waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600])
        bench.spawnsFail = false
        bench.waits()
        #expect(bench.status == .online)
    }

    @Test("after spawn failures a first crash is judged like any first crash")
    func spawnFailuresAreNoUnstableRestarts() {
        var bench = Bench()
        bench.spawnsFail = true
        bench.send(.start(alice))
        bench.waits()
        bench.spawnsFail = false
        bench.waits()
        #expect(bench.status == .online)
        #expect(bench.machine.reason.text.contains("no such file"), "it is still said what had gone wrong")
        bench.runs(for: 1)
        #expect(bench.status == .online, "restarted at once")
        #expect(bench.machine.counters.unstable == 1)
    }

    @Test("without slow retry, or with restarts off, a failed spawn stays errored")
    func spawnFailureStays() {
        for policy in [RestartPolicy(slowRetry: false), RestartPolicy(mode: .never)] {
            var bench = Bench(spec(policy))
            bench.spawnsFail = true
            bench.send(.start(alice))
            #expect(bench.status == .errored)
            #expect(bench.timers.isEmpty)
        }
    }

    @Test("a restart asked for during a spawn that fails is tried, even without slow retry")
    func restartDuringFailingSpawn() {
        var machine = InstanceMachine(
            id: InstanceID(1), spec: spec(RestartPolicy(slowRetry: false)), wanted: .stopped, by: alice,
            at: instant(0))
        _ = machine.handle(.start(alice), at: instant(0))
        _ = machine.handle(.restart(bob), at: instant(1))
        let effects = machine.handle(.spawnFailed(generation(1), spawnFailure), at: instant(2))
        #expect(effects.contains(.spawn(generation(2))))
        #expect(machine.reason.kind == .restarted)
        #expect(machine.reason.actor == bob)
    }

    // MARK: Commands and counters

    @Test("a manual restart, start or reset begins the window anew", arguments: ["restart", "stop, start", "reset"])
    func renewal(command: String) {
        var bench = started(RestartPolicy(exponentialBackoff: Milliseconds(1), slowRetry: false))
        for _ in 0..<15 {
            bench.runs(for: 1)
            bench.waits()
        }
        #expect(bench.machine.counters.unstable == 15)
        switch command {
        case "restart": bench.stops(by: .restart(bob))
        case "reset": bench.send(.reset(bob))
        default:
            bench.stops(by: .stop(bob))
            bench.send(.start(bob))
        }
        #expect(bench.machine.counters == RestartCounters(createdAt: instant(bench.now)))
        for _ in 0..<15 {
            bench.runs(for: 1)
            bench.waits()
        }
        #expect(bench.status == .online)
        bench.runs(for: 1)
        #expect(bench.status == .errored)
    }

    @Test("a start while the stop is still going on begins the window anew, too")
    func startDuringStop() {
        var bench = started()
        for _ in 0..<15 { bench.runs(for: 1) }
        bench.send(.stop(bob))
        bench.send(.start(bob))
        #expect(bench.machine.counters.unstable == 0)
    }

    @Test("a manual restart counts as a restart while it runs, not when it is stopped or given up")
    func restartCount() {
        var bench = started(RestartPolicy(maxRestarts: 1, slowRetry: false))
        bench.stops(by: .restart(bob))
        #expect(bench.machine.restarts == 1)
        bench.stops(by: .stop(bob))
        bench.send(.restart(bob))
        #expect(bench.machine.restarts == 1)
        bench.runs(for: 1)
        #expect(bench.status == .errored)
        bench.send(.restart(bob))
        #expect(bench.machine.restarts == 1)
        bench.send(.reset(bob))
        #expect(bench.machine.restarts == 0)
        #expect(bench.status == .online)
    }

    @Test("an exit during a stop is no unstable restart")
    func stopIsNotUnstable() {
        var bench = started()
        for _ in 0..<40 { bench.stops(by: .restart(bob)) }
        #expect(bench.machine.counters.unstable == 0)
        #expect(bench.status == .online)
    }

    // MARK: Extreme values

    @Test("extreme settings and times never trap")
    func extremes() {
        let times = [Int64.min, -1, 0, 1, .max - 1, .max]
        let lengths = [Int64.min, -1, 0, 1, .max / 2, .max].map { Milliseconds($0) }
        for limit in [Int.min, -1, 0, 1, .max] {
            for length in lengths {
                let policy = RestartPolicy(
                    maxRestarts: limit, minUptime: length, restartDelay: length, exponentialBackoff: length)
                let spec = spec(policy, stop: StopPolicy(killTimeout: length))
                for start in times {
                    for end in times { Self.exercise(spec, from: start, to: end) }
                }
            }
        }
    }

    private static func exercise(_ spec: AppSpec, from start: Int64, to end: Int64) {
        var machine = InstanceMachine(id: InstanceID(.max), spec: spec, wanted: .running, by: alice, at: instant(start))
        _ = machine.handle(.start(alice), at: instant(start))
        _ = machine.handle(.spawned(machine.generation, identity(.max)), at: instant(start))
        _ = machine.handle(.exited(machine.generation, .exited(code: .min)), at: instant(end))
        _ = machine.handle(.timer(.restart, machine.generation), at: instant(end))
        _ = machine.handle(.spawnFailed(machine.generation, spawnFailure), at: instant(end))
        _ = machine.handle(.restart(alice), at: instant(start))
        _ = machine.handle(.spawned(machine.generation, identity(1)), at: instant(start))
        _ = machine.handle(.stop(alice), at: instant(start))
        _ = machine.handle(.timer(.kill, machine.generation), at: instant(end))
        _ = machine.handle(.timer(.kill, machine.generation), at: instant(.max))
    }

    @Test("the largest counters of a record count on without a trap, also over the last generation")
    func largestCounters() {
        let record = InstanceRecord(
            id: InstanceID(.max), generation: generation(.max), phase: .online, process: identity(.max),
            wanted: .running, reason: Reason(.started, by: alice, at: instant(0)), restarts: .max,
            unstableRestarts: .max - 1, createdAt: instant(.min), startedAt: instant(.min),
            previousDelay: Milliseconds(.max), slowRetries: .max)
        for policy in [
            RestartPolicy(maxRestarts: .max), RestartPolicy(exponentialBackoff: Milliseconds(100)),
            RestartPolicy(maxRestarts: 0), RestartPolicy(minUptime: Milliseconds(.max)),
        ] {
            var effects: [Effect] = []
            let machine = InstanceMachine(
                restoring: record, spec: spec(policy), observation: .running(identity(.max)), at: instant(.max),
                effects: &effects)
            var bench = Bench(machine: machine, effects: effects, at: .max)
            for _ in 0..<4 {
                bench.send(.exited(bench.generation, .exited(code: 1)))
                bench.send(.timer(.restart, bench.generation))
            }
            #expect(bench.machine.restarts == .max)
        }
    }

    @Test("an app with Int.max max_restarts is restarted again and again")
    func unlimited() {
        var bench = started(RestartPolicy(maxRestarts: .max))
        for _ in 0..<1000 { bench.runs(for: 1) }
        #expect(bench.status == .online)
        #expect(bench.machine.restarts == 1000)
    }

    @Test("a huge first back-off waits that long and is then capped, never negative")
    func hugeBackoff() {
        var counters = RestartCounters(createdAt: instant(0))
        let policy = RestartPolicy(maxRestarts: .max, exponentialBackoff: Milliseconds(.max))
        let first = counters.exited(.exited(code: 1), uptime: Milliseconds(1), policy: policy, at: instant(5))
        #expect(first == .after(Milliseconds(.max)))
        let second = counters.exited(.exited(code: 1), uptime: Milliseconds(1), policy: policy, at: instant(9))
        #expect(second == .after(RestartCounters.longestBackoff))
    }
}
