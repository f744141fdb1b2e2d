internal import Configuration
import Model
package import Records

/// Reads dumps of PM2 5, 6 and 7, and ours.
///
/// A record that cannot be used is named and left out; the others are read. A text that is not a whole JSON array is
/// no dump at all: half a list must not pass for a list.
package enum DumpReader {
    package static func read(_ bytes: [UInt8], paths: HomePaths) throws(JSONFailure) -> DumpContent {
        guard case .array(let records) = try OrderedJSON.parse(bytes) else {
            throw JSONFailure(message: "a list of apps is expected", offset: 0, line: 1)
        }
        var content = DumpContent(entries: [], problems: [])
        for (index, value) in records.enumerated() {
            guard case .object(let object) = value else {
                content.problems.append(
                    DumpProblem(
                        index: index, name: nil, key: nil,
                        message: "expected an object, found \(value.kind) \(value.quoted)", skipsRecord: true))
                continue
            }
            var reader = DumpRecordReader(RecordFields(object, index: index), paths: paths)
            if let entry = reader.read() { content.entries.append(entry) }
            content.problems += reader.fields.problems
        }
        return content
    }
}

/// One record to one entry.
private struct DumpRecordReader {
    var fields: RecordFields
    let paths: HomePaths

    init(_ fields: RecordFields, paths: HomePaths) {
        self.fields = fields
        self.paths = paths
    }

    mutating func read() -> DumpEntry? {
        do throws(RecordFields.Unusable) { return try entry() } catch { return nil }
    }

    private mutating func entry() throws(RecordFields.Unusable) -> DumpEntry {
        var spec = try command()
        spec.autostart = fields.flag("autostart") ?? true
        spec.mode = try mode()
        spec.restart = restartPolicy()
        spec.stop = try stopPolicy()
        spec.readiness = readinessPolicy()
        spec.memoryLimit = memoryLimit()
        spec.schedule = try schedule()
        spec.watch = try watch(cwd: spec.cwd)
        spec.environmentFilter = try filter()
        spec.instanceVariable = try variableName("instance_var")
        spec.incrementVariable = try variableName("increment_var")
        if spec.instanceVariable == "NODE_APP_INSTANCE" { spec.instanceVariable = nil }
        let files = try fields.words("env_file") { [$0] } ?? []
        if !files.isEmpty { spec.environmentFiles = files.filter { $0.hasPrefix("/") } }
        if let text = try fields.text("stdin"), let stdin = StandardInput(rawValue: text) { spec.stdin = stdin }
        spec.uid = try fields.text("uid")
        spec.gid = try fields.text("gid")
        try places(of: &spec)
        let kept = kept()
        if !kept.isEmpty { spec.kept = kept }
        return try entry(spec)
    }

    private mutating func entry(_ spec: AppSpec) throws(RecordFields.Unusable) -> DumpEntry {
        let status = fields.members["status"]?.text ?? "online"
        let counters = DumpEntry.Counters(
            restarts: count("restart_time"), unstableRestarts: count("unstable_restarts"),
            createdAt: fields.members["created_at"].flatMap(RecordFields.integer),
            startedAt: fields.members["pm_uptime"].flatMap(RecordFields.integer), exitCode: count("exit_code"))
        let variable = spec.instanceVariable ?? "NODE_APP_INSTANCE"
        let number = fields.members[variable].flatMap(RecordFields.integer).flatMap { Int(exactly: $0) }
        let unique = fields.members["unique_id"]?.text ?? fields.variables["unique_id"]?.text
        var spec = spec
        var environment = environment(instanceVariable: variable)
        if let filter = spec.environmentFilter {
            // What the filter keeps from the caller's environment was there all the same: the app has it from its file.
            spec.environment = environment.filter { !filter.keeps($0.key) }
            environment = environment.filter { filter.keeps($0.key) }
        }
        return DumpEntry(
            index: fields.index, spec: spec, environment: environment,
            isWantedRunning: status != "stopped", status: status,
            number: number.flatMap { (0...1_000_000).contains($0) ? $0 : nil }, counters: counters,
            // A line of text, not somebody's novel.
            uniqueID: unique.flatMap { (1...64).contains($0.utf8.count) ? $0 : nil })
    }

    private func count(_ key: String) -> Int? {
        fields.members[key].flatMap(RecordFields.integer).flatMap { (0...1_000_000_000).contains($0) ? Int($0) : nil }
    }

    // MARK: - Command

    private mutating func command() throws(RecordFields.Unusable) -> AppSpec {
        // First: every further complaint names the app. A variable may be called `name` and hide it: as with PM2.
        if let text = fields.members["name"]?.scalarText { fields.name = text }
        let script = try path("pm_exec_path")
        let name = try name(script: script)
        let cwd = fields.value("pm_cwd") == nil ? parent(of: script) : try path("pm_cwd")
        let namespace = try fields.text("namespace") ?? "default"
        guard !namespace.isEmpty, namespace.utf8.count <= 200 else {
            throw fields.refuse("namespace", "\(OrderedJSON.string(namespace).quoted) is empty or over 200 bytes")
        }
        return AppSpec(
            name: name, namespace: namespace, script: script,
            arguments: try fields.words("args", split: TextValues.words) ?? [],
            interpreter: try interpreter(script: script),
            interpreterArguments: try fields.words(
                fields.value("node_args") == nil ? "interpreter_args" : "node_args", split: TextValues.words) ?? [],
            cwd: cwd)
    }

    private mutating func name(script: String) throws(RecordFields.Unusable) -> String {
        let name: String
        switch fields.members["name"] {
        case .string(let text): name = try fields.checked(text, "name")
        case .some(let value) where value.scalarText != nil: name = value.scalarText ?? ""
        case nil, .null:
            let base = script.split(separator: "/").last.map(String.init) ?? script
            name = base.lastIndex(of: ".").map { $0 == base.startIndex ? base : String(base[..<$0]) } ?? base
        case .some(let value):
            throw fields.refuse("name", "expected a string, found \(value.kind) \(value.quoted)")
        }
        fields.name = name
        guard !name.isEmpty else { throw fields.refuse("name", "it is empty") }
        guard name.utf8.count <= 200 else {
            throw fields.refuse(
                "name", "\(OrderedJSON.string(name).quoted) has \(name.utf8.count) bytes, 200 are allowed")
        }
        guard name != "all" else { throw fields.refuse("name", "the name 'all' means every app") }
        return name
    }

    private mutating func path(_ key: String) throws(RecordFields.Unusable) -> String {
        guard let value = fields.members[key], value != .null else { throw fields.refuse(key, "it is missing") }
        guard case .string(let text) = value else {
            throw fields.refuse(key, "expected a path, found \(value.kind) \(value.quoted)")
        }
        let path = try fields.checked(text, key)
        guard path.hasPrefix("/") else { throw fields.refuse(key, "\(value.quoted) is not an absolute path") }
        return path
    }

    private func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    /// Older versions leave the interpreter out where it follows from the extension.
    private mutating func interpreter(script: String) throws(RecordFields.Unusable) -> String? {
        let key = fields.value("exec_interpreter") == nil ? "interpreter" : "exec_interpreter"
        if let text = try fields.text(key) {
            return text.isEmpty || text == "none" ? nil : text
        }
        let file = script.split(separator: "/").last.map(String.init) ?? ""
        guard let dot = file.lastIndex(of: "."), dot != file.startIndex else { return nil }
        return Interpreters.candidates(forExtension: String(file[dot...]))?.first
    }

    private mutating func mode() throws(RecordFields.Unusable) -> ExecutionMode? {
        guard let text = try fields.text("exec_mode") else { return nil }
        switch text {
        case "fork", "fork_mode": return .fork
        case "cluster", "cluster_mode": return .cluster
        default:
            fields.note("exec_mode", "expected fork_mode or cluster_mode, found \(OrderedJSON.string(text).quoted)")
            return nil
        }
    }

    // MARK: - Policies

    private mutating func restartPolicy() -> RestartPolicy {
        var policy = RestartPolicy(slowRetry: fields.flag("slow_retry") ?? false)
        if fields.value("restart") == .string("on-failure") { policy.mode = .onFailure }
        if fields.flag("autorestart") == false { policy.mode = .never }
        if let count = fields.number("max_restarts", in: 0...1_000_000_000) { policy.maxRestarts = Int(count) }
        if let time = minUptime() { policy.minUptime = time }
        // 0 is PM2's way to say that there is none.
        policy.restartDelay = fields.time("restart_delay").flatMap { $0.rawValue == 0 ? nil : $0 }
        policy.exponentialBackoff = fields.time("exp_backoff_restart_delay").flatMap { $0.rawValue == 0 ? nil : $0 }
        policy.stopExitCodes = stopExitCodes()
        return policy
    }

    /// Milliseconds, or `10s`.
    private mutating func minUptime() -> Milliseconds? {
        if case .string(let text)? = fields.value("min_uptime"), Int64(text) == nil,
            let time = TextValues.duration(text), time <= .seconds(2_592_000)
        {
            return time
        }
        return fields.time("min_uptime")
    }

    private mutating func stopExitCodes() -> [Int] {
        guard let value = fields.value("stop_exit_codes") else { return [] }
        var values: [OrderedJSON]
        switch value {
        case .array(let list): values = list
        case .string(let text):
            values = text.split { $0 == "," || $0.isWhitespace }.map { .string(String($0)) }
        default: values = [value]
        }
        var codes: [Int] = []
        for value in values {
            if let code = RecordFields.integer(value), (0...255).contains(code) {
                codes.append(Int(code))
            } else {
                fields.note("stop_exit_codes", "expected exit codes from 0 to 255, found \(value.kind) \(value.quoted)")
            }
        }
        return codes
    }

    private mutating func stopPolicy() throws(RecordFields.Unusable) -> StopPolicy {
        var policy = StopPolicy(signal: PM2Defaults.killSignal, killTimeout: PM2Defaults.killTimeout)
        if let time = fields.time("kill_timeout") { policy.killTimeout = time }
        policy.wholeTree = fields.flag("treekill") ?? true
        policy.withMessage = fields.flag("shutdown_with_message")
        if let text = try fields.text("kill_signal"), let signal = Signal(parsing: text) { policy.signal = signal }
        return policy
    }

    private mutating func readinessPolicy() -> ReadinessPolicy? {
        let waits = fields.flag("wait_ready") ?? false
        // 0 is PM2's way to say that there is none.
        let timeout = fields.time("listen_timeout").flatMap { $0.rawValue == 0 ? nil : $0 }
        guard waits || timeout != nil else { return nil }
        return ReadinessPolicy(waitReady: waits, timeout: timeout)
    }

    /// A number of bytes, or `300M`.
    private mutating func memoryLimit() -> Int64? {
        guard let value = fields.value("max_memory_restart") else { return nil }
        var number = RecordFields.integer(value)
        if number == nil, case .string(let text) = value, let last = text.last,
            let scale: Int64 = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30][last], let count = Int64(text.dropLast())
        {
            let (product, overflow) = count.multipliedReportingOverflow(by: scale)
            number = overflow ? nil : product
        }
        guard let number, number >= 0 else {
            fields.note("max_memory_restart", "expected a number of bytes, found \(value.kind) \(value.quoted)")
            return nil
        }
        return number == 0 ? nil : number
    }

    private mutating func schedule() throws(RecordFields.Unusable) -> RestartSchedule? {
        let key = fields.value("cron_restart") == nil ? "cron" : "cron_restart"
        guard let value = fields.value(key), value != .bool(false), value != .integer(0) else { return nil }
        guard let pattern = try fields.text(key), !pattern.isEmpty, pattern != "0" else { return nil }
        return RestartSchedule(pattern: pattern, startsStopped: true)
    }

    private mutating func watch(cwd: String) throws(RecordFields.Unusable) -> WatchPolicy? {
        let paths: [String]
        switch fields.value("watch") {
        case .bool(true)?, .string("true")?: paths = [cwd]
        case nil, .bool(false)?, .string("false")?, .string("")?: return nil
        default:
            paths = (try fields.words("watch") { [$0] } ?? []).filter { !$0.isEmpty }.map {
                Self.absolute($0, in: cwd)
            }
        }
        if paths.isEmpty { return nil }
        let delay = fields.number("watch_delay", in: 0...86_400_000).map { Milliseconds($0) }
        return WatchPolicy(
            paths: paths, ignore: try fields.words("ignore_watch", split: TextValues.words),
            delay: delay ?? Milliseconds(0), extensions: try fields.words("watch_ext", split: TextValues.words))
    }

    private static func absolute(_ path: String, in directory: String) -> String {
        if path.hasPrefix("/") { return path }
        let rest = path == "." ? "" : path.hasPrefix("./") ? String(path.dropFirst(2)) : path
        if rest.isEmpty { return directory }
        return (directory == "/" ? "" : directory) + "/" + rest
    }

    private mutating func filter() throws(RecordFields.Unusable) -> EnvironmentFilter? {
        switch fields.value("filter_env") {
        case nil, .bool(false)?: return nil
        case .bool(true)?: return EnvironmentFilter(everything: true)
        case .string(let name)?: return EnvironmentFilter(names: [try fields.checked(name, "filter_env")])
        default:
            let fragments = try fields.words("filter_env") { [$0] } ?? []
            return fragments.isEmpty ? nil : EnvironmentFilter(fragments: fragments)
        }
    }

    private mutating func variableName(_ key: String) throws(RecordFields.Unusable) -> String? {
        guard let name = try fields.text(key), !name.isEmpty else { return nil }
        guard !name.contains("=") else {
            fields.note(key, "\(OrderedJSON.string(name).quoted) is not the name of a variable")
            return nil
        }
        return name
    }

    // MARK: - Places

    private mutating func places(of spec: inout AppSpec) throws(RecordFields.Unusable) {
        let merge = fields.flag("merge_logs") ?? fields.flag("combine_logs") ?? false
        spec.output = OutputPolicy(
            outFile: try logFile("pm_out_log_path", merge: merge),
            errorFile: try logFile("pm_err_log_path", merge: merge), merge: merge)
        // What the home would choose anyway is not said: such files follow the home.
        let id = InstanceID(0)
        var plain = spec
        plain.output.outFile = nil
        plain.output.errorFile = nil
        let (given, usual) = (paths.logFiles(of: spec, id: id), paths.logFiles(of: plain, id: id))
        if given.out == usual.out { spec.output.outFile = nil }
        if given.error == usual.error { spec.output.errorFile = nil }
        if let path = try absolutePath("pm_pid_path") {
            spec.pidFile = Self.withoutID(path, ".pid")
            if paths.pidFile(of: spec, id: id) == PM2Defaults.usualPidFile(of: spec, paths, id: id) {
                spec.pidFile = nil
            }
        }
    }

    /// A path as it was before the id was put in: whoever takes it over puts a new one in.
    private mutating func logFile(_ key: String, merge: Bool) throws(RecordFields.Unusable) -> String? {
        if let text = fields.members[key]?.text, text == "NULL" || text == "/dev/null" { return "/dev/null" }
        guard let path = try absolutePath(key) else { return nil }
        return merge ? path : Self.withoutID(path, ".log")
    }

    private mutating func absolutePath(_ key: String) throws(RecordFields.Unusable) -> String? {
        guard let path = try fields.text(key), !path.isEmpty else { return nil }
        guard path.hasPrefix("/") else {
            fields.note(key, "\(OrderedJSON.string(path).quoted) is not an absolute path")
            return nil
        }
        return path
    }

    /// `app-out-3.log` to `app-out.log`.
    static func withoutID(_ path: String, _ suffix: String) -> String {
        guard path.hasSuffix(suffix) else { return path }
        let stem = path.dropLast(suffix.count)
        guard let dash = stem.lastIndex(of: "-"), dash != stem.startIndex else { return path }
        let digits = stem[stem.index(after: dash)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return path }
        return stem[..<dash] + suffix
    }

    // MARK: - The rest

    private func kept() -> [String: String] {
        let defaults = Dictionary(RecordKeys.defaults.map { ($0.key, $0.value) }) { first, _ in first }
        var kept: [String: String] = [:]
        for key in RecordKeys.kept {
            guard let value = fields.value(key), value != defaults[key] else { continue }
            kept[key] = value.compactText
        }
        if kept["log_file"] == nil, case .string? = fields.members["pm_log_path"] {
            kept["log_file"] = fields.members["pm_log_path"]?.compactText
        }
        for (key, value) in fields.members where key.hasPrefix("env_") && value.object != nil {
            kept[key] = value.compactText
        }
        return kept
    }

    /// `env`, and what stands only among the settings: after a restart with a changed file PM2 keeps variables there.
    private mutating func environment(instanceVariable: String) -> [String: String] {
        var environment: [String: String] = [:]
        for (name, value) in fields.members where !RecordKeys.isKnown(name) && fields.variables[name] == nil {
            add(name, value, to: &environment)
        }
        for (name, value) in fields.variables { add(name, value, to: &environment) }
        environment[instanceVariable] = nil
        environment["unique_id"] = nil
        for name in RecordKeys.internals.union(RecordKeys.setAtEveryStart) { environment[name] = nil }
        return environment
    }

    private mutating func add(_ name: String, _ value: OrderedJSON, to environment: inout [String: String]) {
        // Objects, arrays and null are not passed on by PM2 either.
        guard let text = value.scalarText else { return }
        guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "=")), !name.holdsNUL else {
            fields.note("env", "\(OrderedJSON.string(name).quoted) is not the name of a variable")
            return
        }
        guard !text.holdsNUL else {
            fields.note("env.\(name)", "\(value.quoted) holds a NUL byte, which no program can be given")
            return
        }
        guard name.utf8.count + text.utf8.count + 2 <= RecordFields.longestText else {
            fields.note("env.\(name.prefix(60))", "it has \(text.utf8.count) bytes, more than Linux lets pass")
            return
        }
        environment[name] = text
    }
}
