internal import CLinux
package import Model

#if canImport(Glibc)
    import Glibc
#endif

/// The two clocks: CLOCK_BOOTTIME for everything that is measured, the wall clock for people.
package enum SystemClock {
    package static func now() -> Instant { Instant(milliseconds: clinux_boottime_ns() / 1_000_000) }

    package static func bootNanoseconds() -> Int64 { clinux_boottime_ns() }

    /// Milliseconds since 1970.
    package static func wallClock() -> Int64 { clinux_realtime_ns() / 1_000_000 }

    /// Milliseconds to add to an `Instant` to get milliseconds since 1970, as the clocks stand now.
    package static func wallClockOffset() -> Int64 {
        (clinux_realtime_ns() &- clinux_boottime_ns()) / 1_000_000
    }

    /// Seconds east of UTC in the local zone, at a moment in seconds since 1970.
    package static func zoneOffset(at moment: Int64) -> Int64 { clinux_zone_offset(moment) }

    /// A wall clock time in the local time zone: `2026-11-21`, `13:33:01`, and milliseconds of three digits.
    package static func local(_ milliseconds: Int64) -> (date: String, time: String, fraction: String) {
        var seconds = time_t(milliseconds / 1000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        func pad(_ number: Int, _ width: Int = 2) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        return (
            "\(Int(parts.tm_year) + 1900)-\(pad(Int(parts.tm_mon) + 1))-\(pad(Int(parts.tm_mday)))",
            "\(pad(Int(parts.tm_hour))):\(pad(Int(parts.tm_min))):\(pad(Int(parts.tm_sec)))",
            pad(Int(milliseconds % 1000), 3)
        )
    }
}
