import Control
import Foundation
import Glibc
import Model
import Platform
import Records
import TestSupport
import Testing

@testable import CommandLine

@Suite("Stopping without a daemon")
struct OfflineStopTests {
    /// A home whose records name `process`.
    private func home(_ scratch: Scratch, _ process: ProcessIdentity, killTimeout: Int64) throws -> HomePaths {
        let paths = HomePaths(home: scratch.path)
        let machine = MachineIdentity.current()
        for directory in [paths.state, paths.runtime(of: machine)] {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        }
        let spec = AppSpec(
            name: "stubborn", script: "/bin/sh", cwd: "/", stop: StopPolicy(killTimeout: Milliseconds(killTimeout)))
        var state = DesiredState(machine: machine.machine, boot: machine.boot)
        state.instances = [
            DesiredInstance(
                id: InstanceID(0), spec: spec, number: 0, wanted: .running, environment: nil, createdAt: 0, token: nil)
        ]
        try DesiredStateFile.write(state, to: paths, sync: false)
        let now = SystemClock.now()
        let table = try InstanceTable(descriptor: nil, machine: machine)
        table.load([
            InstanceRecord(
                id: InstanceID(0), generation: Generation(1), phase: .online, process: process, wanted: .running,
                reason: Reason(.started, by: Model.Actor("test"), at: now), createdAt: now, startedAt: now)
        ])
        try table.reader.save(to: paths.instanceTable(of: machine))
        return paths
    }

    /// A shell in a session of its own, killed with all that is in it.
    private final class Child {
        let pid: Int32

        init(_ script: String, said: String) throws {
            pid = try Processes.start(
                "/bin/sh", ["-c", script], environment: ["PATH": "/usr/bin:/bin"], output: said)
            let deadline = ContinuousClock.now + .seconds(30)
            // The script says when its trap is set.
            while (try? FileSystem.read(said))?.isEmpty ?? true, ContinuousClock.now < deadline { usleep(2000) }
        }

        deinit {
            kill(-pid, SIGKILL)
            Processes.wait(pid)
        }
    }

    private func child(_ script: String, in scratch: Scratch) throws -> (Child, ProcessIdentity) {
        let child = try Child(script, said: scratch.path + "/said")
        return (child, try #require(ProcessIdentity.current(of: child.pid)))
    }

    @Test("a whole tree that ignores SIGTERM is killed at its timeout, and the records say that it was us")
    func stubborn() throws {
        let scratch = try Scratch()
        let (process, identity) = try child(
            "trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & echo r; wait", in: scratch)
        defer { withExtendedLifetime(process) {} }
        let paths = try home(scratch, identity, killTimeout: 100)
        let stopped = try OfflineStop(home: OfflineHome(paths: paths, absence: .noDaemon)).run()
        #expect(stopped == 1)
        #expect(!identity.isAlive())
        #expect(DesiredStateFile.read(paths).state?.killed != nil)
        let record = try #require(InstanceTable.read(paths, .current())?.first)
        #expect(record.phase == .stopped)
        #expect(record.reason.kind == .killedWithDaemon)
        #expect(record.lastExit?.pid == identity.pid)
        #expect(try OfflineStop(home: OfflineHome(paths: paths, absence: .noDaemon)).run() == 0)
    }

    @Test("a process that took over the pid of a record is not touched")
    func otherProcess() throws {
        let scratch = try Scratch()
        let (process, identity) = try child("echo r; exec sleep 60", in: scratch)
        defer { withExtendedLifetime(process) {} }
        let forged = ProcessIdentity(pid: identity.pid, startTime: identity.startTime - 1)
        let paths = try home(scratch, forged, killTimeout: 100)
        let home = OfflineHome(paths: paths, absence: .noDaemon)
        #expect(try home.selected([]).map(home.view).first?.status == .stopped)
        #expect(try OfflineStop(home: home).run() == 0)
        #expect(identity.isAlive())
    }
}
