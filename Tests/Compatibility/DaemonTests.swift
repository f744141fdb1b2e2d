import Foundation
import Glibc
import PM2Format
import Records
import TestSupport
import Testing

@Suite("pm2: the daemon and its home")
struct DaemonTests {
    private static let spawned = ["[PM2] Spawning PM2 daemon with pm2_home={H}", "[PM2] PM2 Successfully daemonized"]

    @Test("any command starts a daemon, and says so where nobody parses its output")
    func spawning() throws {
        for (command, says) in [
            ("list", Self.spawned), ("ping", Self.spawned + ["{ msg: 'pong' }"]), ("jlist", ["[]"]),
            ("prettylist", ["[]"]),
            ("-s list", []),
            ("pid", [""]),
        ] {
            try withPM2 { pm2 in
                try pm2.check(Row("pm2 \(command)", says: says, table: command == "list"))
                let daemons = pm2.home.daemonPids
                #expect(daemons.count == 1, "\(command)")
                #expect(daemons.map(String.init) == [pm2.read(pm2.paths.pidFile)])
            }
        }
        try withPM2 { pm2 in
            try pm2.check([
                Row("pm2 list", table: true, environment: ["PM2_DISCRETE_MODE": "true"]),
                Row("pm2 -s kill"),
                Row("pm2 ping", environment: ["PM2_SILENT": "true"]),
            ])
        }
    }

    @Test("kill ends everything, forgets the list, and leaves the dump alone")
    func killing() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.sh("pm2 -s start app.sh --name api; pm2 -s save; pm2 -s start app.sh --name other -f")
            let pids = try pm2.list().map(\.pid)
            let dump = pm2.read(pm2.paths.pm2Dump)
            let stopped = ["[PM2] [v] All Applications Stopped", "[PM2] [v] PM2 Daemon Stopped"]
            let deleted = [
                "[PM2] Applying action deleteProcessId on app [all](ids: [ 0, 1 ])", "[PM2] [api](0) ✓",
                "[PM2] [other](1) ✓",
            ]
            try pm2.check(Row("pm2 kill", says: deleted + stopped))
            #expect(pids.allSatisfy { !Processes.isRunning($0) })
            #expect(pm2.home.daemonPids == [])
            // The keeper ends after the daemon that told it to.
            try pm2.home.eventually("the keeper ends") { pm2.home.keeperPids == [] }
            #expect(pm2.read(pm2.paths.pm2Dump) == dump)
            for file in ["pm2.pid", "rpc.sock", "pub.sock"] {
                #expect(!FileManager.default.fileExists(atPath: pm2.home.file(file)), "\(file) is gone")
            }
            // Without a daemon one is started first, as PM2 does.
            try pm2.check([Row("pm2 kill", says: Self.spawned + stopped), Row("pm2 jlist", says: ["[]"])])
        }
    }

    @Test("SIGTERM to the daemon saves the list and stops all")
    func termination() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.sh("pm2 -s start app.sh --name api; pm2 -s start app.sh --name off --no-autostart -f")
            let pid = try pm2.process("api").pid
            let daemon = try #require(pm2.home.daemonPids.first)
            kill(daemon, SIGTERM)
            try pm2.home.eventually("all is gone") {
                pm2.home.daemonPids.isEmpty && pm2.home.keeperPids.isEmpty && !Processes.isRunning(pid)
            }
            #expect(!FileManager.default.fileExists(atPath: pm2.paths.pidFile))
            try pm2.check([Row("pm2 jlist", says: ["[]"]), Row("pm2 resurrect", says: nil, table: true)])
            #expect(try pm2.list().map(\.name) == ["api", "off"])
            #expect(try pm2.list().map(\.status) == ["online", "stopped"])
        }
    }

    @Test("SIGKILL of the daemon leaves the apps alone, and the list as it was")
    func sudden() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.sh("pm2 -s start app.sh --name api -i 3; pm2 -s restart 1")
            let before = try pm2.list()
            let daemon = try #require(pm2.home.daemonPids.first)
            kill(daemon, SIGKILL)
            try pm2.check(Row("pm2 list", table: true))
            let after = try pm2.list()
            #expect(after.map(\.pid) == before.map(\.pid))
            #expect(after.map(\.restarts) == [0, 1, 0])
            #expect(after.allSatisfy { $0.status == "online" && Processes.isRunning($0.pid) })
            #expect(pm2.home.daemonPids != [daemon])
        }
    }

    @Test("PM2_HOME chooses the home, and has its own list")
    func otherHome() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            // Inside the home of the fixture, which so ends what runs there.
            let other = pm2.file("other")
            defer { _ = try? pm2.sh("pm2 kill", environment: ["PM2_HOME": other]) }
            try pm2.sh("pm2 -s ping")
            try pm2.check([
                Row(
                    "pm2 start app.sh --name there", says: ["[PM2] Spawning PM2 daemon with pm2_home={D}/other", "…"],
                    table: true, environment: ["PM2_HOME": other]),
                Row("pm2 id there", says: ["[]"]),
                Row("pm2 id there", says: ["[ 0 ]"], environment: ["PM2_HOME": other]),
                Row("cd / && pm2 id there", says: ["[ 0 ]"], environment: ["PM2_HOME": other + "/"]),
            ])
            #expect(FileManager.default.fileExists(atPath: other + "/pm2.pid"))
        }
    }

    @Test("a genuine PM2 on the home is named, and nothing is started beside it")
    func genuine() throws {
        try withPM2 { pm2 in
            try pm2.write(
                """
                const net = require('net')
                const home = process.argv[2]
                for (const name of ['rpc.sock', 'pub.sock']) net.createServer(() => {}).listen(home + '/' + name)

                """, to: "god.js")
            try FileManager.default.createDirectory(atPath: pm2.paths.home, withIntermediateDirectories: true)
            let node = try pm2.sh("command -v node").output.trimmingCharacters(in: .whitespacesAndNewlines)
            let pid = try pm2.home.startProcess(node, [pm2.file("god.js"), pm2.paths.home])
            try pm2.home.eventually("it listens") { FileManager.default.fileExists(atPath: pm2.home.file("pub.sock")) }
            for command in ["list", "jlist", "ping", "start app.sh", "kill", "resurrect"] {
                try pm2.check(
                    Row(
                        "pm2 \(command)", 1, says: nil,
                        errors: [
                            "[PM2][ERROR] A genuine PM2 daemon (pid \(pid)) manages {H}: *", "[PM2][ERROR] *",
                            "[PM2][ERROR] *",
                        ]))
            }
            #expect(pm2.home.daemonPids == [])
            #expect(Processes.isRunning(pid))
        }
    }

    @Test("a genuine pm2 that calls our daemon is told who that is")
    func foreignClient() throws {
        try withPM2 { pm2 in
            try pm2.write(
                """
                const net = require('net')
                const words = ['j:' + JSON.stringify({ type: 'call', method: 'ping', args: [{}] }), 's:1:0'].map(text => {
                  const body = Buffer.from(text), head = Buffer.alloc(4)
                  head.writeUInt32BE(body.length)
                  return Buffer.concat([head, body])
                })
                const socket = net.connect(process.argv[2])
                socket.write(Buffer.concat([Buffer.from([0x12]), ...words]))
                socket.on('data', data => { console.log(data.toString()); process.exit() })

                """, to: "client.js")
            try pm2.sh("pm2 -s ping")
            for socket in ["rpc.sock", "pub.sock"] where socket == "rpc.sock" {
                let answer = try pm2.sh("node client.js .pm2/\(socket)").output
                #expect(answer.contains("\"error\":\"Hearth manages the apps of"), "\(answer)")
                #expect(answer.contains("s:1:0"))
            }
        }
    }

    @Test("the daemon has PM2's title")
    func title() throws {
        try withPM2 { pm2 in
            try pm2.sh("pm2 -s ping")
            let daemon = try #require(pm2.home.daemonPids.first)
            #expect(Processes.commandLine(daemon).first == "PM2 v7.0.3: God Daemon (\(pm2.paths.home))")
        }
    }
}
