import Foundation
import Glibc
import PM2Format
import Records
import TestSupport
import Testing

@Suite("pm2: what keys do to apps")
struct KeyTests {
    @Test("name, arguments, directory and environment reach apps of every kind")
    func launch() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.write("", to: "elsewhere/empty")
            try pm2.write(
                """
                module.exports = { apps: [
                  { name: 'node', script: 'tell.js', args: ['a b', '-c'], cwd: 'elsewhere/..', node_args: '--no-warnings', port: 8123 },
                  { name: 'python', script: './tell.py', args: '"a b" -c', env: { FROM_FILE: 1 } },
                  { name: 'php', script: 'tell.php', args: 'a', namespace: 'web' },
                  { name: 'far', script: '../tell.js', cwd: 'elsewhere', interpreter: 'node', instance_var: 'NUMBER' },
                ] }

                """, to: "ecosystem.config.js")
            try pm2.check(
                Row("pm2 start ecosystem.config.js", says: nil, table: true, environment: ["FROM_SHELL": "here"]))
            let arguments = ["node": ["a b", "-c"], "python": ["a b", "-c"], "php": ["a"], "far": []]
            for process in try pm2.list() {
                let told = try pm2.told(process.name)
                #expect(told["args"] == .strings(arguments[process.name] ?? ["?"]), "\(process.name)")
                let seen = try pm2.environment(of: process.name)
                let wanted = [
                    "name": process.name, "pm_id": "\(process.id)", "FROM_SHELL": "here", "PM2_HOME": pm2.paths.home,
                    "PM2_USAGE": "CLI", "exec_mode": "fork_mode", "status": "launching", "autorestart": "true",
                    "namespace": process.name == "php" ? "web" : "default",
                    "pm_out_log_path": "\(pm2.paths.logs)/\(process.name)-out.log",
                    "pm_pid_path": "\(pm2.paths.pm2Pids)/\(process.name)-\(process.id).pid",
                    "unique_id": process.text("unique_id"),
                    process.name == "far" ? "NUMBER" : "NODE_APP_INSTANCE": "0",
                ]
                for (key, value) in wanted { #expect(seen[key] == value, "\(process.name) sees \(key)") }
                let cwd = process.name == "far" ? pm2.file("elsewhere") : pm2.directory
                #expect(told["cwd"]?.text == cwd)
                #expect(seen["PWD"] == cwd)
                #expect(pm2.read("\(pm2.paths.pm2Pids)/\(process.name)-\(process.id).pid") == "\(process.pid)")
            }
            #expect(try pm2.environment(of: "python")["PYTHONUNBUFFERED"] == "1")
            #expect(try pm2.environment(of: "python")["FROM_FILE"] == "1")
            #expect(try pm2.environment(of: "node")["PORT"] == "8123")
            #expect(Processes.commandLine(try pm2.process("node").pid).contains("--no-warnings"))
            try pm2.sh("pm2 -s stop all")
            #expect(pm2.read("\(pm2.paths.pm2Pids)/node-0.pid") == "", "the pid file is gone")
        }
    }

    @Test("instances are numbered, have logs of their own, and their variable is counted up")
    func instances() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.write(
                "{ apps: [{ name: 'my_app x', script: 'tell.py', instances: 3, increment_var: 'PORT', env: { PORT: 3000 } }] }",
                to: "apps.json")
            try pm2.sh("pm2 -s start apps.json; pm2 -s start tell.py --name merged -i 2 --merge-logs -f")
            let list = try pm2.list()
            #expect(list.map(\.id) == [0, 1, 2, 3, 4])
            #expect(list.map { $0.number("NODE_APP_INSTANCE") } == [0, 1, 2, 0, 1])
            #expect(list.map { $0.number("instances") } == [3, 3, 3, 2, 2])
            for id in 0...2 {
                let seen = try pm2.environment(of: "my_app x", log: "my-app-x-out-\(id).log")
                #expect(seen["PORT"] == "\(3000 + id)")
                #expect(seen["NODE_APP_INSTANCE"] == "\(id)")
                #expect(list[id].text("pm_err_log_path") == "\(pm2.paths.logs)/my-app-x-error-\(id).log")
                #expect(pm2.read("\(pm2.paths.pm2Pids)/my-app-x-\(id).pid") == "\(list[id].pid)")
            }
            #expect(list[3].text("pm_out_log_path") == "\(pm2.paths.logs)/merged-out.log")
            #expect(list[4].text("pm_out_log_path") == "\(pm2.paths.logs)/merged-out.log")
            // Fewer than one cannot be.
            try pm2.sh("pm2 -s start app.sh --name least -i -1000")
            #expect(try pm2.names.filter { $0 == "least" }.count == 1)
        }
    }

    @Test("logs and pid files go where they were asked to")
    func files() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.check([
                Row("pm2 -s ping"),
                Row(
                    "pm2 start tell.py --name api -o own.log -e deep/er/err.txt -p run/my.pid",
                    says: [
                        "[PM2] Starting {D}/tell.py in fork_mode (1 instance)", "[PM2] Creating folder: {D}/deep/er",
                        "[PM2] Creating folder: {D}/run", "[PM2] Done.",
                    ], table: true,
                    errors: [
                        "[PM2][WARN] Folder does not exist: {D}/deep/er", "[PM2][WARN] Folder does not exist: {D}/run",
                    ]),
                Row("pm2 -s start tell.py --name quiet -o /dev/null -e NULL -f"),
            ])
            _ = try pm2.told("api", log: "../../own.log")
            #expect(try pm2.process("api").text("pm_err_log_path") == pm2.file("deep/er/err.txt"))
            #expect(pm2.read("run/my-0.pid") == "\(try pm2.process("api").pid)")
            #expect(try pm2.process("quiet").text("pm_out_log_path") == "/dev/null")
            #expect(try pm2.process("quiet").text("pm_err_log_path") == "/dev/null")
        }
    }

    @Test("filter_env takes variables away, append_env_to_name adds to the name")
    func filtering() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.write(
                """
                { apps: [
                  { name: 'some', script: 'tell.py', filter_env: ['SECRET', 'TOKEN'] },
                  { name: 'exact', script: 'tell.py', filter_env: 'SECRET_A' },
                  { name: 'none', script: 'tell.py', filter_env: true, env: { OWN: '1' } },
                  { name: 'app', script: 'tell.py', append_env_to_name: true, env_production: { STAGE: 'prod' } },
                ] }

                """, to: "apps.json")
            let shell = ["SECRET_A": "1", "MY_SECRET": "1", "A_TOKEN": "1", "PLAIN": "1"]
            try pm2.check(Row("pm2 -s start apps.json --env production", environment: shell))
            func seen(_ name: String) throws -> Set<String> {
                Set(try pm2.environment(of: name).keys).intersection(Array(shell.keys) + ["OWN", "STAGE"])
            }
            #expect(try seen("some") == ["PLAIN"])
            #expect(try seen("exact") == ["MY_SECRET", "A_TOKEN", "PLAIN"])
            #expect(try seen("none") == ["OWN"])
            #expect(try seen("app-production") == Set(shell.keys).union(["STAGE"]))
            try pm2.check(Row("pm2 -s start tell.py --name line --filter-env SECRET", environment: shell))
            #expect(try seen("line") == ["A_TOKEN", "PLAIN"])
        }
    }

    @Test("what ends is started again, or not, as it was asked")
    func endings() throws {
        try withPM2 { pm2 in
            try pm2.write("exit ${CODE:-0}\n", to: "end.sh")
            try pm2.write("echo run; sleep 0.2; kill -9 $$\n", to: "killed.sh")
            try pm2.sh(
                """
                CODE=3 pm2 -s start end.sh --name crash
                CODE=3 pm2 -s start end.sh --name few --max-restarts 4 -f
                CODE=4 pm2 -s start end.sh --name once --no-autorestart
                CODE=5 pm2 -s start end.sh --name coded --stop-exit-codes '5 6'
                CODE=3 pm2 -s start end.sh --name later --restart-delay 60000
                CODE=3 pm2 -s start end.sh --name backoff --exp-backoff-restart-delay 30000
                pm2 -s start end.sh --name never --no-autostart
                pm2 -s start killed.sh --name killed --stop-exit-codes 0
                """)
            try pm2.eventually("crash", "gives up") { $0.status == "errored" }
            try pm2.eventually("few", "gives up") { $0.status == "errored" }
            let crash = try pm2.process("crash")
            // Sixteen starts in all.
            #expect(crash.restarts == 15)
            #expect(crash.unstableRestarts == 0)
            #expect(crash.number("exit_code") == 3)
            #expect(crash.pid == 0)
            #expect(try pm2.process("few").restarts == 3)
            try pm2.eventually("once", "is stopped") { $0.status == "stopped" && $0.number("exit_code") == 4 }
            try pm2.eventually("coded", "is stopped") { $0.status == "stopped" && $0.number("exit_code") == 5 }
            try pm2.eventually("later", "waits") { $0.status == "waiting restart" }
            try pm2.eventually("backoff", "waits") { $0.status == "waiting restart" }
            #expect(try pm2.process("never").status == "stopped")
            #expect(try pm2.process("never").restarts == 0)
            #expect(try pm2.process("once").restarts == 0)
            #expect(try pm2.process("coded").restarts == 0)
            // Unlike with PM2: a signal is no exit code 0.
            try pm2.eventually("killed", "comes back") { $0.restarts > 0 }
            // A restart by hand begins anew.
            try pm2.sh("pm2 -s restart crash")
            try pm2.eventually("crash", "gives up again") { $0.status == "errored" && $0.restarts == 30 }
            try pm2.check(Row("pm2 stop later", says: nil, table: true))
            #expect(try pm2.process("later").status == "stopped")
        }
    }

    @Test("a stop sends SIGINT to the whole tree, and SIGKILL after kill_timeout")
    func stopping() throws {
        try withPM2 { pm2 in
            try pm2.write(
                "trap 'echo int; exit 0' INT; trap 'echo term; exit 0' TERM; echo up; while :; do sleep 0.05; done\n",
                to: "polite.sh")
            try pm2.write("trap '' INT TERM; echo up; while :; do sleep 0.05; done\n", to: "stubborn.sh")
            try pm2.write("sleep 100000 & echo $! > child.pid; echo up; wait\n", to: "parent.sh")
            try pm2.write("sleep 100000 & echo $! > orphan.pid; echo up; wait\n", to: "alone.sh")
            try pm2.sh(
                "pm2 -s start polite.sh; pm2 -s start stubborn.sh -k 300; pm2 -s start parent.sh; pm2 -s start alone.sh --no-treekill"
            )
            let logs = pm2.paths.logs
            for name in ["polite", "stubborn", "parent", "alone"] {
                try pm2.home.eventually("\(name) is up") { pm2.read("\(logs)/\(name)-out.log").hasPrefix("up\n") }
            }
            let pids = Dictionary(uniqueKeysWithValues: try pm2.list().map { ($0.name, $0.pid) })
            let child = try #require(Int32(pm2.read("child.pid").trimmingCharacters(in: .whitespacesAndNewlines)))
            let orphan = try #require(Int32(pm2.read("orphan.pid").trimmingCharacters(in: .whitespacesAndNewlines)))
            let start = ContinuousClock.now
            try pm2.check(Row("pm2 -s stop all"))
            #expect(ContinuousClock.now - start < .seconds(20))
            #expect(pm2.read("\(logs)/polite-out.log") == "up\nint\n")
            for (name, pid) in pids { #expect(!Processes.isRunning(pid), "\(name) is gone") }
            #expect(!Processes.isRunning(child))
            #expect(Processes.isRunning(orphan), "without treekill the child is left alone")
            kill(orphan, SIGKILL)
            #expect(try pm2.list().allSatisfy { $0.status == "stopped" && $0.pid == 0 })
        }
    }

    @Test("PM2_KILL_SIGNAL and PM2_KILL_TIMEOUT change the defaults of an app")
    func stopVariables() throws {
        try withPM2 { pm2 in
            try pm2.write("trap 'echo term; exit 0' TERM; echo up; while :; do sleep 0.05; done\n", to: "polite.sh")
            try pm2.check(
                Row(
                    "pm2 -s start polite.sh --name api",
                    environment: ["PM2_KILL_SIGNAL": "SIGTERM", "PM2_KILL_TIMEOUT": "20000"]))
            let log = pm2.paths.logs + "/api-out.log"
            try pm2.home.eventually("the app is up") { pm2.read(log) == "up\n" }
            try pm2.check(Row("pm2 -s stop api"))
            #expect(pm2.read(log) == "up\nterm\n")
        }
    }

    @Test("every option is stored under PM2's key")
    func stored() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.sh(
                """
                pm2 -s start app.sh --name api --namespace n --max-memory-restart 100M --restart-delay 1500 \
                  --exp-backoff-restart-delay 100 --max-restarts 5 -k 2500 --listen-timeout 4000 --cron '0 3 * * *' \
                  --time --log-type json --no-treekill --no-autorestart --stop-exit-codes '3 4' --wait-ready \
                  --shutdown-with-message --ignore-watch 'a b' --no-vizion
                """)
            let api = try pm2.process("api")
            let wanted = [
                "namespace": "n", "max_memory_restart": "104857600", "restart_delay": "1500",
                "exp_backoff_restart_delay": "100", "max_restarts": "5", "kill_timeout": "2500",
                "listen_timeout": "4000",
                "cron_restart": "0 3 * * *", "log_date_format": "YYYY-MM-DDTHH:mm:ss", "log_type": "json",
                "treekill": "false", "autorestart": "false", "wait_ready": "true", "shutdown_with_message": "true",
                "vizion": "false",
            ]
            for (key, value) in wanted { #expect(api.text(key) == value, "\(key)") }
            // A restart with an option changes it, and `null` removes it.
            try pm2.check([
                Row("pm2 restart api --max-restarts 7 --max-memory-restart null --name renamed", says: nil, table: true)
            ])
            let renamed = try pm2.process("renamed")
            #expect(renamed.number("max_restarts") == 7)
            #expect(renamed.settings["max_memory_restart"] == nil)
            #expect(renamed.text("unique_id") == api.text("unique_id"))
        }
    }

    @Test("camel case and aliases are the same keys, unknown ones are passed over")
    func spellings() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.write(
                """
                { apps: [{ name: 'a', cmd: 'app.sh', maxRestarts: 3, killTimeout: '2100', err: 'e.log', out: 'o.log', nosuchKey: 1, cron: '0 1 * * *' }] }
                """, to: "apps.json")
            try pm2.check(Row("pm2 -s start apps.json"))
            let app = try pm2.process("a")
            #expect(app.number("max_restarts") == 3)
            #expect(app.number("kill_timeout") == 2100)
            #expect(app.text("pm_err_log_path") == pm2.file("e.log"))
            #expect(app.text("pm_out_log_path") == pm2.file("o.log"))
            #expect(app.text("cron_restart") == "0 1 * * *")
            #expect(app.settings["nosuchKey"] == nil)
        }
    }

    @Test("a watched directory restarts the app, and a stop ends the watching")
    func watch() throws {
        try withPM2 { pm2 in
            try pm2.write("exec sleep 100000\n", to: "app/app.sh")
            try pm2.check(Row("cd app && pm2 -s start app.sh --name api --watch"))
            #expect(try pm2.process("api").text("watch") == "true")
            try pm2.write("x", to: "app/changed")
            try pm2.eventually("api", "is restarted") { $0.restarts > 0 }
            try pm2.check(Row("pm2 -s stop api"))
            #expect(try pm2.process("api").text("watch") == "false")
            try pm2.check(Row("pm2 -s restart api --watch"))
            #expect(try pm2.process("api").text("watch") == "true")
        }
    }
}
