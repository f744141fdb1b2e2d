import Model

/// Values of keys, each with its complaint.
extension AppReader {
    /// The value of a key under any of its spellings; null counts as absent.
    mutating func take(_ key: String) -> (key: String, value: JSONValue)? {
        var found: (key: String, value: JSONValue)?
        for spelling in AppKeys.spellings(of: key) {
            guard let value = members[spelling] else { continue }
            used.insert(spelling)
            if found == nil, value != .null { found = (spelling, value) }
        }
        return found
    }

    /// Where a key stands, as in messages.
    func place(of key: String) -> String {
        let separator = location.last == "]" || [": apps", ": pm2"].contains { location.hasSuffix($0) } ? "." : ": "
        return "\(location)\(separator)\(key)"
    }

    mutating func expect(_ expected: String, _ key: String, _ value: JSONValue) {
        problems.append(
            ConfigurationError(
                "expected \(expected), found \(value.kind) \(value.quoted)", location: place(of: key), subject: .setting
            ))
    }

    mutating func string(_ key: String) -> String? {
        guard let (spelling, value) = take(key) else { return nil }
        guard case .string(let text) = value else {
            expect("a string", spelling, value)
            return nil
        }
        return text
    }

    mutating func boolean(_ key: String) -> Bool? {
        guard let (spelling, value) = take(key) else { return nil }
        guard case .bool(let flag) = value else {
            expect("true or false", spelling, value)
            return nil
        }
        return flag
    }

    mutating func integer(_ key: String, _ range: ClosedRange<Int>, _ expected: String) -> Int? {
        guard let (spelling, value) = take(key) else { return nil }
        let number: Int? =
            switch value {
            case .integer(let number): Int(exactly: number)
            case .number(let number) where dialect == .pm2: Int(exactly: number.rounded(.towardZero))
            case .string(let text): Int(text)
            default: nil
            }
        guard let number, range.contains(number) else {
            expect(expected, spelling, value)
            return nil
        }
        return number
    }

    /// `true`, `false`, or how long idle connections stay open.
    mutating func drain() -> DrainPolicy? {
        switch members["drain"] {
        case .bool(let isOn):
            used.insert("drain")
            return DrainPolicy(isOn: isOn)
        case nil, .null: return nil
        default: return duration("drain").map { DrainPolicy(grace: $0) }
        }
    }

    mutating func duration(_ key: String) -> Milliseconds? {
        guard let (spelling, value) = take(key) else { return nil }
        // PM2 takes 0 and less for "not set".
        if dialect == .pm2, value.isZeroOrLess { return nil }
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

    mutating func size(_ key: String) -> Int64? {
        guard let (spelling, value) = take(key) else { return nil }
        let size: Int64? =
            switch value {
            case .integer(let number) where number >= 0: number
            case .number(let number) where number >= 0 && number < 9e15: Int64(number)
            case .string(let text): TextValues.size(text)
            // PM2 takes less than 0 for "not set".
            case .integer, .number: dialect == .pm2 ? 0 : nil
            default: nil
            }
        if size == nil { expect("a size: bytes, or \"300M\", \"1.5G\"", spelling, value) }
        return size
    }

    mutating func words(_ key: String) -> [String]? {
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

    mutating func variableNames(_ key: String) -> [String] {
        guard let given = take(key), let names = words(key) else { return [] }
        guard names.allSatisfy({ !$0.isEmpty && !$0.contains("=") }) else {
            expect("names of variables", given.key, given.value)
            return []
        }
        return names
    }

    mutating func variables(_ value: JSONValue, _ key: String) -> [String: String] {
        if dialect == .pm2, case .string(let text) = value {
            // A type that PM2 lets pass: `A=1 B=2`.
            return TextValues.words(text).reduce(into: [:]) { variables, word in
                guard let separator = word.firstIndex(of: "="), separator != word.startIndex else { return }
                variables[String(word[..<separator])] = String(word[word.index(after: separator)...])
            }
        }
        guard case .object(let members) = value else {
            expect("an object of variables", key, value)
            return [:]
        }
        return members.filter { $0.value != .null }.mapValues(\.variableText)
    }

    func exitCodes(_ value: JSONValue) -> [Int]? {
        switch value {
        case .integer(let number):
            return TextValues.exitCodes(String(number)) ?? (dialect == .pm2 ? [] : nil)
        case .string(let text): return TextValues.exitCodes(text)
        case .array(let values):
            var codes: [Int] = []
            for value in values {
                switch value {
                case .integer, .string:
                    guard let code = Int(value.variableText), (0...255).contains(code) else {
                        if dialect == .pm2 { continue }
                        return nil
                    }
                    codes.append(code)
                default:
                    if dialect == .pm2 { continue }
                    return nil
                }
            }
            return codes
        default: return nil
        }
    }

    mutating func user(_ key: String) -> String? {
        guard let (spelling, value) = take(key) else { return nil }
        switch value {
        case .string(let text): return text
        case .integer(let number) where number >= 0: return String(number)
        default:
            expect("a name or number", spelling, value)
            return nil
        }
    }
}

extension JSONValue {
    fileprivate var isZeroOrLess: Bool {
        switch self {
        case .integer(let number): number <= 0
        case .number(let number): number <= 0
        default: false
        }
    }
}
