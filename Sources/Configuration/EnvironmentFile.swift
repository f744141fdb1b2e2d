#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Reads `.env` files: `KEY=value` lines, `export`, comments, quotes, values over several lines, `${VAR}`.
package enum EnvironmentFile {
    /// Variables of the file at `path`.
    ///
    /// - Parameter base: where `${VAR}` is looked up when the file itself does not set it.
    package static func load(
        path: String, base: [String: String]
    ) throws(ConfigurationError) -> [String: String] {
        let bytes = try FileProbe.contents(of: path, limit: 4 << 20)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError("the environment file '\(path)' is not valid UTF-8")
        }
        do {
            return try parse(text, base: base)
        } catch {
            throw error.at(path)
        }
    }

    /// Later lines win. The location of an error is `:LINE`.
    package static func parse(
        _ text: String, base: [String: String] = [:]
    ) throws(ConfigurationError) -> [String: String] {
        var parser = Parser(scalars: Array(text.unicodeScalars), base: base)
        return try parser.run()
    }

    private struct Parser {
        let scalars: [Unicode.Scalar]
        let base: [String: String]
        var position = 0
        var line = 1
        var variables: [String: String] = [:]

        init(scalars: [Unicode.Scalar], base: [String: String]) {
            self.scalars = scalars.first == "\u{feff}" ? Array(scalars.dropFirst()) : scalars
            self.base = base
        }

        var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

        mutating func advance() {
            if current == "\n" { line += 1 }
            position += 1
        }

        mutating func skipBlanks() {
            while let scalar = current, scalar == " " || scalar == "\t" || scalar == "\r" { advance() }
        }

        mutating func skipLine() {
            while let scalar = current, scalar != "\n" { advance() }
            if current != nil { advance() }
        }

        func failure(_ message: String, hint: String? = nil, line: Int? = nil) -> ConfigurationError {
            ConfigurationError(message, hint: hint, location: ":\(line ?? self.line)")
        }

        mutating func run() throws(ConfigurationError) -> [String: String] {
            while current != nil {
                skipBlanks()
                guard let scalar = current else { break }
                if scalar == "\n" || scalar == "#" {
                    skipLine()
                } else {
                    try parseAssignment()
                }
            }
            return variables
        }

        mutating func parseAssignment() throws(ConfigurationError) {
            var key = word()
            if key == "export", let next = current, next == " " || next == "\t" {
                skipBlanks()
                key = word()
            }
            skipBlanks()
            guard Self.isName(key) else {
                throw failure("'\(key.prefix(40))' is not the name of a variable", hint: "write NAME=value")
            }
            guard current == "=" else {
                throw failure("'\(key)' has no value", hint: "write \(key)=value, or # before a comment")
            }
            advance()
            skipBlanks()
            variables[key] = try value()
        }

        /// Everything up to white space or `=`.
        mutating func word() -> String {
            var text = String.UnicodeScalarView()
            while let scalar = current, scalar != "=", scalar != " ", scalar != "\t", scalar != "\n", scalar != "\r" {
                text.append(scalar)
                advance()
            }
            return String(text)
        }

        mutating func value() throws(ConfigurationError) -> String {
            switch current {
            case "\"": return try quoted("\"", expands: true)
            case "'": return try quoted("'", expands: false)
            case "`": return try quoted("`", expands: false)
            default: return unquoted()
            }
        }

        mutating func unquoted() -> String {
            var text = String.UnicodeScalarView()
            while let scalar = current, scalar != "\n" {
                // A comment needs a blank before it, so that `a#b` and colours keep theirs.
                if scalar == "#", text.isEmpty || text.last == " " || text.last == "\t" { break }
                if scalar == "$", let reference = reference() {
                    text.append(contentsOf: reference.unicodeScalars)
                    continue
                }
                text.append(scalar)
                advance()
            }
            skipLine()
            while let last = text.last, last == " " || last == "\t" || last == "\r" { text.removeLast() }
            return String(text)
        }

        mutating func quoted(_ quote: Unicode.Scalar, expands: Bool) throws(ConfigurationError) -> String {
            let opened = line
            advance()
            var text = String.UnicodeScalarView()
            while let scalar = current {
                if scalar == quote {
                    advance()
                    try requireEndOfLine()
                    return String(text)
                }
                if expands, scalar == "\\" {
                    advance()
                    text.append(contentsOf: escape().unicodeScalars)
                } else if expands, scalar == "$", let reference = reference() {
                    text.append(contentsOf: reference.unicodeScalars)
                } else {
                    text.append(scalar)
                    advance()
                }
            }
            throw failure("a quote \(quote) is never closed", hint: "close it with \(quote)", line: opened)
        }

        mutating func requireEndOfLine() throws(ConfigurationError) {
            skipBlanks()
            guard let scalar = current, scalar != "\n", scalar != "#" else {
                skipLine()
                return
            }
            throw failure("unexpected text after a closing quote", hint: "put the whole value in quotes")
        }

        /// What stands after a backslash in double quotes.
        mutating func escape() -> String {
            guard let scalar = current else { return "\\" }
            advance()
            switch scalar {
            case "n": return "\n"
            case "r": return "\r"
            case "t": return "\t"
            case "\"", "\\", "$", "`": return String(scalar)
            case "\n": return ""
            default: return "\\" + String(scalar)
            }
        }

        /// `${NAME}`, `${NAME:-default}` or `$NAME`, looked up; nil (and nothing consumed) when it is none.
        mutating func reference() -> String? {
            var index = position + 1
            let braced = index < scalars.count && scalars[index] == "{"
            if braced { index += 1 }
            var name = String.UnicodeScalarView()
            while index < scalars.count, Self.isNameScalar(scalars[index], first: name.isEmpty) {
                name.append(scalars[index])
                index += 1
            }
            guard !name.isEmpty else { return nil }
            var fallback = ""
            if braced {
                if index + 1 < scalars.count, scalars[index] == ":", scalars[index + 1] == "-" {
                    index += 2
                    while index < scalars.count, scalars[index] != "}", scalars[index] != "\n" {
                        fallback.unicodeScalars.append(scalars[index])
                        index += 1
                    }
                }
                guard index < scalars.count, scalars[index] == "}" else { return nil }
                index += 1
            }
            position = index
            let value = variables[String(name)] ?? base[String(name)] ?? ""
            return value.isEmpty ? fallback : value
        }

        static func isNameScalar(_ scalar: Unicode.Scalar, first: Bool) -> Bool {
            switch scalar {
            case "a"..."z", "A"..."Z", "_": true
            case "0"..."9": !first
            default: false
            }
        }

        /// Wider than a reference: `.` and `-` occur in names that programs read.
        static func isName(_ text: String) -> Bool {
            !text.isEmpty
                && text.unicodeScalars.enumerated().allSatisfy { index, scalar in
                    isNameScalar(scalar, first: index == 0) || (index > 0 && (scalar == "." || scalar == "-"))
                }
        }
    }
}
