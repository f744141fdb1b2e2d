import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("The channel between an app and Hearth", .waiting)
struct ChannelTests {
    /// Ends by the message alone, a while after it.
    private static let polite = """
        process.on('SIGTERM', () => note('signal'));
        process.on('message', message => {
            note(message);
            if (message === 'shutdown') setTimeout(() => { note('bye'); process.exit(0); }, 50);
        });
        """

    @Test("shutdown_with_message: the app gets the message and no signal, and ends in its own time")
    func shutdown() throws {
        try withHome { home in
            try home.start(home.node("api", Self.polite).stoppedByMessage())
            try home.letNodeListen("api")
            try home.act(.stop, "api")
            #expect(home.notes == ["shutdown 0", "bye 0"])
            let exit = try #require(try home.instance("api").lastExit)
            #expect(exit.code == 0 && exit.cause == .ours)
        }
    }

    @Test("the message reaches the app through the next hearthd, after a kill and after an upgrade")
    func shutdownAfterAdoption() throws {
        try withHome { home in
            try home.start(home.node("api", Self.polite).stoppedByMessage())
            try home.letNodeListen("api")
            try home.withoutDaemon {}
            try home.act(.restart, "api")
            #expect(home.notes == ["shutdown 0", "bye 0"])
            try home.letNodeListen("api")
            _ = try home.upgrade()
            try home.act(.stop, "api")
            #expect(home.notes == ["shutdown 0", "bye 0", "shutdown 0", "bye 0"])
        }
    }

    @Test("the channel survives the keeper: the next one is given it")
    func shutdownAfterKeeper() throws {
        try withHome { home in
            try home.start(home.node("api", Self.polite).stoppedByMessage())
            try home.letNodeListen("api")
            let keeper = try #require(home.keeperPids.first)
            kill(keeper, SIGKILL)
            try home.eventually("another keeper is attached") {
                let present = try home.hello().keeperPid
                return present != nil && present != keeper
            }
            try home.withoutDaemon {}
            try home.act(.stop, "api")
            #expect(home.notes == ["shutdown 0", "bye 0"])
        }
    }

    @Test("the channel survives the death of both: the app holds Hearth's end")
    func shutdownAfterBoth() throws {
        try withHome { home in
            try home.start(home.node("api", Self.polite).stoppedByMessage())
            try home.letNodeListen("api")
            let late = try home.node("late", "when('go', () => process.send('ready', () => note('sent')));")
            try home.beginStart(late.waitingForReady(600_000))
            try home.killBoth()
            try home.write("", to: "go")
            try home.eventually("it was said") { home.notes == ["sent 0"] }
            try home.up()
            try home.eventually("it was heard") { try home.instance("late").status == .online }
            #expect(try home.instance("late").restarts == 0)
            try home.act(.stop, "api")
            #expect(home.notes == ["sent 0", "shutdown 0", "bye 0"])
        }
    }

    @Test("what an app opened itself under the number is not taken for the channel")
    func foreignDescriptor() throws {
        try withHome { home in
            let app = try home.python(
                "own",
                """
                import socket
                os.close(4)
                ours, theirs = socket.socketpair()
                os.dup2(ours.fileno(), 4)
                theirs.sendall(b'"ready"\\n')
                open("own.up", "w").close()
                while not os.path.exists("go"): time.sleep(0.01)
                open("left", "wb").write(ours.recv(100))
                """
            ).stoppedByMessage()
            try home.start(app)
            try home.eventually("it has a pair of its own") { home.exists("own.up") }
            let pid = try home.pid("own")
            try home.killBoth()
            try home.up()
            #expect(try home.pid("own") == pid)
            try home.write("", to: "go")
            try home.eventually("nothing was taken from it") { home.read("left") == "\"ready\"\n" }
        }
    }

    @Test("who has closed the channel gets the signal; who ignores the message is killed in time")
    func withoutAnswer() throws {
        try withHome { home in
            let closed = try home.python(
                "closed",
                """
                def end(*_):
                    open("signalled", "w").close()
                    sys.exit(0)
                signal.signal(signal.SIGTERM, end)
                os.close(3)
                open("closed", "w").close()
                """
            ).stoppedByMessage()
            try home.start(closed)
            try home.eventually("it has closed its end") { home.exists("closed") }
            try home.act(.stop, "closed")
            #expect(home.exists("signalled"))

            try home.start(home.node("deaf", "", killTimeout: Milliseconds(300)).stoppedByMessage())
            try home.letNodeListen("deaf")
            try home.act(.stop, "deaf")
            #expect(try home.instance("deaf").reason.contains("so it was killed"))
        }
    }

    @Test("an app that knows nothing of Hearth never notices that hearthd died, nor that the keeper did")
    func noDisconnect() throws {
        try withHome { home in
            let app = try home.node(
                "api",
                """
                let sent = 0;
                note(process.connected ? 'connected' : 'not connected');
                setInterval(() => {
                    process.send({count: sent, filler: 'x'.repeat(2000)}, error => { if (error) note('error'); });
                    fs.writeFileSync('sent', String(++sent));
                }, 1);
                """)
            try home.start(app)
            let sent = { Int(home.read("sent")) ?? 0 }
            let sendsOn = {
                let former = sent()
                // More than the socket holds: the rest waits in the app.
                try home.eventually("it goes on sending", within: 60) { sent() > former + 400 }
            }
            try sendsOn()
            let pid = try home.pid("api")
            try home.withoutDaemon { try sendsOn() }
            try sendsOn()
            try home.killBoth()
            try sendsOn()
            try home.up()
            try sendsOn()
            #expect(try home.pid("api") == pid)
            #expect(home.notes == ["connected 0"])
        }
    }

    @Test("100 MB and a line without end do not make hearthd grow, nor keep it from answering")
    func flood() throws {
        try withHome { home in
            try home.start(home.sleeper("other"))
            let daemon = try home.hello().pid
            let before = try #require(Self.peak(of: daemon))
            let app = try home.python(
                "flood",
                """
                os.write(3, b'"ready"\\n')
                line = b'{"filler":"' + b"x" * 65000 + b'"}\\n'
                for _ in range(1600): os.write(3, line)
                block = b"x" * 65536
                for _ in range(160): os.write(3, block)
                os.write(3, b"\\n")
                open("done", "w").close()
                """
            ).waitingForReady(30_000)
            try home.start(app)
            var longest = Duration.zero
            try home.eventually("all was written", within: 60) {
                let begun = ContinuousClock.now
                _ = try home.list()
                longest = max(longest, ContinuousClock.now - begun)
                return home.exists("done")
            }
            report("list while an app floods its channel, longest", longest)
            #expect(longest < .seconds(5))
            let grown = try #require(Self.peak(of: daemon)) - before
            #expect(grown < 24 << 10, "hearthd grew by \(grown) KiB")
            try home.eventually("the app is named") {
                home.log.contains("flood (1): channel: wrote a message of more than 1 MiB")
            }
            #expect(home.log.components(separatedBy: ": channel: ").count == 2)
        }
    }

    /// The most memory it ever had, in KiB.
    private static func peak(of pid: Int32) -> Int? {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
    }
}

extension Home {
    fileprivate func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }

    /// A message that comes before the listener is there waits for it, but a signal would not: so that nobody takes the
    /// one for the other, Node has to be up.
    fileprivate func letNodeListen(_ name: String) throws {
        let pid = try pid(name)
        try eventually("the script of '\(name)' has run") { exists("\(name).up.\(pid)") }
    }
}
