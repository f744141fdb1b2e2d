import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("wait_ready: an app says when it is online", .waiting)
struct ReadinessTests {
    private static let readyLater = "setTimeout(() => { note('ready'); process.send('ready'); }, 200);"

    @Test("start and restart return when the app has said that it is ready, not before")
    func ready() throws {
        try withHome { home in
            let reply = try home.start(home.node("api", Self.readyLater).waitingForReady(30_000))
            #expect(home.notes == ["ready 0"])
            #expect(reply.instances.first?.status == .online)
            try home.act(.restart, "api")
            #expect(home.notes == ["ready 0", "ready 0"])
            let instance = try home.instance("api")
            #expect(instance.status == .online && !instance.reason.contains("without"))
        }
    }

    @Test("an app that never says so is declared online when its time is over, and the reason tells it")
    func timeout() throws {
        try withHome { home in
            let reply = try home.start(home.node("api", "").waitingForReady(700))
            let instance = try #require(reply.instances.first)
            #expect(instance.status == .online)
            #expect(instance.reason.contains("declared online after 700 ms without 'ready'"))
        }
    }

    @Test("an app that ends before it is ready has crashed like any other; its next try counts anew")
    func crash() throws {
        try withHome { home in
            var app = try home.node(
                "api",
                """
                note('try');
                if (fs.readFileSync('notes', 'utf8').split('try').length < 3) process.exit(3);
                setTimeout(() => process.send('ready'), 100);
                """
            ).waitingForReady(30_000)
            app.restart = RestartPolicy()
            let instance = try #require(try home.start(app).instances.first)
            #expect(instance.status == .online && instance.restarts == 1)
            #expect(instance.lastExit?.code == 3)

            let gone = try home.node("gone", "process.exit(4);").waitingForReady(30_000)
            #expect(try home.start(gone).instances.first?.status == .stopped)
        }
    }

    @Test("of several instances each is started when the one before it is ready")
    func inTurn() throws {
        try withHome { home in
            var app = try home.node("api", "note('start');\n" + Self.readyLater).waitingForReady(30_000)
            app.instances = 3
            let reply = try home.start(app)
            #expect(reply.instances.allSatisfy { $0.status == .online } && reply.instances.count == 3)
            #expect(home.notes == ["start 0", "ready 0", "start 1", "ready 1", "start 2", "ready 2"])
        }
    }

    @Test("what an app says while no hearthd lives is heard by the next one")
    func saidToNobody() throws {
        try withHome { home in
            let app = try home.node(
                "api", "when('go', () => process.send('ready', () => note('sent')));"
            ).waitingForReady(600_000)
            try home.beginStart(app)
            #expect(try home.instance("api").status == .launching)
            let pid = try home.pid("api")
            try home.withoutDaemon {
                try home.write("", to: "go")
                try home.eventually("it was said") { home.notes == ["sent 0"] }
            }
            try home.eventually("it was heard") { try home.instance("api").status == .online }
            let instance = try home.instance("api")
            #expect(instance.pid == pid && instance.restarts == 0 && !instance.reason.contains("without"))
            #expect(home.notes == ["sent 0"])
        }
    }

    @Test("an app that was launching when hearthd died is waited for by the next one, and its time is not given anew")
    func adopted() throws {
        try withHome { home in
            try home.beginStart(home.node("late", "when('go', () => process.send('ready'));").waitingForReady(600_000))
            try home.beginStart(home.node("never", "").waitingForReady(3000))
            let begun = ContinuousClock.now
            try home.withoutDaemon {}
            #expect(try home.instance("late").status == .launching)
            try home.eventually("the other one's time is over") { try home.instance("never").status == .online }
            #expect(ContinuousClock.now - begun < .seconds(20))
            #expect(try home.instance("never").reason.contains("without 'ready'"))
            try home.write("", to: "go")
            try home.eventually("it is online") { try home.instance("late").status == .online }
        }
    }

    @Test("any program can say it on descriptor 3, whatever it wrote before")
    func python() throws {
        try withHome { home in
            let app = try home.python(
                "py",
                """
                assert os.environ["NODE_CHANNEL_FD"] == "3"
                os.write(3, os.urandom(100000).replace(b"\\n", b" ") + b"\\n\\n\\x00\\xff{[\\n")
                os.write(3, b'{"type": "ready"}\\n"ready or not"\\n"rea')
                time.sleep(0.05)
                open("asked", "w").close()
                os.write(3, b'dy"\\n')
                """
            ).waitingForReady(60_000)
            #expect(try home.start(app).instances.first?.status == .online)
            #expect(FileManager.default.fileExists(atPath: home.file("asked")))
            #expect(!(try home.instance("py").reason.contains("without")))
        }
    }
}
