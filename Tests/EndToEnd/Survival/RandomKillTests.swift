import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

/// Commands at work while keeper and daemon are killed at random moments.
///
/// HEARTH_TEST_SEED repeats a run's decisions (not its timing), HEARTH_TEST_ROUNDS sets its length.
@Suite("Killed again and again")
struct RandomKillTests {
    @Test("a hundred kills at random moments: what is wanted runs once, what was stopped or deleted does not run")
    func randomKills() throws {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["HEARTH_TEST_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 1...UInt64.max)
        let rounds = environment["HEARTH_TEST_ROUNDS"].flatMap(Int.init) ?? 100
        print("survival: random kills, HEARTH_TEST_SEED=\(seed)")
        // 60 s: on a machine that is busier than that, fewer rounds are made. A given number is made in any case.
        let limit: Duration? = environment["HEARTH_TEST_ROUNDS"] == nil ? .seconds(60) : nil
        try withHome { home in
            var driver = Driver(home, seed: seed)
            let begun = ContinuousClock.now
            var made = 0
            do {
                for round in 0..<rounds {
                    if let limit, ContinuousClock.now - begun > limit { break }
                    try driver.round()
                    made += 1
                    if round % 10 == 9 { try driver.check() }
                }
                try driver.check()
            } catch {
                let story = driver.story.suffix(12).joined(separator: "\n")
                Issue.record("HEARTH_TEST_SEED=\(seed), round \(made)\n\(story)")
                throw error
            }
            report("\(made) random kills (\(driver.kills))", ContinuousClock.now - begun)
        }
    }
}

/// What a random test did, and so expects.
private struct Driver {
    struct App {
        var isWanted: Bool
        /// The process since the last command; nil for an app that ends by itself now and then.
        var pid: Int32?
        var endsByItself: Bool
    }

    let home: Home
    private var random: Xorshift
    private var apps: [String: App] = [:]
    private var number = 0
    private(set) var story: [String] = []
    private(set) var kills: [String: Int] = [:]

    init(_ home: Home, seed: UInt64) {
        self.home = home
        random = Xorshift(seed: seed)
    }

    // MARK: A round

    mutating func round() throws {
        let victim = ["hearthd", "hearthd", "hearthd", "keeper", "both"][random.below(5)]
        // 25 ms: about as long as a command takes, so a kill meets each part of it.
        let delay = UInt32(random.below(25_000))
        kills[victim, default: 0] += 1
        let killer = Killer(victim, home: home.path, after: delay)
        story.append("kill \(victim) after \(delay) us")
        try command()
        killer.join()
    }

    private mutating func command() throws {
        number += 1
        let token = "token-\(number)"
        let names = apps.keys.sorted()
        let choice = apps.count < 4 ? 0 : apps.count > 12 ? 9 : random.below(10)
        switch choice {
        case 0, 1, 2: try start("app\(number)", token)
        case 3, 4: try act(.stop, names[random.below(names.count)], token)
        case 5: try act(.start, names[random.below(names.count)], token)
        case 6, 7: try act(.restart, names[random.below(names.count)], token)
        case 8:
            story.append("save")
            try persistently("save") { _ = try home.save("s\(number)", force: true) }
        default: try act(.delete, names[random.below(names.count)], token)
        }
    }

    private mutating func start(_ name: String, _ token: String) throws {
        let endsByItself = random.below(4) == 0
        let policy = RestartPolicy(maxRestarts: 1_000_000, restartDelay: Milliseconds(50))
        let spec = endsByItself ? home.shell(name, "sleep 0.3", restart: policy) : home.sleeper(name)
        story.append("start \(name)")
        var pid: Int32?
        try persistently("start \(name)") {
            let reply = try home.start(spec, token: token)
            guard reply.instances.count == 1, let only = reply.instances.first else {
                throw Unexpected("start answered \(reply.instances.count) instances", in: home)
            }
            pid = only.pid
        }
        apps[name] = App(isWanted: true, pid: endsByItself ? nil : pid, endsByItself: endsByItself)
    }

    private mutating func act(_ action: Action, _ name: String, _ token: String) throws {
        guard var app = apps[name] else { return }
        story.append("\(action.rawValue) \(name)")
        var results: [ActionResult] = []
        var pid: Int32?
        var isGone = false
        try persistently("\(action.rawValue) \(name)") {
            do {
                let reply = try home.act(action, name, token: token)
                results = reply.results
                pid = reply.instances.first?.pid
            } catch ClientError.remote(let error) where error.code == .notFound && action == .delete {
                // Done before its daemon died.
                isGone = true
            }
        }
        if !isGone, results.contains(where: { !$0.ok }) {
            throw Unexpected("\(action.rawValue) \(name): \(results.map(\.message))", in: home)
        }
        switch action {
        case .delete:
            apps[name] = nil
            return
        case .stop:
            app.isWanted = false
            app.pid = nil
        default:
            if action == .restart || !app.isWanted { app.pid = app.endsByItself ? nil : pid }
            app.isWanted = true
        }
        apps[name] = app
    }

    /// As the command line does: with nobody there a keeper is started, and a call that was cut off is repeated.
    private func persistently(_ what: String, _ call: () throws -> Void) throws {
        var keeperStarted = ContinuousClock.now - .seconds(60)
        let begun = ContinuousClock.now
        while true {
            do { return try call() } catch ClientError.connectionLost {} catch ClientError.noDaemon {
                if ContinuousClock.now - keeperStarted > .seconds(2) {
                    try home.startKeeper()
                    keeperStarted = ContinuousClock.now
                }
            }
            if ContinuousClock.now - begun > .seconds(60) { throw Unexpected("no answer: \(what)", in: home) }
            usleep(5000)
        }
    }

    // MARK: What must be true

    mutating func check() throws {
        try persistently("hello") { _ = try home.hello() }
        try home.ready()
        try home.eventually("the list is what was commanded: \(wanted)") {
            let list = try home.list()
            return Set(list.map(\.name)) == Set(apps.keys) && list.count == apps.count && list.allSatisfy(isAsWanted)
        }
        try home.expectOnePair()
        // Processes as the kernel knows them, not as the daemon does.
        try home.eventually("one process each of \(wanted), and none else") {
            let ids = Dictionary(uniqueKeysWithValues: try home.list().map { (Int($0.id.rawValue), $0) })
            let pids = home.appPids
            for (id, mains) in pids where mains.count != 1 || ids[id]?.wanted != .running { return false }
            for (id, instance) in ids where instance.status == .online && pids[id] != instance.pid.map({ [$0] }) {
                return false
            }
            return true
        }
    }

    private func isAsWanted(_ instance: InstanceView) -> Bool {
        guard let app = apps[instance.name] else { return false }
        guard app.isWanted else { return instance.status == .stopped && instance.wanted == .stopped }
        guard instance.wanted == .running else { return false }
        if app.endsByItself { return instance.status == .online || instance.status == .waitingRestart }
        // Nobody but a command ends it, so it is the process that the command made.
        return instance.status == .online && instance.pid == app.pid
    }

    private var wanted: String {
        apps.sorted { $0.key < $1.key }.map { "\($0.key)\($0.value.isWanted ? "" : " stopped") \($0.value.pid ?? 0)" }
            .joined(separator: ", ")
    }
}

/// Kills from a thread of its own, so that the moment does not depend on what the test waits for.
private final class Killer: Sendable {
    private let done = DispatchSemaphore(value: 0)

    init(_ victim: String, home: String, after delay: UInt32) {
        let programs = ["hearthd": ["hearthd"], "keeper": ["hearth-keeper"]][victim] ?? ["hearthd", "hearth-keeper"]
        Thread { [done] in
            usleep(delay)
            let pids = programs.flatMap { Processes.programs($0, home: home) }
            for pid in pids { kill(pid, SIGKILL) }
            done.signal()
        }.start()
    }

    func join() { done.wait() }
}

/// Good enough for choices, the same everywhere.
private struct Xorshift {
    private var state: UInt64

    init(seed: UInt64) { state = seed == 0 ? 1 : seed }

    mutating func below(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(bound))
    }
}
