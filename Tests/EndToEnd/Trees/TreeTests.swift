import Control
import Foundation
import Glibc
import Model
import Records
import TestSupport
import Testing

@Suite("Whatever an app makes of its processes, stop, restart and delete leave none behind", .waiting)
struct TreeTests {
    /// Processes of this home that carry the tag of an instance, whoever is their parent.
    private func tagged(_ home: Home) -> [Int32] {
        Processes.all.filter { pid in
            Processes.environment(pid).contains { $0.hasPrefix("HEARTH_INSTANCE=\(home.paths.id):") }
        }
    }

    /// Nothing of what was written down is there, nothing has the tag, nothing is in the session of a main process.
    private func expectNothingLeft(
        _ pids: [String: [Int32]], of home: Home, after what: String, _ location: SourceLocation = #_sourceLocation
    ) {
        for (name, list) in pids {
            for pid in list where Processes.isRunning(pid) {
                Issue.record(
                    "after \(what), '\(name)' left pid \(pid): \(Processes.commandLine(pid))", sourceLocation: location)
            }
        }
        let leaders = Set(pids.values.flatMap { $0 })
        for pid in Processes.all where leaders.contains(getsid(pid)) {
            Issue.record("after \(what), pid \(pid) is in a session of the app", sourceLocation: location)
        }
    }

    @Test(
        "apps that fork, daemonize, ignore SIGTERM, change session, clear their environment, or spew"
    )
    func everyKind() throws {
        try withHome { home in
            let trees = try home.everyTree()
            func allPids(_ generation: Int) throws -> [String: [Int32]] {
                var found: [String: [Int32]] = [:]
                for (app, count) in trees {
                    found[app.name] = Array(try home.pids(app.name, count: count * generation).suffix(count))
                }
                return found
            }
            try home.start(trees.map(\.app))
            let first = try allPids(1)
            try home.act(.restart, "all")
            expectNothingLeft(first, of: home, after: "restart")
            let second = try allPids(2)
            for (name, pids) in second {
                for pid in pids { #expect(Processes.isRunning(pid), "'\(name)' is up again with pid \(pid)") }
            }
            let stop = try home.act(.stop, "all")
            for result in stop.results { #expect(result.ok, "\(result.name): \(result.message)") }
            expectNothingLeft(second, of: home, after: "stop")
            #expect(tagged(home).isEmpty)
            // The one that does not react says that it was killed, and when.
            let stubborn = try home.instance("stubborn")
            #expect(stubborn.lastExit?.signal == "SIGKILL" && stubborn.lastExit?.cause == .ours)
            #expect(stubborn.reason.contains("within 300 ms after SIGTERM, so it was killed"), "\(stubborn.reason)")

            try home.act(.start, "all")
            let third = try allPids(3)
            try home.act(.delete, "all")
            expectNothingLeft(third, of: home, after: "delete")
            #expect(tagged(home).isEmpty)
            #expect(try home.list().isEmpty)
        }
    }

    @Test("a Node program started through sh, with a child that has a server: stop ends all three")
    func nodeChain() throws {
        guard let node = Processes.find("node") else { return print("trees: skipped, node is not installed") }
        try withHome { home in
            try home.write(
                """
                const { spawn } = require('child_process'), fs = require('fs')
                fs.appendFileSync('\(home.file("npm.pids"))', process.pid + '\\n')
                if (process.argv[2] !== 'child') spawn(process.argv[0], [__filename, 'child'], { stdio: 'inherit' })
                else require('http').createServer().listen(0, '127.0.0.1')
                setInterval(() => {}, 1000)
                process.on('SIGTERM', () => {})
                """, to: "npm.js")
            try home.start(
                home.tree("npm", "me; \(node) npm.js; :", stop: StopPolicy(killTimeout: Milliseconds(500))))
            let pids = try home.pids("npm", count: 3)
            try home.eventually("its child's port is seen") {
                try home.instance("npm").ports.contains { $0.pid == pids[2] }
            }
            try home.act(.stop, "npm")
            expectNothingLeft(["npm": pids], of: home, after: "stop")
        }
    }

    @Test("a stranger that forged the tag of an instance is not touched")
    func forgedTag() throws {
        try withHome { home in
            try home.start(home.sleeper("app"))
            // In the middle of an exec a process has no environment.
            var tag = ""
            try home.eventually("the app's environment is there") {
                let found = Processes.environment(try home.pid("app")).first { $0.hasPrefix("HEARTH_INSTANCE=") }
                tag = found ?? ""
                return !tag.isEmpty
            }
            var environment = home.environment
            environment["HEARTH_INSTANCE"] = String(tag.dropFirst("HEARTH_INSTANCE=".count))
            // A shell without the tag, below which somebody tries out the app's environment.
            let shell = try home.startProcess(
                "/bin/sh", ["-c", "cd /; env \(tag) sleep 100000 & echo $! > '\(home.file("forged"))'; wait"])
            try home.eventually("it runs") { !home.read("forged").isEmpty }
            let stranger = try #require(Int32(home.read("forged").trimmingCharacters(in: .whitespacesAndNewlines)))
            try home.eventually("it has the tag") { Processes.environment(stranger).contains(tag) }
            try home.act(.restart, "app")
            try home.act(.stop, "app")
            try home.act(.delete, "app")
            #expect(Processes.isRunning(stranger) && Processes.isRunning(shell))
            kill(stranger, SIGKILL)
        }
    }

    @Test(
        "with a cgroup, even a daemon that left its session and cleared its environment at once is ended",
        .enabled(if: UnifiedCgroup.parent != nil, "needs root and a writable cgroup v2 with cgroup.kill"))
    func cgroup() throws {
        let parent = try #require(UnifiedCgroup.parent)
        let group = parent + "/hearth-e2e-\(UUID().uuidString.prefix(8))"
        #expect(mkdir(group, 0o755) == 0)
        defer { rmdir(group) }
        try withHome(environment: ["HEARTH_CGROUP": group]) { home in
            // Nothing but the cgroup tells whose this is: another session, another parent, no tag.
            let app = try home.pythonTree(
                "hides",
                """
                def hide():
                    note()
                    os.execve('/bin/sleep', ['sleep', '100000'], {})
                daemonize(hide)
                sleep()
                """)
            try home.start(app)
            let first = try home.pids("hides", count: 2)
            try home.act(.restart, "hides")
            expectNothingLeft(["hides": first], of: home, after: "restart")
            let second = Array(try home.pids("hides", count: 4).suffix(2))
            try home.act(.delete, "hides")
            expectNothingLeft(["hides": second], of: home, after: "delete")
        }
    }

    @Test("without tree kill, stop ends the main process and leaves its children")
    func noTreeKill() throws {
        try withHome { home in
            try home.start(
                home.tree(
                    "single", "me; sleep 100000 & note $!; wait", stop: StopPolicy(wholeTree: false)))
            let pids = try home.pids("single", count: 2)
            try home.act(.stop, "single")
            #expect(!Processes.isRunning(pids[0]))
            #expect(Processes.isRunning(pids[1]))
        }
    }

    @Test("what a crashed main process leaves is ended, and its successor gets the port")
    func sweep() throws {
        try withHome { home in
            let port = try freePort()
            // The port is held by a child in a session of its own, which outlives its parent.
            let app = try home.pythonTree(
                "server",
                """
                listener = socket.socket()
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(('127.0.0.1', \(port)))
                listener.listen(5)
                def serve():
                    os.setsid()
                    sleep()
                note()
                if os.fork() == 0:
                    serve()
                listener.close()
                while True:
                    time.sleep(1000)
                """)
            try home.start(app)
            let first = try home.pids("server", count: 2)
            try home.eventually("the port is seen") {
                try home.instance("server").ports.contains { $0.port == port && $0.pid == first[1] }
            }
            kill(first[0], SIGKILL)
            try home.eventually("another one has the port") {
                let now = try home.instance("server")
                return now.status == .online && now.ports.contains { $0.port == port && !first.contains($0.pid) }
            }
            #expect(!Processes.isRunning(first[1]))
            let now = try home.instance("server")
            print("trees: \(now.restarts) restarts until the successor had the port")
            #expect(now.restarts <= 15)
        }
    }
}

private enum UnifiedCgroup {
    /// Where a test may make a cgroup v2 of its own.
    static var parent: String? {
        guard geteuid() == 0 else { return nil }
        return ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].first { path in
            let probe = path + "/hearth-e2e-probe-\(UUID().uuidString.prefix(8))"
            guard access(path + "/cgroup.controllers", R_OK) == 0, mkdir(probe, 0o755) == 0 else { return false }
            defer { rmdir(probe) }
            return access(probe + "/cgroup.kill", W_OK) == 0
        }
    }
}

extension Processes {
    /// A program in PATH.
    static func find(_ name: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
            .first { access($0, X_OK) == 0 }
    }
}
