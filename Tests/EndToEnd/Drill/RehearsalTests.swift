import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("drill --boot", .waiting)
struct RehearsalTests {
    @Test("what is there passes; nothing is stopped or started")
    func sound() throws {
        try withHome { home in
            let script = try home.write("#!/usr/bin/env sh\nexec sleep 100000\n", to: "app.sh", executable: true)
            try home.start(
                home.sleeper("plain"), home.app("script", script), home.shell("shell", "exec sleep 100000"))
            let before = try home.list().map(\.pid)
            let drill = try home.drill("--boot")
            #expect(drill.ok && drill.level == "boot")
            #expect(drill.apps.map(\.problem) == [nil, nil, nil])
            #expect(drill.apps.map(\.pidBefore) == before)
            #expect(drill.apps.allSatisfy { $0.pidAfter == nil })
            #expect(try home.list().map(\.pid) == before)
            #expect(drill.notes.contains("systemd does not run here: what starts the daemon at boot was not looked at"))
        }
    }

    @Test("each thing that is missing is named")
    func missing() throws {
        try withHome { home in
            mkdir(home.file("cwd"), 0o755)
            mkdir(home.file("place"), 0o755)
            mkdir(home.file("bin"), 0o755)
            for name in ["script.sh", "interpreter", "bin/tool"] {
                try home.write("#!/bin/sh\nexec sleep 100000\n", to: name, executable: true)
            }
            try home.write("#!/usr/bin/env tool\nexec sleep 100000\n", to: "env.sh", executable: true)
            try home.write("A=1\n", to: "app.env")
            func at(_ name: String, _ change: (inout AppSpec) -> Void) -> AppSpec {
                var spec = home.sleeper(name)
                change(&spec)
                return spec
            }
            let path = ["PATH": home.file("bin") + ":/usr/bin:/bin"]
            try home.start([
                at("cwd") { $0.cwd = home.file("cwd") },
                at("script") { $0.script = home.file("script.sh") },
                at("interpreter") { $0.interpreter = home.file("interpreter") },
                at("env") { $0.environmentFiles = [home.file("app.env")] },
                at("log") { $0.output.outFile = home.file("place/out.log") },
                home.app("shebang", home.file("env.sh"), environment: path),
                home.app("word", "/bin/sh", ["-c", "tool --now"], environment: path),
                home.sleeper("sound"),
            ])
            #expect(try home.list().allSatisfy { $0.status == .online })
            for name in ["cwd", "place", "script.sh", "interpreter", "app.env", "bin"] {
                rename(home.file(name), home.file(name + ".away"))
            }
            let drill = try home.drill("--boot", code: 1)
            func expect(_ name: String, _ problem: String) throws {
                let found = try drill.app(name).problem
                #expect(found?.contains(problem) == true, "\(name): \(found ?? "none")")
            }
            try expect("cwd", "its working directory '\(home.file("cwd"))' cannot be entered: no such file")
            try expect("script", "'\(home.file("script.sh"))' cannot be executed: no such file")
            try expect("interpreter", "'\(home.file("interpreter"))' cannot be executed: no such file")
            try expect("env", home.file("app.env"))
            try expect("log", "its log directory '\(home.file("place"))' cannot be used: no such file")
            try expect("shebang", "in the first line of '\(home.file("env.sh"))': 'tool' is not in the app's PATH")
            try expect("word", "of 'tool --now': 'tool' is not in the app's PATH")
            #expect(try drill.app("sound").problem == nil)
        }
    }

    @Test("what would be otherwise is told and is no fault: release directory, variables, ports of two apps")
    func differences() throws {
        try withHome { home in
            for name in ["release-1", "release-2"] { mkdir(home.file(name), 0o755) }
            symlink("release-1", home.file("current"))
            try home.write("COLOUR=red\n", to: "app.env")
            var web = home.sleeper("web")
            web.cwd = home.file("current")
            web.environmentFiles = [home.file("app.env")]
            try home.start(web, home.sleeper("off"))
            try home.act(.stop, "off")
            unlink(home.file("current"))
            symlink("release-2", home.file("current"))
            try home.write("COLOUR=blue\n", to: "app.env")
            let drill = try home.drill("--boot")
            let shown = try drill.app("web").differences
            #expect(
                shown.contains(
                    "it works in '\(home.file("release-1"))', a start would be in '\(home.file("release-2"))'"),
                "\(shown)")
            #expect(shown.contains { $0.hasPrefix("variables would be other ones: ") && $0.contains("COLOUR") })
            #expect(try drill.app("off").differences.first?.hasPrefix("it is stopped (stopped by ") == true)
        }
    }

    @Test(
        "it looks with the rights of the home's owner and of the app's user", .enabled(if: geteuid() == 0))
    func rights() throws {
        try withHome { home in
            chmod(home.path, 0o755)
            mkdir(home.file("secret"), 0o700)
            var app = home.sleeper("app")
            app.uid = "65534"
            app.gid = "65534"
            app.cwd = "/"
            try home.start(app)
            let script = try home.write("#!/bin/sh\nexec sleep 100000\n", to: "secret/app.sh", executable: true)
            #expect(try home.drill("--boot").ok)
            try home.act(.delete, "app")
            app.script = script
            try home.start(app)
            let drill = try home.drill("--boot", code: 1)
            #expect(try drill.app("app").problem?.contains("'\(script)' cannot be executed: permission denied") == true)
        }
    }

    @Test("a list of PM2's that was not saved does not come back")
    func unsavedDump() throws {
        try withPM2 { pm2 in
            let home = pm2.home
            #expect(try pm2.sh("pm2 start /bin/sleep --name web -- 100000").code == 0)
            let drill = try home.drill("--boot", code: 1)
            #expect(drill.problems.contains { $0.contains("dump.pm2' does not exist") })
            let refusal = try home.hearth("drill", "--resurrect", "--yes")
            #expect(refusal.code == 1 && refusal.errors.contains("run 'pm2 save' first"))
            #expect(try home.isOnline("web"))
        }
    }
}

@Suite("drill --boot with systemd", .waiting)
struct RehearsalUnitTests {
    /// Programs that answer as systemd's would; the unit's state is in the file `state`.
    private func prepare(_ home: Home) throws -> [String: String] {
        for name in ["bin", "units"] { mkdir(home.file(name), 0o755) }
        try home.write("#!/bin/sh\ncat '\(home.file("unit-state"))'\n", to: "bin/systemctl", executable: true)
        try home.write(
            """
            #!/bin/sh
            echo "$@" > '\(home.file("asked"))'
            while [ "$1" != -- ]; do shift; done
            shift
            exec "$@"

            """, to: "bin/systemd-run", executable: true)
        return [
            "HEARTH_TEST_SYSTEMD": "1", "HEARTH_TEST_UNITS": home.file("units"), "XDG_CONFIG_HOME": home.file("none"),
            "PATH": home.file("bin") + ":/usr/bin:/bin",
        ]
    }

    @Test("the unit must be there, enabled and active", .enabled(if: geteuid() == 0))
    func unit() throws {
        try withHome { home in
            try home.start(home.sleeper("app"))
            let environment = try prepare(home)
            var drill = try home.drill("--boot", code: 1, environment: environment)
            #expect(drill.problems == ["no unit starts the daemon of '\(home.path)' at boot: run 'hearth startup'"])

            try home.write("[Unit]\nX-Hearth-Home=\(home.path)\n", to: "units/hearth-root.service")
            try home.write("LoadState=loaded\nUnitFileState=disabled\nActiveState=inactive\n", to: "unit-state")
            drill = try home.drill("--boot", code: 1, environment: environment)
            #expect(drill.problems.count == 2, "\(drill.problems)")
            #expect(drill.problems.first?.contains("is not enabled (disabled)") == true)
            #expect(drill.problems.last?.contains("is inactive: the daemon that runs was not started by it") == true)

            try home.write(
                "LoadState=loaded\nUnitFileState=enabled\nActiveState=active\nEnvironmentFiles=/e/x.env (ignore_errors=yes)\n",
                to: "unit-state")
            drill = try home.drill("--boot", environment: environment)
            #expect(drill.ok && drill.apps.count == 1)
            #expect(home.read("asked").contains("-p EnvironmentFile=-/e/x.env"))
        }
    }
}
