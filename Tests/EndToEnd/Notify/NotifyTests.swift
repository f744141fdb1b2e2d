import Control
import Foundation
import Glibc
import Model
import Records
import TestSupport
import Testing

@Suite("sd_notify: what an app says on its notification socket", .waiting)
struct NotifyTests {
    private static let hasSystemdNotify = access("/usr/bin/systemd-notify", X_OK) == 0

    @Test("start returns when the app has said READY=1; what it says of itself is shown")
    func ready() throws {
        try withHome { home in
            let app = try home.speaker(
                "api", "time.sleep(0.2); note('ready'); say('READY=1\\nSTATUS=serves \\x1b[31mred\\nMAINPID=1\\n')")
            let instance = try #require(try home.start(app.notifying()).instances.first)
            #expect(home.notes == ["ready"])
            #expect(instance.status == .online && !instance.reason.contains("without"))
            #expect(try home.instance("api").statusText == "serves  [31mred")
            let shown = try home.hearth("show", "api")
            #expect(shown.output.contains("serves  [31mred"))
            #expect(try home.hearth("list", "--json").output.contains("\"statusText\":\"serves  [31mred\""))
            try home.act(.stop, "api")
            #expect(try home.instance("api").statusText == nil)
        }
    }

    @Test("systemd-notify in a shell says it, from a process that is gone at once", .enabled(if: hasSystemdNotify))
    func systemdNotify() throws {
        try withHome { home in
            let app = home.shell(
                "sh", "systemd-notify --ready --status='from a shell' && echo said; while :; do sleep 1; done"
            ).notifying()
            #expect(try home.start(app).instances.first?.status == .online)
            try home.eventually("it was heard") { try home.instance("sh").statusText == "from a shell" }
            // It waits until what it sent was read (BARRIER=1), and fails when nobody does.
            try home.eventually("it came back") { home.read(home.paths.logs + "/sh-out.log") == "said\n" }
            #expect(!(try home.instance("sh").reason.contains("without")))
        }
    }

    @Test("children of the app speak for it, also from a session of their own")
    func children() throws {
        try withHome { home in
            for (name, kind) in [("child", "False"), ("session", "True")] {
                let app = try home.speaker(
                    name,
                    """
                    if len(sys.argv) > 1:
                        say("READY=1\\nSTATUS=" + sys.argv[1])
                        time.sleep(1000)
                    subprocess.Popen([sys.executable, sys.argv[0], "child"], start_new_session=\(kind))
                    """)
                #expect(try home.start(app.notifying()).instances.first?.status == .online)
                #expect(try home.instance(name).statusText == "child")
            }
        }
    }

    @Test("nobody else speaks for it; an event tells of the attempt")
    func strangers() throws {
        try withHome { home in
            try home.beginStart(home.speaker("victim", "wait('go'); say('READY=1')").notifying())
            let victim = try home.instance("victim")
            let address = "@hearth-\(home.paths.id)-\(victim.id)-\(victim.generation)"
            let stranger = try home.speaker(
                "stranger", "os.environ['NOTIFY_SOCKET'] = sys.argv[1]; say('READY=1\\nSTATUS=hacked'); note('said')")
            var app = stranger
            app.arguments = [address]
            try home.start(app)
            try home.eventually("it was said") { home.notes == ["said"] }
            try home.eventually("the attempt is told") { home.log.contains("which is no process of it") }
            let still = try home.instance("victim")
            #expect(still.status == .launching && still.statusText == nil)
            try home.write("", to: "go")
            try home.eventually("its own word counts") { try home.instance("victim").status == .online }
        }
    }

    @Test("an app that never says it counts as online when its time is over; one without the setting has no socket")
    func silent() throws {
        try withHome { home in
            let silent = try #require(try home.start(home.speaker("silent", "").notifying(500)).instances.first)
            #expect(silent.status == .online && silent.reason.contains("declared online after 500 ms"))
            try home.start(home.speaker("plain", "note(os.environ.get('NOTIFY_SOCKET'))"))
            try home.eventually("it looked") { home.notes == ["None"] }
        }
    }

    @Test("garbage, datagrams that are too long and a flood do no harm, and the app is named once")
    func garbage() throws {
        try withHome { home in
            let app = try home.speaker(
                "loud",
                """
                manager.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
                for data in [b"", b"\\0", b"READY=1\\0STATUS=x", os.urandom(3000), b"=" * 100, b"x" * 65536]:
                    say(data)
                say(b"STATUS=" + b"y" * 60000)
                read, write = os.pipe()
                say("nothing to keep", [read] * 250)
                say("FDSTORE=1\\nFDNAME=a:b", [read] * 3)
                for number in range(100000): say("STATUS=%d" % number)
                say("READY=1")
                """)
            let responder = try home.responder("web")
            try home.start(responder)
            #expect(try home.start(app.notifying()).instances.first?.status == .online)
            #expect(try home.instance("loud").statusText == "99999")
            try home.eventually("it is told") { home.log.contains("loud (1): notify:") }
            #expect(home.log.components(separatedBy: "loud (1): notify:").count == 2)
            #expect(try home.instance("web").restarts == 0)
        }
    }

    @Test("an app that says it while no hearthd lives is heard by the next one when it says it again")
    func daemonKilled() throws {
        try withHome { home in
            let app = try home.speaker(
                "api",
                """
                wait('go')
                while True:
                    try: say('READY=1\\nSTATUS=again')
                    except ConnectionRefusedError: note('refused')
                    time.sleep(0.05)
                """)
            try home.beginStart(app.notifying())
            let pid = try home.pid("api")
            try home.withoutDaemon {
                try home.write("", to: "go")
                try home.eventually("nobody listened, and it went on") { home.notes.count > 2 }
            }
            try home.eventually("it is heard") { try home.instance("api").status == .online }
            #expect(try home.instance("api").statusText == "again")
            _ = try home.upgrade()
            try home.eventually("also after an upgrade") { try home.instance("api").statusText == "again" }
            #expect(try home.pid("api") == pid && home.instance("api").restarts == 0)
        }
    }
}
