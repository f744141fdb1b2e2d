/// Reads JSON with what PM2 accepts beyond it: comments, trailing commas, unquoted keys, single quotes. Errors name line
/// and column, which the decoder of Foundation does not tell.
struct JSONParser {
    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var depth = 0

    /// Deeper nesting is no app file, and would exhaust the stack.
    private static let deepest = 100

    /// In an object the later of two equal keys counts, as in JavaScript; otherwise two are an error.
    private let repeatsKeys: Bool

    static func parse(_ bytes: [UInt8], repeatsKeys: Bool = false) throws(ConfigurationError) -> JSONValue {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError("is not valid UTF-8")
        }
        var parser = JSONParser(text, repeatsKeys: repeatsKeys)
        return try parser.document()
    }

    private init(_ text: String, repeatsKeys: Bool) {
        self.repeatsKeys = repeatsKeys
        let all = Array(text.unicodeScalars)
        scalars = all.first == "\u{feff}" ? Array(all.dropFirst()) : all
    }

    private var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private func failure(_ message: String, at place: Int? = nil) -> ConfigurationError {
        var line = 1
        var column = 1
        for scalar in scalars[..<min(place ?? position, scalars.count)] {
            if scalar == "\n" {
                line += 1
                column = 1
            } else {
                column += 1
            }
        }
        return ConfigurationError("is not valid JSON: \(message) at line \(line), column \(column)")
    }

    /// What stands at the current place, for messages.
    private var found: String {
        guard let current else { return "the end of the file" }
        return "'\(current)'"
    }

    // MARK: - Values

    private mutating func document() throws(ConfigurationError) -> JSONValue {
        let value = try value()
        try skipBlanks()
        guard current == nil else { throw failure("unexpected \(found) after the value") }
        return value
    }

    private mutating func value() throws(ConfigurationError) -> JSONValue {
        try skipBlanks()
        guard let scalar = current else { throw failure("a value is missing") }
        switch scalar {
        case "{": return try object()
        case "[": return try array()
        case "\"", "'": return .string(try string())
        case "-", "+", ".", "0"..."9": return try number()
        default:
            let start = position
            switch identifier() {
            case "true": return .bool(true)
            case "false": return .bool(false)
            case "null", "undefined": return .null
            default:
                position = start
                throw failure("unexpected \(found)")
            }
        }
    }

    private mutating func enter() throws(ConfigurationError) {
        depth += 1
        guard depth <= Self.deepest else { throw failure("too deeply nested") }
        position += 1
    }

    private mutating func array() throws(ConfigurationError) -> JSONValue {
        try enter()
        var values: [JSONValue] = []
        while true {
            try skipBlanks()
            if current == "]" { break }
            values.append(try value())
            guard try separator(or: "]") else { break }
        }
        position += 1
        depth -= 1
        return .array(values)
    }

    private mutating func object() throws(ConfigurationError) -> JSONValue {
        try enter()
        var members: [String: JSONValue] = [:]
        while true {
            try skipBlanks()
            if current == "}" { break }
            let start = position
            let key = try key()
            try skipBlanks()
            guard current == ":" else { throw failure("expected ':' after '\(key)', found \(found)") }
            position += 1
            let value = try value()
            guard members.updateValue(value, forKey: key) == nil || repeatsKeys else {
                throw failure("the key '\(key)' stands twice in one object", at: start)
            }
            guard try separator(or: "}") else { break }
        }
        position += 1
        depth -= 1
        return .object(members)
    }

    /// True after a comma; false before the closing bracket.
    private mutating func separator(or closing: Unicode.Scalar) throws(ConfigurationError) -> Bool {
        try skipBlanks()
        if current == "," {
            position += 1
            return true
        }
        guard current == closing else { throw failure("expected ',' or '\(closing)', found \(found)") }
        return false
    }

    private mutating func key() throws(ConfigurationError) -> String {
        if current == "\"" || current == "'" { return try string() }
        let word = identifier()
        guard !word.isEmpty else { throw failure("expected a key, found \(found)") }
        return word
    }

    private mutating func identifier() -> String {
        var word = ""
        while let scalar = current,
            scalar == "_" || scalar == "$" || scalar.properties.isAlphabetic
                || (!word.isEmpty && ("0"..."9").contains(scalar))
        {
            word.unicodeScalars.append(scalar)
            position += 1
        }
        return word
    }

    private mutating func number() throws(ConfigurationError) -> JSONValue {
        let start = position
        var text = ""
        while let scalar = current {
            switch scalar {
            case "0"..."9", "-", "+", ".", "a"..."f", "A"..."F", "x", "X": text.unicodeScalars.append(scalar)
            default:
                if let value = Self.number(text) { return value }
                throw failure("'\(text)' is not a number", at: start)
            }
            position += 1
        }
        guard let value = Self.number(text) else { throw failure("'\(text)' is not a number", at: start) }
        return value
    }

    private static func number(_ text: String) -> JSONValue? {
        let unsigned = text.drop { $0 == "-" || $0 == "+" }
        if unsigned.lowercased().hasPrefix("0x") {
            return Int64(unsigned.dropFirst(2), radix: 16).map { .integer(text.hasPrefix("-") ? -$0 : $0) }
        }
        if let integer = Int64(text) { return .integer(integer) }
        guard unsigned.contains(where: \.isNumber), let number = Double(text), number.isFinite else { return nil }
        return .number(number)
    }

    // MARK: - Strings

    private mutating func string() throws(ConfigurationError) -> String {
        let start = position
        let quote = scalars[position]
        position += 1
        var text = String.UnicodeScalarView()
        while let scalar = current {
            position += 1
            if scalar == quote { return String(text) }
            if scalar == "\n" { break }
            if scalar == "\\" {
                if let escaped = try escape() { text.append(escaped) }
            } else {
                text.append(scalar)
            }
        }
        throw failure("a string is never closed", at: start)
    }

    /// What stands after a backslash; nil for a line that goes on.
    private mutating func escape() throws(ConfigurationError) -> Unicode.Scalar? {
        guard let scalar = current else { throw failure("a string is never closed") }
        position += 1
        switch scalar {
        case "n": return "\n"
        case "t": return "\t"
        case "r": return "\r"
        case "b": return "\u{8}"
        case "f": return "\u{c}"
        case "v": return "\u{b}"
        case "0": return "\0"
        case "\n": return nil
        case "x": return Unicode.Scalar(try hexadecimal(2))
        case "u": return try unicodeEscape()
        default: return scalar
        }
    }

    private mutating func unicodeEscape() throws(ConfigurationError) -> Unicode.Scalar {
        let start = position
        let unit = try hexadecimal(4)
        if let scalar = Unicode.Scalar(unit) { return scalar }
        // A surrogate: its other half follows.
        if position + 1 < scalars.count, scalars[position] == "\\", scalars[position + 1] == "u", unit < 0xdc00 {
            position += 2
            let low = try hexadecimal(4)
            if (0xdc00..<0xe000).contains(low),
                let scalar = Unicode.Scalar(0x10000 + (unit - 0xd800) << 10 + low - 0xdc00)
            {
                return scalar
            }
        }
        throw failure("half a surrogate pair", at: start)
    }

    private mutating func hexadecimal(_ count: Int) throws(ConfigurationError) -> UInt32 {
        let digits = String(String.UnicodeScalarView(scalars[position..<min(position + count, scalars.count)]))
        guard digits.utf8.count == count, let value = UInt32(digits, radix: 16) else {
            throw failure("'\(digits)' are not \(count) hexadecimal digits")
        }
        position += count
        return value
    }

    // MARK: - Blanks and comments

    private mutating func skipBlanks() throws(ConfigurationError) {
        while let scalar = current {
            if scalar.properties.isWhitespace {
                position += 1
            } else if scalar == "/", position + 1 < scalars.count, scalars[position + 1] == "/" {
                while let scalar = current, scalar != "\n" { position += 1 }
            } else if scalar == "/", position + 1 < scalars.count, scalars[position + 1] == "*" {
                try skipComment()
            } else {
                return
            }
        }
    }

    private mutating func skipComment() throws(ConfigurationError) {
        let start = position
        position += 2
        while position + 1 < scalars.count {
            if scalars[position] == "*", scalars[position + 1] == "/" {
                position += 2
                return
            }
            position += 1
        }
        throw failure("a comment is never closed", at: start)
    }
}
