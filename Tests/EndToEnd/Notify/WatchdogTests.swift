import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("The watchdog of an app", .waiting)
struct WatchdogTests {
    /// Says that it is well until the file `hang` is there; for ever in its second life.
    private static let hanging = """
        assert os.environ["WATCHDOG_USEC"] == "2000000" and "WATCHDOG_PID" not in os.environ
        isFirst = not os.path.exists("notes")
        note("life")
        while not (isFirst and os.path.exists("hang")):
            say("WATCHDOG=1")
            time.sleep(0.2)
        """

    @Test("an app that goes silent is restarted, and why says so")
    func missed() throws {
        try withHome { home in
            try home.start(home.speaker("api", Self.hanging).watched(2000))
            let former = try home.pid("api")
            try home.eventually("it lives") { home.notes == ["life"] }
            try home.write("", to: "hang")
            try home.eventually("it was restarted") { home.notes == ["life", "life"] }
            let instance = try home.instance("api")
            #expect(instance.status == .online && instance.restarts == 1 && instance.pid != former)
            #expect(instance.reason.contains("watchdog: it did not say within 2 s that it is well"))
            let why = try home.hearth("why", "api").output
            #expect(why.contains("watchdog: it did not say within 2 s that it is well"), "\(why)")
        }
    }

    @Test("one that hangs so that it heeds no signal is killed and restarted")
    func stopped() throws {
        try withHome { home in
            var app = try home.speaker("api", Self.hanging).watched(2000)
            app.stop.killTimeout = Milliseconds(200)
            try home.start(app)
            try home.eventually("it lives") { home.notes == ["life"] }
            let former = try home.pid("api")
            kill(former, SIGSTOP)
            try home.eventually("it was replaced") { home.notes == ["life", "life"] }
            #expect(try home.pid("api") != former)
        }
    }

    @Test("a hearthd that was stopped itself, or killed, blames nobody; afterwards it watches again")
    func lateDaemon() throws {
        try withHome(heartbeat: 60_000) { home in
            let app = try home.speaker(
                "api",
                """
                signal.signal(signal.SIGUSR1, lambda *_: (note("pause"), wait("awake")))
                while not os.path.exists("hang"):
                    try: say("WATCHDOG=1")
                    except ConnectionRefusedError: pass
                    note("well")
                    time.sleep(0.2)
                """, restart: RestartPolicy())
            try home.start(app.watched(2000))
            try home.eventually("it runs") { home.notes.count > 2 }
            let pid = try home.pid("api")
            func goesOn() throws {
                let said = home.notes.count
                // More than a period and a half.
                try home.eventually("it goes on") { home.notes.count > said + 15 }
                #expect(try home.pid("api") == pid && home.instance("api").restarts == 0)
            }

            // The whole machine pauses for longer than the period, hearthd and app alike.
            let daemon = try home.hello().pid
            kill(daemon, SIGSTOP)
            kill(pid, SIGUSR1)
            try home.eventually("it pauses") { home.notes.last == "pause" }
            usleep(2_500_000)
            kill(daemon, SIGCONT)
            _ = try home.hello()
            try home.write("", to: "awake")
            try goesOn()

            let said = home.notes.count
            try home.withoutDaemon {
                try home.eventually("more than a period passes") { home.notes.count > said + 15 }
            }
            try goesOn()
            try home.write("", to: "hang")
            try home.eventually("it is watched again") { try home.instance("api").restarts >= 1 }
        }
    }

    @Test("it counts from READY=1 on; the app changes its time, asks for its restart, and says that it stops")
    func words() throws {
        try withHome { home in
            let slow = try home.speaker(
                "slow",
                "time.sleep(3.2); note('slow'); say('READY=1')\nwhile True: say('WATCHDOG=1'); time.sleep(0.1)")
            #expect(try home.start(slow.notifying().watched(3000)).instances.first?.restarts == 0)
            #expect(home.notes == ["slow"])

            let once = "if not os.path.exists(sys.argv[0] + '.1'):\n    open(sys.argv[0] + '.1', 'w').close()\n    "
            try home.start(home.speaker("asks", once + "say('WATCHDOG=trigger')").watched(600_000))
            try home.eventually("it was restarted") { try home.instance("asks").restarts == 1 }
            #expect(try home.instance("asks").reason.contains("watchdog: it said that it is not well"))

            try home.start(home.speaker("changes", once + "say('WATCHDOG_USEC=300000')").watched(600_000))
            try home.eventually("the shorter time counts") { try home.instance("changes").restarts == 1 }
            #expect(try home.instance("changes").reason.contains("within 300 ms"))

            let ends = try home.speaker(
                "ends", "say('READY=1'); say('STOPPING=1'); time.sleep(1.5); note('stopping for five periods')")
            try home.start(ends.notifying().watched(300))
            try home.eventually("its time is over") { home.notes.last == "stopping for five periods" }
            #expect(home.log.contains("says that it stops"))
            #expect(try home.instance("ends").restarts == 0 && home.instance("slow").restarts == 0)
        }
    }
}
