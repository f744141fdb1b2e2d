package import Model
import Supervision

/// Values as people write them in options and files.
package enum TextValues {
    /// A time: a bare number is milliseconds; `250ms`, `5s`, `2m`, `1h`, also with decimals (`1.5s`). Nil: not a time.
    package static func duration(_ text: String) -> Milliseconds? {
        let units: [(suffix: String, milliseconds: Double)] = [
            ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
        ]
        var digits = Substring(text)
        var scale = 1.0
        for unit in units where text.hasSuffix(unit.suffix) {
            digits = text.dropLast(unit.suffix.count)
            scale = unit.milliseconds
            break
        }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2e }),
            let value = Double(digits)
        else { return nil }
        let total = (value * scale).rounded()
        // A hundred years: beyond it a deadline would overflow, and it is surely a slip.
        guard total <= 3.2e12 else { return nil }
        return Milliseconds(Int64(total))
    }

    /// The time within which an app is to say that it is well. Nil: not a time, or none from 100 ms to 30 days.
    package static func watchdogPeriod(_ text: String) -> Milliseconds? {
        guard let period = duration(text) else { return nil }
        return (Notification.shortestPeriod...Notification.longestPeriod).contains(period) ? period : nil
    }

    /// A size in bytes: a bare number, or with a unit of 1024: `300M`, `300MB`, `300MiB`, `300m`, `1.5G`, `64K`. Nil: not
    /// a size.
    package static func size(_ text: String) -> Int64? {
        var digits = text.uppercased()[...]
        var scale = 1.0
        let units: [(suffixes: [String], bytes: Double)] = [
            (["KIB", "KB", "K"], 1024), (["MIB", "MB", "M"], 1_048_576), (["GIB", "GB", "G"], 1_073_741_824),
            (["TIB", "TB", "T"], 1_099_511_627_776), (["B"], 1),
        ]
        unit: for unit in units {
            for suffix in unit.suffixes where digits.hasSuffix(suffix) {
                digits = digits.dropLast(suffix.count)
                scale = unit.bytes
                break unit
            }
        }
        while digits.last == " " { digits.removeLast() }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2e }),
            let value = Double(digits)
        else { return nil }
        let total = (value * scale).rounded()
        // Beyond the address space: a limit that can't be meant.
        guard total <= 9e15 else { return nil }
        return Int64(total)
    }

    /// `3 4`, `3,4`, `3, 4`: exit codes 0 to 255. Nil: something else is in it.
    package static func exitCodes(_ text: String) -> [Int]? {
        var codes: [Int] = []
        for word in text.split(whereSeparator: { $0 == "," || $0 == " " || $0 == "\t" }) {
            guard let code = Int(word), (0...255).contains(code) else { return nil }
            codes.append(code)
        }
        return codes
    }

    /// Splits a string on white space; `"…"` and `'…'` keep words together and lose their quotes, as PM2 does with
    /// `args`. A backslash protects the next character outside single quotes.
    package static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        var begun = false
        var quote: Character?
        var escaped = false
        for character in text {
            if escaped {
                word.append(character)
                escaped = false
            } else if character == "\\", quote != "'" {
                escaped = true
                begun = true
            } else if let open = quote {
                if character == open { quote = nil } else { word.append(character) }
            } else if character == "\"" || character == "'" {
                quote = character
                begun = true
            } else if character.isWhitespace {
                if begun { words.append(word) }
                word = ""
                begun = false
            } else {
                word.append(character)
                begun = true
            }
        }
        if escaped { word.append("\\") }
        if begun { words.append(word) }
        return words
    }
}

/// Number of instances as given: PM2's `max`, 0 and negative numbers count processors.
package enum InstanceCount: Hashable, Sendable {
    case exactly(Int)
    /// As many as there are processors, less `fewer`.
    case processors(fewer: Int)

    package static let limit = 10_000

    package init?(_ text: String) {
        if text == "max" {
            self = .processors(fewer: 0)
        } else if let number = Int(text) {
            self.init(number)
        } else {
            return nil
        }
    }

    package init?(_ number: Int) {
        guard abs(number) <= Self.limit else { return nil }
        self = number > 0 ? .exactly(number) : .processors(fewer: -number)
    }

    package func resolved(processors: Int) -> Int {
        switch self {
        case .exactly(let count): count
        case .processors(let fewer): max(1, processors - fewer)
        }
    }
}
