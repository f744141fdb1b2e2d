import Model
import Testing

@testable import Configuration

@Suite("App files")
struct AppFileTests {
    private static func parse(_ text: String) throws -> AppFile {
        try AppFile.parse(Array(text.utf8), name: "apps.json")
    }

    @Test(
        "the top level is an object with apps, an array, or one app",
        arguments: [
            "{\"apps\": [{\"script\": \"a.js\"}]}", "[{\"script\": \"a.js\"}]", "{\"script\": \"a.js\"}",
            "{\"pm2\": [{\"script\": \"a.js\"}]}", "{\"apps\": {\"script\": \"a.js\"}}",
        ])
    func shapes(text: String) throws {
        #expect(try Self.parse(text).names == ["a"])
    }

    @Test("every key reaches its place, under PM2's aliases and in camelCase, too")
    func keys() throws {
        let file = try Self.parse(
            """
            [{exec: "run.py", name: "w", namespace: "jobs", args: "--a 'b c'", exec_interpreter: "python3",
              nodeArgs: ["-u"], cwd: "/srv", env: {A: 1, B: true, C: {d: [1]}, E: null}, env_production: {A: "p"},
              env_file: ".env", instances: "max", autostart: false, autorestart: false, restart: "on-failure",
              maxRestarts: "5", min_uptime: "2s", restart_delay: 100, expBackoffRestartDelay: 50,
              stop_exit_codes: [0, "3"], slow_retry: false, kill_timeout: 300, kill_signal: "int", treekill: false,
              out: "o.log", err_log: "e.log", combine_logs: true, stdin: "null", user: "nobody", gid: 5, port: 80}]
            """)
        let draft = try #require(file.drafts.first)
        #expect(draft.script == "run.py")
        #expect(draft.arguments == ["--a", "b c"])
        #expect(draft.interpreter == "python3")
        #expect(draft.interpreterArguments == ["-u"])
        #expect(draft.environment == ["A": "1", "B": "true", "C": "{\"d\":[1]}"])
        #expect(draft.namedEnvironments == ["production": ["A": "p"]])
        #expect(draft.environmentFiles == [".env"])
        #expect(draft.instances == .processors(fewer: 0))
        #expect(draft.restartMode == .onFailure)
        #expect(draft.maxRestarts == 5)
        #expect(draft.minUptime == Milliseconds(2000))
        #expect(draft.exponentialBackoff == Milliseconds(50))
        #expect(draft.stopExitCodes == [0, 3])
        #expect(draft.killSignal == .int)
        #expect(draft.outFile == "o.log")
        #expect(draft.errorFile == "e.log")
        #expect(draft.mergeLogs == true)
        #expect(draft.stdin == .null)
        #expect(draft.uid == "nobody")
        #expect(draft.gid == "5")
        #expect(draft.port == 80)
        #expect(file.warnings.isEmpty)
    }

    @Test(
        "a wrong value is named with file, key, value and what is expected",
        arguments: [
            ("[{}]", "apps.json: [0]: 'script' is missing; name the file or command to run"),
            ("{\"apps\": [1]}", "apps.json: apps[0]: expected an object, found a number"),
            ("{\"apps\": 1}", "apps.json: apps: expected an array of apps, found a number"),
            ("1", "apps.json: expected an object with 'apps', found a number; write {\"apps\": [{\"script\": …}]}"),
            (
                "{apps: [{script: 'a', max_restarts: 'x'}]}",
                "apps.json: apps[0].max_restarts: expected a whole number, 0 or more, found a string 'x'"
            ),
            (
                "{apps: [{script: 'a', killTimeout: '5x'}]}",
                "apps.json: apps[0].killTimeout: expected a time: milliseconds, or \"5s\", \"2m\", found a string '5x'"
            ),
            ("{apps: [{script: 1}]}", "apps.json: apps[0].script: expected a string, found a number '1'"),
            (
                "{apps: [{script: 'a', env: 'X=1'}]}",
                "apps.json: apps[0].env: expected an object of variables, found a string 'X=1'"
            ),
            (
                "{apps: [{script: 'a', args: {}}]}",
                "apps.json: apps[0].args: expected a string or an array of strings, found an object '{}'"
            ),
            (
                "{apps: [{script: 'a', autorestart: 'no'}]}",
                "apps.json: apps[0].autorestart: expected true or false, found a string 'no'"
            ),
            (
                "{apps: [{script: 'a', restart: 'maybe'}]}",
                "apps.json: apps[0].restart: expected always, on-failure or never, found a string 'maybe'"
            ),
            (
                "{apps: [{script: 'a', instances: 1.5}]}",
                "apps.json: apps[0].instances: expected a number or \"max\", found a number with decimals '1.5'"
            ),
            (
                "{apps: [{script: 'a', kill_signal: 99}]}",
                "apps.json: apps[0].kill_signal: expected a signal such as SIGTERM, found a number '99'"
            ),
            (
                "{apps: [{script: 'a', stop_exit_codes: [300]}]}",
                "apps.json: apps[0].stop_exit_codes: expected exit codes from 0 to 255, found an array '[300]'"
            ),
            (
                "{apps: [{script: 'a', port: 0}]}",
                "apps.json: apps[0].port: expected a port from 1 to 65535, found a number '0'"
            ),
            (
                "{apps: [{script: 'a.js'}, {script: 'b', name: 'a'}]}",
                "apps.json: apps[1]: the name 'a' is used twice (first in apps.json: apps[0]); give each app a name of its own"
            ),
            ("{apps: [", "apps.json: is not valid JSON: a value is missing at line 1, column 9"),
        ])
    func errors(text: String, message: String) throws {
        do {
            _ = try Self.parse(text)
            Issue.record("accepted \(text)")
        } catch {
            #expect("\(error)" == message)
        }
    }

    @Test("all problems of a file are told at once")
    func allProblems() throws {
        let problems = #expect(throws: ConfigurationProblems.self) {
            try Self.parse("[{name: 1}, {script: 'x', uid: true}]")
        }
        #expect(problems?.problems.count == 3)
    }

    @Test("unknown keys are warned of with the nearest known one; those that come later, too; PM2's inner ones are not")
    func warnings() throws {
        let file = try Self.parse("[{script: 'a', instnces: 2, logType: 'json', pmx: false, zzz: 1}]")
        #expect(
            file.warnings == [
                "apps.json: [0]: 'logType' is not supported yet and has no effect",
                "apps.json: [0]: unknown key 'instnces' is ignored; did you mean 'instances'?",
                "apps.json: [0]: unknown key 'zzz' is ignored",
            ])
    }

    @Test(
        "a file is recognised by what its name contains",
        arguments: [
            ("apps.json", .json), ("x/ecosystem.json5", .json), ("apps.json.bak", .json), ("package.json", .json),
            ("a.yml", .yaml), ("a.yaml", .yaml), ("ecosystem.config.js", .javaScript), ("e.config.cjs", .javaScript),
            ("e.config.mjs", .javaScript), ("x.config.json", .json), ("a.toml", .toml), ("app.js", nil), ("api", nil),
            ("ecosystem.js", nil), ("conf.json.d/app.js", nil),
        ] as [(String, FileKind?)])
    func recognition(operand: String, expected: FileKind?) {
        #expect(FileKind(name: operand) == expected)
        #expect(AppFile.isNamed(operand) == (expected != nil))
    }

    @Test("standard input is an app file, a command line that mentions one is none")
    func operands() {
        #expect(AppFile.isNamed("-"))
        #expect(!AppFile.isNamed("node server.js --config apps.json"))
    }

    @Test("nothing is used of a file with one bad app, and the error names the app")
    func allOrNothing() throws {
        let scratch = try Scratch()
        try scratch.file("good.sh", "#!/bin/sh\n")
        let file = try Self.parse("{apps: [{script: 'good.sh'}, {script: 'bad.sh'}]}")
        let problems = #expect(throws: ConfigurationProblems.self) {
            try file.resolve(with: AppResolverTests.resolver(scratch.path))
        }
        #expect(
            problems?.description
                == "apps.json: apps[1]: the script '\(scratch.path)/bad.sh' does not exist; no program of that name is in PATH either"
        )
    }
}
