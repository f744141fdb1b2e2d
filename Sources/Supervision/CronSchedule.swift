// When a cron pattern is due next.
//
// Everything is computed on wall readings (date and time without a zone) and brought back to real time by the zone's
// offset. A zone is a row of stretches with one offset each. Within a stretch that is an addition; what is special
// happens where two of them meet, and there schedules are of two kinds, as in cron:
//
//   at fixed times (`30 2 * * *`)         what the clocks skip in spring is done once, right after the jump; what they
//                                         show twice in autumn is done the first time only
//   with any hour or minute (`*/5 * …`)   a rhythm of real time: nothing is made up, and the second 2:30 counts too

/// Times at which something is due: five cron fields, or six with seconds in front, in local time.
package struct CronSchedule: Hashable, Sendable {
    /// What is wrong with a pattern, lower case, no full stop.
    package struct Invalid: Error, Hashable, Sendable, CustomStringConvertible {
        package var message: String
        package var description: String { message }
    }

    package let pattern: String
    /// Given as `@daily` or the like, which PM2 does not know.
    package let isShorthand: Bool

    // Bit n: the value n is in the field.
    private var seconds: UInt64 = 1
    private var minutes: UInt64 = 0
    private var hours: UInt64 = 0
    private var days: UInt64 = 0
    private var months: UInt64 = 0
    private var weekdays: UInt64 = 0
    private var includesLastDay = false
    /// Both day fields are restricted: either is enough.
    private var eitherDay = false
    private var anyDay = false
    private var anyWeekday = false
    /// Hour or minute begins with `*`.
    private var isRhythm = false

    /// The 29th of February comes after 8 years at the latest (1896 to 1904, 2096 to 2104); any other day sooner.
    private static let horizonInDays: Int64 = 9 * 366

    private static let shorthands = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
    ]

    package init(parsing pattern: String) throws(Invalid) {
        self.pattern = pattern
        var text = pattern
        let word = pattern.split(whereSeparator: \.isWhitespace).joined(separator: " ").lowercased()
        isShorthand = word.hasPrefix("@")
        if isShorthand {
            guard let fields = Self.shorthands[word] else {
                throw Invalid(
                    message: "'\(pattern)' is not one of @hourly, @daily, @weekly, @monthly, @yearly")
            }
            text = fields
        }
        var fields = text.split(whereSeparator: \.isWhitespace)[...]
        guard fields.count == 5 || fields.count == 6 else {
            throw Invalid(
                message:
                    "'\(pattern)' has \(fields.count) fields, not 5 (minute hour day month weekday) or 6 (seconds first)"
            )
        }
        if fields.count == 6, let first = fields.popFirst() { seconds = try Field.second.parse(first) }
        let (minute, hour, day) = (fields.removeFirst(), fields.removeFirst(), fields.removeFirst())
        let (month, weekday) = (fields.removeFirst(), fields.removeFirst())
        minutes = try Field.minute.parse(minute)
        hours = try Field.hour.parse(hour)
        months = try Field.month.parse(month)
        weekdays = try Field.weekday.parse(weekday)
        // Sunday is 0 and 7.
        if weekdays & 1 << 7 != 0 { weekdays |= 1 }
        let dayItems = day.split(separator: ",", omittingEmptySubsequences: false)
        let plainDays = dayItems.filter { $0.uppercased() != "L" }
        includesLastDay = plainDays.count < dayItems.count
        if !plainDays.isEmpty { days = try Field.day.parse(plainDays.joined(separator: ",")[...]) }
        anyDay = day == "*"
        anyWeekday = weekday == "*"
        eitherDay = !anyDay && !anyWeekday
        isRhythm = minute.hasPrefix("*") || hour.hasPrefix("*")
    }

    // MARK: The next time

    /// The first due time after `wallClock`, both in milliseconds since 1970; nil: it never is due (30 February).
    package func next(after wallClock: Int64, calendar zone: LocalTime) -> Int64? {
        // A clock beyond the year 9999 is broken, and dates must not overflow.
        guard (-62_135_596_800_000...253_402_300_799_000).contains(wallClock) else { return nil }
        let now = wallClock >= 0 ? wallClock / 1000 : -((999 - wallClock) / 1000)
        var stretch = now
        var from = now + zone.offset(now) + 1
        if !isRhythm, let shown = shownBefore(now, zone) { from = max(from, shown) }
        let lastDay = WallReading(seconds: from).day + Self.horizonInDays
        while true {
            let offset = zone.offset(stretch)
            guard let reading = reading(notBefore: from, lastDay: lastDay) else { return nil }
            let moment = reading - offset
            guard let jump = zone.transition(after: stretch, through: moment) else { return moment * 1000 }
            let (before, after) = (jump + offset, jump + zone.offset(jump))
            // The reading exists in neither stretch, or exactly at its beginning: right after the jump.
            if !isRhythm, before < after, reading <= after { return jump * 1000 }
            stretch = jump
            from = isRhythm ? after : max(from, before, after)
        }
    }

    /// When the clocks were set back within the last day: the reading up to which all has been shown once.
    private func shownBefore(_ now: Int64, _ zone: LocalTime) -> Int64? {
        // 26 hours: zones have moved by a whole day.
        let earlier = now - 26 * 3600
        guard let jump = zone.transition(after: earlier, through: now) else { return nil }
        let (before, after) = (jump + zone.offset(jump - 1), jump + zone.offset(jump))
        return after < before ? before : nil
    }

    /// The first wall reading from `start` on that is in all fields.
    private func reading(notBefore start: Int64, lastDay: Int64) -> Int64? {
        let first = WallReading(seconds: start)
        var day = first.day
        var earliest = first.secondOfDay
        while day <= lastDay {
            if includes(CalendarDay(number: day)), let second = secondOfDay(notBefore: earliest) {
                return day * 86_400 + second
            }
            day += 1
            earliest = 0
        }
        return nil
    }

    private func includes(_ day: CalendarDay) -> Bool {
        guard months & 1 << UInt64(day.month) != 0 else { return false }
        let byDate = days & 1 << UInt64(day.day) != 0 || (includesLastDay && day.isLastOfMonth)
        let byWeekday = weekdays & 1 << UInt64(day.weekday) != 0
        return eitherDay ? byDate || byWeekday : byDate && byWeekday
    }

    private func secondOfDay(notBefore earliest: Int64) -> Int64? {
        let (hour, minute, second) = (earliest / 3600, earliest / 60 % 60, earliest % 60)
        if hours & 1 << UInt64(hour) != 0 {
            if minutes & 1 << UInt64(minute) != 0, let found = Self.first(in: seconds, from: second) {
                return hour * 3600 + minute * 60 + found
            }
            if let found = Self.first(in: minutes, from: minute + 1) {
                return hour * 3600 + found * 60 + (Self.first(in: seconds, from: 0) ?? 0)
            }
        }
        guard let found = Self.first(in: hours, from: hour + 1) else { return nil }
        return found * 3600 + (Self.first(in: minutes, from: 0) ?? 0) * 60 + (Self.first(in: seconds, from: 0) ?? 0)
    }

    /// The lowest value in a field that is `from` (0 to 60) or more.
    private static func first(in field: UInt64, from: Int64) -> Int64? {
        let rest = field >> UInt64(from)
        return rest == 0 ? nil : from + Int64(rest.trailingZeroBitCount)
    }
}

/// One field of a pattern: what may stand in it.
private struct Field {
    let name: String
    let range: ClosedRange<Int>
    var names: [String] = []

    static let second = Field(name: "second", range: 0...59)
    static let minute = Field(name: "minute", range: 0...59)
    static let hour = Field(name: "hour", range: 0...23)
    static let day = Field(name: "day of month", range: 1...31)
    static let month = Field(
        name: "month", range: 1...12,
        names: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"])
    static let weekday = Field(
        name: "day of week", range: 0...7, names: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"])

    func parse(_ text: Substring) throws(CronSchedule.Invalid) -> UInt64 {
        var bits: UInt64 = 0
        for item in text.split(separator: ",", omittingEmptySubsequences: false) { bits |= try parse(item: item) }
        return bits
    }

    private func parse(item: Substring) throws(CronSchedule.Invalid) -> UInt64 {
        let parts = item.split(separator: "/", omittingEmptySubsequences: false)
        guard let base = parts.first, !base.isEmpty, parts.count <= 2 else { throw invalid(item) }
        var step = 1
        if parts.count == 2, let text = parts.last {
            guard let number = Self.number(text), number > 0, number <= range.upperBound else {
                throw CronSchedule.Invalid(
                    message: "\(name) '\(item)': a step is a number from 1 to \(range.upperBound)")
            }
            step = number
        }
        let values: ClosedRange<Int>
        if base == "*" {
            // Sunday is one day, though it has two numbers.
            values = range.lowerBound...(names.count == 7 ? 6 : range.upperBound)
        } else {
            let ends = base.split(separator: "-", omittingEmptySubsequences: false)
            guard let start = ends.first, ends.count <= 2 else { throw invalid(item) }
            let low = try value(start, in: item)
            if ends.count == 2, let end = ends.last {
                // A week may be written to end with Sunday.
                var high = try value(end, in: item)
                if names.count == 7, high == 0, low > 0 { high = 7 }
                guard low <= high else {
                    throw CronSchedule.Invalid(message: "\(name) '\(item)': the range ends before it begins")
                }
                values = low...high
            } else {
                // `5/15`: from 5 on.
                values = low...(parts.count == 2 ? range.upperBound : low)
            }
        }
        var bits: UInt64 = 0
        for value in stride(from: values.lowerBound, through: values.upperBound, by: step) {
            bits |= 1 << UInt64(value)
        }
        return bits
    }

    private func value(_ text: Substring, in item: Substring) throws(CronSchedule.Invalid) -> Int {
        if let index = names.firstIndex(of: text.uppercased()) { return range.lowerBound + index }
        guard let number = Self.number(text) else { throw invalid(item) }
        guard range.contains(number) else {
            throw CronSchedule.Invalid(
                message: "\(name) '\(text)' is not between \(range.lowerBound) and \(range.upperBound)")
        }
        return number
    }

    private func invalid(_ item: Substring) -> CronSchedule.Invalid {
        let example = names.isEmpty ? "" : " or \(names[0]) to \(names[names.count - 1])"
        let last = range.upperBound == 31 ? ", or L for the last day" : ""
        return CronSchedule.Invalid(
            message:
                "\(name) '\(item)' is not *, a number from \(range.lowerBound) to \(range.upperBound)\(example), a range a-b, or one of these with /step\(last)"
        )
    }

    /// Digits only: no sign, and no more than fit.
    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 4, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }
}
