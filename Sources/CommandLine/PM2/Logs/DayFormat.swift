/// A time in parts, as a calendar shows it.
struct CalendarTime: Hashable {
    var year: Int
    /// 1 to 12.
    var month: Int
    var day: Int
    /// 0 is Sunday.
    var weekday: Int
    var hour: Int
    var minute: Int
    var second: Int
    var millisecond: Int
    /// Minutes east of Greenwich.
    var offset: Int
}

/// A pattern for dates in the tokens of day.js: `YYYY-MM-DD [at] HH:mm:ss.SSS Z`.
struct DayFormat: Hashable {
    private enum Part: Hashable {
        case literal(String)
        case token(String)
    }

    private let parts: [Part]

    private static let tokens: Set<String> = [
        "YYYY", "YY", "MMMM", "MMM", "MM", "M", "DD", "D", "dddd", "ddd", "dd", "d", "HH", "H", "hh", "h", "A", "a",
        "mm", "m", "ss", "s", "SSS", "Z", "ZZ",
    ]
    /// The longest run of a letter that belongs together.
    private static let longest: [Character: Int] = [
        "Y": 4, "M": 4, "D": 2, "d": 4, "H": 2, "h": 2, "A": 1, "a": 1, "m": 2, "s": 2, "S": 3, "Z": 2,
    ]

    /// What is no token stands for itself; so does text in brackets.
    init(_ pattern: String) {
        var parts: [Part] = []
        func add(literal text: String) {
            if case .literal(let before)? = parts.last {
                parts[parts.count - 1] = .literal(before + text)
            } else {
                parts.append(.literal(text))
            }
        }
        var rest = pattern[...]
        while let first = rest.first {
            if first == "[", let end = rest.firstIndex(of: "]"), rest.index(after: rest.startIndex) != end {
                add(literal: String(rest[rest.index(after: rest.startIndex)..<end]))
                rest = rest[rest.index(after: end)...]
                continue
            }
            let run = rest.prefix { $0 == first }.prefix(Self.longest[first] ?? 1)
            if Self.tokens.contains(String(run)) {
                parts.append(.token(String(run)))
            } else {
                add(literal: String(run))
            }
            rest = rest[run.endIndex...]
        }
        self.parts = parts
    }

    func text(_ time: CalendarTime) -> String {
        parts.reduce(into: "") { text, part in
            switch part {
            case .literal(let literal): text += literal
            case .token(let token): text += Self.value(of: token, time)
            }
        }
    }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    private static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    private static func value(of token: String, _ time: CalendarTime) -> String {
        let month = months.indices.contains(time.month - 1) ? months[time.month - 1] : ""
        let weekday = weekdays.indices.contains(time.weekday) ? weekdays[time.weekday] : ""
        let hour = time.hour % 12 == 0 ? 12 : time.hour % 12
        return switch token {
        case "YYYY": padded(time.year, 4)
        case "YY": padded(time.year % 100, 2)
        case "MMMM": month
        case "MMM": String(month.prefix(3))
        case "MM": padded(time.month, 2)
        case "M": String(time.month)
        case "DD": padded(time.day, 2)
        case "D": String(time.day)
        case "dddd": weekday
        case "ddd": String(weekday.prefix(3))
        case "dd": String(weekday.prefix(2))
        case "d": String(time.weekday)
        case "HH": padded(time.hour, 2)
        case "H": String(time.hour)
        case "hh": padded(hour, 2)
        case "h": String(hour)
        case "A": time.hour < 12 ? "AM" : "PM"
        case "a": time.hour < 12 ? "am" : "pm"
        case "mm": padded(time.minute, 2)
        case "m": String(time.minute)
        case "ss": padded(time.second, 2)
        case "s": String(time.second)
        case "SSS": padded(time.millisecond, 3)
        case "Z": zone(time.offset, separator: ":")
        default: zone(time.offset, separator: "")
        }
    }

    private static func zone(_ minutes: Int, separator: String) -> String {
        let size = abs(minutes)
        return (minutes < 0 ? "-" : "+") + padded(size / 60, 2) + separator + padded(size % 60, 2)
    }

    private static func padded(_ number: Int, _ digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
