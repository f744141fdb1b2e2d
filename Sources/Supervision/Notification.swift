package import Model

/// What an app says in one datagram on its notification socket (the protocol of `sd_notify`): lines of `KEY=value`.
///
/// Of a key that comes twice the last one counts. Keys that are not listed here are not looked at.
package struct Notification: Hashable, Sendable {
    package enum Watchdog: Hashable, Sendable {
        /// `WATCHDOG=1`: it is well.
        case alive
        /// `WATCHDOG=trigger`: it is not, and wants to be restarted.
        case trigger
    }

    /// `READY=1`.
    package var isReady = false
    /// `RELOADING=1`.
    package var isReloading = false
    /// `STOPPING=1`.
    package var isStopping = false
    /// `STATUS=`: at most `longestStatus` bytes, on one line; empty: it has none any more.
    package var status: String?
    package var watchdog: Watchdog?
    /// `WATCHDOG_USEC=`, from `shortestPeriod` to `longestPeriod`; 0: it is not watched any more.
    package var watchdogPeriod: Milliseconds?
    /// `FDSTORE=1`: the descriptors that came with it are to be kept.
    package var stores = false
    /// `FDSTOREREMOVE=1`: what is kept under `descriptorName` is not needed any more.
    package var removes = false
    /// `FDNAME=`; nil when it is none that LISTEN_FDNAMES could carry.
    package var descriptorName: String?
    /// `BARRIER=1`: the sender waits until the descriptor that came with it is closed.
    package var isBarrier = false

    package static let longestStatus = 200
    package static let longestName = 255
    /// Shorter ones would say more of the machine's load than of the app.
    package static let shortestPeriod = Milliseconds(100)
    /// 30 days: more is a mistake, and far from every overflow.
    package static let longestPeriod = Milliseconds(2_592_000_000)

    package init() {}

    /// Nil: the datagram is no such text (it holds a NUL byte, or no line with `=`).
    package init?(_ bytes: UnsafeRawBufferPointer) {
        // A sender may count the end of its C string.
        var text = bytes[...]
        while text.last == 0 { text.removeLast() }
        guard !text.contains(0) else { return nil }
        var hasLine = false
        for line in text.split(separator: UInt8(ascii: "\n")) {
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { continue }
            hasLine = true
            // Longer keys are none of ours.
            guard equals - line.startIndex <= 32 else { continue }
            let key = String(decoding: line[..<equals], as: UTF8.self)
            take(key, UnsafeRawBufferPointer(rebasing: line[(equals + 1)...]))
        }
        guard hasLine else { return nil }
    }

    private mutating func take(_ key: String, _ value: UnsafeRawBufferPointer) {
        switch key {
        case "READY": isReady = Self.isOne(value)
        case "RELOADING": isReloading = Self.isOne(value)
        case "STOPPING": isStopping = Self.isOne(value)
        case "FDSTORE": stores = Self.isOne(value)
        case "FDSTOREREMOVE": removes = Self.isOne(value)
        case "BARRIER": isBarrier = Self.isOne(value)
        case "STATUS": status = Self.line(value)
        case "FDNAME": descriptorName = Self.name(value)
        case "WATCHDOG":
            if Self.isOne(value) { watchdog = .alive }
            if value.elementsEqual("trigger".utf8) { watchdog = .trigger }
        case "WATCHDOG_USEC": watchdogPeriod = Self.period(value) ?? watchdogPeriod
        default: break
        }
    }

    private static func isOne(_ value: UnsafeRawBufferPointer) -> Bool { value.elementsEqual("1".utf8) }

    private static func line(_ value: UnsafeRawBufferPointer) -> String {
        // Cut before it is looked at: a datagram may be long.
        let text = String(decoding: value.prefix(longestStatus), as: UTF8.self)
        var line = ""
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value)
            line.unicodeScalars.append(isControl ? " " : scalar)
        }
        // A character that was cut in two became a replacement of three bytes.
        while line.utf8.count > longestStatus || (value.count > longestStatus && line.unicodeScalars.last == "\u{fffd}")
        {
            line.unicodeScalars.removeLast()
        }
        return line
    }

    /// Names are joined by colons in LISTEN_FDNAMES.
    private static func name(_ value: UnsafeRawBufferPointer) -> String? {
        guard (1...longestName).contains(value.count) else { return nil }
        let colon = UInt8(ascii: ":")
        guard value.allSatisfy({ (0x21...0x7e).contains($0) && $0 != colon }) else { return nil }
        return String(decoding: value, as: UTF8.self)
    }

    private static func period(_ value: UnsafeRawBufferPointer) -> Milliseconds? {
        guard (1...20).contains(value.count), value.allSatisfy({ (0x30...0x39).contains($0) }),
            let microseconds = UInt64(String(decoding: value, as: UTF8.self))
        else { return nil }
        if microseconds == 0 { return Milliseconds(0) }
        return min(max(Milliseconds(Int64(clamping: microseconds / 1000)), shortestPeriod), longestPeriod)
    }
}
