import PM2Format
import Records
import TestSupport
import Testing

@Suite("pm2: looking")
struct ReadingTests {
    @Test("lists, ids, pids and answers about what is not there")
    func rows() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.sh("pm2 start app.sh --name api && pm2 start other.sh --name batch --namespace jobs --no-autostart")
            let api = try pm2.process("api")
            #expect(Processes.isRunning(api.pid))
            try pm2.check(["list", "ls", "l", "ps", "status"].map { Row("pm2 \($0)", table: true) })
            try pm2.check([
                Row("pm2 ls --sort id:desc", table: true),
                Row("pm2 ls --sort nosuch", table: true),
                Row("pm2 ls --no-color", table: true),
                Row("pm2 -s ls"),
                Row("pm2 ls", environment: ["PM2_SILENT": "1"]),
                Row("pm2 ls", environment: ["PM2_SILENT": "true"]),
                Row("pm2 ls -m", says: ["+--- api", "namespace : default", "version : N/A", "…"]),
                Row("pm2 id api", says: ["[ 0 ]"]),
                Row("pm2 id nosuch", says: ["[]"]),
                Row("pm2 pid api", says: ["\(api.pid)"]),
                Row("pm2 pid batch", says: ["0"]),
                Row("pm2 pid", says: ["\(api.pid)", "0"]),
                Row("pm2 pid nosuch", says: [""]),
                Row("pm2 ping", says: ["{ msg: 'pong' }"]),
                Row("pm2 -s ping"),
                Row("pm2 env 99", 1, errors: ["[PM2][ERROR] Modules with id 99 not found"]),
                Row("pm2 env api", 1, errors: ["[PM2][ERROR] Modules with id api not found"]),
                Row("pm2 describe nosuch", 1, errors: ["[PM2][WARN] nosuch doesn't exist"]),
                Row("pm2 describe jobs", 1, errors: ["[PM2][WARN] jobs doesn't exist"]),
                Row(
                    "pm2 trigger nosuch do", 1,
                    errors: ["Not any process has received a command (offline or unexistent)"]),
                Row("pm2 trigger 99 do", 1, errors: ["99 id unknown"]),
                Row("pm2 trigger 0 do", 1, errors: ["Action doesn't exist do for api"]),
                Row("pm2 report", says: nil, table: true),
                Row("pm2 monit", table: true),
                Row("pm2 dash", table: true),
            ])
            #expect(try pm2.process("api").pid == api.pid, "looking changes nothing")
            #expect(try pm2.process("api").restarts == 0)
        }
    }

    @Test("describe has its rows in order, under each of its names")
    func describe() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.sh("pm2 start tell.js --name api --max-memory-restart 200M -c '0 0 1 1 *' -- a b")
            var texts: [String] = []
            for (command, target) in [("describe", "api"), ("desc", "0"), ("info", "api"), ("show", "0")] {
                let result = try pm2.sh("pm2 \(command) \(target)")
                #expect(result.code == 0)
                #expect(result.errors == "")
                texts.append(result.output)
            }
            let text = texts[0]
            #expect(text.hasPrefix(" Describing process with id 0 - name api \n"))
            #expect(
                Self.labels(text).prefix(23)
                    == [
                        "status", "name", "namespace", "version", "restarts", "max memory restart", "cron restart",
                        "uptime",
                        "script path", "script args", "error log path", "out log path", "pid path", "interpreter",
                        "interpreter args", "script id", "exec cwd", "exec mode", "node.js version", "node env",
                        "watch & reload", "unstable restarts", "created at",
                    ])
            #expect(text.contains(" Divergent env variables from local env "))
            for trailer in [
                " Add your own code metrics: http://bit.ly/code-metrics",
                " Use `pm2 logs api [--lines 1000]` to display logs",
                " Use `pm2 env 0` to display environment variables",
                " Use `pm2 monit` to monitor CPU and Memory usage api",
            ] { #expect(PM2Home.lines(of: text).contains(trailer)) }
            for other in texts.dropFirst() { #expect(Self.labels(other) == Self.labels(text)) }
        }
    }

    /// The first cell of each row of a table.
    private static func labels(_ text: String) -> [String] {
        PM2Home.lines(of: text).filter { $0.hasPrefix("│") }.map { line in
            let cell = line.dropFirst().prefix { $0 != "│" }
            return cell.split(separator: " ").joined(separator: " ")
        }
    }

    @Test("the table has PM2's columns, and the rows in the order asked for")
    func table() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.sh("pm2 start app.sh --name beta && pm2 start app.sh --name alpha --no-autostart")
            let lines = PM2Home.lines(of: try pm2.sh("pm2 ls").output)
            let rows = lines.filter { $0.hasPrefix("│") }.map { line in
                line.split(separator: "│").map { $0.split(separator: " ").joined(separator: " ") }
            }
            try #require(rows.count == 3)
            #expect(
                rows[0] == [
                    "id", "name", "namespace", "version", "mode", "pid", "uptime", "↺", "status", "cpu", "mem", "user",
                    "watching",
                ])
            #expect(rows[1].prefix(9) == ["1", "alpha", "default", "N/A", "fork", "0", "0", "0", "stopped"])
            #expect(rows[2][1] == "beta")
            #expect(rows[2][8] == "online")
            let byID = try pm2.sh("pm2 ls --sort id").output
            #expect(
                (byID.firstRange(of: "beta")?.lowerBound ?? byID.endIndex)
                    < (byID.firstRange(of: "alpha")?.lowerBound ?? byID.startIndex))
        }
    }

    @Test("jlist is JSON alone, with PM2's keys, also when a daemon has to be started for it")
    func json() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.check(Row("pm2 jlist", says: ["[]"]))
            #expect(pm2.home.daemonPids.count == 1)
            try pm2.sh("pm2 -s start app.sh --name api")
            let result = try pm2.sh("pm2 jlist")
            #expect(!result.output.hasSuffix("\n"))
            #expect(result.errors == "")
            let api = try pm2.process("api")
            #expect(api.json.keys == ["pid", "name", "pm2_env", "pm_id", "monit"])
            let keys = Set(api.settings.keys)
            let wanted: Set<String> = [
                "name", "namespace", "env", "status", "pm_id", "pm_exec_path", "pm_cwd", "exec_interpreter",
                "exec_mode",
                "node_args", "pm_out_log_path", "pm_err_log_path", "pm_pid_path", "pm_uptime", "created_at",
                "restart_time", "unstable_restarts", "autorestart", "autostart", "treekill", "vizion", "pmx",
                "automation", "windowsHide", "vizion_running", "km_link", "kill_retry_time", "instance_var",
                "NODE_APP_INSTANCE", "username", "unique_id", "axm_actions", "axm_monitor", "axm_options",
                "axm_dynamic",
                "version", "instances", "watch", "merge_logs", "filter_env", "args",
            ]
            #expect(wanted.subtracting(keys) == [])
            #expect(api.text("PM2_HOME") == pm2.paths.home, "variables stand among the settings, too")
            #expect(api.variable("PM2_HOME") == pm2.paths.home)
        }
    }

    @Test("prettylist is what node makes of jlist")
    func pretty() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.check(Row("pm2 prettylist", says: ["[]"]))
            try pm2.sh("pm2 -s start app.sh --name \"it's\" --no-autostart -- one two")
            try pm2.write(
                """
                const { execSync } = require('child_process')
                const { inspect } = require('util')
                const list = JSON.parse(execSync('pm2 jlist'))
                const pretty = execSync('pm2 prettylist').toString()
                console.log(pretty === inspect(list, { depth: null }) ? 'same' : pretty)

                """, to: "compare.js")
            #expect(try pm2.sh("node compare.js").output == "same\n")
        }
    }

    @Test("PM2_SILENT silences all but what programs read")
    func silence() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            for (option, environment) in [("-s", [:]), ("", ["PM2_SILENT": "1"])] {
                try pm2.check([
                    Row("pm2 \(option) start app.sh --name api", environment: environment),
                    Row("pm2 \(option) stop api", environment: environment),
                    Row("pm2 \(option) stop nosuch", 1, environment: environment),
                    Row("pm2 \(option) id api", environment: environment),
                    Row("pm2 \(option) pid api", environment: environment),
                    Row("pm2 \(option) describe api", environment: environment),
                    Row("pm2 \(option) env 0", environment: environment),
                    Row("pm2 \(option) save", environment: environment),
                    Row("pm2 \(option) jlist", says: ["[{\"pid\":*"], environment: environment),
                    Row("pm2 \(option) prettylist", says: ["[", "…"], environment: environment),
                    Row("pm2 \(option) delete all", environment: environment),
                    Row("pm2 \(option) kill", environment: environment),
                ])
            }
        }
    }
}
