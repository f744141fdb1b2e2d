import Testing

@testable import Supervision

@Suite("Cron patterns")
struct CronScheduleTests {
    // MARK: Helpers

    /// Seconds since 1970 of a reading on a UTC clock: `2026-03-29 02:30:00`.
    private static func utc(_ text: String) throws -> Int64 {
        let numbers = text.split(whereSeparator: { "-: ".contains($0) }).compactMap { Int64($0) }
        try #require(numbers.count == 6)
        let (year, month, day) = (numbers[0], numbers[1], numbers[2])
        var days: Int64 = 0
        func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }
        for former in 1970..<max(year, 1970) { days += isLeap(former) ? 366 : 365 }
        let lengths: [Int64] = [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        for length in lengths.prefix(Int(month) - 1) { days += length }
        return (days + day - 1) * 86_400 + numbers[3] * 3600 + numbers[4] * 60 + numbers[5]
    }

    private static let greenwich = LocalTime { _ in 0 }

    /// Central European time: summer from the last Sunday of March to that of October, both at 01:00 UTC.
    private static let berlin = LocalTime { moment in
        let day = CalendarDay(number: moment / 86_400)
        func lastSunday(_ month: Int) -> Bool {
            // Whether the change of this month has come.
            let sundayOrAfter = day.day - day.weekday >= 25
            let isSunday = day.weekday == 0 && day.day >= 25
            return isSunday ? moment % 86_400 >= 3600 : sundayOrAfter
        }
        switch day.month {
        case 4...9: return 7200
        case 3: return lastSunday(3) ? 7200 : 3600
        case 10: return lastSunday(10) ? 3600 : 7200
        default: return 3600
        }
    }

    private func next(_ pattern: String, after text: String, _ zone: LocalTime = greenwich) throws -> String? {
        let schedule = try CronSchedule(parsing: pattern)
        return schedule.next(after: try Self.utc(text) * 1000, calendar: zone).map { Self.text($0 / 1000) }
    }

    private static func text(_ moment: Int64) -> String {
        let day = CalendarDay(number: moment / 86_400)
        let second = moment % 86_400
        func pad(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(day.year)-\(pad(Int64(day.month)))-\(pad(Int64(day.day))) "
            + "\(pad(second / 3600)):\(pad(second / 60 % 60)):\(pad(second % 60))"
    }

    // MARK: Fields

    struct Case: Sendable, CustomTestStringConvertible {
        var pattern: String
        var after: String
        var next: String?

        init(_ pattern: String, _ after: String, _ next: String?) {
            self.pattern = pattern
            self.after = after
            self.next = next
        }

        var testDescription: String { "\(pattern) after \(after)" }
    }

    @Test(
        "the next time is the first one after now that is in all fields",
        arguments: [
            Case("* * * * *", "2026-11-21 10:15:30", "2026-11-21 10:16:00"),
            Case("* * * * *", "2026-11-21 10:15:00", "2026-11-21 10:16:00"),
            Case("* * * * * *", "2026-11-21 10:15:59", "2026-11-21 10:16:00"),
            Case("*/10 * * * * *", "2026-11-21 10:15:41", "2026-11-21 10:15:50"),
            Case("0 3 * * *", "2026-11-21 03:00:00", "2026-11-22 03:00:00"),
            Case("0 3 * * *", "2026-11-21 02:59:59", "2026-11-21 03:00:00"),
            Case("*/15 9-17 * * MON-FRI", "2026-11-20 17:45:00", "2026-11-23 09:00:00"),
            Case("5,35 0,12 * * *", "2026-11-21 00:36:00", "2026-11-21 12:05:00"),
            Case("10/20 * * * *", "2026-11-21 10:31:00", "2026-11-21 10:50:00"),
            Case("0 0 1 jan *", "2026-11-21 10:00:00", "2027-01-01 00:00:00"),
            Case("30 22 31 12 *", "2026-12-31 22:30:00", "2027-12-31 22:30:00"),
            Case("0 0 31 * *", "2026-11-21 10:00:00", "2026-12-31 00:00:00"),
            Case("15 30 23 * * *", "2026-11-21 23:30:15", "2026-11-22 23:30:15"),
            // Leap years.
            Case("0 0 29 2 *", "2026-03-01 00:00:00", "2028-02-29 00:00:00"),
            Case("0 0 29 2 *", "2096-02-29 00:00:00", "2104-02-29 00:00:00"),
            Case("0 0 L 2 *", "2027-03-01 00:00:00", "2028-02-29 00:00:00"),
            Case("0 0 L * *", "2027-02-01 00:00:00", "2027-02-28 00:00:00"),
            Case("0 0 15,L * *", "2026-11-15 00:00:00", "2026-11-30 00:00:00"),
            Case("0 0 30 2 *", "2026-11-21 10:00:00", nil),
            Case("0 0 31 4,6,9,11 *", "2026-11-21 10:00:00", nil),
            // 2026-11-21 is a Saturday. Day of month or day of week, when both are restricted.
            Case("0 0 * * 0", "2026-11-21 10:00:00", "2026-11-22 00:00:00"),
            Case("0 0 * * 7", "2026-11-21 10:00:00", "2026-11-22 00:00:00"),
            Case("0 0 * * SUN", "2026-11-21 10:00:00", "2026-11-22 00:00:00"),
            Case("0 0 * * 5-7", "2026-11-22 10:00:00", "2026-11-27 00:00:00"),
            Case("0 0 * * FRI-SUN", "2026-11-21 10:00:00", "2026-11-22 00:00:00"),
            Case("0 0 13 * FRI", "2026-11-21 10:00:00", "2026-11-27 00:00:00"),
            Case("0 0 25 * FRI", "2026-11-21 10:00:00", "2026-11-25 00:00:00"),
            Case("0 0 13 * *", "2026-11-21 10:00:00", "2026-12-13 00:00:00"),
            Case("0 0 30 2 MON", "2026-11-21 10:00:00", "2027-02-01 00:00:00"),
            // Shorthands.
            Case("@hourly", "2026-11-21 10:00:00", "2026-11-21 11:00:00"),
            Case("@daily", "2026-11-21 10:00:00", "2026-11-22 00:00:00"),
            Case("@weekly", "2026-11-21 10:00:00", "2026-11-22 00:00:00"),
            Case("@monthly", "2026-11-21 10:00:00", "2026-12-01 00:00:00"),
            Case("@yearly", "2026-11-21 10:00:00", "2027-01-01 00:00:00"),
        ])
    func fields(_ example: Case) throws {
        #expect(try next(example.pattern, after: example.after) == example.next)
    }

    @Test("a part of a second does not repeat a second that was due")
    func milliseconds() throws {
        let schedule = try CronSchedule(parsing: "* * * * * *")
        let moment = try Self.utc("2026-11-21 10:00:00") * 1000
        #expect(schedule.next(after: moment + 1, calendar: Self.greenwich) == moment + 1000)
        #expect(schedule.next(after: moment - 1, calendar: Self.greenwich) == moment)
        #expect(schedule.next(after: -1, calendar: Self.greenwich) == 0)
    }

    // MARK: Summer time. Berlin: 2026-03-29 02:00 becomes 03:00 (01:00 UTC), 2026-10-25 03:00 becomes 02:00 (01:00 UTC).

    @Test(
        "what the clocks skip in spring runs once right after the jump, what they show twice in autumn once",
        arguments: [
            Case("30 2 * * *", "2026-03-28 12:00:00", "2026-03-29 01:00:00"),
            Case("30 2 * * *", "2026-03-29 01:00:00", "2026-03-30 00:30:00"),
            Case("15,45 2 * * *", "2026-03-28 12:00:00", "2026-03-29 01:00:00"),
            Case("15,45 2 * * *", "2026-03-29 01:00:00", "2026-03-30 00:15:00"),
            Case("0 3 * * *", "2026-03-28 12:00:00", "2026-03-29 01:00:00"),
            Case("0 2,3 * * *", "2026-03-29 00:00:00", "2026-03-29 01:00:00"),
            Case("0 2,3 * * *", "2026-03-29 01:00:00", "2026-03-30 00:00:00"),
            Case("30 1 * * *", "2026-03-28 12:00:00", "2026-03-29 00:30:00"),
            Case("30 3 * * *", "2026-03-28 12:00:00", "2026-03-29 01:30:00"),
            Case("30 2 29 3 *", "2026-03-01 12:00:00", "2026-03-29 01:00:00"),
            Case("30 2 * * *", "2026-10-24 12:00:00", "2026-10-25 00:30:00"),
            Case("30 2 * * *", "2026-10-25 00:30:00", "2026-10-26 01:30:00"),
            Case("30 2 * * *", "2026-10-25 01:10:00", "2026-10-26 01:30:00"),
            Case("0 3 * * *", "2026-10-24 12:00:00", "2026-10-25 02:00:00"),
            Case("59 2 * * *", "2026-10-25 00:59:00", "2026-10-26 01:59:00"),
            // A rhythm follows real time.
            Case("*/30 * * * *", "2026-03-29 00:30:00", "2026-03-29 01:00:00"),
            Case("30 * * * *", "2026-03-29 00:30:00", "2026-03-29 01:30:00"),
            Case("*/30 2 * * *", "2026-03-28 12:00:00", "2026-03-30 00:00:00"),
            Case("30 * * * *", "2026-10-25 00:30:00", "2026-10-25 01:30:00"),
            Case("*/30 2 * * *", "2026-10-25 00:30:00", "2026-10-25 01:00:00"),
            // Far away, over several changes.
            Case("0 12 29 2 *", "2026-03-01 00:00:00", "2028-02-29 11:00:00"),
            Case("0 12 1 7 *", "2026-11-21 00:00:00", "2027-07-01 10:00:00"),
        ])
    func summerTime(_ example: Case) throws {
        #expect(try next(example.pattern, after: example.after, Self.berlin) == example.next)
    }

    @Test("over a year each day has its run, also the days of 23 and 25 hours")
    func everyDay() throws {
        let schedule = try CronSchedule(parsing: "30 2 * * *")
        var moment = try Self.utc("2026-01-01 00:00:00") * 1000
        let end = try Self.utc("2027-01-01 00:00:00") * 1000
        var runs = 0
        while let next = schedule.next(after: moment, calendar: Self.berlin), next < end {
            #expect(next > moment)
            moment = next
            runs += 1
        }
        #expect(runs == 365)
    }

    // MARK: Mistakes

    @Test(
        "a pattern that is wrong is refused with field, value and range",
        arguments: [
            ("75 * * * *", "minute '75' is not between 0 and 59"),
            ("* 24 * * *", "hour '24' is not between 0 and 23"),
            ("* * 0 * *", "day of month '0' is not between 1 and 31"),
            ("* * * 13 *", "month '13' is not between 1 and 12"),
            ("* * * * 8", "day of week '8' is not between 0 and 7"),
            ("60 * * * * *", "second '60' is not between 0 and 59"),
            ("30-10 * * * *", "minute '30-10': the range ends before it begins"),
            ("*/0 * * * *", "minute '*/0': a step is a number from 1 to 59"),
            ("*/x * * * *", "minute '*/x': a step is a number from 1 to 59"),
        ])
    func mistakes(pattern: String, message: String) {
        #expect(throws: CronSchedule.Invalid(message: message)) { try CronSchedule(parsing: pattern) }
    }

    @Test(
        "what is no pattern at all is refused",
        arguments: [
            "", "* * * *", "* * * * * * *", "a * * * *", "1,,2 * * * *", "-5 * * * *", "* * * FOO *", "1- * * * *",
            "@reboot", "@", "1/2/3 * * * *", "/5 * * * *", "99999999999999999999 * * * *", "* * * * L",
        ])
    func nonsense(pattern: String) {
        #expect(throws: CronSchedule.Invalid.self) { try CronSchedule(parsing: pattern) }
    }

    @Test("shorthands are told apart, PM2 does not know them")
    func shorthand() throws {
        #expect(try CronSchedule(parsing: "@daily").isShorthand)
        #expect(try !CronSchedule(parsing: "0 0 * * *").isShorthand)
    }
}
