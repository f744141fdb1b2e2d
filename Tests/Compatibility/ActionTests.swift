import Foundation
import PM2Format
import Records
import TestSupport
import Testing

@Suite("pm2: commands on what runs")
struct ActionTests {
    @Test("scale goes up, down, by a difference, and says what cannot be")
    func scale() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.sh("pm2 -s start app.sh --name api -i 2")
            let up = "[PM2] Scaling up application"
            try pm2.check([
                Row("pm2 scale nosuch 3", 1, errors: ["[PM2][ERROR] Application nosuch not found"]),
                Row("pm2 scale api 2", 1, errors: ["[PM2][ERROR] Nothing to do"]),
                Row("pm2 scale api x", 1, errors: ["[PM2][ERROR] 'x' is not a number of instances"]),
                Row("pm2 scale api 4", says: [up, up], table: true),
            ])
            #expect(try pm2.list().map(\.id) == [0, 1, 2, 3])
            try pm2.check([
                // The lowest ids go.
                Row(
                    "pm2 scale api 3",
                    says: ["[PM2] Applying action deleteProcessId on app [api](ids: [ 0 ])", "[PM2] [api](0) ✓"],
                    table: true),
                Row(
                    "pm2 scale api -1",
                    says: ["[PM2] Applying action deleteProcessId on app [api](ids: [ 1 ])", "[PM2] [api](1) ✓"],
                    table: true),
                Row("pm2 scale api +1", says: [up], table: true),
            ])
            let list = try pm2.list()
            #expect(list.map(\.id) == [2, 3, 4])
            // A freed number is used again.
            #expect(list.map { $0.number("NODE_APP_INSTANCE") } == [2, 3, 0])
            #expect(list.allSatisfy { $0.status == "online" })
        }
    }

    @Test("a signal reaches a name and an id, and unknown ones are named")
    func sendSignal() throws {
        try withPM2 { pm2 in
            try pm2.write(
                "process.on('SIGUSR2', () => console.log('got it')); console.log('up'); setInterval(() => {}, 1000)\n",
                to: "app.js")
            try pm2.sh("pm2 -s start app.js --name api; pm2 -s start app.js --name off --no-autostart")
            let log = pm2.paths.logs + "/api-out.log"
            try pm2.home.eventually("the app is up") { pm2.read(log) == "up\n" }
            try pm2.check([
                Row(
                    "pm2 sendSignal SIGUSR2 api",
                    says: [
                        "[PM2] Sending signal to process name api",
                        "[PM2] successfully sent signal SIGUSR2 to process name api",
                    ], table: true)
            ])
            try pm2.home.eventually("the signal came") { pm2.read(log) == "up\ngot it\n" }
            try pm2.check(Row("pm2 sendSignal SIGUSR2 0", says: nil, table: true))
            try pm2.home.eventually("the signal came") { pm2.read(log) == "up\ngot it\ngot it\n" }
            try pm2.check([
                Row("pm2 sendSignal SIGUSR2 nosuch", 1, says: nil, errors: ["Unknown process name"]),
                Row("pm2 sendSignal SIGUSR2 off", 1, says: nil, errors: ["Unknown process name"]),
                Row("pm2 sendSignal SIGUSR2 99", 1, says: nil, errors: ["99 id unknown"]),
                Row("pm2 sendSignal SIGNOSUCH api", 1, says: nil, errors: ["*SIGNOSUCH*"]),
            ])
        }
    }

    @Test("a line goes to the standard input of an app")
    func send() throws {
        try withPM2 { pm2 in
            try pm2.write(
                "process.stdin.on('data', text => console.log('read ' + text.toString().trim()))\n", to: "reader.js")
            try pm2.sh("pm2 -s start reader.js --name api; pm2 -s start reader.js --name off --no-autostart")
            try pm2.check([
                Row("pm2 send 0 'hello there'", says: [], table: true),
                Row("pm2 sendLine 0 again", says: [], table: true),
                Row("pm2 send 99 x", 1, errors: ["[PM2][ERROR] Error: Process with ID <99> unknown."]),
                Row("pm2 send 1 x", 1, errors: ["[PM2][ERROR] Error: Process with ID <1> offline."]),
            ])
            try pm2.home.eventually("the lines were read") {
                let text = pm2.read(pm2.paths.logs + "/api-out.log")
                return text.contains("hello there") && text.contains("again")
            }
        }
    }

    @Test("reset sets the counters of a name, an id or all back")
    func reset() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.sh("pm2 -s start app.sh --name api; pm2 -s restart api; pm2 -s restart api")
            #expect(try pm2.process("api").restarts == 2)
            try pm2.check(Row("pm2 reset api", says: ["[PM2] Resetting meta for process id 0"], table: true))
            #expect(try pm2.process("api").restarts == 0)
            try pm2.sh("pm2 -s restart api")
            try pm2.check([
                Row("pm2 reset all", says: ["[PM2] Resetting meta for process id 0"], table: true),
                Row("pm2 reset 0", says: ["[PM2] Resetting meta for process id 0"], table: true),
                Row("pm2 reset nosuch", 1, errors: ["Unknown process name"]),
            ])
            #expect(try pm2.process("api").restarts == 0)
        }
    }

    @Test("flush empties the files of one or of all, and reloadLogs answers")
    func flush() throws {
        try withPM2 { pm2 in
            try pm2.write("echo one; echo two >&2; exec sleep 100000\n", to: "noisy.sh")
            try pm2.sh("pm2 -s start noisy.sh --name api; pm2 -s start noisy.sh --name batch -f")
            let logs = pm2.paths.logs
            try pm2.home.eventually("both wrote") {
                ["api-out", "api-error", "batch-out", "batch-error"].allSatisfy { pm2.read("\(logs)/\($0).log") != "" }
            }
            try pm2.check([
                Row("pm2 flush nosuch", says: ["[PM2] Logs flushed"]),
                Row(
                    "pm2 flush api",
                    says: [
                        "[PM2] Flushing:", "[PM2] {H}/logs/api-out.log", "[PM2] {H}/logs/api-error.log",
                        "[PM2] Logs flushed",
                    ]),
            ])
            #expect(pm2.read("\(logs)/api-out.log") == "")
            #expect(pm2.read("\(logs)/batch-error.log") == "two\n")
            try pm2.check(
                Row(
                    "pm2 flush",
                    says: [
                        "[PM2] Flushing {H}/pm2.log", "[PM2] Flushing:", "[PM2] {H}/logs/api-out.log",
                        "[PM2] {H}/logs/api-error.log",
                        "[PM2] Flushing:", "[PM2] {H}/logs/batch-out.log", "[PM2] {H}/logs/batch-error.log",
                        "[PM2] Logs flushed",
                    ]))
            #expect(pm2.read("\(logs)/batch-error.log") == "")
            try pm2.check(
                Row("pm2 reloadLogs", says: ["Reloading all logs...", "All logs reloaded"], errors: ["[PM2][WARN] *"]))
        }
    }

    @Test("two reloads at once are refused, unless forced")
    func reloadLock() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.sh("pm2 -s start app.sh --name api")
            let lock = pm2.paths.pm2ReloadLock
            for text in ["$(node -p 'Date.now()')", "$(node -p 'Date.now() - 5000')"] {
                try pm2.sh("echo \(text) > '\(lock)'")
                try pm2.check(
                    Row(
                        "pm2 reload api", 1, says: nil,
                        errors: [
                            "[PM2][ERROR] Reload already in progress, please try again in * seconds or use --force"
                        ]))
            }
            #expect(try pm2.process("api").restarts == 0)
            try pm2.check(Row("pm2 reload api --force", says: nil))
            #expect(try pm2.process("api").restarts == 1)
            #expect(pm2.read(lock) == "", "it is emptied afterwards")
            try pm2.sh("echo $(node -p 'Date.now() - 31000') > '\(lock)'")
            try pm2.check(Row("pm2 reload api", says: nil))
            try pm2.sh("node -p 'Date.now()' > '\(lock)'")
            // What a file asks for has no lock.
            try pm2.write("{ apps: [{ name: 'api', script: 'app.sh' }] }", to: "apps.json")
            try pm2.check(Row("pm2 startOrReload apps.json", says: nil, table: true))
        }
    }

    @Test("reload replaces a cluster's workers; a version that does not start leaves them alone")
    func reloadCluster() throws {
        try withPM2 { pm2 in
            let listening = "() => require('fs').writeFileSync(__dirname + '/up.' + process.pid, '')"
            try pm2.write(
                "require('http').createServer((q, r) => r.end()).listen(0, '127.0.0.1', \(listening));\n", to: "web.js")
            try pm2.sh("pm2 -s start web.js -i 2 --name web")
            let before = try pm2.list().map(\.pid)
            try pm2.home.eventually("the workers listen") {
                before.allSatisfy { FileManager.default.fileExists(atPath: pm2.directory + "/up.\($0)") }
            }
            let said = ["[PM2] Applying action reloadProcessId on app [web](ids: [ 0, 1 ])"]
            let hint = "Use --update-env to update environment variables"
            try pm2.check(Row("pm2 reload web", says: [hint] + said + ["[PM2] [web](0) ✓", "[PM2] [web](1) ✓"]))
            let after = try pm2.list()
            #expect(after.map(\.restarts) == [1, 1] && Set(after.map(\.pid)).isDisjoint(with: before))
            try pm2.write("throw new Error('no such module');\n", to: "web.js")
            let failed = try pm2.sh("pm2 reload web")
            #expect(failed.code == 1)
            for part in [
                "[PM2][ERROR] [web](0) its new process", "no such module", "[PM2][ERROR] [web](1) goes on as it was",
            ] {
                #expect(failed.errors.contains(part), "\(failed.errors)")
            }
            #expect(try pm2.list().map(\.pid) == after.map(\.pid))
        }
    }

    @Test("settings are stored, shown, removed, and taken up by the app they are for")
    func settings() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            let shown = ["Module: api", "$ pm2 set api:LEVEL 3"]
            let footer = "Modules configuration. Copy/Paste line to edit values."
            try pm2.sh("pm2 -s start tell.py --name api")
            _ = try pm2.told("api")
            try pm2.check([
                Row("pm2 get", says: []),
                Row("pm2 get nosuch", 1),
                Row("pm2 get nosuch:key", 1),
                Row("pm2 set plain value", says: ["[PM2] Setting changed"]),
                Row("pm2 set api:LEVEL 3", says: ["[PM2] Module api restarted", "[PM2] Setting changed"] + shown),
                Row("pm2 get api", says: shown + [footer]),
                Row("pm2 get api:LEVEL", says: ["Value for module api key LEVEL: 3"]),
                Row("pm2 get api.LEVEL", says: ["Value for module api key LEVEL: 3"]),
                Row("pm2 config api:LEVEL", says: ["Value for module api key LEVEL: 3"]),
                Row("pm2 conf", says: shown),
                Row("pm2 conf api:LEVEL 9", says: shown),
                Row(
                    "pm2 multiset 'm:a 1 m:b \"two words\"'",
                    says: shown + ["Module: m", "$ pm2 set m:a 1", "$ pm2 set m:b two words"]),
                Row("pm2 unset m:b", says: shown + ["Module: m", "$ pm2 set m:a 1"]),
                Row("pm2 unset m", says: shown),
                Row("pm2 set x.__proto__.y 1", 1, errors: ["[PM2][ERROR] *"]),
            ])
            let environment = try pm2.environment(of: "api", starts: 2)
            #expect(environment["LEVEL"] == "3")
            #expect(environment["api"] == "{\"LEVEL\":\"3\"}")
            try pm2.check(Row("pm2 unset all", says: []))
            #expect(try pm2.sh("cat '\(pm2.paths.pm2ModuleConfiguration)'").output == "{}")
        }
    }

    @Test("a stop says that a cron goes on")
    func stopWithCron() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.sh("pm2 -s start app.sh --name api --cron-restart '0 0 1 1 *'")
            try pm2.check(
                Row(
                    "pm2 stop api",
                    says: [
                        "[PM2] Applying action stopProcessId on app [api](ids: [ 0 ])",
                        "[PM2][WARN] App api stopped but CRON RESTART is still UP 0 0 1 1 *", "[PM2] [api](0) ✓",
                    ], table: true))
        }
    }

    @Test("update takes over what runs")
    func update() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.sh("pm2 -s start app.sh --name api")
            let pid = try pm2.process("api").pid
            for command in ["update", "updatePM2"] {
                try pm2.check(Row("pm2 \(command)", says: [">>>>>>>>>> PM2 updated"], table: true))
                #expect(try pm2.process("api").pid == pid)
            }
        }
    }
}
