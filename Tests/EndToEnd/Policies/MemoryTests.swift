import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("Memory limits", .waiting)
struct MemoryTests {
    private static let megabyte: Int64 = 1 << 20

    /// Takes 200 MB when the file `grow` is there and removes it; its child does the same for `grow-child`.
    private func eater(_ home: Home) throws -> AppSpec {
        let script = try home.script(
            "eater.py",
            """
            import os, sys, time
            name = "grow" if os.fork() else "grow-child"
            held = []
            while True:
                if os.path.exists(name):
                    os.unlink(name)
                    held.append(b"x" * (200 << 20))
                time.sleep(0.05)
            """)
        var app = home.app("eater", script, interpreter: "python3")
        app.memoryLimit = 150 * Self.megabyte
        return app
    }

    private func isRestarted(_ home: Home, times: Int) throws {
        try home.eventually("restart \(times)", within: 60) {
            let app = try home.instance("eater")
            return app.restarts == times && app.status == .online
        }
        let reason = try home.instance("eater").reason
        // It is measured while it grows: anything from the limit to what it takes in the end.
        let found = reason.wholeMatch(of: /restarted by hearth \(memory (\d+) MB is over its limit of 150 MB\)/)
        let megabytes = found.flatMap { Int($0.1) } ?? 0
        #expect((150..<300).contains(megabytes), "\(reason)")
    }

    @Test("a tree over its limit is restarted and says so; the next daemon watches it too")
    func limit() throws {
        try withHome { home in
            var roomy = home.sleeper("roomy")
            roomy.memoryLimit = 4096 * Self.megabyte
            try home.start(try eater(home), roomy)
            let pid = try home.pid("roomy")
            try home.write("", to: "grow")
            try isRestarted(home, times: 1)
            #expect(home.log.contains("eater (0): memory: memory "))

            // What its child uses counts, and the walk that finds a child comes soon after the start.
            try home.write("", to: "grow-child")
            try isRestarted(home, times: 2)

            try home.replaceDaemon()
            try home.write("", to: "grow")
            try isRestarted(home, times: 3)
            #expect(try home.pid("roomy") == pid)
        }
    }
}
