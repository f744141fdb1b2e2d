import PM2Format
import Records
import TestSupport
import Testing

@Suite("pm2: what an operand means")
struct SelectorTests {
    private static func applying(_ verb: String, _ operand: String, _ ids: Int...) -> String {
        "[PM2] Applying action \(verb)ProcessId on app [\(operand)](ids: [ \(ids.map(String.init).joined(separator: ", ")) ])"
    }

    @Test("names, ids, namespaces, patterns, scripts and all")
    func selectors() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.sh(
                """
                pm2 -s start app.sh --name api
                pm2 -s start other.sh --name web-1 --namespace front
                pm2 -s start other.sh --name web-2 --namespace front -f
                pm2 -s start app.sh --name 2 --namespace digits -f
                """)
            #expect(try pm2.names == ["api", "web-1", "web-2", "2"])
            let hint = "Use --update-env to update environment variables"
            try pm2.check([
                Row("pm2 stop api", says: [Self.applying("stop", "api", 0), "[PM2] [api](0) ✓"], table: true),
                // Stopping what is stopped is no error.
                Row("pm2 stop api", says: [Self.applying("stop", "api", 0), "[PM2] [api](0) ✓"], table: true),
                Row(
                    "pm2 restart api", says: [hint, Self.applying("restart", "api", 0), "[PM2] [api](0) ✓"], table: true
                ),
                Row(
                    "pm2 restart api --update-env", says: [Self.applying("restart", "api", 0), "[PM2] [api](0) ✓"],
                    table: true),
                Row("pm2 restart api -a", says: [Self.applying("restart", "api", 0), "[PM2] [api](0) ✓"], table: true),
                // A number is a name first, and only then an id.
                Row("pm2 stop 2", says: [Self.applying("stop", "2", 3), "[PM2] [2](3) ✓"], table: true),
                Row("pm2 stop 1", says: [Self.applying("stop", "1", 1), "[PM2] [web-1](1) ✓"], table: true),
                Row(
                    "pm2 stop front",
                    says: [Self.applying("stop", "front", 1, 2), "[PM2] [web-1](1) ✓", "[PM2] [web-2](2) ✓"],
                    table: true),
                Row(
                    "pm2 reload /^web/",
                    says: [hint, Self.applying("reload", "/^web/", 1, 2), "[PM2] [web-1](1) ✓", "[PM2] [web-2](2) ✓"]),
                Row("pm2 stop /nosuch/", 1, errors: ["[PM2][WARN] No process found"]),
                Row("pm2 stop app.sh", says: [Self.applying("stop", "app.sh", 0, 3), "…"], table: true),
                Row("pm2 restart all", says: [hint, Self.applying("restart", "all", 0, 1, 2, 3), "…"], table: true),
                Row(
                    "pm2 stop api web-1",
                    says: [
                        Self.applying("stop", "api", 0), "[PM2] [api](0) ✓", Self.applying("stop", "web-1", 1),
                        "[PM2] [web-1](1) ✓",
                    ], table: true),
                // The first operand that fails ends the command.
                Row(
                    "pm2 restart nosuch web-1", 1, says: [hint],
                    errors: ["[PM2][ERROR] Process or Namespace nosuch not found"]),
            ])
            #expect(try pm2.process("web-1").status == "stopped")
            for verb in ["stop", "delete"] {
                try pm2.check([
                    Row("pm2 \(verb) nosuch", 1, errors: ["[PM2][ERROR] Process or Namespace nosuch not found"]),
                    Row(
                        "pm2 \(verb) 99", 1,
                        says: ["[PM2] Applying action \(verb)ProcessId on app [99](ids: [ '99' ])"],
                        errors: ["[PM2][ERROR] Process 99 not found"]),
                ])
            }
            for verb in ["restart", "reload"] {
                try pm2.check([
                    Row(
                        "pm2 \(verb) nosuch", 1, says: [hint],
                        errors: ["[PM2][ERROR] Process or Namespace nosuch not found"]),
                    Row(
                        "pm2 \(verb) 99", 1,
                        says: [hint, "[PM2] Applying action \(verb)ProcessId on app [99](ids: [ '99' ])"],
                        errors: ["[PM2][ERROR] Process 99 not found"]),
                    Row(
                        "pm2 \(verb) api --env production", 1,
                        errors: [
                            "[PM2][ERROR] Using --env [env] without passing the ecosystem.config.js does not work"
                        ]),
                ])
            }
            try pm2.check([
                Row("pm2 del api", says: [Self.applying("delete", "api", 0), "[PM2] [api](0) ✓"], table: true),
                Row("pm2 delete other.sh", says: [Self.applying("delete", "other.sh", 1, 2), "…"], table: true),
                Row("pm2 delete all", says: [Self.applying("delete", "all", 3), "[PM2] [2](3) ✓"], table: true),
            ])
            for verb in ["stop", "delete"] {
                try pm2.check(Row("pm2 \(verb) all", 1, errors: ["[PM2][WARN] No process found"]))
            }
            // Ids begin anew once the list is empty.
            try pm2.sh("pm2 -s start app.sh --name api")
            #expect(try pm2.process("api").id == 0)
        }
    }

    @Test("start restarts what it finds by name, namespace, id or script, and refuses what runs")
    func smartStart() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            let again = "[PM2] Process successfully started"
            let launched = "[PM2][ERROR] Script already launched, add -f option to force re-execution"
            try pm2.check([
                Row(
                    "pm2 start app.sh --name api",
                    says: [
                        "[PM2] Spawning PM2 daemon with pm2_home={H}", "[PM2] PM2 Successfully daemonized",
                        "[PM2] Starting {D}/app.sh in fork_mode (1 instance)", "[PM2] Done.",
                    ], table: true),
                Row("pm2 start app.sh --name api", 1, errors: [launched]),
                Row("pm2 start ./app.sh --name api", 1, errors: [launched]),
                // By name, even online: it counts as a restart.
                Row(
                    "pm2 start api", says: [Self.applying("restart", "api", 0), "[PM2] [api](0) ✓", again], table: true),
                Row(
                    "pm2 start app.sh --name api -f",
                    says: ["[PM2] Starting {D}/app.sh in fork_mode (1 instance)", "[PM2] Done."], table: true),
            ])
            #expect(try pm2.list().map(\.restarts) == [1, 0])
            try pm2.check([
                Row("pm2 stop api", says: nil, table: true),
                // The same script and name, stopped: restarted by name.
                Row(
                    "pm2 start app.sh --name api",
                    says: [Self.applying("restart", "api", 0, 1), "[PM2] [api](0) ✓", "[PM2] [api](1) ✓", again],
                    table: true),
                Row("pm2 delete 1", says: nil, table: true),
                Row("pm2 stop 0", says: nil, table: true),
                Row("pm2 start 0", says: nil, table: true),
                Row(
                    "pm2 start default", says: [Self.applying("restart", "default", 0), "[PM2] [api](0) ✓", again],
                    table: true),
                Row("pm2 start all", says: nil, table: true),
            ])
            let api = try pm2.process("api")
            #expect(api.status == "online")
            // Starting what is stopped is no restart; what runs is restarted by `default` and `all`.
            #expect(api.restarts == 3)
            // A name with a dot has an extension: it is looked for as a file.
            try pm2.check([
                Row("pm2 start app.sh --name api.v2", says: nil, table: true),
                Row("pm2 start api.v2", 1, errors: ["[PM2][ERROR] Script not found: {D}/api.v2"]),
                Row("pm2 start nosuch", 1, errors: ["[PM2][ERROR] Script not found: {D}/nosuch"]),
                Row("pm2 start nosuch.js", 1, errors: ["[PM2][ERROR] Script not found: {D}/nosuch.js"]),
                Row("pm2 start 99", 1, says: nil, errors: ["[PM2][ERROR] Process 99 not found"]),
                Row(
                    "pm2 start other.sh nosuch.js app.sh", 1, says: nil,
                    errors: ["[PM2][ERROR] Script not found: {D}/nosuch.js"]),
            ])
            #expect(try pm2.names == ["api", "api.v2", "other"], "operands behind the one that failed are left out")
        }
    }

    @Test("what has a space is a line of shell, and a bare word a program of PATH")
    func commands() throws {
        try withPM2 { pm2 in
            try pm2.sh("pm2 -s start 'sleep 100000 && true' --name line; pm2 -s start sleep -- 100000")
            let line = try pm2.process("line")
            #expect(line.text("pm_exec_path")?.hasSuffix("/bash") == true)
            #expect(line.text("exec_interpreter") == "none")
            #expect(line.settings["args"] == .strings(["-c", "sleep 100000 && true"]))
            let word = try pm2.process("sleep")
            #expect(word.text("pm_exec_path")?.hasSuffix("/bin/sleep") == true)
            #expect(word.text("exec_interpreter") == "none")
            #expect(Processes.commandLine(word.pid).last == "100000")
        }
    }

    @Test("the interpreter goes by the extension, and its absence is an error")
    func interpreters() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.write("", to: "app.rb")
            try pm2.write(
                "console.log(JSON.stringify({ args: process.argv.slice(2) })); setInterval(() => {}, 1000)\n",
                to: "plain")
            try pm2.sh(
                "for app in tell.py tell.php app.sh; do pm2 -s start $app; done; pm2 -s start plain --name plain -- x")
            #expect(
                try pm2.list().map { $0.text("exec_interpreter")?.split(separator: "/").last ?? "" } == [
                    "python3", "php", "bash", "node",
                ])
            #expect(try pm2.told("plain")["args"] == .strings(["x"]))
            try pm2.check([
                Row(
                    "pm2 start tell.js --interpreter nosuch", 1,
                    errors: [
                        "[PM2][ERROR] Interpreter nosuch is NOT AVAILABLE in PATH. (type 'which nosuch' to double check.)"
                    ]),
                Row("pm2 start tell.js --interpreter none --name none", 1, says: nil, errors: ["*"]),
            ])
        }
    }
}
