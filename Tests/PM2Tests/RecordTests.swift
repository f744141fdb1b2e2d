import Control
import Foundation
import Model
import PM2Format
import Records
import Testing

@Suite("pm2_env records")
struct RecordTests {
    @Test("jlist of one app is this text")
    func golden() {
        let text = Samples.text(Samples.listing([Samples.entry(0, Samples.spec("api"))]).jlist)
        #expect(text == Self.expected)
    }

    static let expected = [
        #"[{"pid":4242,"name":"api","pm2_env":{"name":"api","namespace":"default","args":["--port","3000"],"#,
        #""node_args":[],"exec_interpreter":"node","exec_mode":"fork_mode","instances":1,"#,
        #""instance_var":"NODE_APP_INSTANCE","NODE_APP_INSTANCE":0,"env":{"HOME":"/home/deploy","LANG":"C.UTF-8","#,
        #""PATH":"/usr/bin:/bin","PM2_USAGE":"CLI","PM2_HOME":"/home/deploy/.pm2","api":{},"#,
        #""unique_id":"5b0a6c8e-0000-4000-8000-000000000000"},"kill_retry_time":100,"vizion":true,"pmx":true,"#,
        #""automation":true,"windowsHide":true,"autostart":true,"autorestart":true,"treekill":true,"watch":false,"#,
        #""filter_env":[],"merge_logs":true,"pm_exec_path":"/srv/api/server.js","pm_cwd":"/srv/api","#,
        #""pm_out_log_path":"/home/deploy/.pm2/logs/api-out.log","#,
        #""pm_err_log_path":"/home/deploy/.pm2/logs/api-error.log","#,
        #""pm_pid_path":"/home/deploy/.pm2/pids/api-0.pid","status":"online","pm_id":0,"pm_uptime":1700000000000,"#,
        #""created_at":1699999999000,"restart_time":3,"unstable_restarts":1,"#,
        #""unique_id":"5b0a6c8e-0000-4000-8000-000000000000","username":"deploy","version":"1.2.3","#,
        #""vizion_running":false,"km_link":false,"axm_actions":[],"axm_monitor":{},"axm_options":{},"#,
        #""axm_dynamic":{},"HOME":"/home/deploy","LANG":"C.UTF-8","PATH":"/usr/bin:/bin","PM2_USAGE":"CLI","#,
        #""PM2_HOME":"/home/deploy/.pm2","api":{}},"pm_id":0,"monit":{"memory":3051520,"cpu":12.3}}]"#,
    ].joined()

    @Test("an empty list is []")
    func empty() { #expect(Samples.listing([]).jlist == Array("[]".utf8)) }

    @Test("the bytes of jlist are those of its value")
    func bytesEqualValue() throws {
        var spec = Samples.spec("wörker \"1\"\n")
        spec.environment = ["watch": "yes", "status": "mine", "NEW": "\u{1}\t\u{7f}", "LANG": "de", "PM2_HOME": "/x"]
        spec.kept = ["log_file": "true", "vizion": "false", "env_production": #"{"A":"b"}"#, "wait_ready": "not json"]
        spec.environmentFilter = EnvironmentFilter(fragments: ["PAT"])
        let listing = Samples.listing([Samples.entry(3, spec), Samples.entry(1, Samples.spec("api"), pid: nil)])
        #expect(Samples.text(listing.jlist) == listing.json.compactText)
        #expect(try OrderedJSON.parse(listing.jlist).compactText == listing.json.compactText)
        // Foundation agrees that it is JSON, with every key once.
        _ = try JSONSerialization.jsonObject(with: Data(listing.jlist))
        for case .object(let process) in try #require(array(listing.json)) {
            let record = try #require(process["pm2_env"]?.object)
            #expect(Set(record.keys).count == record.keys.count)
            let environment = try #require(record["env"]?.object)
            #expect(Set(environment.keys).count == environment.keys.count)
        }
    }

    private func array(_ value: OrderedJSON) -> [OrderedJSON]? {
        if case .array(let values) = value { return values }
        return nil
    }

    @Test("an app's variable hides a setting of its name, a shell's does not, and nothing hides the state")
    func collisions() throws {
        var spec = Samples.spec("api")
        spec.environment = ["watch": "yes", "status": "mine"]
        let record = PM2Record(
            Samples.entry(0, spec), environment: ["name": "shellname", "pm_id": "99"], paths: Samples.paths)
        let shown = try #require(record.json.object)
        #expect(shown["watch"] == .string("yes"))
        #expect(shown["name"] == .string("api"))
        #expect(shown["status"] == .string("online"))
        #expect(shown["pm_id"] == .integer(0))
        #expect(shown["env"]?.object?["status"] == .string("mine"))
        let saved = try #require(record.saved.object)
        #expect(saved["watch"] == .bool(false))
        #expect(saved["instances"] == nil && saved["pm_id"] == nil)
    }

    @Test("settings have PM2's names and types")
    func settings() throws {
        var spec = Samples.spec("my_app")
        spec.interpreter = nil
        spec.mode = .cluster
        spec.memoryLimit = 314_572_800
        spec.schedule = RestartSchedule(pattern: "0 3 * * *", startsStopped: true)
        spec.watch = WatchPolicy(paths: [spec.cwd], ignore: ["*.log"], delay: Milliseconds(250))
        spec.stop = StopPolicy(signal: .term, killTimeout: Milliseconds(9000), wholeTree: false)
        spec.restart = RestartPolicy(
            mode: .never, maxRestarts: 5, minUptime: Milliseconds(2000), restartDelay: Milliseconds(10),
            exponentialBackoff: Milliseconds(100), stopExitCodes: [0, 3], slowRetry: false)
        spec.output = OutputPolicy(outFile: "/dev/null", errorFile: "/var/log/e.log", merge: false)
        spec.instanceVariable = "NUMBER"
        spec.uid = "1000"
        spec.gid = "staff"
        var entry = Samples.entry(7, spec, status: .waitingRestart)
        entry.instance.lastExit = ExitView(
            code: nil, signal: "SIGKILL", coreDumped: false, cause: .oom, at: 1, uptimeMs: 1, pid: 1, detail: nil)
        let record = try #require(PM2Record(entry, environment: [:], paths: Samples.paths).json.object)
        let expected: [(String, OrderedJSON)] = [
            ("exec_interpreter", .string("none")), ("exec_mode", .string("cluster_mode")),
            ("max_memory_restart", .integer(314_572_800)), ("cron_restart", .string("0 3 * * *")),
            ("watch", .bool(true)), ("ignore_watch", .strings(["*.log"])), ("watch_delay", .integer(250)),
            ("kill_timeout", .integer(9000)), ("kill_signal", .string("SIGTERM")), ("treekill", .bool(false)),
            ("autorestart", .bool(false)), ("max_restarts", .integer(5)), ("min_uptime", .integer(2000)),
            ("restart_delay", .integer(10)), ("exp_backoff_restart_delay", .integer(100)),
            ("stop_exit_codes", .array([.integer(0), .integer(3)])), ("merge_logs", .bool(false)),
            ("pm_out_log_path", .string("/dev/null")), ("pm_err_log_path", .string("/var/log/e-7.log")),
            ("pm_pid_path", .string("/home/deploy/.pm2/pids/my-app-7.pid")), ("NUMBER", .integer(0)),
            ("instance_var", .string("NUMBER")), ("uid", .integer(1000)), ("gid", .string("staff")),
            ("status", .string("waiting restart")), ("exit_code", .integer(0)),
        ]
        for (key, value) in expected { #expect(record[key] == value, "\(key)") }
    }

    @Test("a hundred apps with the variables of a shell are written quickly")
    func speed() {
        var shell: [String: String] = [:]
        for index in 0..<60 { shell["VARIABLE_\(index)"] = String(repeating: "value/", count: index % 12 + 1) }
        let entries = (0..<100).map { Samples.entry(UInt32($0), Samples.spec("app-\($0)")) }
        let reply = Samples.reply(entries, shell: shell)
        let elapsed = ContinuousClock().measure {
            for _ in 0..<10 { _ = ProcessListing(reply, paths: Samples.paths).jlist }
        }
        // Optimised it is 3 ms; this allows for no optimisation and a busy machine.
        #expect(elapsed / 10 < .milliseconds(500), "\(elapsed / 10)")
        print("jlist of 100 apps: \(elapsed / 10)")
    }

    @Test("the version of an app is that of the nearest package.json")
    func version() throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "pm2-version-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        let inner = root.appending(path: "a/b/c")
        try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
        #expect(PackageVersion.find(above: "\(inner.path)/x.js") == "N/A")
        try Data(#"{"name":"x","version":"2.3.4"}"#.utf8).write(to: root.appending(path: "a/package.json"))
        #expect(PackageVersion.find(above: "\(inner.path)/x.js") == "2.3.4")
        try Data("{broken".utf8).write(to: root.appending(path: "a/b/package.json"))
        #expect(PackageVersion.find(above: "\(inner.path)/x.js") == "N/A")
        #expect(PackageVersion.find(above: "relative.js") == "N/A")
        let find = PackageVersion.finder()
        #expect(find("\(root.path)/a/x.js") == "2.3.4" && find("\(root.path)/a/y.js") == "2.3.4")
    }

    @Test(
        "numbers are written as JavaScript writes them",
        arguments: [
            ("1e21", "1e+21"), ("1e20", "100000000000000000000"), ("0.000001", "0.000001"), ("1e-7", "1e-7"),
            ("123456789.125", "123456789.125"), ("-1.50", "-1.5"), ("12.30", "12.3"), ("-0", "0"), ("5e-324", "5e-324"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"), ("1700000000000", "1700000000000"),
        ])
    func numbers(given: String, written: String) throws {
        #expect(try OrderedJSON.parse(Array(given.utf8)).compactText == written)
    }
}
