/// PM2's own check of an app: which types each key may have, what is converted, and what PM2 says of the rest. What it
/// does not know it drops without a word.
struct ForeignRules {
    /// Under our canonical keys, converted.
    private(set) var members: [String: JSONValue] = [:]
    private(set) var problems: [ConfigurationError] = []

    /// - Parameter needsScript: false for what is served instead of run.
    init(_ given: [String: JSONValue], needsScript: Bool = true) {
        for key in AppKeys.table where !key.kinds.isEmpty {
            guard let value = Self.value(of: key, in: given) else { continue }
            if let value = check(value, key) { members[key.name] = value }
        }
        for (name, value) in given.sorted(by: { $0.key < $1.key }) where AppKeys.environmentName(of: name) != nil {
            let rule = AppKey(name, [], .object, .string)
            if value != .null, let value = check(value, rule) { members[name] = value }
        }
        // Not one of PM2's keys, but what it stands for is plain.
        if let value = given["env_file"] ?? given["envFile"] { members["env_file"] = value }
        if needsScript, members["script"] == nil, problems.isEmpty { complain("\"script\" is required") }
    }

    /// The canonical spelling if it is truthy, else the first other one that is there.
    private static func value(of key: AppKey, in given: [String: JSONValue]) -> JSONValue? {
        let foreign = key.foreignName ?? key.name
        let others = key.spellings.filter { $0 != foreign }
        let canonical = given[foreign].flatMap { $0 == .null ? nil : $0 }
        if let canonical, canonical.isTruthy { return canonical }
        for name in others {
            if let value = given[name], value != .null { return value }
        }
        return canonical
    }

    private mutating func complain(_ reason: String) { problems.append(ConfigurationError(reason, subject: .setting)) }

    private mutating func check(_ given: JSONValue, _ key: AppKey) -> JSONValue? {
        let name = key.foreignName ?? key.name
        var value = given
        if key.name == "instances", case .string(let text) = given {
            value = .integer(text == "max" ? 0 : Int64(Self.leadingDigits(text)) ?? 0)
        }
        if key.kinds.contains(.number), let number = value.asNumber { value = number }
        guard let kind = value.foreignKind, key.kinds.contains(kind) else {
            let wanted = key.kinds.map { "[object \($0.rawValue)]" }.joined(separator: " / ")
            complain(
                "Expect \"\(name)\" to be a typeof \(wanted), but now is [object \(value.foreignKind?.rawValue ?? "Null")]"
            )
            return nil
        }
        if case .string(let text) = value, let why = Self.mismatch(text, name) {
            complain("Verify \"\(name)\" with regex failed, \(why)")
            return nil
        }
        if kind == .number, let least = Self.minimum[name], let number = value.double, number < least {
            complain("The minimum of \"\(name)\" is \(Int(least)), but now is \(value.variableText)")
            return nil
        }
        switch (name, value) {
        case ("min_uptime", .string(let text)): return Self.scaled(text, ["h": 3_600_000, "m": 60_000, "s": 1000])
        case ("max_memory_restart", .string(let text)):
            return Self.scaled(text, ["G": 1 << 30, "M": 1 << 20, "K": 1 << 10])
        case (_, .string(let text)) where key.kinds.first == .array:
            return .array(Self.words(text).map { .string($0) })
        default: return value
        }
    }

    // MARK: - Rules of single keys

    private static let minimum: [String: Double] = ["min_uptime": 100, "max_restarts": 0]

    /// What PM2 says of a text that a key can't take.
    private static func mismatch(_ text: String, _ key: String) -> String? {
        func isCount(_ units: String) -> Bool {
            var digits = text[...]
            if let last = digits.last, units.contains(last) { digits.removeLast() }
            return !digits.isEmpty && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }
        switch key {
        case "exec_mode" where !["cluster", "fork", "cluster_mode", "fork_mode"].contains(text):
            return "it should be \"cluster\"(\"cluster_mode\") or \"fork\"(\"fork_mode\") only"
        case "min_uptime" where !isCount("hms"):
            return
                "it should be a NUMBER - milliseconds, \"[NUMBER]h\"(hours), \"[NUMBER]m\"(minutes) or "
                + "\"[NUMBER]s\"(seconds)"
        case "max_memory_restart" where !isCount("GMK"):
            return
                "it should be a NUMBER - byte, \"[NUMBER]G\"(Gigabyte), \"[NUMBER]M\"(Megabyte) or "
                + "\"[NUMBER]K\"(Kilobyte)"
        default: return nil
        }
    }

    private static func scaled(_ text: String, _ units: [Character: Int64]) -> JSONValue {
        let scale = text.last.flatMap { units[$0] }
        guard let count = Int64(scale == nil ? text : String(text.dropLast())) else { return .integer(.max) }
        let (product, overflow) = count.multipliedReportingOverflow(by: scale ?? 1)
        return .integer(overflow ? .max : product)
    }

    private static func leadingDigits(_ text: String) -> String {
        let trimmed = text.drop { $0.isWhitespace }
        let sign = trimmed.first == "-" ? "-" : ""
        return sign + trimmed.drop { $0 == "-" || $0 == "+" }.prefix { $0.isASCII && $0.isNumber }
    }

    /// Split on white space; quotes keep words together and are removed, but `key="a b"` keeps its own.
    static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        var quote: Character?
        var keepsQuotes = false
        func isPlain(_ character: Character) -> Bool {
            character == "_" || character == "-" || (character.isASCII && (character.isLetter || character.isNumber))
        }
        func finish() {
            if word.contains(where: { !$0.isWhitespace }) { words.append(word) }
            word = ""
        }
        for character in text {
            if let open = quote {
                if character != open || keepsQuotes { word.append(character) }
                guard character == open else { continue }
                quote = nil
                finish()
            } else if character == "\"" || character == "'" {
                keepsQuotes = word.last == "=" && word.dropLast().allSatisfy(isPlain) && word.count > 1
                if keepsQuotes { word.append(character) } else { finish() }
                quote = character
            } else if character.isWhitespace {
                finish()
            } else {
                word.append(character)
            }
        }
        finish()
        return words
    }
}

extension JSONValue {
    /// As JavaScript's `if` sees it.
    fileprivate var isTruthy: Bool {
        switch self {
        case .null: false
        case .bool(let flag): flag
        case .integer(let number): number != 0
        case .number(let number): number != 0
        case .string(let text): !text.isEmpty
        case .array, .object: true
        }
    }

    fileprivate var foreignKind: AppKey.Kind? {
        switch self {
        case .null: nil
        case .bool: .boolean
        case .integer, .number: .number
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }

    /// A text that JavaScript takes for a number, as one.
    fileprivate var asNumber: JSONValue? {
        guard case .string(let text) = self else { return nil }
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 1, let word = words.first else { return nil }
        if let integer = Int64(word) { return .integer(integer) }
        guard word.contains(where: \.isNumber), !word.lowercased().hasPrefix("0x"), let number = Double(word),
            number.isFinite
        else { return nil }
        return .number(number)
    }

    fileprivate var double: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }
}
