import Control
import Foundation
import Glibc
import Model
import Records
import TestSupport
import Testing

@Suite("Held sockets", .waiting)
struct HeldSocketTests {
    @Test("restarts under load: no request fails, and it is the same socket all along")
    func restarts() throws {
        try withHome { home in
            // Slow to begin: what comes meanwhile has to wait.
            try home.start(home.holder("api", delay: 0.2))
            let port = try home.port(of: "api")
            let link = try home.socketLink("api")
            let load = RequestLoad(ports: [port], threads: 4)
            for _ in 0..<5 {
                let former = try home.pid("api")
                let answered = load.answered
                try home.act(.restart, "api")
                #expect(try home.pid("api") != former)
                #expect(try home.socketLink("api") == link)
                try home.eventually("it answers again") { load.answered > answered + 20 }
            }
            // A crash is a restart like any other, but for what was being answered.
            let tally = load.stop()
            #expect(tally.failures == [])
            let pid = try home.pid("api")
            kill(pid, SIGKILL)
            #expect(SocketAddress.port(port).request()?.hasPrefix("HTTP/1.1 200") == true)
            #expect(try home.socketLink("api") == link)
        }
    }

    @Test("a stop refuses connections, a start listens at the same address again, a delete removes the path")
    func stops() throws {
        try withHome { home in
            let path = home.file("api.sock")
            var app = try home.holder("api", at: .unix(path: path))
            app.listen?[0].mode = 0o600
            app.listen?.append(ListenSpec(name: "port", address: .tcp(host: "127.0.0.1", port: try freePort())))
            let port = SocketAddress.port(UInt16(app.listen?[1].address.port ?? 0))
            try home.start(app)
            try home.expectAnswer("api", at: .path(path))
            var status = stat()
            #expect(lstat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
            for _ in 0..<2 {
                try home.act(.stop, "api")
                #expect(SocketAddress.path(path).request() == nil)
                #expect(port.request() == nil)
                try home.eventually("the path is gone") { lstat(path, &status) != 0 }
                try home.act(.start, "api")
                try home.expectAnswer("api", at: .path(path))
            }
            try home.act(.delete, "api")
            #expect(port.request() == nil)
            try home.eventually("the path is gone") { lstat(path, &status) != 0 }
            #expect(home.descriptions.contains("\"sockets\":[]"))
        }
    }

    @Test("the socket stays as long as one instance does")
    func instances() throws {
        try withHome { home in
            var app = try home.holder("api")
            app.instances = 2
            let ids = try home.start(app).instances.map(\.id)
            let port = try home.port(of: "api")
            #expect(Set(try home.list("api").compactMap(\.pid).map { home.socketLink(of: $0) }).count == 1)
            try home.act(.stop, "\(ids[0])")
            #expect(SocketAddress.port(port).request() != nil)
            try home.act(.stop, "\(ids[1])")
            #expect(SocketAddress.port(port).request() == nil)
        }
    }

    @Test("a crash loop with a delay: connections wait until the app runs again")
    func backOff() throws {
        try withHome { home in
            var app = try home.holder("api")
            app.restart.restartDelay = Milliseconds(700)
            try home.start(app)
            let port = try home.port(of: "api")
            kill(try home.pid("api"), SIGKILL)
            let answer = SocketAddress.port(port).request()
            #expect(answer?.hasPrefix("HTTP/1.1 200") == true)
            #expect(try home.instance("api").restarts == 1)
        }
    }

    @Test("another address: the old one is let go when no process uses it any more")
    func otherAddress() throws {
        try withHome { home in
            let (old, new) = (try freePort(), try freePort())
            let script = try home.script("holder.py", Home.holder)
            func file(_ port: Int) throws {
                try home.apps(
                    """
                    {"name": "api", "script": "\(script)", "args": ["3", "0"], "interpreter": "python3",
                     "listen": "127.0.0.1:\(port)"}
                    """)
            }
            try file(old)
            try home.expect(0, "hearth apply apps.json")
            try home.expectAnswer("api", at: .port(UInt16(old)))
            try file(new)
            try home.expect(0, "hearth apply apps.json")
            try home.expectAnswer("api", at: .port(UInt16(new)))
            #expect(SocketAddress.port(UInt16(old)).request() == nil)
        }
    }

    @Test("an address that is taken: the reason names who has it, and nobody else is disturbed")
    func taken() throws {
        try withHome { home in
            let path = home.file("x.sock")
            try home.start(home.holder("first", at: .unix(path: path)))
            try home.start(home.holder("second", at: .unix(path: path)))
            #expect(try home.instance("second").status == .errored)
            #expect(try home.instance("second").reason.contains("'first' has it"))
            try home.expectAnswer("first", at: .path(path))
            // Free again: the next attempt succeeds.
            try home.act(.delete, "first")
            try home.act(.start, "second")
            try home.expectAnswer("second", at: .path(path))

            let other = try home.responder("other")
            try home.start(other)
            let port = Int(try home.port(of: "other"))
            try home.start(home.holder("third", at: .tcp(host: "127.0.0.1", port: port)))
            let reason = try home.instance("third").reason
            #expect(reason.contains("cannot listen on 127.0.0.1:\(port) (socket 'web')"), "\(reason)")
            #expect(reason.contains("held by pid \(try home.pid("other"))"), "\(reason)")
            #expect(SocketAddress.port(UInt16(port)).request() != nil)

            try home.start(home.holder("fourth", at: .unix(path: "/proc/no/such.sock")))
            #expect(try home.instance("fourth").reason.contains("cannot listen on unix:/proc/no/such.sock"))
        }
    }

    @Test("what a process gets: numbers, names, LISTEN_PID, and nothing else")
    func descriptors() throws {
        try withHome { home in
            let script = try home.script(
                "look.py",
                """
                import os, json, sys
                found = {}
                for fd in os.listdir("/proc/self/fd"):
                    try: found[fd] = os.readlink("/proc/self/fd/" + fd)
                    except OSError: pass
                with open("look.new", "w") as file:
                    json.dump([os.getpid(), sys.argv[1:], dict(os.environ), found], file)
                os.rename("look.new", "look.json")
                import time
                time.sleep(100000)
                """)
            var app = home.app("look", script, ["fd://{fd:admin.x}", "{fd:other}"], interpreter: "python3")
            app.interpreterArguments = ["-X", "n={fd:web}"]
            app.listen = [
                ListenSpec(name: "web", address: .tcp(host: nil, port: 0)),
                ListenSpec(name: "admin.x", address: .tcp(host: "::1", port: 0), backlog: 5),
            ]
            try home.start(app)
            var all: [Any] = []
            try home.eventually("it has looked") {
                all = try JSONSerialization.jsonObject(with: Data(home.read("look.json").utf8)) as? [Any] ?? []
                return all.count == 4
            }
            let pid = try #require(all[0] as? Int)
            let variables = try #require(all[2] as? [String: String])
            let found = try #require(all[3] as? [String: String])
            #expect(all[1] as? [String] == ["fd://21", "{fd:other}"])
            #expect(variables["LISTEN_FDS"] == "2" && variables["LISTEN_FDNAMES"] == "web:admin.x")
            #expect(variables["LISTEN_PID"] == String(pid))
            #expect(variables["HEARTH_FD_WEB"] == "20" && variables["HEARTH_FD_ADMIN_X"] == "21")
            #expect(found["3"] == found["20"] && found["4"] == found["21"] && found["3"] != found["4"])
            let sockets = found.filter { $0.value.hasPrefix("socket:") }.keys
            #expect(Set(sockets) == ["3", "4", "20", "21"])
            #expect(Processes.commandLine(Int32(pid)).contains("n=20"))
        }
    }

    @Test("many sockets and a channel do not get into each other's way", arguments: [1, 11, 12, 13, 40, 64])
    func channelBesides(count: Int) throws {
        try withHome { home in
            let app = try home.node(
                "api",
                """
                const net = require('net');
                const names = process.env.LISTEN_FDNAMES.split(':');
                const copy = +process.env['HEARTH_FD_' + names.at(-1).toUpperCase()];
                const open = [...new Set([3, 3 + names.length - 1, copy])];
                let left = open.length;
                for (const fd of open) net.createServer().listen({fd}, () => { if (--left === 0) process.send('ready'); });
                process.on('message', message => { note(message); process.exit(0); });
                require('child_process').execSync('ls -l /proc/self/fd > child');
                """)
            var listening = app.waitingForReady(600_000).stoppedByMessage()
            listening.listen = (0..<count).map {
                ListenSpec(name: ListenSpec.usualName(at: $0), address: .tcp(host: "127.0.0.1", port: 0))
            }
            try home.start(listening)
            #expect(try home.instance("api").reason.contains("without 'ready'") == false)
            // The copies alone are there for a child of Node; the numbers below 3 are its own.
            let inherited = home.read("child").split(separator: "\n").filter { line in
                let words = line.split(separator: " ")
                guard let arrow = words.firstIndex(of: "->"), arrow > 0, let number = Int(words[arrow - 1]) else {
                    return false
                }
                return number > 2 && line.contains("socket:[")
            }
            #expect(inherited.count == count, "\(inherited)")
            try home.killBoth()
            try home.up()
            try home.act(.stop, "api")
            #expect(home.notes == (count > 12 ? [] : ["shutdown 0"]))
        }
    }
}

extension Home {
    /// The descriptions on disk.
    var descriptions: String {
        let directories = (try? FileManager.default.contentsOfDirectory(atPath: paths.run)) ?? []
        return directories.map { read("\(paths.run)/\($0)/sockets.json") }.joined()
    }
}
