/// Number of an instance in its home, shown in lists. Never reused while the list is not empty.
package struct InstanceID: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package let rawValue: UInt32

    package init(_ rawValue: UInt32) { self.rawValue = rawValue }

    package init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(UInt32.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    package var description: String { String(rawValue) }
}

/// How often an instance was spawned. Timers, pids and exits of a former generation are recognised by it and ignored.
package struct Generation: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package let rawValue: UInt32

    package init(_ rawValue: UInt32) { self.rawValue = rawValue }

    package init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(UInt32.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    package var next: Generation { Generation(rawValue &+ 1) }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    package var description: String { String(rawValue) }
}

/// A process that cannot be mistaken for another one within a boot: its number and its start time.
package struct ProcessIdentity: Hashable, Sendable, Codable, CustomStringConvertible {
    package let pid: Int32
    /// Field 22 of /proc/PID/stat: clock ticks after boot. 0 when it could not be read.
    package let startTime: UInt64

    package init(pid: Int32, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    package var description: String { "\(pid)@\(startTime)" }
}

/// A point in time on CLOCK_BOOTTIME, in milliseconds: what records and deadlines use. It does not jump with the wall
/// clock, and a record is only believed within the same boot.
package struct Instant: Hashable, Comparable, Sendable, Codable {
    package let milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    package init(from decoder: any Decoder) throws {
        milliseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(milliseconds)
    }

    package func advanced(by interval: Milliseconds) -> Instant {
        let (sum, overflow) = milliseconds.addingReportingOverflow(interval.rawValue)
        return Instant(milliseconds: overflow ? (interval.rawValue < 0 ? .min : .max) : sum)
    }

    /// Milliseconds from `earlier` to this instant; negative when this one is earlier.
    package func since(_ earlier: Instant) -> Milliseconds {
        let (difference, overflow) = milliseconds.subtractingReportingOverflow(earlier.milliseconds)
        return Milliseconds(overflow ? (self < earlier ? .min : .max) : difference)
    }

    package static func < (left: Self, right: Self) -> Bool { left.milliseconds < right.milliseconds }
}

/// A length of time in whole milliseconds, the unit of PM2's settings and of everything that is stored.
package struct Milliseconds: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package let rawValue: Int64

    package init(_ rawValue: Int64) { self.rawValue = rawValue }
    package static func seconds(_ count: Int64) -> Milliseconds {
        let (product, overflow) = count.multipliedReportingOverflow(by: 1000)
        return Milliseconds(overflow ? (count < 0 ? .min : .max) : product)
    }

    package init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(Int64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// `250 ms`, `1.5 s`, `3 min`, as in messages.
    package var description: String {
        if rawValue < 1000 { return "\(rawValue) ms" }
        if rawValue < 60_000 {
            let tenths = rawValue / 100
            return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
        }
        if rawValue < 3_600_000 { return "\(rawValue / 60_000) min" }
        return "\(rawValue / 3_600_000) h"
    }
}
