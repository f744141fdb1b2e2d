import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("Pid files", .waiting)
struct PidFileTests {
    @Test("the file holds the pid while the process runs, and nothing else")
    func whileItRuns() throws {
        try withHome { home in
            var app = home.sleeper("app")
            app.pidFile = home.file("pids/app.pid")
            try home.start(app)
            let file = home.file("pids/app-0.pid")
            func holds(_ pid: Int32) throws {
                try home.eventually("the file holds \(pid)") { home.read(file) == "\(pid)" }
            }
            let first = try home.pid("app")
            try holds(first)
            kill(first, SIGKILL)
            try home.eventually("it runs again") { try home.instance("app").pid.map { $0 != first } ?? false }
            let second = try home.pid("app")
            try holds(second)

            let daemon = try home.hello().pid
            try FileManager.default.removeItem(atPath: file)
            kill(daemon, SIGKILL)
            try home.ready(after: daemon)
            try holds(second)

            try home.act(.stop, "app")
            try home.eventually("the file is gone") { !FileManager.default.fileExists(atPath: file) }
            try home.act(.start, "app")
            try holds(try home.pid("app"))
            try home.act(.delete, "app")
            try home.eventually("the file is gone") { !FileManager.default.fileExists(atPath: file) }
        }
    }

    @Test("a file that cannot be written is told and costs nothing else")
    func unwritable() throws {
        try withHome { home in
            var app = home.sleeper("app")
            app.pidFile = home.file("hearthd.log/app.pid")
            try home.start(app)
            try home.eventually("a note says so") { try home.notes().contains { $0.hasPrefix("no pid file: ") } }
            #expect(try home.instance("app").status == .online)
        }
    }
}
