import Control
import Foundation
import Glibc
import Model
import Records
import TestSupport
import Testing

@Suite("When keeper or daemon die, the apps go on")
struct KillTests {
    @Test("hearthd killed under load: same pids, no line missing, no request refused, a new one soon ready")
    func daemonKilled() throws {
        try withHome { home in
            let crowd = try Crowd(home, count: 20)
            let extra = try home.start(home.sleeper("crashes")).instances
            #expect(extra.count == 1)
            for _ in 0..<3 {
                let former = try home.hello()
                let begun = ContinuousClock.now
                kill(former.pid, SIGKILL)
                let next = try home.ready(after: former.pid)
                report("SIGKILL of hearthd to the next one ready, 20 apps under load", ContinuousClock.now - begun)
                #expect(next.keeperPid == former.keeperPid)
                try home.expectRestartIsCounted("crashes")
                try crowd.expectSamePids()
            }
            #expect(try home.instance("crashes").restarts == 3)
            try crowd.expectUntouched()
            try home.expectOnePair()
        }
    }

    @Test("the keeper killed under load: hearthd goes on with another keeper, which starts the next hearthd")
    func keeperKilled() throws {
        try withHome { home in
            let crowd = try Crowd(home, count: 20)
            try home.start(home.sleeper("crashes"))
            let first = try home.hello()
            let firstKeeper = try #require(first.keeperPid)
            let begun = ContinuousClock.now
            kill(firstKeeper, SIGKILL)
            try home.eventually("another keeper is attached") {
                let keeper = try home.hello().keeperPid
                return keeper != nil && keeper != firstKeeper
            }
            report("SIGKILL of the keeper to the next one attached", ContinuousClock.now - begun)
            let second = try home.hello()
            #expect(second.pid == first.pid)
            try home.expectRestartIsCounted("crashes")

            kill(second.pid, SIGKILL)
            let third = try home.ready(after: second.pid)
            #expect(third.keeperPid == second.keeperPid)
            try home.expectRestartIsCounted("crashes")
            #expect(try home.instance("crashes").restarts == 2)
            try crowd.expectUntouched()
            try home.expectOnePair()
        }
    }

    @Test("a hearthd that is stopped by SIGSTOP is replaced, the apps do not notice")
    func daemonStopped() throws {
        try withHome(heartbeat: 200) { home in
            let crowd = try Crowd(home, count: 5)
            let former = try home.hello()
            let begun = ContinuousClock.now
            kill(former.pid, SIGSTOP)
            try home.ready(after: former.pid, within: 60)
            report("SIGSTOP of hearthd to the next one ready, heartbeat 200 ms", ContinuousClock.now - begun)
            try home.eventually("the stopped one is gone") { !Processes.isRunning(former.pid) }
            try crowd.expectUntouched()
            try home.expectRestartIsCounted("app0")
            try home.expectOnePair()
        }
    }

    @Test("a hearthd that spins and answers nothing is replaced, the apps do not notice")
    func daemonSpins() throws {
        try withHome(heartbeat: 200) { home in
            let crowd = try Crowd(home, count: 3)
            let former = try home.hello()
            // It takes over by an upgrade: it accepts the state, and then does nothing but turn.
            let spinner = try home.write(
                "#!/bin/sh\n[ \"$3\" = --check-state ] && exit 0\necho spinning > '\(home.file("spins"))'\n"
                    + "while :; do :; done\n", to: "spinner", executable: true)
            #expect(throws: (any Error).self) { try home.upgrade(to: spinner) }
            #expect(home.read("spins") == "spinning\n")
            let next = try home.ready(within: 60)
            // A process that is executed anew keeps its pid: the next daemon is another process.
            #expect(next.pid != former.pid)
            try crowd.expectUntouched()
            try home.expectRestartIsCounted("app0")
            try home.expectOnePair()
        }
    }

    @Test("keeper and hearthd killed at once: apps go on, `up` adopts them from the table on disk")
    func bothKilled() throws {
        try withHome { home in
            let crowd = try Crowd(home, count: 20)
            try home.start(home.sleeper("crashes"))
            try home.expectRestartIsCounted("crashes")
            // The disk copy may be a moment behind; the count is what only the table has.
            try home.eventually("the table on disk has the restart") {
                try home.storedRecords().contains { $0.restarts == 1 }
            }
            try home.killBoth()
            try crowd.letRequestsPass(50)
            let begun = ContinuousClock.now
            try home.up()
            report("`up` after both died, 21 apps, until ready", ContinuousClock.now - begun)
            #expect(try home.instance("crashes").restarts == 1)
            try home.expectRestartIsCounted("crashes")
            try crowd.expectUntouched()
            try home.expectOnePair()
        }
    }

    @Test("keeper and hearthd killed at once with the run directory gone: apps are found by their tag")
    func bothKilledWithoutTable() throws {
        try withHome { home in
            try home.start(home.sleeper("one"), home.sleeper("two"))
            let pids = [try home.pid("one"), try home.pid("two")]
            try home.killBoth()
            try FileManager.default.removeItem(atPath: home.paths.run)
            try home.up()
            #expect([try home.pid("one"), try home.pid("two")] == pids)
            try home.expectRestartIsCounted("one")
            try home.act(.stop, "two")
            #expect(!Processes.isRunning(pids[1]))
        }
    }

    @Test("a stop that the list on disk does not know of yet is in it before both die: the app stays stopped")
    func stopIsInTheList() throws {
        try withHome { home in
            try home.start(home.sleeper("app"))
            let before = home.read(home.paths.desiredState)
            try home.act(.stop, "app")
            // As if the daemon had died between the table and the list: nobody but the next one may mend that.
            let keepers = home.keeperPids
            for pid in keepers { kill(pid, SIGSTOP) }
            let daemon = try #require(home.daemonPids.first)
            kill(daemon, SIGKILL)
            try home.write(before, to: home.paths.desiredState)
            for pid in keepers { kill(pid, SIGCONT) }
            try home.ready(after: daemon)
            #expect(try home.instance("app").wanted == .stopped)
            try home.eventually("the list knows of the stop") { home.read(home.paths.desiredState) != before }

            try home.killBoth()
            try home.up()
            #expect(try home.instance("app").status == .stopped)
            #expect(home.appPids.isEmpty)
        }
    }
}
