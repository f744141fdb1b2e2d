import CLinux
import Glibc

extension CalendarTime {
    /// This moment in the local time zone.
    static func local() -> CalendarTime { CalendarTime(nanoseconds: clinux_realtime_ns(), local: true) }

    /// This moment in UTC.
    static func utc() -> CalendarTime { CalendarTime(nanoseconds: clinux_realtime_ns(), local: false) }

    init(nanoseconds: Int64, local: Bool) {
        var seconds = time_t(nanoseconds / 1_000_000_000)
        var parts = tm()
        if local {
            // localtime_r alone need not look at TZ.
            tzset()
            localtime_r(&seconds, &parts)
        } else {
            gmtime_r(&seconds, &parts)
        }
        self.init(
            year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
            weekday: Int(parts.tm_wday), hour: Int(parts.tm_hour), minute: Int(parts.tm_min),
            second: Int(parts.tm_sec), millisecond: Int(nanoseconds / 1_000_000 % 1000),
            offset: local ? parts.tm_gmtoff / 60 : 0)
    }
}
