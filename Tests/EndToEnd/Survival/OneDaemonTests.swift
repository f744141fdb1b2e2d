import Control
import Foundation
import Glibc
import Model
import Records
import TestSupport
import Testing

@Suite("Who ends, who starts: one keeper and one daemon")
struct OneDaemonTests {
    @Test(
        "several keepers started at the same instant: one stays, with one daemon, the others end with 0",
        arguments: [2, 10])
    func severalKeepers(count: Int) throws {
        try withHome(starting: false) { home in
            let keepers = try (0..<count).map { _ in try home.startKeeper() }
            try home.ready()
            try home.eventually("all but one keeper have ended") {
                keepers.filter { home.exitCode(ofKeeper: $0) == nil }.count == 1
            }
            #expect(keepers.compactMap { home.exitCode(ofKeeper: $0) } == Array(repeating: 0, count: count - 1))
            try home.expectOnePair()
            let keeper = try #require(home.keeperPids.first)
            #expect(try home.hello().keeperPid == keeper)
            try home.start(home.sleeper("app"))
            #expect(home.appPids.count == 1)
        }
    }

    @Test("several `hearth up` at the same instant succeed, and leave one keeper and one daemon", arguments: [2, 10])
    func severalUps(count: Int) throws {
        try withHome(starting: false) { home in
            let runs = try (0..<count).map { _ in try home.startHearth(["up"]) }
            for run in runs {
                let result = try home.result(of: run)
                #expect(result.code == 0, "\(result.output)\(result.errors)")
            }
            try home.expectOnePair()
        }
    }

    @Test("a keeper that finds a living pair ends with 0")
    func keeperTooMany() throws {
        try withHome { home in
            let daemon = try home.hello().pid
            let keeper = try home.startKeeper()
            try home.eventually("it ends") { home.exitCode(ofKeeper: keeper) == 0 }
            #expect(try home.hello().pid == daemon)
        }
    }

    @Test("SIGTERM to hearthd leaves the apps running, the keeper ends with 0, and `up` adopts")
    func sigterm() throws {
        try withHome(starting: false) { home in
            let keeper = try home.startKeeper()
            try home.ready()
            try home.start(home.sleeper("app"))
            let app = try home.pid("app")
            kill(try home.hello().pid, SIGTERM)
            try home.eventually("both have ended") { home.exitCode(ofKeeper: keeper) != nil && home.daemonPids.isEmpty }
            #expect(home.exitCode(ofKeeper: keeper) == 0)
            #expect(Processes.isRunning(app))
            #expect(throws: ClientError.noDaemon(socket: home.paths.controlSocket)) { try home.hello() }
            try home.up()
            #expect(try home.pid("app") == app)
            try home.expectRestartIsCounted("app")
        }
    }

    @Test("`detach` leaves the apps running, `up` adopts them with their counts")
    func detach() throws {
        try withHome { home in
            try home.start(home.sleeper("app"), home.sleeper("stopped"))
            try home.expectRestartIsCounted("app")
            try home.act(.stop, "stopped")
            let app = try home.pid("app")
            #expect(try home.detach().running == 1)
            try home.eventually("both have ended") { home.keeperPids.isEmpty && home.daemonPids.isEmpty }
            #expect(Processes.isRunning(app))
            try home.up()
            let instance = try home.instance("app")
            #expect(instance.pid == app)
            #expect(instance.restarts == 1)
            #expect(try home.instance("stopped").status == .stopped)
        }
    }

    @Test("`kill` ends everything; `up` starts nothing, `resurrect` starts what ran, and only that")
    func killAndResurrect() throws {
        try withHome { home in
            try home.start(home.sleeper("one"), home.sleeper("two"), home.sleeper("stopped"))
            try home.act(.stop, "stopped")
            let pids = [try home.pid("one"), try home.pid("two")]
            #expect(try home.stopEverything().stopped == 2)
            try home.eventually("all have ended") { home.keeperPids.isEmpty && home.daemonPids.isEmpty }
            #expect(pids.allSatisfy { !Processes.isRunning($0) })
            #expect(home.appPids.isEmpty)

            try home.up()
            #expect(try home.list().map(\.status) == [.stopped, .stopped, .stopped])
            kill(try home.hello().pid, SIGKILL)
            try home.ready()
            #expect(home.appPids.isEmpty)

            try home.resurrect()
            #expect(try home.instance("one").status == .online)
            #expect(try home.instance("two").status == .online)
            #expect(try home.instance("stopped").status == .stopped)
            #expect(home.appPids.values.map(\.count) == [1, 1])
        }
    }

    @Test("a Start that is repeated with the same token makes nothing new, also after a kill")
    func repeatedStart() throws {
        try withHome { home in
            let first = try home.start(home.sleeper("app"), token: "once").instances
            let second = try home.start(home.sleeper("app"), token: "once").instances
            #expect(second.map(\.pid) == first.map(\.pid))
            let daemon = try home.hello().pid
            kill(daemon, SIGKILL)
            try home.ready(after: daemon)
            let third = try home.start(home.sleeper("app"), token: "once").instances
            #expect(third.map(\.pid) == first.map(\.pid))
            try home.killBoth()
            try home.up()
            let fourth = try home.start(home.sleeper("app"), token: "once").instances
            #expect(fourth.map(\.pid) == first.map(\.pid))
            #expect(try home.list().count == 1)
        }
    }
}
