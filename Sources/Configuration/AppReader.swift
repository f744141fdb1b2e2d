import Model

/// Reads the keys of one app, and says what is wrong with them.
///
/// For PM2's dialect `ForeignRules` has checked and converted everything before; what is read here then is right already.
struct AppReader {
    let members: [String: JSONValue]
    let location: String
    let dialect: Dialect
    var problems: [ConfigurationError] = []
    private(set) var warnings: [String] = []
    var used: Set<String> = []
    private let needsScript: Bool

    init(members: [String: JSONValue], location: String, dialect: Dialect = .hearth, needsScript: Bool = true) {
        self.location = location
        self.dialect = dialect
        self.needsScript = needsScript
        guard dialect == .pm2 else {
            self.members = members
            return
        }
        let rules = ForeignRules(members, needsScript: needsScript)
        self.members = rules.members
        problems = rules.problems
    }

    mutating func read() -> AppDraft {
        var draft = AppDraft()
        readCommand(into: &draft)
        readInstances(into: &draft)
        readEnvironment(into: &draft)
        readRestart(into: &draft)
        readTriggers(into: &draft)
        readStop(into: &draft)
        readPlaces(into: &draft)
        keep(into: &draft)
        reportUnknown()
        return draft
    }

    // MARK: - Groups

    private mutating func readCommand(into draft: inout AppDraft) {
        draft.script = string("script")
        if needsScript, dialect == .hearth, draft.script == nil,
            members.keys.allSatisfy({ !AppKeys.spellings(of: "script").contains($0) })
        {
            problems.append(
                ConfigurationError(
                    "'script' is missing", hint: "name the file or command to run", location: location,
                    subject: .setting))
        }
        draft.name = string("name")
        draft.namespace = string("namespace")
        draft.arguments = words("args") ?? []
        draft.interpreter = string("interpreter")
        draft.interpreterArguments = words("interpreter_args") ?? []
        draft.cwd = string("cwd")
    }

    private mutating func readInstances(into draft: inout AppDraft) {
        if let (key, value) = take("instances") {
            let count: InstanceCount? =
                switch value {
                case .integer(let number): Int(exactly: number).flatMap { InstanceCount($0) }
                case .number(let number) where dialect == .pm2:
                    Int(exactly: number.rounded(.towardZero)).flatMap { InstanceCount($0) }
                case .string(let text): InstanceCount(text)
                default: nil
                }
            if count == nil { expect("a number or \"max\"", key, value) }
            draft.instances = count
        }
        if let text = string("exec_mode") {
            draft.mode = ExecutionMode(rawValue: text.hasSuffix("_mode") ? String(text.dropLast(5)) : text)
            if draft.mode == nil { expect("fork or cluster", "exec_mode", .string(text)) }
        }
        draft.instanceVariable = string("instance_var")
        draft.incrementVariable = string("increment_var")
    }

    private mutating func readEnvironment(into draft: inout AppDraft) {
        if let (key, value) = take("env") { draft.environment = variables(value, key) }
        for key in members.keys.sorted() {
            guard let name = AppKeys.environmentName(of: key), let value = members[key] else { continue }
            used.insert(key)
            if value == .null { continue }
            draft.namedEnvironments[name] = variables(value, key)
            draft.kept[key] = value.text
        }
        if let (key, value) = take("env_file") {
            switch value {
            case .string(let path): draft.environmentFiles = [path]
            case .array(let values):
                draft.environmentFiles = values.compactMap { if case .string(let path) = $0 { path } else { nil } }
                if draft.environmentFiles.count != values.count { expect("paths", key, value) }
            default: expect("a path or an array of paths", key, value)
            }
        }
        draft.passedVariables = variableNames("pass_env")
        if let (key, value) = take("filter_env") {
            switch value {
            case .bool(let flag): draft.environmentFilter = flag ? EnvironmentFilter(everything: true) : nil
            case .string(let name): draft.environmentFilter = EnvironmentFilter(names: [name])
            case .array(let values):
                let fragments = values.compactMap {
                    if case .string(let text) = $0, !text.isEmpty { text } else { nil }
                }
                draft.environmentFilter = EnvironmentFilter(fragments: fragments)
                if fragments.count != values.count { expect("parts of names of variables", key, value) }
            default: expect("true, the name of a variable, or an array of parts of names", key, value)
            }
        }
        draft.appendsEnvironmentToName = boolean("append_env_to_name")
        draft.port = integer("port", 1...65_535, "a port from 1 to 65535")
    }

    private mutating func readRestart(into draft: inout AppDraft) {
        draft.autostart = boolean("autostart")
        draft.autorestart = boolean("autorestart")
        if let text = string("restart") {
            draft.restartMode = RestartPolicy.Mode(rawValue: text)
            if draft.restartMode == nil { expect("always, on-failure or never", "restart", .string(text)) }
        }
        draft.maxRestarts = integer("max_restarts", 0...1_000_000_000, "a whole number, 0 or more")
        draft.minUptime = duration("min_uptime")
        draft.restartDelay = duration("restart_delay")
        draft.exponentialBackoff = duration("exp_backoff_restart_delay")
        draft.slowRetry = boolean("slow_retry")
        if let (key, value) = take("stop_exit_codes") {
            draft.stopExitCodes = exitCodes(value)
            if draft.stopExitCodes == nil { expect("exit codes from 0 to 255", key, value) }
        }
    }

    /// What restarts an app that is well: memory, clock, files.
    private mutating func readTriggers(into draft: inout AppDraft) {
        draft.memoryLimit = size("max_memory_restart")
        draft.memoryMax = memoryMax()
        draft.job = jobPolicy()
        if let (key, value) = take("cron_restart") {
            switch value {
            case .string("0"), .integer(0), .bool(false): draft.schedule = ""
            case .string, .integer, .number:
                let pattern = value.variableText
                draft.schedule = pattern
                if let problem = SchedulePattern.problem(in: pattern, dialect: dialect) {
                    badPattern(problem, key)
                }
            default: expect("a cron pattern", key, value)
            }
        }
        readWatch(into: &draft)
    }

    private mutating func badPattern(_ problem: String, _ key: String) {
        if dialect == .pm2 {
            problems.append(ConfigurationError("Cron pattern error: \(problem)"))
        } else {
            problems.append(
                ConfigurationError(
                    "not a cron pattern: \(problem)", hint: "write \"0 3 * * *\" for every day at 3",
                    location: place(of: key), subject: .setting))
        }
    }

    private mutating func readWatch(into draft: inout AppDraft) {
        var watch = WatchDraft()
        if let (key, value) = take("watch") {
            switch value {
            case .bool(let flag): watch.isOn = flag
            case .string(let path):
                watch.isOn = true
                watch.paths = [path]
            case .array(let values):
                watch.isOn = true
                watch.paths = values.compactMap { if case .string(let path) = $0 { path } else { nil } }
                if watch.paths.count != values.count { expect("paths", key, value) }
            default: expect("true, false, a path or an array of paths", key, value)
            }
        }
        watch.ignore = words("ignore_watch")
        watch.delay = duration("watch_delay")
        if let (key, value) = take("watch_options") {
            if case .object(let options) = value {
                draft.kept["watch_options"] = value.text
                switch options["ignored"] {
                case .string(let pattern): watch.ignore = (watch.ignore ?? []) + [pattern]
                case .array(let values):
                    // A pattern of another kind (a function, a regular expression) did not survive on its way here.
                    let texts = values.compactMap { if case .string(let text) = $0 { text } else { nil } }
                    if !texts.isEmpty { watch.ignore = (watch.ignore ?? []) + texts }
                default: break
                }
            } else {
                expect("an object", key, value)
            }
        }
        if watch != WatchDraft() || members["watch"] != nil { draft.watch = watch }
    }

    private mutating func readStop(into draft: inout AppDraft) {
        draft.killTimeout = duration("kill_timeout")
        if let (key, value) = take("kill_signal") {
            switch value {
            case .string(let text): draft.killSignal = Signal(parsing: text)
            case .integer(let number): draft.killSignal = Int32(exactly: number).flatMap { Signal(rawValue: $0) }
            default: break
            }
            if draft.killSignal == nil { expect("a signal such as SIGTERM", key, value) }
        }
        draft.killsTree = boolean("treekill")
        draft.stopsWithMessage = boolean("shutdown_with_message")
        draft.waitsForReady = boolean("wait_ready")
        draft.readyTimeout = duration("listen_timeout")
        draft.drain = drain()
        draft.notifies = boolean("notify")
        readWatchdog(into: &draft)
    }

    private mutating func readWatchdog(into draft: inout AppDraft) {
        guard let (key, value) = take("watchdog"), value != .bool(false) else { return }
        switch value {
        case .integer(let number): draft.watchdog = TextValues.watchdogPeriod(String(number))
        case .string(let text): draft.watchdog = TextValues.watchdogPeriod(text)
        default: break
        }
        if draft.watchdog == nil { expect("a time from 100 ms to 30 days, such as \"10s\"", key, value) }
    }

    private mutating func readPlaces(into draft: inout AppDraft) {
        draft.listen = listen()
        draft.reload = reloadPolicy()
        draft.dependsOn = words("depends_on")
        draft.outFile = string("out_file")
        draft.errorFile = string("error_file")
        draft.mergeLogs = boolean("merge_logs")
        draft.disableLogs = boolean("disable_logs")
        if let flag = draft.disableLogs { draft.kept["disable_logs"] = String(flag) }
        draft.pidFile = string("pid_file")
        if let text = string("stdin") {
            draft.stdin = StandardInput(rawValue: text)
            if draft.stdin == nil { expect("pipe or null", "stdin", .string(text)) }
        }
        draft.uid = user("uid")
        draft.gid = user("gid")
    }

    /// Settings without effect stay with the app: who looks at it, or takes its description elsewhere, finds them.
    private mutating func keep(into draft: inout AppDraft) {
        for key in AppKeys.table where key.use != .acts {
            guard let (spelling, value) = take(key.name) else { continue }
            draft.kept[key.name] = value.text
            if key.use == .later, dialect == .hearth {
                warnings.append("\(location): '\(spelling)' is not supported yet and has no effect")
            }
        }
        if draft.kept["time"] == "true" { draft.kept["log_date_format"] = JSONValue.string("YYYY-MM-DDTHH:mm:ss").text }
        if draft.kept["execute_command"] == "true", draft.mode == nil { draft.mode = .fork }
    }

    // MARK: - Unknown keys

    private mutating func reportUnknown() {
        guard dialect == .hearth else { return }
        for key in members.keys.sorted() where !used.contains(key) {
            let near = Spelling.nearest(to: key, among: AppKeys.allSpellings)
            let hint = near.map { "; did you mean '\($0)'?" } ?? ""
            warnings.append("\(location): unknown key '\(key)' is ignored\(hint)")
        }
    }
}
