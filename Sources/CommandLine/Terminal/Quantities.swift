import Platform

/// Numbers as people read them, without a formatter.
enum Quantities {
    /// `0s`, `59s`, `12m`, `3h 12m`, `4d 3h`.
    static func duration(milliseconds: Int64) -> String {
        let seconds = max(0, milliseconds / 1000)
        if seconds < 60 { return "\(seconds)s" }
        if seconds < 3600 { return "\(seconds / 60)m" }
        if seconds < 86_400 { return "\(seconds / 3600)h \(seconds / 60 % 60)m" }
        return "\(seconds / 86_400)d \(seconds / 3600 % 24)h"
    }

    /// `0 B`, `45.2 MB`: steps of 1024, one decimal.
    static func bytes(_ count: Int64) -> String {
        if count < 1024 { return "\(max(0, count)) B" }
        var value = Double(count)
        for unit in ["KB", "MB", "GB", "TB"] {
            value /= 1024
            let tenths = Int64((value * 10).rounded())
            if tenths < 10_240 || unit == "TB" { return "\(tenths / 10).\(tenths % 10) \(unit)" }
        }
        return "\(count) B"
    }

    /// `12.3%`; a dash when it is not known yet.
    static func percent(_ value: Double?, unknown: String = "-") -> String {
        guard let value, value.isFinite else { return unknown }
        let tenths = Int64((max(0, min(value, 1e9)) * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)%"
    }

    /// `2026-11-21 13:47:56` in the caller's time zone.
    static func timestamp(milliseconds: Int64) -> String {
        let (date, time, _) = SystemClock.local(milliseconds)
        return "\(date) \(time)"
    }
}
