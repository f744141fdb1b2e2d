import Foundation
import Model
import Testing

@testable import Configuration

/// App files as PM2 reads them.
@Suite("PM2's dialect")
struct DialectTests {
    private static func parse(_ text: String, _ dialect: Dialect = .pm2) throws -> AppFile {
        try AppFile.parse(Array(text.utf8), name: "apps.json", dialect: dialect)
    }

    private static func problems(_ text: String, _ dialect: Dialect = .pm2) -> [String] {
        do {
            _ = try parse(text, dialect)
            return []
        } catch let error as ConfigurationProblems {
            return error.problems.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    private static func resolver(_ scratch: Scratch, environment: [String: String] = [:]) -> AppResolver {
        var variables = environment
        variables["PATH"] = "\(scratch.path)/bin"
        return AppResolver(
            workingDirectory: scratch.path, environment: variables, home: "/home/me", processors: 4, isRoot: false,
            dialect: .pm2)
    }

    private static func scratch(programs: [String] = ["node", "python3", "bash", "bun"]) throws -> Scratch {
        let scratch = try Scratch()
        for name in programs { try scratch.file("bin/\(name)", "#!/bin/sh\n", mode: 0o755) }
        for name in ["a.js", "a.py", "a.ts", "a.sh", "tool"] { try scratch.file(name, "x\n") }
        try scratch.file("binary", "\u{7f}ELF\0\0")
        return scratch
    }

    private func resolve(_ keys: String, environment: [String: String] = [:], name: String? = nil) throws -> AppSpec {
        let scratch = try Self.scratch()
        let file = try Self.parse("[{script: 'a.js', \(keys)}]")
        let specs = try file.resolve(
            with: Self.resolver(scratch, environment: environment), AppFile.Request(environmentName: name))
        return try #require(specs.first)
    }

    // MARK: - Reasons

    @Test(
        "what is wrong is told in PM2's words",
        arguments: [
            ("{}", "\"script\" is required"), ("{script: null}", "\"script\" is required"),
            ("{script: 1}", "Expect \"script\" to be a typeof [object String], but now is [object Number]"),
            (
                "{script: 'a', args: 5}",
                "Expect \"args\" to be a typeof [object Array] / [object String], but now is [object Number]"
            ),
            (
                "{script: 'a', autorestart: 'no'}",
                "Expect \"autorestart\" to be a typeof [object Boolean], but now is [object String]"
            ),
            (
                "{script: 'a', max_restarts: 'many'}",
                "Expect \"max_restarts\" to be a typeof [object Number], but now is [object String]"
            ),
            (
                "{script: 'a', interpreter: true}",
                "Expect \"exec_interpreter\" to be a typeof [object String], but now is [object Boolean]"
            ),
            (
                "{script: 'a', node_args: {}}",
                "Expect \"node_args\" to be a typeof [object Array] / [object String], but now is [object Object]"
            ),
            (
                "{script: 'a', env_prod: 3}",
                "Expect \"env_prod\" to be a typeof [object Object] / [object String], but now is [object Number]"
            ),
            ("{script: 'a', max_restarts: -1}", "The minimum of \"max_restarts\" is 0, but now is -1"),
            ("{script: 'a', min_uptime: 50}", "The minimum of \"min_uptime\" is 100, but now is 50"),
            (
                "{script: 'a', min_uptime: '5x'}",
                "Verify \"min_uptime\" with regex failed, it should be a NUMBER - milliseconds, \"[NUMBER]h\"(hours), \"[NUMBER]m\"(minutes) or \"[NUMBER]s\"(seconds)"
            ),
            (
                "{script: 'a', exec_mode: 'threads'}",
                "Verify \"exec_mode\" with regex failed, it should be \"cluster\"(\"cluster_mode\") or \"fork\"(\"fork_mode\") only"
            ),
            (
                "{script: 'a', cron_restart: '* *'}",
                "Cron pattern error: '* *' has 2 fields, not 5 (minute hour day month weekday) or 6 (seconds first)"
            ),
            (
                "{script: 'a', cron_restart: '0 0 30 2 *'}",
                "Cron pattern error: '0 0 30 2 *' never comes: no year has such a day"
            ),
        ])
    func reasons(app: String, reason: String) {
        #expect(Self.problems("[\(app)]") == [reason])
    }

    @Test("a name of a cron pattern is one in Hearth's dialect only")
    func namedPatterns() {
        let app = "[{script: 'a', cron_restart: '@daily'}]"
        #expect(Self.problems(app) == ["Cron pattern error: '@daily' is not made of 5 or 6 fields"])
        #expect(Self.problems(app, .hearth) == [])
        let problem = Self.problems("[{script: 'a', cron: '61 * * * *'}]", .hearth).first
        #expect(problem?.hasPrefix("apps.json: [0].cron: not a cron pattern: ") == true)
    }

    @Test("every problem is told at once, as a problem of a setting")
    func several() throws {
        let text = "[{args: 1, watch: 3}, {script: 'b', merge_logs: 'x'}]"
        #expect(Self.problems(text).count == 3)
        let error = #expect(throws: ConfigurationProblems.self) { try Self.parse(text) }
        #expect(error?.problems.allSatisfy { $0.subject == .setting && $0.location == nil } == true)
    }

    @Test("what PM2 does not know is dropped without a word, equal names and equal keys are its affair")
    func unknown() throws {
        let file = try Self.parse(
            "{apps: [{script: 'a', nonsense: 1, kill_signal: 'x', slow_retry: 5, name: 1, name: 'b'}, {script: 'a', name: 'b'}]}"
        )
        #expect(file.warnings.isEmpty)
        #expect(file.names == ["b", "b"])
        #expect(file.drafts.first?.killSignal == nil)
    }

    // MARK: - Memory

    @Test(
        "memory limits as PM2 takes them",
        arguments: [
            ("'300M'", 314_572_800), ("'1G'", 1_073_741_824), ("'64K'", 65_536), ("1000", 1000), ("'1000'", 1000),
            ("0", nil), ("'1.5G'", -1), ("'300MB'", -1), ("'300m'", -1), ("'1g'", -1), ("'M'", -1), ("''", -1),
            ("'-5M'", -1), ("true", -1),
        ] as [(String, Int64?)])
    func foreignMemory(text: String, bytes: Int64?) throws {
        let app = "[{script: 'a', max_memory_restart: \(text)}]"
        if bytes == -1 {
            #expect(Self.problems(app).count == 1)
            #expect(Self.problems(app).first?.contains("\"max_memory_restart\"") == true)
        } else {
            #expect(Self.problems(app).isEmpty)
            #expect(try resolve("max_memory_restart: \(text)").memoryLimit == bytes)
        }
    }

    @Test(
        "memory limits as Hearth takes them",
        arguments: [
            ("'300M'", 314_572_800), ("'300MB'", 314_572_800), ("'300MiB'", 314_572_800), ("'300m'", 314_572_800),
            ("'1.5G'", 1_610_612_736), ("'1 G'", 1_073_741_824), ("'64K'", 65_536), ("'2T'", 2_199_023_255_552),
            ("1000", 1000), ("'1000'", 1000), ("'5B'", 5), ("0", 0), ("'G'", nil), ("-1", nil), ("'1e3'", nil),
            ("true", nil), ("'99999999T'", nil),
        ] as [(String, Int64?)])
    func memory(text: String, bytes: Int64?) throws {
        let app = "[{script: 'a', max_memory_restart: \(text)}]"
        guard let bytes else {
            #expect(Self.problems(app, .hearth).first?.contains("expected a size: bytes, or \"300M\"") == true)
            return
        }
        #expect(try Self.parse(app, .hearth).drafts.first?.memoryLimit == bytes)
    }

    // MARK: - Defaults

    @Test("an app gets PM2's defaults in one dialect and Hearth's in the other")
    func defaults() throws {
        let spec = try resolve("cron_restart: '0 3 * * *'")
        #expect(spec.stop == StopPolicy(signal: .int, killTimeout: Milliseconds(1600)))
        #expect(spec.restart == RestartPolicy(slowRetry: false))
        #expect(spec.schedule == RestartSchedule(pattern: "0 3 * * *", startsStopped: true))
        #expect(spec.mode == .fork)

        let scratch = try Self.scratch()
        let file = try Self.parse("[{script: 'a.js', cron: '0 3 * * *'}]", .hearth)
        let own = try #require(try file.resolve(with: AppResolverTests.resolver(scratch.path)).first)
        #expect(own.stop == StopPolicy())
        #expect(own.restart == RestartPolicy())
        #expect(own.schedule?.startsStopped == false)
        #expect(own.mode == nil)
    }

    @Test("PM2_KILL_SIGNAL and PM2_KILL_TIMEOUT change the defaults, and nonsense in them does not")
    func changedDefaults() throws {
        let spec = try resolve("", environment: ["PM2_KILL_SIGNAL": "SIGTERM", "PM2_KILL_TIMEOUT": "99"])
        #expect(spec.stop == StopPolicy(signal: .term, killTimeout: Milliseconds(99)))
        let other = try resolve("", environment: ["PM2_KILL_SIGNAL": "NONE", "PM2_KILL_TIMEOUT": "x"])
        #expect(other.stop == StopPolicy(signal: .int, killTimeout: Milliseconds(1600)))
    }

    @Test(
        "who is in a cluster, and who shares log files",
        arguments: [
            ("", .fork, true), ("instances: 1", .cluster, false), ("instances: 'max'", .cluster, true),
            ("instances: 0", .cluster, true), ("instances: -1", .cluster, false), ("instances: '2'", .cluster, false),
            ("instances: 'x'", .cluster, true), ("exec_mode: 'cluster'", .cluster, false),
            ("exec_mode: 'fork_mode', instances: 4", .fork, false), ("script: 'a.py', instances: 4", .fork, false),
            ("script: 'a.ts', instances: 4", .cluster, false), ("instances: 4, merge_logs: true", .cluster, true),
            ("combine_logs: false", .fork, false), ("execute_command: true, instances: 2", .fork, false),
        ] as [(String, ExecutionMode, Bool)])
    func modes(keys: String, mode: ExecutionMode, merge: Bool) throws {
        let spec = try resolve(keys)
        #expect(spec.mode == mode)
        #expect(spec.output.merge == merge)
    }

    // MARK: - Scripts

    @Test(
        "the interpreter is PM2's choice",
        arguments: [
            ("a.js", "node"), ("a.py", "python3"), ("a.ts", "bun"), ("a.sh", "bash"), ("tool", "node"), ("binary", nil),
        ] as [(String, String?)])
    func interpreters(script: String, interpreter: String?) throws {
        let spec = try resolve("script: '\(script)'")
        #expect(spec.interpreter == interpreter)
        #expect(spec.environment["PYTHONUNBUFFERED"] == (interpreter == "python3" ? "1" : nil))
    }

    @Test(
        "what can't run is refused in PM2's words",
        arguments: [
            ("script: './none.js'", "Script not found: DIR/none.js"), ("script: 'none'", "Script not found: DIR/none"),
            (
                "script: 'a.js', interpreter: 'ruby'",
                "Interpreter ruby is NOT AVAILABLE in PATH. (type 'which ruby' to double check.)"
            ),
            ("uid: 'www'", "To use --uid and --gid please run pm2 as root"),
        ])
    func refusals(keys: String, message: String) throws {
        let scratch = try Self.scratch()
        let file = try Self.parse("{apps: [{script: 'a.js', \(keys)}, {script: 'tool'}]}")
        let outcome = file.outcome(with: Self.resolver(scratch))
        #expect(outcome.problems.map(\.description) == [message.replacingOccurrences(of: "DIR", with: scratch.path)])
        // The others are not held back.
        #expect(outcome.specs.map(\.name) == ["tool"])
    }

    @Test("a command line runs through a shell under the name that PM2 gives it")
    func shell() throws {
        let spec = try resolve("script: 'node ./lib/server.js --x', args: 'ignored'")
        #expect(spec.name == "server")
        #expect(spec.arguments == ["-c", "node ./lib/server.js --x"])
        #expect(spec.interpreter == nil)
    }

    @Test("args are split as PM2 splits them")
    func arguments() {
        #expect(
            ForeignRules.words("a \"b c\" 'd e' key=\"x y\" --f='g h'") == [
                "a", "b c", "d e", "key=\"x y\"", "--f='g h'",
            ])
        #expect(ForeignRules.words("  ").isEmpty)
    }

    // MARK: - Environments

    @Test("--env lays env_NAME over env, over what deploy says of NAME, which is beneath the caller's")
    func environments() throws {
        let scratch = try Self.scratch()
        let file = try Self.parse(
            """
            {apps: [{script: 'a.js', append_env_to_name: true, env: {A: 1, B: 1}, env_production: {B: 2, N: {x: [1]}}},
                    {script: 'tool', env: {A: 1}}],
             deploy: {production: {env: {A: 0, C: 3, D: 3}}}}
            """)
        let resolver = Self.resolver(scratch, environment: ["D": "caller"])
        let outcome = file.outcome(with: resolver, AppFile.Request(environmentName: "production"))
        #expect(outcome.warnings == ["Environment [production] is not defined in process file"])
        #expect(outcome.specs.map(\.name) == ["a-production", "tool"])
        #expect(
            outcome.specs.map(\.environment) == [
                ["A": "1", "B": "2", "C": "3", "N": "{\"x\":[1]}"], ["A": "1", "C": "3"],
            ])
        #expect(file.outcome(with: resolver).specs.map(\.name) == ["a", "tool"])
        #expect(outcome.specs.first?.kept?["env_production"] == "{\"B\":2,\"N\":{\"x\":[1]}}")
    }

    @Test("--only takes some of the apps", arguments: [["a,tool"], ["a tool"], ["a", "tool"]])
    func only(texts: [String]) throws {
        let scratch = try Self.scratch()
        let file = try Self.parse("[{script: 'a.js'}, {script: 'tool'}, {script: 'none'}]")
        let request = AppFile.Request(only: AppFile.Request.names(texts))
        #expect(try file.resolve(with: Self.resolver(scratch), request).map(\.name) == ["a", "tool"])
        #expect(AppFile.Request.names([]) == nil)
    }

    @Test("an environment file that is missing is no reason not to start, as PM2 knows none")
    func environmentFiles() throws {
        let scratch = try Self.scratch()
        try scratch.file(".env", "A=1")
        let file = try Self.parse("[{script: 'a.js', env_file: ['.env', 'none']}]")
        let outcome = file.outcome(with: Self.resolver(scratch))
        #expect(outcome.specs.first?.environmentFiles == ["\(scratch.path)/.env"])
        #expect(outcome.warnings == ["Environment file \(scratch.path)/none does not exist, ignored"])
    }

    // MARK: - Sites

    @Test("directories to serve become apps of their own")
    func sites() throws {
        let scratch = try Self.scratch()
        try scratch.file("www/index.html")
        let file = try Self.parse(
            """
            {apps: [{script: 'serve', name: 'docs', env: {PM2_SERVE_PATH: 'www', PM2_SERVE_PORT: 9000}}],
             static: [{path: 'www', port: '8081', spa: true, ftp: true, basic_auth: {username: 'u', password: 'p'}}]}
            """)
        #expect(file.names == ["docs", "static-page-server-8081"])
        let site = try #require(file.drafts.last?.staticSite)
        #expect(site.port == 8081 && site.spa && site.listsDirectories && site.host == "0.0.0.0")
        #expect(site.basicAuth == StaticSite.Credentials(user: "u", password: "p"))
        var resolver = Self.resolver(scratch)
        #expect(file.outcome(with: resolver).problems.count == 2)
        resolver.staticServer = ["/usr/lib/hearth/hearth-companion", "serve"]
        let specs = try file.resolve(with: resolver)
        #expect(specs.map(\.arguments) == [["serve"], ["serve"]])
        #expect(specs.map(\.cwd) == ["\(scratch.path)/www", "\(scratch.path)/www"])
        #expect(specs.map(\.expectedPort) == [9000, 8081])
        #expect(specs.last?.environment["PM2_SERVE_BASIC_AUTH_USERNAME"] == "u")
        #expect(
            Self.problems("{static: [{port: 0, basic_auth: {password: 'secret'}}]}") == [
                "apps.json: static[0].port: expected a port from 1 to 65535, found a number '0'",
                "apps.json: static[0].basic_auth: expected an object with 'username' and 'password'",
            ])
    }
}
