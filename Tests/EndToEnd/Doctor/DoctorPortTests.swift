import Control
import Foundation
import Glibc
import Model
import Records
import TestSupport
import Testing

@Suite("doctor: ports and the list", .waiting)
struct DoctorPortTests {
    private static let listen = """
        import socket, sys, time
        listener = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET)
        if ':' in sys.argv[1]: listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(sys.argv[3]))
        listener.bind((sys.argv[1], int(sys.argv[2])))
        listener.listen(5)
        print(listener.getsockname()[1], flush=True)
        time.sleep(100000)
        """

    /// A process outside of Hearth that listens, and its port.
    private func stranger(_ home: Home, _ address: String, port: Int = 0, only6: Bool = false) throws -> (Int32, Int) {
        let output = home.file("stranger-\(UUID().uuidString.prefix(6))")
        let pid = try home.startProcess(
            "/usr/bin/env", ["python3", "-c", Self.listen, address, "\(port)", only6 ? "1" : "0"], output: output)
        var found: Int?
        try home.eventually("the stranger listens") {
            found = Int(home.read(output).trimmingCharacters(in: .whitespacesAndNewlines))
            return found != nil
        }
        return (pid, try #require(found))
    }

    private func end(_ pid: Int32, _ home: Home) throws {
        kill(pid, SIGKILL)
        _ = try home.exitCode(of: pid)
    }

    @Test("an app's port is held by a stranger: who, since when, started by whom; also where it is [::]")
    func held() throws {
        try withHome { home in
            let addresses = access("/proc/net/if_inet6", R_OK) == 0 ? ["127.0.0.1", "::"] : ["127.0.0.1"]
            for address in addresses {
                let (pid, port) = try stranger(home, address)
                var app = home.sleeper("web")
                app.expectedPort = port
                try home.start(app)
                let examination = try home.doctor()
                #expect(examination.faults == ["port-held"], "\(examination.output)")
                let text = examination.text(of: "port-held")
                #expect(text.contains("pid \(pid)") && text.contains("python3"), "\(text)")
                #expect(text.contains("kill \(pid)"), "\(text)")
                #expect(text.contains("127.0.0.1 included") == (address == "::"), "\(text)")
                try end(pid, home)
                #expect(try home.doctor().faults == [])
                try home.act(.delete, "web")
            }
        }
    }

    @Test("an orphan of ours holds the port: what is left of an app that is in no list any more")
    func orphan() throws {
        try withHome { home in
            let port = try freePort()
            let script = try home.script("listen.py", Self.listen)
            try home.start(home.app("old", script, ["127.0.0.1", "\(port)"], interpreter: "python3"))
            let pid = try home.pid("old")
            try home.eventually("it listens") { try !home.instance("old").ports.isEmpty }
            try home.killBoth()
            try FileManager.default.removeItem(atPath: home.paths.base + "/state")
            try FileManager.default.removeItem(atPath: home.paths.run)
            try home.up()
            var app = home.sleeper("new")
            app.expectedPort = port
            try home.start(app)
            let examination = try home.doctor()
            #expect(examination.faults.contains("port-orphan"), "\(examination.output)")
            #expect(examination.text(of: "port-orphan").contains("pid \(pid)"), "\(examination.output)")
            #expect(examination.text(of: "process-unlisted").contains("pid \(pid)"), "\(examination.output)")
            kill(pid, SIGKILL)
            try home.eventually("it is gone") { !Processes.isRunning(pid) }
            let after = try home.doctor()
            #expect(after.faults.isDisjoint(with: ["port-orphan", "process-unlisted"]), "\(after.output)")
        }
    }

    @Test(
        "IPv4 is ours and IPv6 somebody else's", .enabled(if: access("/proc/net/if_inet6", R_OK) == 0, "no IPv6 here"))
    func split() throws {
        try withHome { home in
            try home.start(home.responder("web"))
            let port = Int(try home.port(of: "web"))
            try home.eventually("the port is seen") { try !home.instance("web").ports.isEmpty }
            #expect(try home.doctor().faults == [])
            let (pid, _) = try stranger(home, "::1", port: port, only6: true)
            let examination = try home.doctor()
            #expect(examination.faults == ["port-split"], "\(examination.output)")
            #expect(examination.text(of: "port-split").contains("[::1]:\(port), pid \(pid)"), "\(examination.output)")
            try end(pid, home)
            #expect(try home.doctor().faults == [])
        }
    }

    @Test("HOSTNAME came along from the shell")
    func hostname() throws {
        try withHome { home in
            var buffer = [CChar](repeating: 0, count: 256)
            gethostname(&buffer, 255)
            let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let script = try home.write("setInterval(() => {}, 1000)\n", to: "next.js")
            var app = home.app("next", script, interpreter: "node")
            app.environment["HOSTNAME"] = name
            try home.start(app)
            let examination = try home.doctor()
            #expect(examination.faults == ["hostname-inherited"], "\(examination.output)")
            #expect(examination.text(of: "hostname-inherited").contains("HOSTNAME=\(name)"))
            try home.act(.delete, "next")
            app.environment["HOSTNAME"] = "127.0.0.1"
            try home.start(app)
            #expect(try home.doctor().faults == [])
        }
    }

    @Test("a list that was set aside is named until it is removed")
    func setAside() throws {
        try withHome { home in
            let path = home.paths.desiredState + ".corrupt-17"
            try home.write("{", to: path)
            let examination = try home.doctor()
            #expect(examination.faults == ["list-set-aside"], "\(examination.output)")
            #expect(examination.text(of: "list-set-aside").contains("rm \(path)"))
            unlink(path)
            #expect(try home.doctor().faults == [])
        }
    }

    @Test("a list that cannot be read, and what the daemon makes of it")
    func corrupt() throws {
        try withHome { home in
            try home.start(home.sleeper("one"))
            try home.detach()
            for path in [home.paths.desiredState, home.paths.desiredStateBackup] {
                try home.write("{\"version\"", to: path)
            }
            let examination = try home.doctor()
            #expect(examination.faults.contains("list-corrupt"), "\(examination.output)")
            try home.up()
            let after = try home.doctor()
            #expect(!after.faults.contains("list-corrupt"), "\(after.output)")
            #expect(after.faults.isSuperset(of: ["list-set-aside", "process-unlisted"]), "\(after.output)")
        }
    }

    @Test("two apps want one port")
    func twice() throws {
        try withHome { home in
            let port = try freePort()
            for name in ["one", "two"] {
                var app = home.sleeper(name)
                app.expectedPort = port
                try home.start(app)
            }
            let examination = try home.doctor()
            #expect(examination.faults == ["port-twice"], "\(examination.output)")
            try home.act(.delete, "two")
            #expect(try home.doctor().faults == [])
        }
    }

    @Test("a list of another machine is named")
    func otherMachine() throws {
        try withHome { home in
            try home.start(home.sleeper("one"))
            try home.detach()
            let text = home.read(home.paths.desiredState)
            let own = try #require(try JSON(text)["machine"].string)
            let foreign = String(own.reversed()) + "0"
            try home.write(text.replacingOccurrences(of: own, with: foreign), to: home.paths.desiredState)
            let examination = try home.doctor()
            #expect(examination.faults.contains("list-of-another-machine"), "\(examination.output)")
            try home.write(text, to: home.paths.desiredState)
            try home.up()
            #expect(try home.doctor().faults == [])
        }
    }

    @Test("a list of PM2's that was never saved, and one that was saved before the last change")
    func dump() throws {
        try withPM2 { pm2 in
            try pm2.write("sleep 100000\n", to: "app.sh")
            #expect(try pm2.sh("pm2 start app.sh --name one").code == 0)
            #expect(try pm2.home.doctor().faults == ["dump-missing"])
            #expect(try pm2.sh("pm2 save").code == 0)
            #expect(try pm2.home.doctor().faults == [])
            #expect(try pm2.sh("pm2 start app.sh --name two").code == 0)
            let old = try pm2.home.doctor()
            #expect(old.faults == ["dump-old"], "\(old.output)")
            #expect(old.text(of: "dump-old").contains("not in it: two"))
            #expect(try pm2.sh("pm2 save").code == 0)
            #expect(try pm2.home.doctor().faults == [])
        }
    }
}
