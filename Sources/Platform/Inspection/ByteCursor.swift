import Glibc

/// Walks over bytes that came from outside. Never traps: what is missing or not a number is nil.
struct ByteCursor {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position: Int

    init(_ bytes: UnsafeRawBufferPointer, at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipBlanks() {
        while position < bytes.count, bytes[position] == 0x20 || bytes[position] == 0x09 { position &+= 1 }
    }

    /// Steps over `count` fields that are separated by blanks.
    mutating func skipFields(_ count: Int) {
        for _ in 0..<count {
            skipBlanks()
            while position < bytes.count, bytes[position] != 0x20 { position &+= 1 }
        }
    }

    mutating func byte() -> UInt8? {
        skipBlanks()
        guard position < bytes.count else { return nil }
        defer { position &+= 1 }
        return bytes[position]
    }

    /// The next number; nil, without moving past it, when there is none or it does not fit.
    mutating func unsigned() -> UInt64? {
        skipBlanks()
        var value: UInt64 = 0
        var index = position
        while index < bytes.count, case let digit = bytes[index] &- 0x30, digit <= 9 {
            let (scaled, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = scaled.addingReportingOverflow(UInt64(digit))
            guard !tooLarge, !carried else { return nil }
            value = sum
            index &+= 1
        }
        guard index > position else { return nil }
        position = index
        return value
    }

    mutating func signed() -> Int64? {
        skipBlanks()
        let isNegative = current == 0x2D
        if isNegative { position &+= 1 }
        guard let magnitude = unsigned(), magnitude <= UInt64(Int64.max) else { return nil }
        return isNegative ? 0 &- Int64(magnitude) : Int64(magnitude)
    }
}

extension UnsafeRawBufferPointer {
    /// Index of the first `byte` at or after `start`.
    func firstIndex(of byte: UInt8, from start: Int) -> Int? {
        guard start >= 0, start < count, let base = baseAddress,
            let hit = memchr(base + start, Int32(byte), count &- start)
        else { return nil }
        return UnsafeRawPointer(hit) - base
    }

    /// Whether the bytes at `start` are those of `text`.
    func has(_ text: StaticString, at start: Int) -> Bool {
        let length = text.utf8CodeUnitCount
        guard start >= 0, start <= count, count &- start >= length else { return false }
        guard length > 0 else { return true }
        guard let base = baseAddress else { return false }
        return memcmp(base + start, text.utf8Start, length) == 0
    }

    /// The part from `start` to `end`, cut to what there is.
    func part(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
        let low = Swift.max(0, Swift.min(start, count))
        let high = Swift.max(low, Swift.min(end, count))
        return UnsafeRawBufferPointer(rebasing: self[low..<high])
    }
}

extension Array where Element == UInt8 {
    /// What a terminal or JSON can show of bytes from outside: UTF-8 repaired, control characters as blanks, runs of
    /// blanks left alone, the end trimmed, at most `limit` characters.
    func printable(limit: Int) -> String {
        var scalars = String.UnicodeScalarView()
        var count = 0
        // Four bytes are the most that one character can need before it counts.
        for scalar in String(decoding: self.prefix(limit &* 4), as: UTF8.self).unicodeScalars {
            guard count < limit else { break }
            let value = scalar.value
            // C0, DEL, C1, and what turns the direction of writing around.
            let isControl = value < 0x20 || (0x7F...0x9F).contains(value)
            let isBidirectional = (0x202A...0x202E).contains(value) || (0x2066...0x2069).contains(value)
            scalars.append(isControl || isBidirectional ? " " : scalar)
            count &+= 1
        }
        while scalars.last == " " { scalars.removeLast() }
        return String(scalars)
    }
}
