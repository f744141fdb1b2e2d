import PM2Format
import Records
import TestSupport
import Testing

@Suite("pm2: where variables come from")
struct EnvironmentTests {
    @Test("a restart keeps the environment, --update-env merges the shell's over it")
    func restarting() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.check(Row("pm2 -s start tell.py --name api", environment: ["KEPT": "1", "CHANGED": "1"]))
            var seen = try pm2.environment(of: "api")
            #expect(seen["CHANGED"] == "1")
            try pm2.check(Row("pm2 -s restart api", environment: ["CHANGED": "2"]))
            seen = try pm2.environment(of: "api", starts: 2)
            #expect(seen["CHANGED"] == "1")
            try pm2.check(Row("pm2 -s restart api --update-env", environment: ["CHANGED": "3", "NEW": "1"]))
            seen = try pm2.environment(of: "api", starts: 3)
            #expect(seen["CHANGED"] == "3")
            #expect(seen["NEW"] == "1")
            #expect(seen["KEPT"] == "1", "nothing is removed")
            try pm2.check(Row("pm2 restart api -- one two", says: nil, table: true))
            #expect(try pm2.told("api", starts: 4)["args"] == .strings(["one", "two"]))
            #expect(try pm2.process("api").variable("CHANGED") == "3")
            let environment = try pm2.sh("pm2 env 0").output
            #expect(PM2Home.lines(of: environment).contains("CHANGED: 3"))
        }
    }

    @Test("a file's variables win over the shell's, and are what a restart by file takes")
    func file() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            let file = """
                { apps: [{ name: 'own', script: 'tell.py', env: { A: 'file' } }, { name: 'bare', script: 'tell.py' }] }
                """
            try pm2.write(file, to: "apps.json")
            try pm2.check(Row("pm2 -s start apps.json", environment: ["A": "shell", "B": "shell"]))
            #expect(try pm2.environment(of: "own")["A"] == "file")
            #expect(try pm2.environment(of: "own")["B"] == "shell")
            #expect(try pm2.environment(of: "bare")["A"] == "shell")
            try pm2.write(file.replacing("'file'", with: "'new'"), to: "apps.json")
            try pm2.check(Row("pm2 -s restart apps.json", environment: ["A": "later", "B": "later"]))
            let own = try pm2.environment(of: "own", starts: 2)
            #expect(own["A"] == "new")
            // With variables of its own an app keeps what the shell gave it first; without any it takes the present ones.
            #expect(own["B"] == "shell")
            #expect(try pm2.environment(of: "bare", starts: 2)["B"] == "later")
        }
    }

    @Test("from within an app, what was put into its environment is not handed on")
    func nested() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.check(
                Row(
                    "pm2 -s start tell.py --name inner",
                    environment: ["pm_id": "7", "name": "outer", "exec_mode": "x", "restart_time": "9", "MINE": "1"]))
            let seen = try pm2.environment(of: "inner")
            #expect(seen["name"] == "inner")
            #expect(seen["pm_id"] == "0")
            #expect(seen["exec_mode"] == "fork_mode")
            #expect(seen["restart_time"] == "0")
            #expect(seen["MINE"] == "1")
        }
    }

    @Test("a variable of the shell that is called like a setting does not override it")
    func namesakes() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.check(
                Row("pm2 -s start tell.py --name api", environment: ["instances": "9", "watch": "true", "status": "x"]))
            let list = try pm2.list()
            #expect(list.count == 1)
            #expect(list.first?.status == "online")
            #expect(list.first?.text("watch") == "false")
        }
    }

    @Test("--env without a file is a warning, and changes nothing")
    func scriptWithEnvironment() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.check([
                Row("pm2 -s ping"),
                Row(
                    "pm2 start tell.py --name api --env prod",
                    says: ["[PM2][WARN] --env *", "[PM2] Starting *", "[PM2] Done."], table: true),
            ])
            #expect(try pm2.environment(of: "api")["0"] == nil)
        }
    }
}
