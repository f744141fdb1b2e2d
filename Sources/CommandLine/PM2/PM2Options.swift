/// The options of PM2's command line, as its parser understands them.
///
/// Not ArgumentParser's: an option may stand anywhere, also before the command; some take a value or none
/// (`--watch`, `--watch src`); messages are those that scripts know.
struct PM2Options {
    /// What an option wants after it.
    enum Value {
        case none
        case required
        case optional
    }

    struct Option {
        var long: String
        var short: Character?
        var value: Value
        /// As in the help: `<name>`.
        var placeholder = ""
        var help: String
        /// Nil: every command takes it.
        var commands: Set<String>?
    }

    /// Values by the option's long name; an option without one counts as `true`. The last one wins, but for
    /// repeatable options, whose values are joined by a newline.
    private(set) var values: [String: String] = [:]
    private(set) var operands: [String] = []
    /// What stood after the first `--`; nil: there was none.
    private(set) var passthrough: [String]?

    func has(_ name: String) -> Bool { values[name] != nil }
    subscript(name: String) -> String? { values[name] }
    /// All values of a repeatable option.
    func all(_ name: String) -> [String] { values[name]?.split(separator: "\n").map(String.init) ?? [] }

    /// A word that PM2 would not accept: its message, for standard error.
    struct Invalid: Error {
        var message: String
    }

    private static let repeatable: Set<String> = ["watch", "filter-env", "ignore-watch"]

    static func parse(_ words: [String]) throws(Invalid) -> PM2Options {
        var options = PM2Options()
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" {
                options.passthrough = Array(rest)
                break
            }
            if word == "-V" {
                // The parser's own spelling, which is not in the table.
                options.values["version"] = "true"
            } else if word.hasPrefix("--") {
                try options.long(word, &rest)
            } else if word.hasPrefix("-"), word.count > 1, Int(word) == nil {
                try options.short(word, &rest)
            } else {
                options.operands.append(word)
                // What follows is its own: `--force` means something else there, `-C` is unknown here.
                if options.operands == ["deploy"] {
                    options.operands += rest
                    break
                }
            }
        }
        return options
    }

    private mutating func long(_ word: String, _ rest: inout ArraySlice<String>) throws(Invalid) {
        let body = word.dropFirst(2)
        let name = String(body.prefix { $0 != "=" })
        guard let option = Self.find(long: name, command: command(ahead: rest)) else {
            throw Invalid(message: "error: unknown option `\(word.prefix { $0 != "=" })'")
        }
        if body.contains("="), option.value != .none {
            set(option, String(body.drop { $0 != "=" }.dropFirst()))
        } else {
            try take(option, &rest)
        }
    }

    private mutating func short(_ word: String, _ rest: inout ArraySlice<String>) throws(Invalid) {
        var letters = word.dropFirst()
        while let letter = letters.popFirst() {
            guard let option = Self.find(short: letter, command: command(ahead: rest)) else {
                throw Invalid(message: "error: unknown option `-\(letter)'")
            }
            if option.value != .none, !letters.isEmpty {
                // `-i4`, `-i=4`
                set(option, String(letters.first == "=" ? letters.dropFirst() : letters))
                return
            }
            if letters.isEmpty { try take(option, &rest) } else { set(option, "true") }
        }
    }

    private mutating func take(_ option: Option, _ rest: inout ArraySlice<String>) throws(Invalid) {
        switch option.value {
        case .none: set(option, "true")
        case .required:
            guard let value = rest.popFirst() else {
                let short = option.short.map { "-\($0), " } ?? ""
                throw Invalid(
                    message: "error: option `\(short)--\(option.long) \(option.placeholder)' argument missing")
            }
            set(option, value)
        case .optional:
            if let value = rest.first, !value.hasPrefix("-") {
                rest = rest.dropFirst()
                set(option, value)
            } else {
                set(option, "true")
            }
        }
    }

    private mutating func set(_ option: Option, _ value: String) {
        if Self.repeatable.contains(option.long), let former = values[option.long], former != "true" {
            values[option.long] = former + "\n" + value
        } else {
            values[option.long] = value
        }
    }

    /// The command, which may stand behind the option: the first word that is no option.
    private func command(ahead rest: ArraySlice<String>) -> String? {
        operands.first ?? rest.first { !$0.hasPrefix("-") }
    }

    private static func find(long name: String, command: String?) -> Option? {
        let found = table.filter { $0.long == name }
        return found.first { $0.commands?.contains(command ?? "") ?? false } ?? found.first { $0.commands == nil }
            ?? found.first
    }

    private static func find(short letter: Character, command: String?) -> Option? {
        let found = table.filter { $0.short == letter }
        return found.first { $0.commands?.contains(command ?? "") ?? false } ?? found.first { $0.commands == nil }
    }
}
