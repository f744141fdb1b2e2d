import Foundation
import Records
import TestSupport
import Testing

@Suite("import pm2", .waiting)
struct ImportTests {
    /// What sites run: Node, PHP, Python, bash.
    private func startSite(_ user: PM2Home) throws {
        try user.write(
            "require('http').createServer((q, r) => r.end('hi')).listen(0, '127.0.0.1');\n", to: "site/web/server.js")
        try user.write("<?php while (true) { sleep(1); }\n", to: "site/api/serve.php")
        try user.write("import time\nwhile True: time.sleep(1)\n", to: "site/worker.py")
        try user.write(
            """
            module.exports = { apps: [{ name: "web", script: "./web/server.js", instances: 2, exec_mode: "fork",
              env: { NODE_ENV: "production" }, max_memory_restart: "1G", min_uptime: "10s", max_restarts: 10 }] };

            """, to: "site/ecosystem.config.js")
        let session = ["SSH_CLIENT": "192.0.2.1 1 2", "TERM": "xterm", "STRIPE_KEY": "sk_test", "LANG": "C.UTF-8"]
        var lines = ["cd site", "pm2 start ecosystem.config.js"]
        if Self.has("php") { lines.append("pm2 start /usr/bin/php --name api -i none -- api/serve.php --port=8001") }
        lines += [
            "pm2 start worker.py --name worker --interpreter python3",
            "pm2 start /bin/bash --name front -- -c 'sleep 100000'", "pm2 stop front", "pm2 save",
        ]
        let result = try user.sh(lines.joined(separator: " && "), environment: session)
        #expect(result.code == 0, "\(result.output)\(result.errors)")
    }

    private static func has(_ program: String) -> Bool {
        FileManager.default.isExecutableFile(atPath: "/usr/bin/\(program)")
    }

    private static let crontab = """
        # m h dom mon dow command
        MAILTO=ops@example.org
        */5 * * * * /home/ubuntu/site/scripts/server-health-check.sh
        @reboot sleep 30 && pm2 resurrect
        0 * * * * pm2 save
        0 2 * * * find logs -name "*.log" -mtime +7 -delete
        */30 * * * * df -h / | awk 'NR==2 {if (int($5) > 80) print "WARNING"}'
        30 4 * * * cd /srv && /usr/bin/pm2 restart web >> /tmp/x.log 2>&1
        0 0 * * 0 pm2 flush
        7 7 * * * /nonexistent/backup
        8 8 * * * /bin/true

        """

    @Test("a site comes over whole: the plan for its own list is empty but for what the crontab adds")
    func site() throws {
        try withPM2 { user in
            try startSite(user)
            try user.write(Self.crontab, to: "site/crontab")
            try user.write(
                """
                [Service]
                User=\(NSUserName())
                Environment=PATH=/usr/bin PM2_HOME=\(user.paths.home)
                ExecStart=/usr/lib/node_modules/pm2/bin/pm2 resurrect
                ExecStop=/usr/lib/node_modules/pm2/bin/pm2 kill

                """, to: "site/pm2-deploy.service")
            let hearth = try Programs.hearth()
            let dump = user.read(".pm2/dump.pm2")
            let environment = ["HEARTH_HOME": user.paths.home, "LANG": "C.UTF-8"]
            func run(_ line: String) throws -> CommandResult {
                try user.sh("cd site && '\(hearth)' \(line)", environment: environment)
            }
            let plain = try run("import pm2 --crontab /dev/null -o plain.yaml")
            #expect(plain.code == 0, "\(plain.errors)")
            let plan = try run("plan plain.yaml")
            // It stands in the file that 'front' was stopped.
            #expect(plan.output == "~ front changed\n    autostart: true → false\n    takes effect without a restart\n")
            #expect(plan.code == 10, "\(plan.errors)")

            let whole = try run("import pm2 --crontab crontab --unit pm2-deploy.service")
            #expect(whole.code == 0, "\(whole.errors)")
            let text = whole.output
            for part in [
                "web: node ", "instances: 2", "secret, so keep the file private: STRIPE_KEY",
                "left out, of the session that started PM2: ", "SSH_CLIENT",
                "note: it was stopped when the list was saved",
                "pm2 save\n    not needed:", "pm2 resurrect\n    not needed:",
                "-delete\n    converted: the job 'find', paused", "df -h",
                "2>&1\n    converted: cron_restart: \"30 4 * * *\" of 'web'", "pm2 flush\n    keep:",
                "/nonexistent/backup\n    keep: it is no job that can run here", "health-check.sh\n    keep:",
                "/bin/true\n    converted: the job 'true', paused", "'hearth startup' writes a unit",
                "wrote 'hearth.yaml'",
            ] { #expect(text.contains(part), "'\(part)' is not in\n\(text)") }
            let yaml = user.read("site/hearth.yaml")
            #expect(yaml.contains("schedule: \"8 8 * * *\"") && yaml.contains("name: find"))
            #expect(yaml.contains("cron_restart: \"30 4 * * *\"") && yaml.contains("STRIPE_KEY: sk_test"))
            #expect(!yaml.contains("SSH_CLIENT") && !yaml.contains("PM2_HOME"))
            #expect(try user.sh("stat -c %a site/hearth.yaml").output == "600\n")
            #expect(try run("validate hearth.yaml").code == 0)
            #expect(try run("plan hearth.yaml").output.contains("cron_restart: none → 30 4 * * *"))

            // Read only on the other side, and no second time over the file.
            #expect(user.read(".pm2/dump.pm2") == dump)
            #expect(try run("import pm2 --crontab crontab").errors.contains("'hearth.yaml' exists"))
            #expect(user.read("site/hearth.yaml") == yaml)
            let json = try run("import pm2 --crontab crontab --output x.json --json")
            #expect(try JSON(json.output)["apps"].array.count >= 3)
            #expect(try JSON(user.read("site/x.json"))["apps"][0]["name"].string == "web")
            let stream = try run("import pm2 --crontab - --output - <crontab")
            #expect(stream.output == yaml && stream.errors.contains("pm2 flush"))
        }
    }

    @Test("a dump that is not whole is an error that tells what can be used, and stays as it is")
    func corrupt() throws {
        try withPM2 { user in
            let record =
                #"{"name":"NAME","pm_exec_path":"/bin/sleep","pm_cwd":"/","exec_interpreter":"none","args":["9"]}"#
            func named(_ name: String) -> String { record.replacingOccurrences(of: "NAME", with: name) }
            let hearth = try Programs.hearth()
            func run(_ more: String = "") throws -> CommandResult {
                try user.sh("'\(hearth)' import pm2 --crontab /dev/null --output - \(more)")
            }
            #expect(try run().code == 1)
            let half = "[\(named("one")),\n\(named("two")),\n{\"name\":\"thr"
            try user.write(half, to: ".pm2/dump.pm2")
            let refused = try run()
            #expect(refused.code == 1 && refused.output.isEmpty)
            #expect(refused.errors.contains("usable: 2 entries ('one', 'two'); --partial"), "\(refused.errors)")
            let partial = try run("--partial")
            #expect(
                partial.code == 0 && partial.output.contains("name: one") && partial.errors.contains("it is not whole"))

            try user.write("[\(named("old"))]", to: ".pm2/dump.pm2.bak")
            let backup = try run()
            #expect(
                backup.code == 0 && backup.output.contains("name: old") && backup.errors.contains("its backup was read")
            )
            #expect(user.read(".pm2/dump.pm2") == half)

            try user.write("[\(named("good")), {\"name\": \"bad\", \"pm_exec_path\": 3}]", to: ".pm2/dump.pm2")
            let lost = try run()
            #expect(lost.code == 1 && lost.errors.contains("record 1 ('bad').pm_exec_path"), "\(lost.errors)")
            #expect(try run("--partial").output.contains("name: good"))
        }
    }

    @Test("entries become apps: instances together, equal names apart, sites, schedules and counted ports as they were")
    func shapes() throws {
        try withPM2 { user in
            func record(_ name: String, _ env: String, _ more: String = "") -> String {
                let rest = more.isEmpty ? "" : ", \(more)"
                return """
                    {"name": "\(name)", "pm_exec_path": "/bin/sleep", "pm_cwd": "/", "exec_interpreter": "none",
                    "args": ["9"], "exec_mode": "fork_mode", "merge_logs": false, "status": "online", "env": {\(env)}\(rest)}
                    """
            }
            let counted = #""increment_var": "PORT""#
            let site = """
                {"name": "files", "pm_exec_path": "/usr/lib/node_modules/pm2/lib/API/Serve.js", "pm_cwd": "/srv",
                "exec_interpreter": "node", "exec_mode": "fork_mode", "merge_logs": true,
                "env": {"PM2_SERVE_PATH": "\(user.directory)", "PM2_SERVE_PORT": "8081", "PM2_USAGE": "CLI"}}
                """
            let records = [
                record(
                    "api", #""A": "1", "SSH_TTY": "x", "NODE_APP_INSTANCE": 0"#,
                    #""NODE_APP_INSTANCE": 0, "cron_restart": "0 3 * * *""#),
                record(
                    "api", #""A": "1", "SSH_TTY": "y", "NODE_APP_INSTANCE": 1"#,
                    #""NODE_APP_INSTANCE": 1, "cron_restart": "0 3 * * *", "restart_time": 7"#),
                record("api", #""A": "2""#), record("web", #""PORT": "3001""#, counted),
                record("web", #""PORT": "3000""#, counted), site,
                record("yes", #""TEXT": "a: b\n\"c\" # d", "NO": "no", "N": "1e3""#, #""autorestart": false"#),
            ]
            try user.write("[\(records.joined(separator: ",\n"))]", to: ".pm2/dump.pm2")
            try user.write("0 5 * * * pm2 restart api\n0 6 * * * pm2 restart web files\n", to: "lines")
            let hearth = try Programs.hearth()
            let result = try user.sh(
                "'\(hearth)' import pm2 --crontab lines --output apps.json; '\(hearth)' validate apps.json")
            #expect(result.code == 0, "\(result.output)\(result.errors)")
            #expect(result.output.contains("attention: the app has a 'cron_restart' already"))
            let apps = try JSON(user.read("apps.json"))["apps"]
            #expect(apps.array.map { $0["name"].string } == ["api", "api-2", "web", "files", "yes"])
            #expect(apps[0]["instances"].int == 2 && apps[0]["env"].keys == ["A"])
            #expect(!apps[1].has("instances") && apps[1]["merge_logs"].bool == false)
            #expect(apps[2]["instances"].int == 2 && apps[2]["env"]["PORT"].string == "3000")
            #expect(apps[2]["cron_restart"].string == "0 6 * * *" && apps[3]["cron_restart"].string == "0 6 * * *")
            #expect(apps[3]["script"].string == "serve" && apps[3]["env"].keys == ["PM2_SERVE_PATH", "PM2_SERVE_PORT"])
            #expect(apps[4]["autorestart"].bool == false && apps[4]["env"]["N"].string == "1e3")
            for format in ["yaml", "toml"] {
                let line =
                    "'\(hearth)' import pm2 --crontab lines -o apps.\(format) >/dev/null; '\(hearth)' convert apps.\(format) --to json"
                #expect(try JSON(try user.sh(line).output)["apps"] == apps)
            }
        }
    }
}
