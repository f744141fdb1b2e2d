import Control
import Foundation
import Glibc
import Model
import Records
import Synchronization
import TestSupport
import Testing

@Suite("hearthd is upgraded in place")
struct UpgradeTests {
    @Test("under load: same pids of daemon and apps, no request and no call refused, the state is kept")
    func underLoad() throws {
        try withHome { home in
            let crowd = try Crowd(home, count: 10)
            try home.start(home.sleeper("crashes"), home.sleeper("stopped"))
            try home.act(.stop, "stopped")
            try home.expectRestartIsCounted("crashes")
            let former = try home.hello()
            let calls = ContinuousCalls(home.paths.controlSocket)
            for round in 1...3 {
                let begun = ContinuousClock.now
                let reply = try home.upgrade()
                report("upgrade, 10 apps under load", ContinuousClock.now - begun)
                #expect(reply.pid == former.pid)
                #expect(try home.hello().keeperPid == former.keeperPid)
                try crowd.expectSamePids()
                try home.expectRestartIsCounted("crashes")
                #expect(try home.instance("crashes").restarts == round + 1)
                #expect(try home.instance("stopped").status == .stopped)
            }
            #expect(calls.stop().isEmpty)
            try crowd.expectUntouched()
            try home.expectOnePair()
        }
    }

    @Test("what the keeper holds is still good after an upgrade: a kill afterwards loses nothing")
    func vaultAfterUpgrade() throws {
        try withHome { home in
            let crowd = try Crowd(home, count: 3)
            try home.start(home.sleeper("crashes"))
            try home.expectRestartIsCounted("crashes")
            let former = try home.upgrade()
            try home.expectRestartIsCounted("crashes")
            let socket = try inode(home.paths.controlSocket)
            // Without the copy on disk only the keeper's has the counts.
            kill(try #require(home.keeperPids.first), SIGSTOP)
            kill(former.pid, SIGKILL)
            try home.eventually("hearthd is gone") { !Processes.isRunning(former.pid) }
            try FileManager.default.removeItem(atPath: home.tablePath)
            kill(try #require(home.keeperPids.first), SIGCONT)
            try home.ready(after: former.pid)
            #expect(try home.instance("crashes").restarts == 2)
            #expect(try inode(home.paths.controlSocket) == socket)
            try crowd.expectUntouched()
        }
    }

    @Test("a keeper that dies after an upgrade is replaced, and the next hearthd adopts")
    func keeperAfterUpgrade() throws {
        try withHome { home in
            try home.start(home.sleeper("app"))
            let app = try home.pid("app")
            let daemon = try home.upgrade().pid
            let keeper = try #require(home.keeperPids.first)
            kill(keeper, SIGKILL)
            try home.eventually("another keeper is attached") {
                let present = try home.hello().keeperPid
                return present != nil && present != keeper
            }
            kill(daemon, SIGKILL)
            try home.ready(after: daemon)
            #expect(try home.pid("app") == app)
            try home.expectRestartIsCounted("app")
        }
    }

    @Test(
        "a program that does not take over leaves all as it was",
        arguments: [
            ("rejects", "#!/bin/sh\necho 'no such state' >&2\nexit 1\n", true),
            ("is not executable", "#!/bin/sh\nexit 0\n", false),
            ("is no program", "\u{7f}ELF and nothing more\n", true),
            ("hangs", "#!/bin/sh\nexec sleep 1000\n", true),
            ("dies", "#!/bin/sh\nkill -9 $$\n", true),
        ])
    func rejected(_ habit: String, _ text: String, _ isExecutable: Bool) throws {
        try withHome { home in
            try home.start(home.sleeper("app"))
            try home.expectRestartIsCounted("app")
            let (app, former) = (try home.pid("app"), try home.hello())
            let program = try home.write(text, to: "candidate", executable: isExecutable)
            #expect(throws: ClientError.self) { try home.upgrade(to: program) }
            let present = try home.hello()
            #expect(present.pid == former.pid)
            #expect(present.keeperPid == former.keeperPid)
            #expect(present.uptimeMs >= former.uptimeMs)
            #expect(try home.pid("app") == app)
            try home.expectRestartIsCounted("app")
            #expect(try home.instance("app").restarts == 2)
            // It can still be upgraded to something good.
            #expect(try home.upgrade().pid == former.pid)
        }
    }

    @Test("a program that accepts the state and then dies: the keeper brings hearthd back, the apps go on")
    func acceptsAndDies() throws {
        try withHome { home in
            try home.start(home.sleeper("app"))
            let (app, former) = (try home.pid("app"), try home.hello())
            let program = try home.write(
                "#!/bin/sh\n[ \"$3\" = --check-state ] && exit 0\nexit 1\n", to: "candidate", executable: true)
            #expect(throws: ClientError.self) { try home.upgrade(to: program) }
            try home.ready(after: former.pid)
            #expect(try home.pid("app") == app)
            try home.expectRestartIsCounted("app")
            try home.expectOnePair()
        }
    }

    private func inode(_ path: String) throws -> ino_t {
        var status = stat()
        try #require(stat(path, &status) == 0)
        return status.st_ino
    }
}

/// Asks the daemon who it is, again and again, and keeps every failure.
private final class ContinuousCalls: Sendable {
    private struct State {
        var failures: [String] = []
        var isStopping = false
        var hasStopped = false
    }

    private let state = Mutex(State())

    init(_ socket: String) {
        Thread { [self] in
            while !state.withLock({ $0.isStopping }) {
                do {
                    _ = try Client.connect(socketPath: socket, timeout: Home.patience).greet()
                } catch {
                    state.withLock { $0.failures.append("\(Date()) \(error)") }
                }
                usleep(1000)
            }
            state.withLock { $0.hasStopped = true }
        }.start()
    }

    func stop() -> [String] {
        state.withLock { $0.isStopping = true }
        while !state.withLock({ $0.hasStopped }) { usleep(1000) }
        return state.withLock { $0.failures }
    }
}
