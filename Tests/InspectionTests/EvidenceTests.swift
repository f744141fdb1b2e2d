import Glibc
import Model
import Testing

@testable import Platform

@Suite("Evidence of the OOM killer")
struct OOMEvidenceTests {
    private let log = """
        <6>[    1.000000] Linux version 6.18
        <3>[  100.250000] Out of memory: Killed process 123 (node) total-vm:1234kB, anon-rss:99kB, UID:0 pgtables:64kB
        <6>[  100.300000] oom_reaper: reaped process 123 (node), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB
        <3>[  200.000000] Memory cgroup out of memory: Killed process 1234 (a b) c) total-vm:1kB
        [  300.000000] Killed process 77 (old kernel) total-vm:5kB, anon-rss:1kB, file-rss:0kB
        <14>[  400.000000] Out of memory: Killed process 666 (forged) total-vm:1kB
        <6>[  401.000000] audit: cmd=Killed process 667 (forged)
        Out of memory: Killed process 9 (bare) total-vm:1kB
        <3>[  500.000000] Out of memory: Killed process 123 (node) total-vm:again
        """

    private func sentence(_ pid: Int32, notBefore: Double? = nil, in text: String? = nil) -> String? {
        Array((text ?? log).utf8).withUnsafeBytes { OOMEvidence.sentence(in: $0, pid: pid, notBefore: notBefore) }
    }

    @Test("recorded kernel lines are found by pid and told without their time stamp")
    func lines() {
        #expect(sentence(123) == "Out of memory: Killed process 123 (node) total-vm:again")
        #expect(sentence(1234) == "Memory cgroup out of memory: Killed process 1234 (a b) c) total-vm:1kB")
        #expect(sentence(77) == "Killed process 77 (old kernel) total-vm:5kB, anon-rss:1kB, file-rss:0kB")
        #expect(sentence(9) == "Out of memory: Killed process 9 (bare) total-vm:1kB")
        #expect(sentence(12) == nil)
        #expect(sentence(666) == nil, "a program's own line")
        #expect(sentence(667) == nil)
        #expect(sentence(0) == nil)
        #expect(sentence(-123) == nil)
    }

    @Test("a line older than the process is about a former owner of its pid")
    func age() {
        #expect(sentence(123, notBefore: 400) != nil)
        #expect(sentence(123, notBefore: 600) == nil)
        #expect(sentence(1234, notBefore: 150) != nil)
        #expect(sentence(1234, notBefore: 250) == nil)
    }

    @Test("a record of /dev/kmsg is read like a line of syslog")
    func record() {
        let record = "3,501,200000000,-;Memory cgroup out of memory: Killed process 5 (x) total-vm:1kB\n SUBSYSTEM=y\n"
        let line = Array(record.utf8).withUnsafeBytes { OOMEvidence.syslogLine(ofRecord: $0) } ?? []
        let text = String(decoding: line, as: UTF8.self)
        #expect(text == "<3>[200.0] Memory cgroup out of memory: Killed process 5 (x) total-vm:1kB\n")
        #expect(sentence(5, in: text) == "Memory cgroup out of memory: Killed process 5 (x) total-vm:1kB")
        for damaged in ["", ";", "3,;", "3,501;x", "x,1,2,-;y"] {
            #expect(Array(damaged.utf8).withUnsafeBytes { OOMEvidence.syslogLine(ofRecord: $0) } == nil)
        }
    }

    @Test("the real log can be asked, and says nothing of this process")
    func real() throws {
        #expect(OOMEvidence.kernelKill(try #require(ProcessIdentity.current(of: getpid()))) == nil)
    }
}

@Suite("Address in use")
struct AddressInUseTests {
    @Test(
        "runtimes' own words",
        arguments: [
            ("Error: listen EADDRINUSE: address already in use :::3000\n    at Server.x (node:net:1908:16)", 3000),
            ("Error: listen EADDRINUSE: address already in use 127.0.0.1:3000", 3000),
            ("  code: 'EADDRINUSE',\n  errno: -98,\n  syscall: 'listen',\n  address: '::',\n  port: 3999\n}", 3999),
            ("[ERROR] Connection in use: ('127.0.0.1', 8000)\n[ERROR] Retrying in 1 second.", 8000),
            ("[Errno 98] error while attempting to bind on address ('::', 8001, 0, 0): address already in use", 8001),
            ("[Tue Oct  7 12:00:00 2025] Failed to listen on localhost:8000 (reason: Address already in use)", 8000),
            ("2025/10/07 12:00:00 listen tcp :8080: bind: address already in use\nexit status 1", 8080),
            ("listen tcp4 0.0.0.0:8080: bind: address already in use", 8080),
            ("listen tcp [::1]:8080: bind: address already in use", 8080),
            ("`bind': Address already in use - bind(2) for \"127.0.0.1\" port 3000 (Errno::EADDRINUSE)", 3000),
            ("Address already in use - bind(2) for [::]:3001 (Errno::EADDRINUSE)", 3001),
            ("2025/10/07 12:00:00 [emerg] 12#12: bind() to 0.0.0.0:80 failed (98: Address already in use)", 80),
            ("nginx: [emerg] bind() to [::]:80 failed (98: Address already in use)", 80),
            ("Failed to bind to 0.0.0.0/0.0.0.0:9090\njava.net.BindException: Address already in use", 9090),
            ("Failed to bind to address http://127.0.0.1:5000: address already in use.", 5000),
            ("\u{1B}[31mError: Port 5173 is already in use\u{1B}[0m", 5173),
            ("Web server failed to start. Port 8080 was already in use.", 8080),
            ("Address already in use\nPort 5000 is in use by another program. Either identify", 5000),
            ("first: address already in use :::1\nlast: address already in use :::2", 2),
        ])
    func found(text: String, port: Int) {
        #expect(AddressInUse.find(in: Array(text.utf8)) == AddressInUse(port: port))
        #expect(
            AddressInUse.find(in: text.split(separator: "\n").map { Array($0.utf8) }) == AddressInUse(port: port))
    }

    @Test(
        "found without a port that could be believed",
        arguments: [
            "OSError: [Errno 98] Address already in use",
            "java.net.BindException: Address already in use",
            "12:30:59 server.js:12:5 address already in use",
            "Error: listen EADDRINUSE: address already in use /tmp/app.sock",
            "thread main panicked at src/main.rs:5: Os { code: 98, kind: AddrInUse, message: \"Address already in use\" }",
            "support 24 hours: address already in use :::99999",
        ])
    func withoutPort(text: String) {
        #expect(AddressInUse.find(in: Array(text.utf8)) == AddressInUse(port: nil))
    }

    @Test(
        "other words are not taken for it",
        arguments: [
            "", "\n\n", "listening on :3000", "Port 3000 is in use, trying 3001 instead.",
            "Error: connect ECONNREFUSED 127.0.0.1:5432", "transport 3 in order",
        ])
    func notFound(text: String) {
        #expect(AddressInUse.find(in: Array(text.utf8)) == nil)
    }

    @Test("bytes of any kind do not trap")
    func bytes() {
        let words = Array("\u{1B}[1mport: address already in use ('x', :".utf8)
        for _ in 0..<2000 {
            let noise = (0..<Int.random(in: 0...80)).map { _ in UInt8.random(in: 0...255) }
            _ = AddressInUse.find(in: noise + words + noise)
        }
    }

    @Test("what Python, Node and PHP really say here")
    func real() throws {
        let scratch = try Scratch()
        let listening = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); "
        let holder = try Child.python(
            listening + "import sys, time; open(sys.argv[1], 'w').write(f'{s.getsockname()[1]}\\n'); time.sleep(100)",
            arguments: [scratch.file("port")])
        defer { _ = holder }
        let port = try scratch.numbers(in: "port")[0]
        let programs = [
            ("/usr/bin/python3", "python3 -m http.server --bind 127.0.0.1 \(port)", false),
            ("/usr/bin/node", "node -e 'require(\"net\").createServer().listen(\(port), \"127.0.0.1\")'", true),
            ("/usr/bin/php", "php -S 127.0.0.1:\(port)", true),
        ]
        for (path, command, saysPort) in programs where access(path, X_OK) == 0 {
            let child = try Child.shell("\(command) 2> \(scratch.file("err"))")
            #expect(child.wait() != 0)
            let found = AddressInUse.find(in: contents(scratch.file("err")))
            #expect(found == AddressInUse(port: saysPort ? Int(port) : nil), "\(command)")
        }
    }
}
