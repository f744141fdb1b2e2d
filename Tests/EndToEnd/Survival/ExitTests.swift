import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("How an app ended while nobody watched")
struct ExitTests {
    @Test("exit codes of apps that end while no hearthd runs are known to the next one")
    func codesAreKept() throws {
        try withHome { home in
            let codes = [0, 1, 7, 42, 255]
            try home.start(codes.map { home.exiter("exit\($0)", code: $0) })
            let pids = try codes.map { try home.pid("exit\($0)") }
            let (daemon, keeper) = (try home.hello().pid, try #require(home.keeperPids.first))
            // A keeper that is stopped starts no daemon, and reaps when it goes on.
            kill(keeper, SIGSTOP)
            kill(daemon, SIGKILL)
            for code in codes { try home.write("", to: "exit\(code).go") }
            try home.eventually("the apps have ended") { pids.allSatisfy { !Processes.isRunning($0) } }
            kill(keeper, SIGCONT)
            try home.ready(after: daemon)
            for (code, pid) in zip(codes, pids) {
                let instance = try home.instance("exit\(code)")
                #expect(instance.lastExit?.code == code)
                #expect(instance.lastExit?.pid == pid)
                #expect(instance.status == .stopped)
            }
        }
    }

    @Test("an app killed together with hearthd is restarted, its signal is known and the restart counted")
    func killedTogether() throws {
        try withHome { home in
            try home.start(home.sleeper("victim"), home.sleeper("bystander"))
            let (victim, bystander) = (try home.pid("victim"), try home.pid("bystander"))
            let daemon = try home.hello().pid
            kill(daemon, SIGKILL)
            kill(victim, SIGKILL)
            try home.ready(after: daemon)
            try home.eventually("it runs again") { try home.instance("victim").status == .online }
            let instance = try home.instance("victim")
            #expect(instance.restarts == 1)
            #expect(instance.lastExit?.signal == "SIGKILL")
            #expect(try home.pid("bystander") == bystander)
        }
    }

    @Test("an exit between two daemons counts as unstable like any other, until the app is given up")
    func countsTowardsGivingUp() throws {
        try withHome { home in
            let policy = RestartPolicy(
                maxRestarts: 3, minUptime: Milliseconds(600_000), slowRetry: false)
            try home.start(home.shell("crashes", "sleep 1000", restart: policy))
            for round in 1...3 {
                let before = try home.instance("crashes")
                let daemon = try home.hello().pid
                kill(daemon, SIGKILL)
                kill(try #require(before.pid), SIGKILL)
                try home.ready(after: daemon)
                try home.eventually("crash \(round) is dealt with") {
                    let now = try home.instance("crashes")
                    return now.status == .errored || (now.status == .online && now.pid != before.pid)
                }
            }
            #expect(try home.instance("crashes").status == .errored)
            #expect(home.appPids.isEmpty)
        }
    }

    @Test("when nobody was left to learn how an app ended, that is said, and it is restarted")
    func unknownIsSaid() throws {
        try withHome { home in
            try home.start(["ends", "stays"].map { home.exiter($0, code: 7, restart: RestartPolicy()) })
            let pids = [try home.pid("ends"), try home.pid("stays")]
            try home.killBoth()
            try home.write("", to: "ends.go")
            try home.eventually("the app has ended") { !Processes.isRunning(pids[0]) }
            try FileManager.default.removeItem(atPath: home.file("ends.go"))
            try home.up()
            try home.eventually("it runs again") { try home.instance("ends").status == .online }
            let exit = try #require(try home.instance("ends").lastExit)
            // 7 where pid 1 has not reaped it yet.
            #expect(exit.code == 7 || (exit.code == nil && exit.signal == nil && exit.cause == .unknown))
            #expect(try home.instance("ends").restarts == 1)
            #expect(try home.pid("stays") == pids[1])
        }
    }
}
