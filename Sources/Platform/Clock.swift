internal import CLinux
package import Model

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
}
