import Configuration
import Model

/// A line of a user's crontab that runs something.
struct CrontabLine: Equatable {
    /// As it stands there.
    var text: String
    /// `@reboot`, or five fields.
    var schedule: String
    var command: String

    /// Nil: a comment, a variable, an empty line.
    init?(_ line: String) {
        let trimmed = line.drop { $0 == " " || $0 == "\t" }
        guard let first = trimmed.first, first != "#" else { return nil }
        let count = first == "@" ? 1 : 5
        let parts = trimmed.split(
            maxSplits: count, omittingEmptySubsequences: true, whereSeparator: { $0 == " " || $0 == "\t" })
        if first != "@", let equals = trimmed.firstIndex(of: "=") {
            // `MAILTO=root`, `PATH = /bin`: a name, then the sign.
            let name = trimmed[..<equals].filter { $0 != " " && $0 != "\t" && $0 != "\"" && $0 != "'" }
            if !name.isEmpty, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }),
                name.first?.isNumber == false
            {
                return nil
            }
        }
        text = Self.trimmed(line)
        guard parts.count == count + 1 else {
            schedule = ""
            command = text
            return
        }
        schedule = parts.dropLast().joined(separator: " ")
        command = parts.last.map { Self.trimmed(String($0)) } ?? ""
    }

    private static func trimmed(_ text: String) -> String {
        var text = text[...]
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }

    var isAtBoot: Bool { schedule == "@reboot" }

    /// Five fields that say the same, where that can be said; nil: a pattern that Hearth does not have.
    var pattern: String? {
        let names = [
            "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
            "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
        ]
        let pattern = names[schedule] ?? schedule
        guard pattern.split(separator: " ").count == 5, SchedulePattern.problem(in: pattern, dialect: .hearth) == nil
        else { return nil }
        return pattern
    }

    /// The commands that the shell runs one after the other, without redirections.
    var steps: [[String]] {
        var steps: [[String]] = [[]]
        // Not the shell's grammar: as much of it as such lines have. What is more is kept as it is.
        for word in TextValues.words(Self.spaced(command)) {
            if ["&&", "||", ";", "|", "&"].contains(word) {
                steps.append([])
            } else {
                steps[steps.count - 1].append(word)
            }
        }
        return steps.map(Self.withoutRedirections).filter { !$0.isEmpty }
    }

    /// Nothing but this one command, after waiting and changing the directory.
    var onlyStep: [String]? {
        let isPiped = TextValues.words(Self.spaced(command)).contains { ["||", "|", "&"].contains($0) }
        let work = steps.filter { !["sleep", "cd"].contains($0[0]) }
        return work.count == 1 && !isPiped ? work.first : nil
    }

    private static func spaced(_ command: String) -> String {
        var result = ""
        var quote: Character?
        var previous: Character = " "
        for character in command {
            if let open = quote {
                if character == open { quote = nil }
                result.append(character)
            } else if character == "'" || character == "\"" {
                quote = character
                result.append(character)
            } else if character == ";" || character == "|" || character == "&" && previous != ">" {
                // `&&` and `||` stay together.
                if previous != character { result += " " }
                result.append(character)
                if character == ";" { result += " " }
            } else {
                if "|&".contains(previous), !result.hasSuffix(" "), !result.hasSuffix(">&") { result += " " }
                result.append(character)
            }
            previous = character
        }
        return result
    }

    private static func withoutRedirections(_ words: [String]) -> [String] {
        var kept: [String] = []
        var skipsNext = false
        for word in words {
            if skipsNext {
                skipsNext = false
                continue
            }
            let rest = word.drop { $0.isNumber || $0 == "&" }
            if rest.first == ">" || rest.first == "<" {
                skipsNext = rest.allSatisfy { $0 == ">" || $0 == "<" }
            } else {
                kept.append(word)
            }
        }
        return kept
    }

    /// The words of a call of PM2's: `["restart", "api"]`; nil: it is none.
    static func pm2Words(_ step: [String]) -> [String]? {
        var words = step[...]
        // What only prepares the call.
        while let word = words.first {
            let isPreparation = ["sudo", "env", "nohup", "exec", "nice", "npx"].contains(Paths.baseName(word))
            guard isPreparation || word.contains("=") && !word.hasPrefix("-") else { break }
            words.removeFirst()
        }
        if let first = words.first, Paths.baseName(first) == "node", words.count > 1 { words.removeFirst() }
        guard let program = words.first, Paths.baseName(program) == "pm2" else { return nil }
        return Array(words.dropFirst())
    }
}
