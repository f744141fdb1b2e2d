import PM2Format
import Records
import TestSupport
import Testing

@Suite("pm2: app files")
struct FileTests {
    private static let file = """
        module.exports = {
          apps: [
            { name: 'api', script: 'tell.js', env: { STAGE: 'dev', DEEP: { a: 1 } }, env_production: { STAGE: 'prod', MORE: 'yes' } },
            { name: 'batch', script: 'app.sh' },
            { name: 'off', script: 'app.sh', autostart: false },
          ],
        }

        """

    @Test("start, startOrRestart and startOrReload restart what is there and start the others")
    func starting() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.write(Self.file, to: "ecosystem.config.js")
            func launched(_ names: String...) -> [String] { names.map { "[PM2] App [\($0)] launched (1 instances)" } }
            func applied(_ verb: String, _ name: String, _ id: Int) -> [String] {
                ["[PM2] Applying action \(verb)ProcessId on app [\(name)](ids: [ \(id) ])", "[PM2] [\(name)](\(id)) ✓"]
            }
            try pm2.sh("pm2 -s ping")
            try pm2.check([
                Row("pm2 start ecosystem.config.js --only batch", says: launched("batch"), table: true),
                Row(
                    "pm2 start ecosystem.config.js --only 'api,off'",
                    says: ["[PM2][WARN] Applications api, off not running, starting..."] + launched("api", "off"),
                    table: true),
            ])
            #expect(try pm2.list().map(\.status) == ["online", "online", "stopped"])
            #expect(try pm2.environment(of: "api")["STAGE"] == "dev")
            #expect(try pm2.environment(of: "api")["DEEP"] == "{\"a\":1}")
            #expect(try pm2.environment(of: "api")["PM2_JSON_PROCESSING"] == "true")
            // Without an operand: the file of that name.
            try pm2.check([
                Row("pm2 start --only api --env production", says: applied("restart", "api", 1), table: true)
            ])
            var environment = try pm2.environment(of: "api", starts: 2)
            #expect(environment["STAGE"] == "prod")
            #expect(environment["MORE"] == "yes")
            // Back without --env: what the file's `env` has goes back, the rest stays.
            try pm2.check(
                Row(
                    "pm2 startOrRestart ecosystem.config.js --only api", says: applied("restart", "api", 1), table: true
                ))
            environment = try pm2.environment(of: "api", starts: 3)
            #expect(environment["STAGE"] == "dev")
            #expect(environment["MORE"] == "yes")
            try pm2.check([
                Row(
                    "pm2 startOrReload ecosystem.config.js --only batch", says: applied("reload", "batch", 0),
                    table: true),
                Row(
                    "pm2 startOrGracefulReload ecosystem.config.js --only batch", says: applied("reload", "batch", 0),
                    table: true),
                Row("pm2 restart ecosystem.config.js --only batch", says: applied("restart", "batch", 0), table: true),
                Row("pm2 reload ecosystem.config.js --only batch", says: applied("reload", "batch", 0)),
                Row(
                    "pm2 start ecosystem.config.js --only api --env nosuch",
                    says: ["[PM2][WARN] Environment [nosuch] is not defined in process file"]
                        + applied("restart", "api", 1), table: true),
                Row("pm2 stop ecosystem.config.js", says: nil, table: true),
            ])
            #expect(try pm2.list().map(\.restarts) == [4, 3, 0])
            #expect(try pm2.list().allSatisfy { $0.status == "stopped" })
            try pm2.check([
                Row("pm2 delete ecosystem.config.js --only batch", says: applied("delete", "batch", 0), table: true),
                Row(
                    "pm2 delete ecosystem.config.js", says: applied("delete", "api", 1) + applied("delete", "off", 2),
                    table: true),
                // Nothing of it runs: no error.
                Row("pm2 delete ecosystem.config.js", says: [], table: true),
                Row("pm2 stop ecosystem.config.js", says: [], table: true),
            ])
        }
    }

    @Test("a file may be JSON as JavaScript has it, YAML, or standard input")
    func kinds() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.write("// comment\n{ apps: [{ name: 'one', script: \"app.sh\", }], }\n", to: "one.json")
            try pm2.write("apps:\n  - name: two\n    script: app.sh\n", to: "two.yml")
            try pm2.write("apps:\n  - name: three\n    script: app.sh\n", to: "three.yaml")
            try pm2.write("module.exports = [{ name: 'four', script: 'app.sh' }]\n", to: "four.config.cjs")
            try pm2.write("export default { apps: [{ name: 'five', script: 'app.sh' }] }\n", to: "five.config.mjs")
            try pm2.write(
                "{ \"name\": \"whatever\", \"pm2\": [{ \"name\": \"six\", \"script\": \"app.sh\" }] }\n",
                to: "package.json")
            try pm2.write("{ name: 'seven', script: 'app.sh' }\n", to: "seven.json5")
            for file in [
                "one.json", "two.yml", "three.yaml", "four.config.cjs", "five.config.mjs", "package.json",
                "seven.json5",
            ] {
                try pm2.check(Row("pm2 start \(file)", says: nil, table: true))
            }
            #expect(try pm2.names == ["one", "two", "three", "four", "five", "six", "seven"])
            let input = "echo '{ apps: [{ name: \"eight\", script: \"app.sh\" }] }'"
            try pm2.check([
                Row("\(input) | pm2 start -", says: nil, table: true),
                Row("\(input) | pm2 restart -", says: nil, table: true),
                Row("\(input) | pm2 stop -", says: nil, table: true),
            ])
            #expect(try pm2.process("eight").status == "stopped")
            #expect(try pm2.process("eight").restarts == 1)
            try pm2.check(Row("\(input) | pm2 delete -", says: nil, table: true))
            #expect(try pm2.names.contains("eight") == false)
        }
    }

    @Test("what is wrong with a file is told, and nothing is started")
    func wrong() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.write("{ apps: [", to: "cut.json")
            try pm2.write("module.exports = {", to: "cut.config.js")
            try pm2.write("apps: [", to: "cut.yml")
            func app(_ member: String) -> String { "{ apps: [{ name: 'a', script: 'app.sh', \(member) }] }" }
            try pm2.write(app("instances: {}"), to: "type.json")
            try pm2.write(app("max_memory_restart: '1.5G'"), to: "pattern.json")
            try pm2.write(app("max_restarts: -1"), to: "least.json")
            try pm2.write(app("cron_restart: 'x y'"), to: "cron.json")
            try pm2.write("{ apps: [{ name: 'a' }] }", to: "none.json")
            try pm2.write("{ apps: [{ name: 'a', script: 'nosuch.js' }] }", to: "missing.json")
            try pm2.check([
                Row("pm2 -s ping"),
                Row("pm2 start nosuch.json", 1, errors: ["[PM2][ERROR] File nosuch.json not found"]),
                Row("pm2 stop nosuch.config.js", 1, errors: ["[PM2][ERROR] File nosuch.config.js not found"]),
                Row("pm2 start", 1, errors: ["[PM2][ERROR] File ecosystem.config.js not found"]),
                Row("pm2 start cut.json", 1, errors: ["[PM2][ERROR] File cut.json malformated", "[PM2][ERROR] *"]),
                Row(
                    "pm2 start cut.config.js", 1,
                    errors: ["[PM2][ERROR] File cut.config.js malformated", "[PM2][ERROR] *"]),
                Row("pm2 start cut.yml", 1, errors: ["[PM2][ERROR] File cut.yml malformated", "[PM2][ERROR] *"]),
                Row(
                    "pm2 start type.json", 1,
                    says: [
                        "[PM2][WARN] Expect \"instances\" to be a typeof [object Number], but now is [object Object]*"
                    ]),
                Row(
                    "pm2 start pattern.json", 1,
                    says: ["[PM2][WARN] Verify \"max_memory_restart\" with regex failed, *"]),
                Row(
                    "pm2 start least.json", 1,
                    says: ["[PM2][WARN] The minimum of \"max_restarts\" is 0, but now is -1*"]),
                Row("pm2 start cron.json", 1, says: ["[PM2][WARN] Cron pattern error: *"]),
                Row("pm2 start none.json", 1, says: ["[PM2][WARN] \"script\" is required*"]),
                Row(
                    "pm2 start missing.json", 1, says: nil,
                    errors: ["[PM2][ERROR] Error: Script not found: {D}/nosuch.js"]),
                Row(
                    "pm2 start app.sh --max-memory-restart 300MB", 1,
                    says: ["[PM2][WARN] Verify \"max_memory_restart\" with regex failed, *"]),
            ])
            #expect(try pm2.list().isEmpty)
        }
    }

    @Test("a broken app of a file does not keep the others down")
    func oneBroken() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.write(
                "{ apps: [{ name: 'a', script: 'app.sh' }, { name: 'b', script: 'nosuch.js' }, { name: 'c', script: 'other.sh' }] }",
                to: "apps.json")
            try pm2.check(
                Row(
                    "pm2 start apps.json", 1, says: nil,
                    errors: ["[PM2][ERROR] Error: Script not found: {D}/nosuch.js"]))
            #expect(try pm2.names == ["a", "c"])
        }
    }
}
