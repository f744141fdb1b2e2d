/// A time zone, as far as schedules need it: its distance from UTC at any moment.
package struct LocalTime: Sendable {
    /// Seconds east of UTC at a moment, given in seconds since 1970.
    package let offset: @Sendable (Int64) -> Int64

    package init(offset: @escaping @Sendable (Int64) -> Int64) { self.offset = offset }

    /// A week: rules that follow one another faster are unknown (a summer time that pauses for Ramadan lasts weeks).
    private static let step: Int64 = 7 * 86_400

    /// The first moment in (`start`, `end`] with another offset than the moment before it.
    func transition(after start: Int64, through end: Int64) -> Int64? {
        let before = offset(start)
        var low = start
        while low < end {
            var high = min(end, low + Self.step)
            if offset(high) == before {
                low = high
                continue
            }
            while high - low > 1 {
                let middle = low + (high - low) / 2
                if offset(middle) == before { low = middle } else { high = middle }
            }
            return high
        }
        return nil
    }
}

/// A reading of calendar and clock on the wall, without a zone: seconds since 1970-01-01 00:00 there.
struct WallReading {
    var seconds: Int64

    var day: Int64 { seconds.floorDivided(by: 86_400) }
    var secondOfDay: Int64 { seconds - day * 86_400 }
}

/// A day of the Gregorian calendar.
struct CalendarDay {
    var year: Int64
    /// 1 to 12.
    var month: Int
    /// 1 to 31.
    var day: Int
    /// 0 is Sunday.
    var weekday: Int

    /// - Parameter number: days since 1970-01-01, a Thursday.
    init(number: Int64) {
        // In eras of 400 years that begin on 1 March: the leap day is the last day of a year.
        let shifted = number + 719_468
        let era = shifted.floorDivided(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
        month = Int(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let days = number + 4
        weekday = Int(days - days.floorDivided(by: 7) * 7)
    }

    var isLastOfMonth: Bool {
        let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let length =
            switch month {
            case 2: isLeapYear ? 29 : 28
            case 4, 6, 9, 11: 30
            default: 31
            }
        return day == length
    }
}

extension Int64 {
    /// Towards minus infinity. The divisor is above 0.
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
