import Testing

@testable import CommandLine

@Suite("Dates in the tokens of day.js")
struct DayFormatTests {
    private static let time = CalendarTime(
        year: 2026, month: 3, day: 5, weekday: 4, hour: 15, minute: 7, second: 9, millisecond: 42, offset: -210)

    @Test(
        "each token has its value",
        arguments: [
            ("YYYY YY", "2026 26"), ("MMMM MMM MM M", "March Mar 03 3"), ("DD D", "05 5"),
            ("dddd ddd dd d", "Thursday Thu Th 4"), ("HH H hh h", "15 15 03 3"), ("A a", "PM pm"),
            ("mm m ss s SSS", "07 7 09 9 042"), ("Z ZZ", "-03:30 -0330"),
        ])
    func tokens(pattern: String, text: String) {
        #expect(DayFormat(pattern).text(Self.time) == text)
    }

    @Test(
        "what is no token stands for itself",
        arguments: [
            ("YYYY-MM-DD-HH:mm:ss", "2026-03-05-15:07:09"), ("YYYY-MM-DDTHH:mm:ss", "2026-03-05T15:07:09"),
            ("[day] D", "day 5"), ("[YYYY]YYYY", "YYYY2026"), ("[] [ x", "[] [ x"), ("", ""), ("été", "été"),
            ("YYYYMMDD", "20260305"),
        ])
    func literals(pattern: String, text: String) {
        #expect(DayFormat(pattern).text(Self.time) == text)
    }

    @Test("midnight and noon are twelve", arguments: [(0, "12 AM"), (12, "12 PM"), (1, "1 AM"), (23, "11 PM")])
    func twelve(hour: Int, text: String) {
        var time = Self.time
        time.hour = hour
        #expect(DayFormat("h A").text(time) == text)
    }

    @Test("a moment has the parts that it has in UTC")
    func moment() {
        let time = CalendarTime(nanoseconds: 1_709_210_096_007_000_000, local: false)
        #expect(DayFormat("YYYY-MM-DD HH:mm:ss.SSS Z d").text(time) == "2024-02-29 12:34:56.007 +00:00 4")
    }
}
