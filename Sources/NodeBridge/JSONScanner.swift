/// Checks JSON text (RFC 8259) and finds what stands in it, without building values: what an app writes may be long, and
/// of most of it nothing is wanted.
struct JSONScanner {
    /// Deeper values are taken for garbage.
    static let depthLimit = 64

    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The whole text, if it is one value.
    static func value(_ bytes: UnsafeRawBufferPointer) -> JSONSlice? {
        var scanner = JSONScanner(bytes)
        guard let range = scanner.value(depthLimit) else { return nil }
        scanner.skipBlanks()
        guard scanner.position == bytes.count else { return nil }
        return JSONSlice(UnsafeRawBufferPointer(rebasing: bytes[range]))
    }

    /// Calls `body` with each member of the object that the text is. False: it is no object, or no JSON.
    static func members(
        _ bytes: UnsafeRawBufferPointer, _ body: (_ name: JSONSlice, _ value: JSONSlice) -> Void
    ) -> Bool {
        var scanner = JSONScanner(bytes)
        scanner.skipBlanks()
        guard scanner.object(depthLimit, body) else { return false }
        scanner.skipBlanks()
        return scanner.position == bytes.count
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipBlanks() {
        while let byte = current, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        position += 1
        return true
    }

    private mutating func value(_ depth: Int) -> Range<Int>? {
        skipBlanks()
        let start = position
        guard let first = current else { return nil }
        let isWhole =
            switch first {
            case 0x22: string()
            case 0x7b: object(depth) { _, _ in }
            case 0x5b: array(depth)
            case 0x74: word("true")
            case 0x66: word("false")
            case 0x6e: word("null")
            default: number()
            }
        return isWhole ? start..<position : nil
    }

    private mutating func object(_ depth: Int, _ body: (JSONSlice, JSONSlice) -> Void) -> Bool {
        guard depth > 0, take(0x7b) else { return false }
        skipBlanks()
        if take(0x7d) { return true }
        while true {
            skipBlanks()
            let start = position
            guard string() else { return false }
            let name = start..<position
            skipBlanks()
            guard take(0x3a), let value = value(depth - 1) else { return false }
            body(slice(name), slice(value))
            skipBlanks()
            if take(0x7d) { return true }
            guard take(0x2c) else { return false }
        }
    }

    private mutating func array(_ depth: Int) -> Bool {
        guard depth > 0, take(0x5b) else { return false }
        skipBlanks()
        if take(0x5d) { return true }
        while true {
            guard value(depth - 1) != nil else { return false }
            skipBlanks()
            if take(0x5d) { return true }
            guard take(0x2c) else { return false }
        }
    }

    private mutating func string() -> Bool {
        guard take(0x22) else { return false }
        skipPlain()
        while let byte = current {
            position += 1
            switch byte {
            case 0x22: return true
            case 0x5c:
                guard let escape = current else { return false }
                position += 1
                if escape == 0x75 {
                    for _ in 0..<4 {
                        guard let digit = current, JSONSlice.hexadecimal(digit) != nil else { return false }
                        position += 1
                    }
                } else if JSONSlice.escaped(escape) == nil {
                    return false
                }
                skipPlain()
            case 0..<0x20: return false
            default: break
            }
        }
        return false
    }

    /// Most of what an app writes stands in strings: a plain loop.
    private mutating func skipPlain() {
        guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
        let end = bytes.count
        var place = position
        while place < end {
            let byte = base[place]
            if byte == 0x22 || byte == 0x5c || byte < 0x20 { break }
            place += 1
        }
        position = place
    }

    private mutating func word(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard bytes.count - position >= count else { return false }
        for offset in 0..<count where bytes[position + offset] != word.utf8Start[offset] { return false }
        position += count
        return true
    }

    private mutating func number() -> Bool {
        _ = take(0x2d)
        if !take(0x30) {
            guard digits() else { return false }
        }
        if take(0x2e) {
            guard digits() else { return false }
        }
        if take(0x65) || take(0x45) {
            if !take(0x2b) { _ = take(0x2d) }
            return digits()
        }
        return true
    }

    private mutating func digits() -> Bool {
        let start = position
        while let byte = current, (0x30...0x39).contains(byte) { position += 1 }
        return position > start
    }

    private func slice(_ range: Range<Int>) -> JSONSlice {
        JSONSlice(UnsafeRawBufferPointer(rebasing: bytes[range]))
    }
}
