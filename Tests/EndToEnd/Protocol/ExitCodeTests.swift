import Control
import Foundation
import Glibc
import Model
import Records
import TestSupport
import Testing

@Suite("Exit codes: what a script can tell apart, in bounded time", .waiting)
struct ExitCodeTests {
    /// Commands that only look, with a word that their answer must hold.
    private static let looks = [
        (["list"], "web"), (["list", "--json"], "\"web\""), (["show", "web"], "restart policy"),
        (["show", "web", "--json"], "\"processes\""), (["why", "web"], "web (id 0)"),
        (["why", "web", "--json"], "\"cause\""),
        (["pid", "web"], "\n"),
    ]

    private func run(_ home: Home, _ words: [String], _ code: Int32, atMost seconds: Double = 12) throws
        -> CommandResult
    {
        let begun = ContinuousClock.now
        let result = try home.hearth(words)
        #expect(result.code == code, "\(words): \(result.code) \(result.errors)")
        #expect(ContinuousClock.now - begun < .seconds(seconds), "\(words)")
        return result
    }

    @Test("3, no daemon: list, show, why and logs answer from records and /proc, and say so")
    func noDaemon() throws {
        try withHome { home in
            try home.start(home.shell("web", "echo from the app; exec sleep 100000"))
            let pid = try home.pid("web")
            try home.eventually("it is in the table on disk") {
                try home.hearth("logs", "web", "--nostream").output.contains("from the app")
            }
            try home.killPair()
            for (words, expected) in Self.looks {
                let result = try run(home, words, 3)
                #expect(result.output.contains(expected), "\(words): \(result.output)")
                #expect(
                    result.errors.contains("no daemon") && result.errors.contains("records"),
                    "\(words): \(result.errors)")
            }
            // Not only that it was there: that it still runs, and as what.
            let row = try JSON(try run(home, ["list", "--json"], 3).output)[0]
            #expect(row["pid"].int == Int(pid) && row["status"].string == "online" && (row["memoryBytes"].int ?? 0) > 0)
            #expect(try home.hearth("logs", "web", "--nostream").output.contains("from the app"))
            for words in [["ping"], ["events"], ["upgrade"], ["daemon", "detach"]] { _ = try run(home, words, 3) }
            // One that ended meanwhile is not said to run.
            kill(pid, SIGKILL)
            try home.eventually("it is gone") { !Processes.isRunning(pid) }
            let ended = try JSON(try run(home, ["list", "--json"], 3).output)[0]
            #expect(ended["pid"].isNull && ended["reason"].string?.contains("while no daemon") == true)
            // Looking starts nothing.
            #expect(home.daemonPids.isEmpty)
        }
    }

    @Test("3 and 4 in an empty home: nothing is made by looking")
    func emptyHome() throws {
        try withHome(starting: false) { home in
            for words in [["list"], ["list", "--json"], ["ping"], ["why"]] { _ = try run(home, words, 3) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: home.path).isEmpty)
        }
    }

    @Test(
        "4, hearthd is stopped, with its keeper or without: answers from records, in bounded time",
        arguments: [true, false])
    func stopped(keeperToo: Bool) throws {
        try withHome { home in
            try home.start(home.sleeper("web"))
            let (pid, hello) = (try home.pid("web"), try home.hello())
            if keeperToo { kill(try #require(hello.keeperPid), SIGSTOP) }
            kill(hello.pid, SIGSTOP)
            for (words, expected) in keeperToo ? Self.looks : Array(Self.looks.prefix(1)) {
                let result = try run(home, words + ["--timeout", "300"], 4)
                #expect(result.output.contains(expected), "\(words): \(result.output)")
                #expect(
                    result.errors.contains("does not answer") && result.errors.contains("records"), "\(result.errors)")
                #expect(result.errors.contains("pid \(hello.pid)"), "\(result.errors)")
            }
            let row = try JSON(try run(home, ["list", "--json", "--timeout", "300"], 4).output)[0]
            #expect(row["pid"].int == Int(pid) && row["status"].string == "online")
            for words in [
                ["stop", "web"], ["restart", "web"], ["start", "/bin/sleep"], ["ping"], ["save"], ["kill"], ["up"],
            ] {
                let result = try run(home, words + ["--timeout", "300"], 4)
                #expect(result.errors.contains("not answer"), "\(words): \(result.errors)")
            }
            kill(hello.pid, SIGCONT)
            if let keeper = hello.keeperPid { kill(keeper, SIGCONT) }
            // None of them was done behind anybody's back.
            try home.eventually("it answers again") { try home.hello(timeout: 1000).ready }
            #expect(try home.list().map(\.pid) == [pid])
        }
    }

    @Test("6, a daemon of another protocol; and what listens there but is no hearthd")
    func otherVersion() throws {
        try withHome(starting: false) { home in
            try home.write(Self.server, to: "server.py")
            let hello = #"{"parameters":{"version":"9.9.9","protocol":2,"pid":1,"home":"/","ready":true,"uptimeMs":1}}"#
            let unknown = #"{"error":"org.varlink.service.MethodNotFound","parameters":{"method":"Hello"}}"#
            for (answer, code, words) in [
                (hello, Int32(6), ["9.9.9", "version 2"]), (unknown, 6, ["Hello"]),
                ("HTTP/1.1 400 Bad Request", 6, ["hearthd"]),
                (#"{"parameters":{}}"#, 6, ["hearthd"]), ("", 4, ["answer"]),
            ] {
                let server = try home.startProcess(
                    "/usr/bin/env", ["python3", home.file("server.py"), home.paths.controlSocket, answer])
                try home.eventually("it listens") { home.read("listens") == String(server) }
                for words in [["list"], ["stop", "all"], ["ping"]] {
                    let result = try run(home, words + ["--timeout", "500"], code)
                    #expect(!result.errors.isEmpty)
                }
                let result = try run(home, ["ping", "--timeout", "500"], code)
                for word in words { #expect(result.errors.contains(word), "'\(word)' in \(result.errors)") }
                kill(server, SIGKILL)
                _ = try home.exitCode(of: server)
                unlink(home.paths.controlSocket)
            }
            #expect(home.daemonPids.isEmpty)
        }
    }

    // Answers every message with the same text.
    private static let server = """
        import os, socket, sys, threading
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(sys.argv[1])
        listener.listen(20)
        home = os.path.dirname(sys.argv[1])
        with open(home + "/listens.new", "w") as file:
            file.write(str(os.getpid()))
        os.rename(home + "/listens.new", home + "/listens")
        def serve(client):
            while True:
                data = client.recv(65536)
                if not data:
                    return
                if sys.argv[2]:
                    for _ in range(data.count(b"\\0")):
                        client.sendall(sys.argv[2].encode() + b"\\0")
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
        """
}

extension Home {
    /// SIGKILL to keeper and daemon, so that neither sees the other die.
    func killPair() throws {
        for pid in keeperPids + daemonPids { kill(pid, SIGSTOP) }
        for pid in keeperPids + daemonPids { kill(pid, SIGKILL) }
        try eventually("keeper and daemon are gone") { keeperPids.isEmpty && daemonPids.isEmpty }
    }
}
