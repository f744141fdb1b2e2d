import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("Restarts when files change", .waiting)
struct WatchTests {
    /// An app whose source is `src` in the home.
    private func watched(_ home: Home, _ name: String = "web", delay: Int64 = 0) throws -> AppSpec {
        try FileManager.default.createDirectory(
            atPath: home.file("src/lib"), withIntermediateDirectories: true)
        var app = home.sleeper(name)
        app.watch = WatchPolicy(paths: [home.file("src")], delay: Milliseconds(delay))
        return app
    }

    /// Waits until the daemon that runs now watches `name`.
    private func isArmed(_ home: Home, _ name: String = "web", times: Int = 1) throws {
        let daemon = try home.hello().pid
        try home.eventually("'\(name)' is watched") {
            home.log.components(separatedBy: "hearthd[\(daemon)]: \(name): ").count > times
        }
    }

    private func isRestarted(_ home: Home, _ name: String = "web", times: Int) throws {
        try home.eventually("'\(name)' was restarted \(times) times") {
            try home.list(name).allSatisfy { $0.restarts >= times && $0.status == .online }
        }
        #expect(try home.list(name).allSatisfy { $0.restarts == times })
    }

    @Test("a change restarts every instance of the app, and names the file; the next daemon watches, too")
    func change() throws {
        try withHome { home in
            var app = try watched(home)
            app.instances = 2
            try home.start(app, home.sleeper("other"))
            let other = try home.pid("other")
            try isArmed(home)
            try home.write("1", to: "src/app.js")
            try isRestarted(home, times: 1)
            #expect(
                try home.list("web").allSatisfy { $0.reason == "restarted by hearth (watch: src/app.js changed)" })

            try home.replaceDaemon()
            try isArmed(home)
            try home.write("2", to: "src/app.js")
            try isRestarted(home, times: 2)
            #expect(try home.pid("other") == other)
        }
    }

    @Test("trees are followed: new, moved and replaced directories")
    func trees() throws {
        try withHome { home in
            let files = FileManager.default
            try home.start(try watched(home))
            try isArmed(home)
            try files.createDirectory(atPath: home.file("src/new/deep"), withIntermediateDirectories: true)
            try isRestarted(home, times: 1)
            try home.write("1", to: "src/new/deep/file")
            try isRestarted(home, times: 2)
            try files.moveItem(atPath: home.file("src/new"), toPath: home.file("away"))
            try isRestarted(home, times: 3)
            try home.write("2", to: "away/deep/file")
            try files.moveItem(atPath: home.file("away"), toPath: home.file("src/lib/back"))
            try isRestarted(home, times: 4)
            try home.write("3", to: "src/lib/back/deep/file")
            try isRestarted(home, times: 5)
            // The watched directory itself is replaced.
            try files.createDirectory(atPath: home.file("next/lib"), withIntermediateDirectories: true)
            try files.removeItem(atPath: home.file("src"))
            try files.moveItem(atPath: home.file("next"), toPath: home.file("src"))
            try home.eventually("it was restarted again") { try home.instance("web").restarts > 5 }
            let before = try home.instance("web").restarts
            // Not faster than the quiet time that a restart waits for.
            try home.eventually("what is there now is watched", every: 500) {
                try home.write(UUID().uuidString, to: "src/lib/file")
                return try home.instance("web").restarts > before
            }
        }
    }

    @Test("a burst of a thousand changes is one restart")
    func burst() throws {
        try withHome { home in
            try home.start(try watched(home, delay: 1000))
            try isArmed(home)
            for number in 0..<1000 { try home.write("x", to: "src/\(number).js") }
            try isRestarted(home, times: 1)
            // Whatever came after the first restart would be seen before this change of another directory is.
            try home.write("x", to: "src/lib/last.js")
            try home.eventually("the next change counts") { try home.instance("web").restarts > 1 }
            #expect(try home.instance("web").restarts == 2)
        }
    }

    @Test("dot files, node_modules, patterns, other extensions, own logs and pid files restart nothing")
    func ignored() throws {
        try withHome { home in
            for directory in ["src/.git", "src/node_modules/x", "src/tmp/deep", "src/a"] {
                try FileManager.default.createDirectory(
                    atPath: home.file(directory), withIntermediateDirectories: true)
            }
            var plain = try watched(home, "plain")
            plain.output.outFile = home.file("src/plain.log")
            plain.pidFile = home.file("src/plain.pid")
            var patterns = try watched(home, "patterns")
            patterns.watch?.ignore = [
                "src/tmp", "**/*.tmp", "src/{a,b}/x?.js", "src/*plain*", "**/.*", home.file("src/node_modules/"),
                "./src/[a-c]x/**",
            ]
            var extensions = try watched(home, "extensions")
            extensions.watch?.extensions = ["js"]
            // The whole home, with everything that Hearth itself writes in it.
            var whole = try watched(home, "whole")
            whole.watch?.paths = [home.path]
            whole.watch?.ignore = ["src"]
            try home.start(plain, patterns, extensions, whole)
            for name in ["plain", "patterns", "extensions", "whole"] { try isArmed(home, name) }
            func touch(_ path: String) throws { try home.write(UUID().uuidString, to: path) }

            for path in ["src/.git/index", "src/.env", "src/node_modules/x/y.js", "src/plain.log.1"] {
                try touch(path)
            }
            try touch("src/tmp/deep/x.txt")
            try touch("src/y.tmp")
            try touch("src/a/x1.js")
            // Each has now something that counts; what came before it would have come first.
            try touch("src/a/counts.js")
            try touch("counts.js")
            try home.eventually("all were restarted") { try home.list().allSatisfy { $0.restarts >= 1 } }
            let first = [
                "plain": "src/tmp/deep/x.txt", "patterns": "src/a/counts.js", "extensions": "src/a/x1.js",
                "whole": "counts.js",
            ]
            for (name, path) in first {
                #expect(try home.instance(name).reason == "restarted by hearth (watch: \(path) changed)")
            }
            #expect(try home.instance("whole").restarts == 1)
        }
    }

    @Test("a tree of 20,000 directories is watched, and nobody waits for that")
    func large() throws {
        try withHome { home in
            let app = try watched(home)
            let made = try home.shellRun(
                "for i in $(seq 200); do (mkdir src/$i; cd src/$i; seq 100 | xargs mkdir); done")
            try #require(made.code == 0, "\(made.errors.prefix(500))")
            try home.start(app, home.sleeper("other"))
            let other = try home.pid("other")
            let begun = ContinuousClock.now
            kill(other, SIGKILL)
            try home.eventually("the other app runs again") {
                try home.instance("other").pid.map { $0 != other } ?? false
            }
            // Far more than a restart takes, far less than a walk through many directories on a busy disk may.
            #expect(ContinuousClock.now - begun < .seconds(5))
            try isArmed(home)
            try home.write("1", to: "src/200/100/deep.js")
            try home.eventually("it was restarted, or says why not") {
                try home.instance("web").restarts == 1
                    || home.notes().contains { $0.contains("fs.inotify.max_user_watches") }
            }
            #expect(try home.instance("web").status != .errored)
        }
    }

    @Test("a stopped app is not started by a change; after a start it is watched again")
    func stopped() throws {
        try withHome { home in
            try home.start(try watched(home), try watched(home, "witness"))
            try isArmed(home)
            try home.act(.stop, "web")
            try isArmed(home, "witness")
            try home.write("1", to: "src/app.js")
            try isRestarted(home, "witness", times: 1)
            #expect(try home.instance("web").status == .stopped)
            try home.act(.start, "web")
            try isArmed(home, times: 2)
            try home.write("2", to: "src/app.js")
            try isRestarted(home, times: 1)
        }
    }

    @Test("a single file is watched through replacements, and what was given up is tried again")
    func file() throws {
        try withHome { home in
            try home.write("exit 1", to: "main.sh")
            var app = home.app(
                "file", "/bin/sh", [home.file("main.sh")],
                restart: RestartPolicy(maxRestarts: 1, slowRetry: false))
            app.watch = WatchPolicy(paths: [home.file("main.sh")])
            try home.start(app)
            try home.eventually("it was given up") { try home.instance("file").status == .errored }
            try isArmed(home, "file")
            try home.write("exec sleep 1000", to: "main.sh.new")
            rename(home.file("main.sh.new"), home.file("main.sh"))
            try home.eventually("it runs") { try home.instance("file").status == .online }
            let pid = try home.pid("file")
            try home.write("exec sleep 2000", to: "main.sh.new")
            rename(home.file("main.sh.new"), home.file("main.sh"))
            try home.eventually("the second one runs") {
                try home.instance("file").pid.map { $0 != pid && Processes.isRunning($0) } ?? false
            }
        }
    }
}
