import Control
import Foundation
import Glibc
import Model
import Platform
import Records
import TestSupport
import Testing

@Suite("doctor: who else starts the same", .waiting)
struct DoctorManagerTests {
    private func sleeping(_ home: Home) throws -> String {
        try home.script("server.py", "import time\ntime.sleep(100000)\n")
    }

    @Test("a second process of the same script, and the same app in another home")
    func copies() throws {
        try withHome { home in
            let script = try sleeping(home)
            try home.start(home.app("web", script, ["--port", "1"], interpreter: "python3"))
            #expect(try home.doctor().faults == [])
            let pid = try home.startProcess("/usr/bin/env", ["python3", script, "--port", "1"])
            // The same script with other arguments is something else.
            let other = try home.startProcess("/usr/bin/env", ["python3", script, "--migrate"])
            try home.eventually("both run python") {
                [pid, other].allSatisfy { (Processes.commandLine($0).first ?? "").contains("python") }
            }
            var examination = try home.doctor()
            #expect(examination.faults == ["duplicate-process"], "\(examination.output)")
            #expect(examination.text(of: "duplicate-process").contains("pid \(pid) "), "\(examination.output)")
            kill(pid, SIGKILL)
            _ = try home.exitCode(of: pid)
            #expect(try home.doctor().faults == [])

            try withHome { second in
                var app = second.app("copy", script, ["--port", "1"], interpreter: "python3")
                app.cwd = second.path
                try second.start(app)
                examination = try home.doctor()
                #expect(examination.faults == ["duplicate-process"], "\(examination.output)")
                #expect(
                    examination.text(of: "duplicate-process").contains("Hearth in the home '\(second.path)'"),
                    "\(examination.output)")
                #expect(examination.text(of: "other-home").contains(second.path), "\(examination.output)")
            }
            #expect(try home.doctor().faults == [])
        }
    }

    @Test("an enabled unit, a launcher behind systemd-run, supervisord's file and crontab lines start the same")
    func files() throws {
        try withHome { home in
            let script = try sleeping(home)
            var app = home.app("web", script, interpreter: "python3")
            app.cwd = home.file("site")
            try FileManager.default.createDirectory(atPath: app.cwd, withIntermediateDirectories: true)
            try home.start(app)
            let root = home.file("root")
            let environment = ["HEARTH_TEST_ROOT": root]
            func put(_ path: String, _ text: String) throws -> String {
                let file = root + path
                try FileManager.default.createDirectory(
                    atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
                return try home.write(text, to: file)
            }
            func faults() throws -> Examination { try home.doctor(environment: environment) }

            let unit = try put("/etc/systemd/system/web.service", "[Service]\nExecStart=/usr/bin/python3 \(script)\n")
            #expect(try faults().faults == [], "a unit that nothing starts is no fault")
            let link = root + "/etc/systemd/system/multi-user.target.wants/web.service"
            try FileManager.default.createDirectory(
                atPath: (link as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            symlink(unit, link)
            let found = try faults()
            #expect(found.faults == ["duplicate-unit"], "\(found.output)")
            #expect(found.text(of: "duplicate-unit").contains("disable --now web.service"))
            try home.write(
                """
                [Service]
                Type=oneshot
                RemainAfterExit=yes
                ExecStart=/usr/bin/systemd-run \\
                  --unit=site-prod \\
                  --working-directory=\(app.cwd) \\
                  --setenv=HOSTNAME=127.0.0.1 \\
                  /usr/bin/python3 server.py

                """, to: unit)
            let launcher = try faults()
            #expect(launcher.faults == ["duplicate-unit"], "\(launcher.output)")
            unlink(link)
            #expect(try faults().faults == [])

            let program = try put(
                "/etc/supervisor/conf.d/web.conf", "[program:web]\ncommand=python3 \(script)\nautostart=true\n")
            #expect(try faults().faults == ["duplicate-unit"])
            unlink(program)

            let cron = try put("/etc/cron.d/web", "@reboot root cd \(app.cwd) && python3 \(script) >/dev/null 2>&1\n")
            let line = try faults()
            #expect(line.faults == ["cron-at-boot"], "\(line.output)")
            unlink(cron)
            #expect(try faults().faults == [])
        }
    }

    @Test("a crontab line that races the unit; a user's unit without lingering")
    func unitBesideCron() throws {
        try withHome { home in
            try home.start(home.sleeper("one"))
            let systemd = try FakeSystemd(in: home)
            let user = UserNames.name(of: geteuid())
            let configuration = home.file("configuration")
            let units = configuration + "/systemd/user"
            let root = home.file("root")
            let crontabs = root + "/var/spool/cron/crontabs"
            let linger = root + "/var/lib/systemd/linger"
            for directory in [units, crontabs, linger] {
                try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            }
            let keeper = try #require(home.keeperPids.first)
            try systemd.add(
                "hearth.service", file: "",
                [
                    "LoadState": "loaded", "ActiveState": "active", "SubState": "running", "UnitFileState": "enabled",
                    "KillMode": "process", "MainPID": "\(keeper)", "ControlGroup": "/",
                    "Environment": "HEARTH_HOME=\(home.path)",
                ])
            try home.write("[Unit]\nX-Hearth-Home=\(home.path)\n", to: units + "/hearth.service")
            var environment = systemd.environment
            environment["XDG_CONFIG_HOME"] = configuration
            environment["HEARTH_TEST_ROOT"] = root

            let off = try home.doctor(environment: environment)
            #expect(off.faults == ["linger-off"], "\(off.output)")
            #expect(off.text(of: "linger-off").contains("loginctl enable-linger \(user)"))
            try home.write("", to: "\(linger)/\(user)")
            #expect(try home.doctor(environment: environment).faults == [])

            let crontab = try home.write("@reboot /usr/bin/hearth up\n", to: "\(crontabs)/\(user)")
            let race = try home.doctor(environment: environment)
            #expect(race.faults == ["cron-at-boot"], "\(race.output)")
            unlink(crontab)
            #expect(try home.doctor(environment: environment).faults == [])
        }
    }

    @Test("a daemon of PM2's own on the home")
    func genuine() throws {
        try withPM2 { pm2 in
            let home = pm2.home
            let ready = pm2.file("ready")
            let program = """
                import os, socket, sys, time
                listener = socket.socket(socket.AF_UNIX)
                listener.bind(sys.argv[1])
                listener.listen(5)
                open(sys.argv[2], 'w').close()
                time.sleep(100000)
                """
            let pid = try home.startProcess(
                "/usr/bin/env", ["python3", "-c", program, home.path + "/rpc.sock", ready])
            try home.eventually("it listens") { FileManager.default.fileExists(atPath: ready) }
            try FileManager.default.createDirectory(
                atPath: home.path + "/hearth", withIntermediateDirectories: true)
            let examination = try home.doctor()
            #expect(examination.faults.contains("pm2-on-home"), "\(examination.output)")
            #expect(examination.text(of: "pm2-on-home").contains("pid \(pid)"))
            kill(pid, SIGKILL)
            _ = try home.exitCode(of: pid)
            #expect(!(try home.doctor().faults.contains("pm2-on-home")))
        }
    }
}
