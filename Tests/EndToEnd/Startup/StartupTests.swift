import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

/// What `startup` writes and says, and what a unit's ExecStop does, with a `systemctl` that only plays along. Under a real
/// systemd: Tests/Boot.
@Suite("startup")
struct StartupTests {
    @Test("--print shows both units and writes nothing; a path with blanks, % and $ is quoted for systemd")
    func prints() throws {
        try withHome(starting: false) { home in
            let systemd = try PlayedSystemd(in: home)
            let odd = home.file("a b%c$d")
            let result = try home.hearth(
                ["startup", "--print", "--home", odd], environment: systemd.environment)
            #expect(result.code == 0, "\(result.errors)")
            #expect(result.output.contains("X-Hearth-Home=\(odd.replacingOccurrences(of: "%", with: "%%"))\n"))
            let quoted = odd.replacingOccurrences(of: "%", with: "%%").replacingOccurrences(of: "$", with: "$$")
            #expect(result.output.contains("--home \"\(quoted)\""))
            for line in [
                "Type=notify", "KillMode=process", "Delegate=yes", "Restart=on-failure", "WatchdogSec=60",
                "LimitNOFILE=infinity", "LimitNPROC=infinity", "LimitCORE=infinity", "OOMPolicy=continue",
            ] { #expect(result.output.contains("\n\(line)\n"), "\(line)") }
            #expect(!result.output.contains("network-online.target"))
            #expect(!result.output.contains("Environment=PATH"), "no PATH is baked in")
            #expect(try FileManager.default.contentsOfDirectory(atPath: systemd.units).isEmpty)
            #expect(!FileManager.default.fileExists(atPath: odd))
            let waiting = try home.hearth(["startup", "--print", "--wait-ip"], environment: systemd.environment)
            #expect(waiting.output.contains("Wants=hearth-root-apps.service network-online.target\n"))
        }
    }

    @Test("a service runs as its user with root's tools alone until it is that user")
    func dropsRights() throws {
        try withHome(starting: false) { home in
            let systemd = try PlayedSystemd(in: home)
            let result = try home.hearth(
                ["startup", "--print", "-u", "daemon", "--hp", "/nowhere/daemon"], environment: systemd.environment)
            #expect(result.code == 0, "\(result.errors)")
            #expect(result.output.contains("\nUser=daemon\n"))
            let start = result.output.split(separator: "\n").first { $0.hasPrefix("ExecStart=!/bin/sh -c ") } ?? ""
            #expect(start.contains(" /usr/bin/setpriv --reuid=1 --regid=1 --init-groups "))
            #expect(start.contains("--home /nowhere/daemon/.hearth "))
            #expect(result.output.contains("# \(systemd.units)/hearth-daemon.service\n"))
        }
    }

    @Test(
        "what cannot be done is refused with the value and the way out, and nothing is written",
        arguments: [
            (["startup", "-u", "no-such-user"], "there is no user 'no-such-user'"),
            (["startup", "upstart"], "'upstart' is no init system"),
            (["startup", "--service-name", "a/b"], "'a/b' cannot be the name of a service"),
            (["startup", "--service-name", ""], "cannot be the name of a service"),
            (["startup", "--hp", "relative"], "'relative' is no absolute path"),
            (["unstartup"], "nothing was set up"),
        ])
    func refuses(arguments: [String], message: String) throws {
        try withHome(starting: false) { home in
            let systemd = try PlayedSystemd(in: home)
            let result = try home.hearth(arguments, environment: systemd.environment)
            #expect(result.code != 0)
            #expect(result.errors.contains(message), "\(result.errors)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: systemd.units).isEmpty)
        }
    }

    @Test("a daemon that runs is taken over, apps keep their pids; unstartup leaves everything running")
    func takesOver() throws {
        try withHome { home in
            let systemd = try PlayedSystemd(in: home)
            let app = try home.start(home.responder("web")).instances[0]
            let before = try home.hello()
            let result = try home.hearth(["startup", "--json"], environment: systemd.environment)
            #expect(result.code == 0, "\(result.errors)\n\(home.read("systemctl.log"))")
            #expect(result.output.contains("\"unit\":\"hearth-root.service\""))
            let after = try home.hello()
            #expect(after.unit == "hearth-root.service")
            #expect(after.pid != before.pid && after.keeperPid != before.keeperPid)
            #expect(try home.list().map(\.pid) == [app.pid])
            let calls = home.read("systemctl.log").split(separator: "\n")
            #expect(calls.contains("daemon-reload") && calls.contains("enable hearth-root.service"))

            // A second time changes nothing but what has changed.
            let again = try home.hearth(["startup", "--json"], environment: systemd.environment)
            #expect(again.code == 0, "\(again.errors)")
            #expect(try home.list().map(\.pid) == [app.pid])

            let second = try home.hearth(["startup", "--service-name", "other"], environment: systemd.environment)
            #expect(second.code == 1 && second.errors.contains("has a service already"), "\(second.errors)")

            let removed = try home.hearth(["unstartup"], environment: systemd.environment)
            #expect(removed.code == 0, "\(removed.errors)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: systemd.units).isEmpty)
            #expect(try home.list().map(\.pid) == [app.pid])
        }
    }

    @Test("ExecStop ends the apps for a stop, leaves them for a restart, and does nothing after a crash")
    func unitStop() throws {
        try withHome { home in
            let systemd = try PlayedSystemd(in: home)
            let app = try home.start(home.responder("web")).instances[0]
            var environment = systemd.environment
            environment["HEARTH_UNIT"] = "hearth-root.service"

            // $MAINPID is empty: the main process is gone.
            #expect(try home.hearth(["unit-stop"], environment: environment).code == 0)
            #expect(try home.list().map(\.pid) == [app.pid])

            environment["MAINPID"] = "1"
            try systemd.job("restart")
            #expect(try home.hearth(["unit-stop"], environment: environment).code == 0)
            try home.eventually("the daemon is gone") { (try? home.hello(timeout: 200)) == nil }
            #expect(lives(app.pid))
            try home.up()
            #expect(try home.list().map(\.pid) == [app.pid])

            try systemd.job("stop")
            #expect(try home.hearth(["unit-stop"], environment: environment).code == 0)
            try home.eventually("the app is gone") { !lives(app.pid) }

            // A start after a crash brings nothing back, one by hand or at boot does.
            try home.up()
            try systemd.restarts(3)
            #expect(try home.hearth(["unit-start"], environment: environment).code == 0)
            #expect(try home.list().map(\.status) == [.stopped])
            try systemd.restarts(0)
            #expect(try home.hearth(["unit-start"], environment: environment).code == 0)
            try home.eventually("the app is back") { try home.list().map(\.status) == [.online] }
        }
    }

    @Test("a command that needs a daemon has the unit start it")
    func startsUnit() throws {
        try withHome { home in
            let systemd = try PlayedSystemd(in: home)
            _ = try home.start(home.responder("web"))
            #expect(try home.hearth(["startup"], environment: systemd.environment).code == 0)
            #expect(try home.hearth(["kill"], environment: systemd.environment).code == 0)
            let result = try home.hearth(["up"], environment: systemd.environment)
            #expect(result.code == 0, "\(result.errors)")
            #expect(try home.hello().unit == "hearth-root.service")
            // Only a daemon was wanted: what was killed stays down.
            #expect(try home.list().map(\.status) == [.stopped])
        }
    }

    @Test("without systemd: a crontab line, an OpenRC service, a runit service; each is removed again")
    func otherInits() throws {
        try withHome(starting: false) { home in
            let others = try OtherInits(in: home)
            let cron = try home.hearth(["startup", "cron"], environment: others.environment)
            #expect(cron.code == 0, "\(cron.errors)")
            let table = home.read("crontab").split(separator: "\n")
            #expect(table.count == 2 && table[0] == "0 3 * * * /bin/true")
            #expect(table[1].hasPrefix("@reboot ") && table[1].contains(" up # hearth-root"))
            // Twice is once.
            #expect(try home.hearth(["startup", "cron"], environment: others.environment).code == 0)
            #expect(home.read("crontab").split(separator: "\n").count == 2)
            #expect(try home.hearth(["unstartup", "cron"], environment: others.environment).code == 0)
            #expect(home.read("crontab") == "0 3 * * * /bin/true\n")

            #expect(try home.hearth(["startup", "openrc"], environment: others.environment).code == 0)
            let service = home.file("root/etc/init.d/hearth-root")
            #expect(access(service, X_OK) == 0)
            #expect(try home.shellRun("sh -n '\(service)'").code == 0, "its shell is sound")
            #expect(home.read("rc-update.log") == "add hearth-root default\n")
            #expect(try home.hearth(["unstartup", "openrc"], environment: others.environment).code == 0)
            #expect(access(service, F_OK) != 0)

            #expect(try home.hearth(["startup", "runit"], environment: others.environment).code == 0)
            let run = home.file("root/etc/sv/hearth-root/run")
            #expect(access(run, X_OK) == 0)
            #expect(try home.shellRun("sh -n '\(run)'").code == 0, "its shell is sound")
            #expect(access(home.file("root/etc/service/hearth-root/run"), X_OK) == 0)
            #expect(try home.hearth(["unstartup", "runit"], environment: others.environment).code == 0)
            #expect(access(run, F_OK) != 0)
        }
    }

    @Test("an ordinary user without a systemd of their own gets the command that root would run")
    func notRoot() throws {
        try withHome(starting: false) { home in
            let systemd = try PlayedSystemd(in: home)
            chmod(home.path, 0o755)
            let program = try Programs.hearth()
            let result = try home.shellRun(
                """
                exec /usr/bin/setpriv --reuid=1 --regid=1 --clear-groups env HOME=/usr/sbin '\(program)' startup --home /tmp/nobodys-home
                """, environment: systemd.environment.merging(["SYSTEMCTL_FAILS": "1"]) { $1 })
            #expect(result.code == 5, "\(result.errors)")
            #expect(result.errors.contains("sudo env PATH=\"$PATH\" "))
            #expect(result.errors.contains(" startup -u daemon --hp "))
        }
    }

    private func lives(_ pid: Int32?) -> Bool { pid.map { kill($0, 0) == 0 } ?? false }
}
