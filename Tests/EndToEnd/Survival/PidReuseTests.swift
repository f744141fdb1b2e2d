import Control
import Foundation
import Glibc
import Model
import Platform
import Records
import TestSupport
import Testing

@Suite("A pid that belongs to somebody else by now")
struct PidReuseTests {
    @Test("a record that names a stranger's process: the stranger is never signalled, the instance is restarted")
    func forgedRecord() throws {
        try withHome { home in
            let habit = "trap 'echo hit >> \"$0\"' TERM INT HUP USR1; while :; do sleep 0.05; done"
            let stranger = try home.startProcess("/bin/sh", ["-c", habit, home.file("hits")])
            let actual = try #require(ProcessIdentity.current(of: stranger))
            try home.start(home.sleeper("app"), home.sleeper("other"))
            let (app, other) = (try home.pid("app"), try home.pid("other"))
            try home.killBoth()
            kill(app, SIGKILL)
            try home.eventually("the app is gone") { !Processes.isRunning(app) }
            try home.forgeTable { record in
                guard record.process?.pid == app else { return }
                // One tick older than who has the number now.
                record.process = ProcessIdentity(pid: stranger, startTime: actual.startTime - 1)
            }
            try home.up()
            try home.eventually("it runs again") { try home.instance("app").status == .online }
            #expect(try home.pid("app") != stranger)
            #expect(try home.instance("app").restarts == 1)
            #expect(try home.pid("other") == other)
            try home.act(.restart, "app")
            try home.act(.stop, "app")
            try home.act(.delete, "app")
            #expect(Processes.isRunning(stranger))
            #expect(home.read("hits").isEmpty)
        }
    }

    @Test("a pid that the kernel gave to another process: that one is never signalled, the instance is restarted")
    func reusedPid() throws {
        try withHome { home in
            try home.start(home.sleeper("app"))
            let app = try home.pid("app")
            try home.killBoth()
            kill(app, SIGKILL)
            try home.eventually("the app is gone and reaped") { Processes.state(app) == nil }
            guard let stranger = try stranger(in: home, withPid: app) else {
                return print("survival: the kernel does not let us choose a pid: reuse of a real pid is not tested")
            }
            try home.up()
            try home.eventually("it runs again") { try home.instance("app").status == .online }
            #expect(try home.pid("app") != stranger)
            try home.stopEverything()
            #expect(Processes.isRunning(stranger))
        }
    }

    /// A process of this number, where we may tell the kernel which number comes next.
    private func stranger(in home: Home, withPid pid: Int32) throws -> Int32? {
        // Others start processes too: some tries.
        for _ in 0..<50 {
            guard let file = FileHandle(forWritingAtPath: "/proc/sys/kernel/ns_last_pid") else { return nil }
            do { try file.write(contentsOf: Data("\(pid - 1)".utf8)) } catch { return nil }
            let child = try home.startProcess("/bin/sleep", ["1000"])
            if child == pid { return child }
            kill(child, SIGKILL)
            _ = try home.exitCode(of: child)
        }
        return nil
    }
}
