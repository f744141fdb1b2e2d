import Control
import Foundation
import Glibc
import Platform
import TestSupport
import Testing

@Suite("doctor: the unit", .waiting)
struct DoctorUnitTests {
    /// A healthy unit of this home, and the cgroup in which everything of this test runs anyway.
    private func healthy(_ home: Home) throws -> [String: String] {
        let keeper = try #require(home.keeperPids.first)
        return [
            "LoadState": "loaded", "ActiveState": "active", "SubState": "running", "UnitFileState": "enabled",
            "Type": "notify", "KillMode": "process", "User": UserNames.name(of: geteuid()), "MainPID": "\(keeper)",
            "ControlGroup": "/", "Environment": "HEARTH_HOME=\(home.path)",
            "ExecStart": "{ path=\(try Programs.keeper()) ; argv[]=hearth-keeper ; ignore_errors=no }",
        ]
    }

    private func file(_ home: Home) -> String { "[Service]\nX-Hearth-Home=\(home.path)\n" }

    private let name = "hearth-\(UserNames.name(of: geteuid())).service"

    @Test("no unit; disabled; enabled but dead; outside: each is named, and is gone with the fault")
    func states() throws {
        try withHome { home in
            try home.start(home.sleeper("one"))
            let systemd = try FakeSystemd(in: home)
            func faults(_ changes: [String: String]) throws -> Examination {
                let properties = try healthy(home).merging(changes) { $1 }
                try systemd.add(name, file: file(home), properties)
                return try home.doctor(environment: systemd.environment)
            }
            #expect(try home.doctor(environment: systemd.environment).faults == ["unit-missing"])
            let fine = try faults([:])
            #expect(fine.faults == [], "\(fine.output)")
            #expect(fine.code == 0)

            #expect(try faults(["UnitFileState": "disabled"]).faults == ["unit-disabled"])
            let dead = try faults(["ActiveState": "inactive", "SubState": "dead", "MainPID": "0", "ControlGroup": ""])
            #expect(dead.faults == ["unit-dead", "daemon-outside-unit"], "\(dead.output)")
            #expect(dead.text(of: "unit-dead").contains("enabled, inactive (dead)"), "\(dead.output)")
            #expect(dead.text(of: "unit-dead").contains("hearth startup"))
            let outside = try faults(["MainPID": "1", "ControlGroup": "/system.slice/\(name)"])
            #expect(outside.faults == ["daemon-outside-unit", "apps-outside-unit"], "\(outside.output)")
            #expect(try faults(["ActiveState": "failed", "Result": "exit-code"]).faults == ["unit-failed"])
            #expect(try faults(["ExecStart": "{ path=/gone/hearth-keeper ; }"]).faults == ["unit-program-missing"])
            #expect(
                try faults(["Environment": "HEARTH_HOME=/gone"]).faults == ["unit-other-home", "unit-home-missing"])
            #expect(try faults(["User": "www-data"]).faults == ["unit-other-user"])
            #expect(
                try faults(["Environment": "HEARTH_HOME=\(home.path) PATH=/usr/bin:/gone/nvm/bin"]).faults
                    == ["unit-path"])
            #expect(try faults([:]).faults == [])
        }
    }

    @Test("PM2's own unit on our home: a death of the daemon would take the apps")
    func genuineUnit() throws {
        try withPM2 { pm2 in
            try pm2.write("sleep 100000\n", to: "app.sh")
            #expect(try pm2.sh("pm2 start app.sh && pm2 save").code == 0)
            let home = pm2.home
            let systemd = try FakeSystemd(in: home)
            let user = UserNames.name(of: geteuid())
            let unit = "pm2-\(user).service"
            let text = """
                [Unit]
                Description=PM2 process manager
                Documentation=https://pm2.keymetrics.io/
                After=network.target

                [Service]
                Type=forking
                User=\(user)
                LimitNOFILE=infinity
                LimitNPROC=infinity
                LimitCORE=infinity
                Environment=PATH=/usr/bin:/bin
                Environment=PM2_HOME=\(home.path)
                PIDFile=\(home.path)/pm2.pid
                Restart=on-failure

                ExecStart=/usr/lib/node_modules/pm2/bin/pm2 resurrect
                ExecReload=/usr/lib/node_modules/pm2/bin/pm2 reload all
                ExecStop=/usr/lib/node_modules/pm2/bin/pm2 kill

                [Install]
                WantedBy=multi-user.target
                """
            let daemon = try home.hello().pid
            let properties = [
                "LoadState": "loaded", "ActiveState": "active", "SubState": "running", "UnitFileState": "enabled",
                "Type": "forking", "KillMode": "control-group", "User": user, "MainPID": "\(daemon)",
                "ControlGroup": "/", "PIDFile": home.path + "/pm2.pid",
                "Environment": "PATH=/usr/bin:/bin PM2_HOME=\(home.path)",
                "ExecStart": "{ path=/usr/lib/node_modules/pm2/bin/pm2 ; argv[]=pm2 resurrect ; }",
            ]
            try systemd.add(unit, file: text, properties)
            let examination = try home.doctor(environment: systemd.environment)
            #expect(examination.faults.contains("unit-kills-apps"), "\(examination.output)")
            #expect(examination.text(of: "unit-kills-apps").contains("Type=forking, KillMode=control-group"))
            #expect(examination.faults.contains("unit-program-missing"), "\(examination.output)")

            var own = properties
            own["KillMode"] = "process"
            own["ExecStart"] = "{ path=/bin/sh ; }"
            try systemd.add(unit, file: text, own)
            let fine = try home.doctor(environment: systemd.environment)
            #expect(fine.faults == [], "\(fine.output)")
        }
    }
}
