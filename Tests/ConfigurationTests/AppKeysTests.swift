import Foundation
import Model
import Testing

@testable import Configuration

@Suite("Keys of an app")
struct AppKeysTests {
    private static func spec(_ keys: String, _ dialect: Dialect) throws -> AppSpec {
        let scratch = try Scratch()
        for name in ["node", "ruby"] { try scratch.file("bin/\(name)", "#!/bin/sh\n", mode: 0o755) }
        for name in ["a.js", "b.js", "srv/a.js", ".env"] { try scratch.file(name, "A=1\n") }
        let script = keys.hasPrefix("s:") ? "" : "script: 'a.js', "
        let text = "[{\(script)\(keys.hasPrefix("s:") ? String(keys.dropFirst(2)) : keys)}]"
        let file = try AppFile.parse(Array(text.utf8), name: "apps.json", dialect: dialect)
        let resolver = AppResolver(
            workingDirectory: scratch.path, environment: ["PATH": "\(scratch.path)/bin"], home: "/home/me",
            processors: 4, isRoot: true, dialect: dialect)
        let spec = try #require(try file.resolve(with: resolver).first)
        // Paths are compared without the scratch directory.
        let json = String(decoding: try JSONEncoder().encode(spec), as: UTF8.self)
        let escaped = scratch.path.replacingOccurrences(of: "/", with: "\\/")
        let plain = json.replacingOccurrences(of: escaped, with: "").replacingOccurrences(of: scratch.path, with: "")
        return try JSONDecoder().decode(AppSpec.self, from: Data(plain.utf8))
    }

    private struct Case: Sendable, CustomStringConvertible {
        var keys: [String]
        var value: String
        var holds: @Sendable (AppSpec) -> Bool
        var dialects: [Dialect] = [.hearth, .pm2]

        init(
            _ keys: String, _ value: String, _ dialects: [Dialect] = [.hearth, .pm2],
            holds: @escaping @Sendable (AppSpec) -> Bool
        ) {
            self.keys = keys.split(separator: " ").map(String.init)
            self.value = value
            self.holds = holds
            self.dialects = dialects
        }

        var description: String { keys.joined(separator: " ") }
    }

    private static func kept(_ keys: String, _ value: String, as text: String? = nil) -> Case {
        let name = String(keys.split(separator: " ")[0])
        let text = text ?? value.replacingOccurrences(of: "'", with: "\"")
        return Case(keys, value) { $0.kept?[name] == text }
    }

    private static let table: [Case] = [
        Case("s:script s:exec s:cmd s:command", "'b.js'") { $0.script == "/b.js" },
        Case("name", "'x'") { $0.name == "x" },
        Case("namespace", "'x'") { $0.namespace == "x" },
        Case("args arguments", "'a \"b c\"'") { $0.arguments == ["a", "b c"] },
        Case("args", "['a', 'b c', 1]") { $0.arguments == ["a", "b c", "1"] },
        Case("exec_interpreter interpreter execInterpreter", "'ruby'") { $0.interpreter == "ruby" },
        Case("node_args interpreter_args nodeArgs interpreterArgs", "'-a -b'") {
            $0.interpreterArguments == ["-a", "-b"]
        },
        Case("cwd", "'srv'") { $0.cwd == "/srv" && $0.script == "/srv/a.js" },
        Case("env", "{A: 1, B: true, C: {d: 'e'}, D: null, E: 1.50}") {
            $0.environment == ["A": "1", "B": "true", "C": "{\"d\":\"e\"}", "E": "1.5"]
        },
        Case("env_file envFile", "'.env'") { $0.environmentFiles == ["/.env"] },
        Case("filter_env filterEnv", "true") { $0.environmentFilter == EnvironmentFilter(everything: true) },
        Case("filter_env", "'A'") { $0.environmentFilter == EnvironmentFilter(names: ["A"]) },
        Case("filter_env", "['A', 'B']") { $0.environmentFilter == EnvironmentFilter(fragments: ["A", "B"]) },
        Case("filter_env", "false") { $0.environmentFilter == nil },
        Case("port", "81") { $0.environment == ["PORT": "81"] && $0.expectedPort == 81 },
        Case("exec_mode execMode", "'cluster_mode'") { $0.mode == .cluster },
        Case("instances", "3") { $0.instances == 3 },
        Case("instances", "'max'") { $0.instances == 4 },
        Case("instances", "-1") { $0.instances == 3 },
        Case("instance_var instanceVar", "'N'") { $0.instanceVariable == "N" },
        Case("increment_var incrementVar", "'PORT'") { $0.incrementVariable == "PORT" },
        Case("autostart", "false") { !$0.autostart },
        Case("autorestart", "false") { $0.restart.mode == .never },
        Case("restart", "'on-failure'", [.hearth]) { $0.restart.mode == .onFailure },
        Case("max_restarts maxRestarts", "5") { $0.restart.maxRestarts == 5 },
        Case("max_restarts", "'5'") { $0.restart.maxRestarts == 5 },
        Case("max_restarts", "0") { $0.restart.maxRestarts == 0 },
        Case("min_uptime minUptime", "'10s'") { $0.restart.minUptime == Milliseconds(10_000) },
        Case("min_uptime", "'2000'") { $0.restart.minUptime == Milliseconds(2000) },
        Case("min_uptime", "'1h'") { $0.restart.minUptime == Milliseconds(3_600_000) },
        Case("restart_delay restartDelay", "300") { $0.restart.restartDelay == Milliseconds(300) },
        Case("restart_delay", "'5s'", [.hearth]) { $0.restart.restartDelay == Milliseconds(5000) },
        Case("exp_backoff_restart_delay expBackoffRestartDelay", "100") {
            $0.restart.exponentialBackoff == Milliseconds(100)
        },
        Case("stop_exit_codes stopExitCodes", "[0, '143']") { $0.restart.stopExitCodes == [0, 143] },
        Case("stop_exit_codes", "7") { $0.restart.stopExitCodes == [7] },
        Case("slow_retry slowRetry", "false", [.hearth]) { !$0.restart.slowRetry },
        Case("max_memory_restart maxMemoryRestart", "'1G'") { $0.memoryLimit == 1 << 30 },
        Case("memory_max memoryMax", "'512M'", [.hearth]) { $0.memoryMax == 512 << 20 },
        Case("schedule", "'0 3 * * *'", [.hearth]) {
            $0.job == JobPolicy(pattern: "0 3 * * *") && $0.restart.mode == .never && $0.stdin == .null
                && $0.mode == nil
        },
        Case("schedule", "'@reboot'", [.hearth]) { $0.job?.runsAtBoot == true },
        Case("schedule", "{every: '15m', overlap: 'replace', timeout: 90000}", [.hearth]) {
            $0.job?.every == Milliseconds(900_000) && $0.job?.overlap == .replace
                && $0.job?.timeout == Milliseconds(90_000)
        },
        Case("schedule", "{cron: '@daily', catch_up: true, jitter: '10m', history: 3}, restart: 'never'", [.hearth]) {
            $0.job?.catchUp == true && $0.job?.jitter == Milliseconds(600_000) && $0.job?.history == 3
        },
        Case("schedule", "'0 3 * * *'", [.pm2]) { $0.job == nil && $0.kept == nil },
        Case("cron_restart cron cronRestart", "'*/5 0 3 * * *'") { $0.schedule?.pattern == "*/5 0 3 * * *" },
        Case("cron_restart", "'0'") { $0.schedule == nil },
        Case("cron_restart", "0") { $0.schedule == nil },
        Case("watch", "true") { $0.watch == WatchPolicy(paths: ["/"]) || $0.watch == WatchPolicy(paths: [""]) },
        Case("watch", "[]") { $0.watch?.paths.count == 1 },
        Case("watch", "'srv'") { $0.watch == WatchPolicy(paths: ["/srv"]) },
        Case("watch", "['srv', '/etc']") { $0.watch == WatchPolicy(paths: ["/srv", "/etc"]) },
        Case("watch", "false, ignore_watch: ['x']") { $0.watch == nil },
        Case("ignore_watch ignoreWatch", "['x', 'y*'], watch: 'srv'") { $0.watch?.ignore == ["x", "y*"] },
        Case("watch_delay watchDelay", "500, watch: 'srv'") { $0.watch?.delay == Milliseconds(500) },
        Case("watch_options watchOptions", "{ignored: 'z', usePolling: true}, watch: 'srv', ignore_watch: ['x']") {
            $0.watch?.ignore == ["x", "z"] && $0.kept?["watch_options"] == "{\"ignored\":\"z\",\"usePolling\":true}"
        },
        Case("kill_timeout killTimeout", "3000") { $0.stop.killTimeout == Milliseconds(3000) },
        Case("kill_signal killSignal", "'SIGHUP'", [.hearth]) { $0.stop.signal == .hup },
        Case("treekill", "false") { !$0.stop.wholeTree },
        Case("shutdown_with_message shutdownWithMessage", "true") { $0.stop.withMessage == true && $0.kept == nil },
        Case("wait_ready waitReady", "true") { $0.readyTimeout == Milliseconds(3000) && $0.kept == nil },
        Case("listen", "8080", [.hearth]) {
            $0.listen == [ListenSpec(name: "web", address: .tcp(host: nil, port: 8080))]
        },
        Case("listen", "8080", [.pm2]) { $0.listen == nil && $0.kept == nil },
        Case("reload", "'overlap'", [.hearth]) { $0.reload == ReloadPolicy(overlaps: true) },
        Case("reload", "'restart'", [.hearth]) { $0.reload == ReloadPolicy() && !$0.canOverlap },
        Case("reload", "{overlap: true, parallel: 3}", [.hearth]) {
            $0.reload == ReloadPolicy(overlaps: true, parallel: 3)
        },
        Case("listen_timeout listenTimeout", "5000") {
            $0.readyTimeout == nil && $0.readiness?.timeout == Milliseconds(5000)
        },
        // Which names there may be: DependencyFileTests.
        Case("depends_on dependsOn", "[]", [.hearth]) { $0.dependsOn == nil },
        Case("drain", "false", [.hearth]) { $0.drain == DrainPolicy(isOn: false) },
        Case("drain", "true", [.hearth]) { $0.drain == DrainPolicy() },
        Case("drain", "'2s'", [.hearth]) { $0.drain == DrainPolicy(grace: Milliseconds(2000)) },
        Case("listen_timeout listenTimeout", "5000, wait_ready: true") { $0.readyTimeout == Milliseconds(5000) },
        Case("wait_ready", "false") { $0.readiness == nil },
        Case("notify", "true", [.hearth]) { $0.readyTimeout == Milliseconds(3000) && $0.readiness?.notify == true },
        Case("notify", "false", [.hearth]) { $0.readiness == nil && !$0.hasNotificationSocket },
        Case("notify", "true, listen_timeout: 9000", [.hearth]) { $0.readyTimeout == Milliseconds(9000) },
        Case("watchdog", "'10s'", [.hearth]) { $0.watchdog == Milliseconds(10_000) && $0.hasNotificationSocket },
        Case("watchdog", "250", [.hearth]) { $0.watchdog == Milliseconds(250) },
        Case("watchdog", "false", [.hearth]) { $0.watchdog == nil },
        Case("out_file out_log output out outFile outLog", "'logs/o'") { $0.output.outFile == "/logs/o" },
        Case("error_file err_log err_file err error errorFile errLog errFile", "'~/e'") {
            $0.output.errorFile == "/home/me/e"
        },
        Case("out_file", "'NULL'") { $0.output.outFile == "/dev/null" },
        Case("merge_logs combine_logs mergeLogs combineLogs", "true, instances: 2") { $0.output.merge },
        Case("disable_logs disableLogs", "true, out_file: 'x'") {
            $0.output.outFile == "/dev/null" && $0.output.errorFile == "/dev/null" && $0.kept?["disable_logs"] == "true"
        },
        Case("pid_file pid pidFile", "'run/x.pid'") { $0.pidFile == "/run/x.pid" },
        Case("stdin", "'null'", [.hearth]) { $0.stdin == .null },
        Case("uid user", "'nobody'") { $0.uid == "nobody" },
        Case("uid", "1000") { $0.uid == "1000" },
        Case("pass_env passEnv", "['PATH', 'NONE']", [.hearth]) {
            $0.environment["PATH"] == "/bin" && $0.environment["NONE"] == nil
        },
        Case("gid", "'adm'") { $0.gid == "adm" },
        Case("time", "true") { $0.kept == ["time": "true", "log_date_format": "\"YYYY-MM-DDTHH:mm:ss\""] },
        Case("env_production", "{A: 1}") { $0.kept?["env_production"] == "{\"A\":1}" && $0.environment.isEmpty },
        kept("log_file log logFile", "true"), kept("log_type logType", "'json'"),
        kept("log_date_format logDateFormat", "'HH:mm'"),
        kept("post_update postUpdate", "['npm i']"), kept("name_prefix namePrefix", "'p'"),
        kept("execute_command executeCommand", "true"), kept("kill_retry_time killRetryTime", "50"),
        kept("force", "true"), kept("install_url installUrl", "'x'"), kept("username", "'x'"), kept("write", "true"),
        kept("vizion", "false"), kept("pmx", "false"), kept("automation", "false"), kept("windowsHide", "true"),
        kept("source_map_support sourceMapSupport", "true"),
        kept("disable_source_map_support disableSourceMapSupport", "true"), kept("trace", "true"),
        kept("disable_trace disableTrace", "true"), kept("v8", "true"),
        kept("event_loop_inspector eventLoopInspector", "true"), kept("deep_monitoring deepMonitoring", "true"),
        kept("io", "{x: 1}", as: "{\"x\":1}"),
    ]

    @Test("every key under each of its spellings reaches its place", arguments: table)
    private func reaches(entry: Case) throws {
        for key in entry.keys {
            for dialect in entry.dialects {
                let spec = try Self.spec("\(key): \(entry.value)", dialect)
                #expect(entry.holds(spec), "\(key): \(entry.value) as \(dialect): \(spec)")
            }
        }
    }

    @Test(
        "a watchdog that is no time from 100 ms to 30 days is refused, with key and value",
        arguments: ["'soon'", "99", "0", "-1", "'31d'", "true", "[]", "1.5"])
    func badWatchdog(value: String) throws {
        let text = "[{script: '/bin/true', name: 'a', watchdog: \(value)}]"
        let failure = #expect(throws: (any Error).self) {
            try AppFile.parse(Array(text.utf8), name: "apps.json", dialect: .hearth)
        }
        let told = failure.map { "\($0)" } ?? ""
        #expect(told.contains("apps.json: [0].watchdog: expected a time from 100 ms to 30 days"), "\(told)")
    }

    @Test(
        "a reload that is no policy is refused, with key and value",
        arguments: [
            ("'soon'", ".reload: expected overlap, restart, or an object with overlap and parallel, found a string"),
            ("7", ".reload: expected overlap"), ("{overlap: 1}", ".reload.overlap: expected true or false"),
            ("{parallel: 0}", ".reload.parallel: expected a number from 1 to 1024"),
            ("{paralel: 2}", ".reload: unknown key 'paralel'"),
        ])
    func badReload(value: String, complaint: String) throws {
        let text = "[{script: '/bin/true', name: 'a', reload: \(value)}]"
        let failure = #expect(throws: (any Error).self) {
            try AppFile.parse(Array(text.utf8), name: "apps.json", dialect: .hearth)
        }
        let told = failure.map { "\($0)" } ?? ""
        #expect(told.contains("apps.json: [0]\(complaint)"), "\(told)")
    }

    @Test(
        "a schedule that is no time, and one that an app cannot have, are refused with key and value",
        arguments: [
            ("schedule: 7", "[0].schedule: expected a time, found a number '7'; write \"0 3 * * *\""),
            ("schedule: 'soon'", "[0].schedule: not a time: 'soon' has 1 fields"),
            ("schedule: '@never'", "[0].schedule: not a time: '@never' is not one of @hourly"),
            ("schedule: '0 0 30 2 *'", "[0].schedule: not a time: '0 0 30 2 *' never comes"),
            ("schedule: {cron: '75 * * * *'}", "[0].schedule.cron: not a time: minute '75'"),
            ("schedule: {}", "[0].schedule: it says no time; give cron or every"),
            ("schedule: {cron: '@daily', every: '1h'}", "[0].schedule: cron and every exclude each other"),
            ("schedule: {every: '10ms'}", "[0].schedule: every 10 ms is not between 1s and 30d"),
            ("schedule: {every: 'often'}", "[0].schedule.every: expected a time such as \"15m\""),
            ("schedule: {every: '1h', overlap: 'allow'}", "[0].schedule.overlap: expected skip or replace"),
            ("schedule: {every: '1h', catch_up: 1}", "[0].schedule.catch_up: expected true or false"),
            ("schedule: {every: '1h', history: 'all'}", "[0].schedule.history: expected a number of runs"),
            ("schedule: {every: '1h', jitter: '1m'}", "[0].schedule: jitter puts off times of day"),
            ("schedule: {every: '1h', timeuot: '1m'}", "unknown key 'timeuot'; did you mean 'timeout'?"),
            ("memory_max: '5K'", "[0].memory_max: '5K' is less than a process needs"),
        ])
    func badSchedule(keys: String, complaint: String) throws {
        let text = "[{script: '/bin/true', name: 'a', \(keys)}]"
        let failure = #expect(throws: (any Error).self) {
            try AppFile.parse(Array(text.utf8), name: "apps.json", dialect: .hearth)
        }
        let told = failure.map { "\($0)" } ?? ""
        #expect(told.contains(complaint), "\(told)")
    }

    @Test(
        "an app with a schedule and what only apps have is refused",
        arguments: ["restart: 'always'", "instances: 2", "cron_restart: '@daily'", "watch: true", "listen: 8080"])
    func noJob(keys: String) throws {
        let text = "[{script: '/bin/true', name: 'a', schedule: '@daily', \(keys)}]"
        let file = try AppFile.parse(Array(text.utf8), name: "apps.json", dialect: .hearth)
        let resolver = AppResolver(
            workingDirectory: "/", environment: [:], home: nil, processors: 1, isRoot: false, dialect: .hearth)
        let outcome = file.outcome(with: resolver, AppFile.Request())
        let told = outcome.problems.map { "\($0)" }.joined(separator: "\n")
        #expect(told.contains("'a' cannot be a job: a job"), "\(told)")
    }

    @Test("no key is without a test")
    func complete() {
        let tested = Set(Self.table.flatMap(\.keys).map { $0.hasPrefix("s:") ? String($0.dropFirst(2)) : $0 })
        let untested = AppKeys.table.filter { !$0.spellings.contains { tested.contains($0) } }.map(\.name)
        #expect(untested == ["append_env_to_name"])
    }

    /// As people write it for a web shop and its workers.
    @Test("an ecosystem file of the kind that servers have comes to what PM2 makes of it")
    func ecosystem() throws {
        let scratch = try Scratch()
        try scratch.file("bin/node", "#!/bin/sh\n", mode: 0o755)
        try scratch.file("src/index.js")
        let config = try scratch.file(
            "ecosystem.config.js",
            """
            const common = {autorestart: true, max_restarts: 10, min_uptime: '10s', max_memory_restart: '1G'};
            module.exports = {
              apps: [{
                ...common,
                name: 'shop-api',
                script: './src/index.js',
                instances: 1,
                exec_mode: 'fork',
                env: {NODE_ENV: 'development'},
                env_production: {NODE_ENV: 'production', PORT: 1338},
                error_file: './logs/error.log',
                out_file: './logs/out.log',
                log_date_format: 'YYYY-MM-DD HH:mm:ss Z',
                merge_logs: true,
                kill_timeout: 5000,
                wait_ready: true,
                listen_timeout: 10000,
              }],
              deploy: {production: {user: 'ubuntu', host: ['203.0.113.7'], ref: 'origin/main'}},
            };
            """)
        let resolver = AppResolver(
            workingDirectory: scratch.path, environment: ["PATH": "\(scratch.path)/bin"], home: nil, processors: 4,
            isRoot: false, dialect: .pm2)
        // The file itself needs the real node.
        let file = try AppFile.load(path: config, dialect: .pm2)
        let outcome = file.outcome(
            with: resolver, AppFile.Request(only: ["shop-api"], environmentName: "production"))
        #expect(outcome.problems.isEmpty && outcome.warnings.isEmpty)
        var expected = AppSpec(
            name: "shop-api", script: "\(scratch.path)/src/index.js", interpreter: "node", cwd: scratch.path,
            environment: ["NODE_ENV": "production", "PORT": "1338"],
            restart: RestartPolicy(maxRestarts: 10, minUptime: Milliseconds(10_000), slowRetry: false),
            stop: StopPolicy(signal: .int, killTimeout: Milliseconds(5000)),
            output: OutputPolicy(
                outFile: "\(scratch.path)/logs/out.log", errorFile: "\(scratch.path)/logs/error.log", merge: true),
            expectedPort: 1338)
        expected.memoryLimit = 1 << 30
        expected.mode = .fork
        expected.kept = [
            "env_production": "{\"NODE_ENV\":\"production\",\"PORT\":1338}",
            "log_date_format": "\"YYYY-MM-DD HH:mm:ss Z\"",
        ]
        expected.readiness = ReadinessPolicy(waitReady: true, timeout: Milliseconds(10_000))
        #expect(outcome.specs == [expected])
    }
}
