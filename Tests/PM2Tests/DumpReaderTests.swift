import Control
import Model
import PM2Format
import Records
import Testing

@Suite("Reading dump.pm2")
struct DumpReaderTests {
    private func read(_ text: String) throws -> DumpContent {
        try DumpReader.read(Array(text.utf8), paths: Samples.paths)
    }

    private func record(_ members: String) throws -> DumpContent {
        try read(#"[{"name":"a","pm_exec_path":"/a.js","pm_cwd":"/","# + members + "}]")
    }

    @Test("a cluster's instance of PM2 7")
    func sevenCluster() throws {
        let content = try read(DumpFixtures.seven)
        #expect(content.problems == [])
        let entry = try #require(content.entries.first)
        let spec = entry.spec
        #expect(spec.name == "api" && spec.namespace == "default" && spec.mode == .cluster)
        #expect(spec.script == "/srv/api/dist/server.js" && spec.cwd == "/srv/api" && spec.interpreter == "node")
        #expect(spec.arguments == ["serve", "--x=1 2"] && spec.interpreterArguments == ["--max-old-space-size=200"])
        #expect(spec.memoryLimit == 314_572_800)
        #expect(spec.schedule == RestartSchedule(pattern: "0 3 * * *", startsStopped: true))
        #expect(spec.stop == StopPolicy(signal: .int, killTimeout: Milliseconds(5000)))
        #expect(spec.readiness == ReadinessPolicy(waitReady: true, timeout: Milliseconds(8000)))
        #expect(spec.restart == RestartPolicy(slowRetry: false))
        #expect(spec.watch == nil && spec.instances == 1 && spec.instanceVariable == nil && spec.environment == [:])
        // The files are those that the home would choose: without the id of the old list.
        #expect(spec.output == OutputPolicy(merge: false) && spec.pidFile == nil)
        #expect(
            Samples.paths.logFiles(of: spec, id: InstanceID(4)).out == "/home/deploy/.pm2/logs/api-out-4.log")
        #expect(
            spec.kept == [
                "log_date_format": #""YYYY-MM-DDTHH:mm:ss""#, "time": "true", "env_staging": #"{"NODE_ENV":"staging"}"#,
            ])
        #expect(
            entry.environment == [
                "PATH": "/usr/bin", "HOME": "/home/deploy", "NODE_ENV": "production", "PORT": "3000", "EMPTY": "",
                "OLD_VARIABLE": "only here",
            ])
        #expect(entry.number == 1 && entry.uniqueID == "u-1" && entry.isWantedRunning)
        #expect(entry.counters.restarts == 7 && entry.counters.createdAt == 1_699_999_999_000)
    }

    @Test("a stopped app and a binary of PM2 7")
    func sevenOthers() throws {
        let entries = try read(DumpFixtures.seven).entries
        try #require(entries.count == 3)
        let worker = entries[1]
        #expect(!worker.isWantedRunning && worker.number == 2 && worker.counters.restarts == 15)
        #expect(worker.spec.namespace == "jobs" && worker.spec.instanceVariable == "NUMBER")
        #expect(worker.environment == ["HOME": "/root"])
        #expect(worker.spec.restart.mode == .never && worker.spec.restart.stopExitCodes == [0])
        #expect(!worker.spec.stop.wholeTree && worker.spec.uid == "0" && worker.spec.gid == "staff")
        // Merged: the number in the name is the person's own.
        #expect(
            worker.spec.output == OutputPolicy(outFile: "/var/log/worker-3.log", errorFile: "/dev/null", merge: true))
        #expect(Samples.paths.pidFile(of: worker.spec, id: InstanceID(5)) == "/run/worker-5.pid")
        let proxy = entries[2]
        #expect(proxy.spec.interpreter == nil && proxy.isWantedRunning && proxy.status == "errored")
        #expect(proxy.spec.restart.exponentialBackoff == Milliseconds(100))
        #expect(proxy.spec.restart.stopExitCodes == [0, 143] && proxy.spec.restart.minUptime == Milliseconds(5000))
        #expect(proxy.spec.watch == WatchPolicy(paths: ["/src", "/etc/proxy"], delay: Milliseconds(500)))
    }

    @Test("records of PM2 5")
    func five() throws {
        let content = try read(DumpFixtures.five)
        #expect(content.problems == [])
        try #require(content.entries.count == 2)
        let legacy = content.entries[0]
        #expect(legacy.spec.arguments == ["--name", "two words", "-v"] && legacy.spec.interpreterArguments == [])
        #expect(legacy.spec.interpreter == "node" && legacy.spec.mode == .fork && legacy.spec.instances == 1)
        #expect(
            legacy.environment == ["PATH": "/bin", "NODE_ENV": "production", "DEBUG": "true", "PORT": "8080"])
        #expect(legacy.spec.memoryLimit == 300 << 20 && legacy.spec.schedule == nil)
        #expect(legacy.spec.restart.minUptime == .seconds(10) && legacy.spec.restart.stopExitCodes == [1, 2])
        #expect(legacy.spec.watch?.paths == ["/srv/legacy"])
        #expect(
            legacy.spec.output
                == OutputPolicy(outFile: "/srv/legacy/out.log", errorFile: "/srv/legacy/err.txt", merge: false))
        let number = content.entries[1]
        #expect(number.spec.name == "123" && number.spec.cwd == "/srv" && number.spec.mode == .cluster)
        #expect(number.spec.interpreterArguments == ["--harmony", "--inspect"] && number.isWantedRunning)
    }

    @Test(
        "a record that cannot be used is named; the others are read",
        arguments: [
            (#"{"name":"x"}"#, "pm_exec_path", "missing"), (#"{"name":"x","pm_exec_path":7}"#, "pm_exec_path", "'7'"),
            (#"{"name":"x","pm_exec_path":"a.js"}"#, "pm_exec_path", "'a.js'"),
            (#"{"name":{},"pm_exec_path":"/a"}"#, "name", "'{}'"),
            (#"{"name":"","pm_exec_path":"/a"}"#, "name", "empty"),
            (#"{"name":"all","pm_exec_path":"/a"}"#, "name", "all"),
            (#"{"name":"x","pm_exec_path":"/a\u0000b"}"#, "pm_exec_path", "NUL"),
            (#"{"name":"x","pm_exec_path":"/a","args":[{}]}"#, "args", "'{}'"),
            (#"{"name":"x","pm_exec_path":"/a","args":["\u0000"]}"#, "args", "NUL"),
            (#"{"name":"x","pm_exec_path":"/a","args":true}"#, "args", "'true'"),
            (#"{"name":"x","pm_exec_path":"/a","pm_cwd":"here"}"#, "pm_cwd", "'here'"), ("17", nil, "'17'"),
            ("null", nil, "null"),
        ])
    func malformed(record: String, key: String?, words: String) throws {
        let good = #"{"name":"good","pm_exec_path":"/good"}"#
        let content = try read("[\(good),\(record),\(good)]")
        #expect(content.entries.map(\.index) == [0, 2])
        let problem = try #require(content.problems.first)
        #expect(content.problems.count == 1 && problem.index == 1 && problem.key == key && problem.skipsRecord)
        #expect(problem.description.contains(words), "\(problem)")
    }

    @Test("something huge is refused without being printed")
    func huge() throws {
        let long = String(repeating: "x", count: 200_000)
        let content = try read(
            #"[{"name":"x","pm_exec_path":"/a","args":["\#(long)"]},{"name":"\#(long)","pm_exec_path":"/a"}]"#)
        #expect(content.entries == [] && content.problems.count == 2)
        #expect(content.problems.allSatisfy { $0.description.utf8.count < 400 })
        let variable = try record(#""env":{"BIG":"\#(long)","SMALL":"1"}"#)
        #expect(variable.entries.first?.environment == ["SMALL": "1"])
        #expect(variable.problems.map(\.key) == ["env.BIG"])
    }

    @Test(
        "a setting that cannot be used is named and left out",
        arguments: [
            (#""kill_timeout":"soon""#, "kill_timeout"), (#""autorestart":"maybe""#, "autorestart"),
            (#""max_restarts":-1"#, "max_restarts"), (#""env":[]"#, "env"), (#""exec_mode":"thread""#, "exec_mode"),
            (#""max_memory_restart":"1.5G""#, "max_memory_restart"), (#""stop_exit_codes":[1,"x"]"#, "stop_exit_codes"),
            (#""min_uptime":1e300"#, "min_uptime"), (#""env":{"A=B":"c"}"#, "env"), (#""env":{"A":"\u0000"}"#, "env.A"),
            (#""pm_out_log_path":"relative.log""#, "pm_out_log_path"),
            (#""restart_delay":99999999999999"#, "restart_delay"),
            (#""max_memory_restart":"9223372036854775807G""#, "max_memory_restart"), (#""uid":{}"#, "uid"),
        ])
    func badSetting(members: String, key: String) throws {
        let content = try record(members)
        #expect(content.entries.count == 1)
        #expect(content.problems.map(\.key) == [key] && content.problems.allSatisfy { !$0.skipsRecord })
    }

    @Test("a variable that is called like a setting is no setting")
    func variableNotSetting() throws {
        let entry = try #require(
            try record(#""watch":"yes","time":"noon","env":{"watch":"yes","time":"noon"}"#).entries.first)
        #expect(entry.spec.watch == nil && entry.spec.kept == nil)
        #expect(entry.environment == ["watch": "yes", "time": "noon"])
    }

    @Test("a filter does not take from an app what it has from its file")
    func filter() throws {
        let members = #""filter_env":["SECRET"],"env":{"APP_SECRET":"1","HOME":"/"},"merge_logs":true"#
        let entry = try #require(try record(members).entries.first)
        #expect(entry.environment == ["HOME": "/"] && entry.spec.environment == ["APP_SECRET": "1"])
        let all = try #require(try record(#""filter_env":true,"env":{"A":"1"}"#).entries.first)
        #expect(all.environment == [:] && all.spec.environment == ["A": "1"])
    }

    @Test("a dump that was cut anywhere is no dump")
    func cut() throws {
        let entries = (0..<3).map { Samples.entry(UInt32($0), Samples.spec("app-\($0)-é")) }
        let whole = Samples.listing(entries).dump
        #expect(try DumpReader.read(whole, paths: Samples.paths).entries.count == 3)
        var accepted: [Int] = []
        for length in 0..<whole.count where (try? DumpReader.read(Array(whole[..<length]), paths: Samples.paths)) != nil
        {
            accepted.append(length)
        }
        #expect(accepted == [])
    }

    @Test("a dump with a damaged byte is read or refused, never a crash")
    func damaged() throws {
        let whole = Samples.listing([Samples.entry(0, Samples.spec("api"))]).dump
        var generator = SplitMix(state: 7)
        for _ in 0..<2000 {
            var bytes = whole
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            _ = try? DumpReader.read(bytes, paths: Samples.paths)
        }
    }

    @Test("what is written is read back")
    func roundTrip() throws {
        var spec = Samples.spec("my app_1")
        spec.interpreter = nil
        spec.namespace = "jobs"
        spec.mode = .cluster
        spec.memoryLimit = 1 << 30
        spec.schedule = RestartSchedule(pattern: "*/5 * * * *", startsStopped: true)
        spec.watch = WatchPolicy(paths: ["/a", "/b"], ignore: ["x y"], delay: Milliseconds(20), extensions: ["js"])
        spec.stop = StopPolicy(signal: .term, killTimeout: Milliseconds(9000), wholeTree: false)
        spec.restart = RestartPolicy(
            mode: .onFailure, maxRestarts: 5, minUptime: Milliseconds(2000), restartDelay: Milliseconds(10),
            exponentialBackoff: Milliseconds(100), stopExitCodes: [0, 3], slowRetry: true)
        spec.output = OutputPolicy(outFile: "/var/log/o.log", errorFile: "/dev/null", merge: false)
        spec.instanceVariable = "NUMBER"
        spec.incrementVariable = "PORT"
        spec.pidFile = "/run/x.pid"
        spec.stdin = .null
        spec.uid = "1000"
        spec.gid = "staff"
        spec.environmentFiles = ["/srv/.env"]
        spec.environmentFilter = EnvironmentFilter(fragments: ["SECRET"])
        spec.kept = ["log_type": #""json""#, "vizion": "false", "env_production": #"{"A":"b"}"#]
        spec.environment = ["watch": "yes", "PORT": "3000"]
        let stopped = Samples.entry(4, spec, status: .stopped, pid: nil)
        let content = try DumpReader.read(Samples.listing([stopped]).dump, paths: Samples.paths)
        #expect(content.problems == [])
        let entry = try #require(content.entries.first)
        // A dump has the app's variables among the caller's.
        spec.environment = [:]
        #expect(entry.spec == spec)
        #expect(!entry.isWantedRunning && entry.number == 0 && entry.uniqueID == stopped.uniqueId)
        // What every start sets anew does not come from a dump.
        let expected = Samples.shell.merging(["watch": "yes", "PORT": "3000"]) { $1 }
        #expect(entry.environment == expected)
    }

    @Test("a thousand records of 16 KiB are read in no time")
    func large() throws {
        var text = "["
        let value = String(repeating: #"some text \" "#, count: 20)
        for index in 0..<1000 {
            var record = #"{"name":"app-\#(index)","pm_exec_path":"/srv/a.js","env":{"#
            for number in 0..<60 { record += #""VARIABLE_\#(number)":"\#(value)","# }
            record += #""LAST":""}"#
            text += (index > 0 ? "," : "") + record + "}"
        }
        let bytes = Array((text + "]").utf8)
        #expect(bytes.count > 16_000_000)
        var count = 0
        let elapsed = try ContinuousClock().measure {
            count = try DumpReader.read(bytes, paths: Samples.paths).entries.count
        }
        #expect(count == 1000)
        print("dump of \(bytes.count) bytes: \(elapsed)")
        // Some hundred milliseconds without optimisation; the rest is for a busy machine.
        #expect(elapsed < .seconds(20))
    }
}

/// Random numbers that a seed determines.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
