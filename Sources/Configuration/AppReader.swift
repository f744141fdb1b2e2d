import Model

/// Reads the keys of one app, and says what is wrong with them.
struct AppReader {
    let members: [String: JSONValue]
    let location: String
    private(set) var problems: [ConfigurationError] = []
    private(set) var warnings: [String] = []
    private var used: Set<String> = []

    init(members: [String: JSONValue], location: String) {
        self.members = members
        self.location = location
    }

    mutating func read() -> AppDraft {
        var draft = AppDraft()
        readCommand(into: &draft)
        readEnvironment(into: &draft)
        readRestart(into: &draft)
        readStop(into: &draft)
        readPlaces(into: &draft)
        reportUnknown()
        return draft
    }

    // MARK: - Groups

    private mutating func readCommand(into draft: inout AppDraft) {
        draft.script = string("script")
        if draft.script == nil, members.keys.allSatisfy({ !AppKeys.spellings(of: "script").contains($0) }) {
            problems.append(
                ConfigurationError("'script' is missing", hint: "name the file or command to run", location: location))
        }
        draft.name = string("name")
        draft.namespace = string("namespace")
        draft.arguments = words("args") ?? []
        draft.interpreter = string("interpreter")
        draft.interpreterArguments = words("interpreter_args") ?? []
        draft.cwd = string("cwd")
        if let (key, value) = take("instances") {
            let count: InstanceCount? =
                switch value {
                case .integer(let number): Int(exactly: number).flatMap { InstanceCount($0) }
                case .string(let text): InstanceCount(text)
                default: nil
                }
            if count == nil { expect("a number or \"max\"", key, value) }
            draft.instances = count
        }
        draft.autostart = boolean("autostart")
    }

    private mutating func readEnvironment(into draft: inout AppDraft) {
        if let (key, value) = take("env") { draft.environment = variables(value, key) }
        for key in members.keys.sorted() where key.hasPrefix("env_") && key != "env_file" && key.count > 4 {
            used.insert(key)
            if let value = members[key] { draft.namedEnvironments[String(key.dropFirst(4))] = variables(value, key) }
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
        draft.port = integer("port", 1...65_535, "a port from 1 to 65535")
    }

    private mutating func readRestart(into draft: inout AppDraft) {
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
    }

    private mutating func readPlaces(into draft: inout AppDraft) {
        draft.outFile = string("out_file")
        draft.errorFile = string("error_file")
        draft.mergeLogs = boolean("merge_logs")
        if let text = string("stdin") {
            draft.stdin = StandardInput(rawValue: text)
            if draft.stdin == nil { expect("pipe or null", "stdin", .string(text)) }
        }
        draft.uid = user("uid")
        draft.gid = user("gid")
    }

    // MARK: - Values

    /// The value of a key under any of its spellings; null counts as absent.
    private mutating func take(_ key: String) -> (key: String, value: JSONValue)? {
        var found: (key: String, value: JSONValue)?
        for spelling in AppKeys.spellings(of: key) {
            guard let value = members[spelling] else { continue }
            used.insert(spelling)
            if found == nil, value != .null { found = (spelling, value) }
        }
        return found
    }

    private mutating func expect(_ expected: String, _ key: String, _ value: JSONValue) {
        let separator = location.last == "]" || location.hasSuffix(": apps") ? "." : ": "
        problems.append(
            ConfigurationError(
                "expected \(expected), found \(value.kind) \(value.quoted)", location: "\(location)\(separator)\(key)"))
    }

    private mutating func string(_ key: String) -> String? {
        guard let (spelling, value) = take(key) else { return nil }
        guard case .string(let text) = value else {
            expect("a string", spelling, value)
            return nil
        }
        return text
    }

    private mutating func boolean(_ key: String) -> Bool? {
        guard let (spelling, value) = take(key) else { return nil }
        guard case .bool(let flag) = value else {
            expect("true or false", spelling, value)
            return nil
        }
        return flag
    }

    private mutating func integer(_ key: String, _ range: ClosedRange<Int>, _ expected: String) -> Int? {
        guard let (spelling, value) = take(key) else { return nil }
        let number: Int? =
            switch value {
            case .integer(let number): Int(exactly: number)
            case .string(let text): Int(text)
            default: nil
            }
        guard let number, range.contains(number) else {
            expect(expected, spelling, value)
            return nil
        }
        return number
    }

    private mutating func duration(_ key: String) -> Milliseconds? {
        guard let (spelling, value) = take(key) else { return nil }
        let time: Milliseconds? =
            switch value {
            case .integer(let number): TextValues.duration(String(number))
            case .number(let number): TextValues.duration(String(number))
            case .string(let text): TextValues.duration(text)
            default: nil
            }
        if time == nil { expect("a time: milliseconds, or \"5s\", \"2m\"", spelling, value) }
        return time
    }

    private mutating func words(_ key: String) -> [String]? {
        guard let (spelling, value) = take(key) else { return nil }
        switch value {
        case .string(let text): return TextValues.words(text)
        case .array(let values):
            let words = values.compactMap { value -> String? in
                switch value {
                case .string, .integer, .number, .bool: value.variableText
                default: nil
                }
            }
            if words.count == values.count { return words }
        default: break
        }
        expect("a string or an array of strings", spelling, value)
        return nil
    }

    private mutating func variables(_ value: JSONValue, _ key: String) -> [String: String] {
        guard case .object(let members) = value else {
            expect("an object of variables", key, value)
            return [:]
        }
        return members.filter { $0.value != .null }.mapValues(\.variableText)
    }

    private func exitCodes(_ value: JSONValue) -> [Int]? {
        switch value {
        case .integer(let number): return TextValues.exitCodes(String(number))
        case .string(let text): return TextValues.exitCodes(text)
        case .array(let values):
            var codes: [Int] = []
            for value in values {
                switch value {
                case .integer, .string:
                    guard let code = Int(value.variableText), (0...255).contains(code) else { return nil }
                    codes.append(code)
                default: return nil
                }
            }
            return codes
        default: return nil
        }
    }

    private mutating func user(_ key: String) -> String? {
        guard let (spelling, value) = take(key) else { return nil }
        switch value {
        case .string(let text): return text
        case .integer(let number) where number >= 0: return String(number)
        default:
            expect("a name or number", spelling, value)
            return nil
        }
    }

    // MARK: - Unknown keys

    private mutating func reportUnknown() {
        for key in members.keys.sorted() where !used.contains(key) {
            if AppKeys.later.contains(AppKeys.canonical(key)) {
                warnings.append("\(location): '\(key)' is not supported yet and has no effect")
            } else if !AppKeys.irrelevant.contains(AppKeys.canonical(key)) {
                let near = Spelling.nearest(to: key, among: AppKeys.allSpellings)
                let hint = near.map { "; did you mean '\($0)'?" } ?? ""
                warnings.append("\(location): unknown key '\(key)' is ignored\(hint)")
            }
        }
    }
}
