/// One value in JSON text that was checked. Valid as long as the text's memory is.
struct JSONSlice {
    private let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// As it stands there.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// What JavaScript takes for true.
    var isTruthy: Bool {
        switch bytes.first {
        case nil, 0x66, 0x6e: false
        case 0x22: bytes.count > 2
        case 0x7b, 0x5b, 0x74: true
        // A number is zero if no digit before its exponent is another.
        default: bytes.prefix { $0 != 0x65 && $0 != 0x45 }.contains { (0x31...0x39).contains($0) }
        }
    }

    var boolean: Bool? {
        switch bytes.first {
        case 0x74: true
        case 0x66: false
        default: nil
        }
    }

    /// A number without fraction and exponent that an Int can hold.
    var integer: Int? {
        guard let first = bytes.first, first == 0x2d || (0x30...0x39).contains(first), bytes.count <= 20 else {
            return nil
        }
        return Int(text)
    }

    var string: String? {
        guard bytes.first == 0x22, bytes.count >= 2 else { return nil }
        let content = UnsafeRawBufferPointer(rebasing: bytes[1..<(bytes.count - 1)])
        guard content.contains(0x5c) else { return String(decoding: content, as: UTF8.self) }
        return Self.unescaped(content)
    }

    /// The text is exactly this string, without escapes.
    func isString(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard bytes.count == count + 2, bytes.first == 0x22 else { return false }
        for offset in 0..<count where bytes[offset + 1] != word.utf8Start[offset] { return false }
        return true
    }

    private static func unescaped(_ content: UnsafeRawBufferPointer) -> String {
        var units: [UInt16] = []
        var plain: [UInt8] = []
        var text = ""
        func flushUnits() {
            text += String(decoding: units, as: UTF16.self)
            units.removeAll()
        }
        func flushPlain() {
            text += String(decoding: plain, as: UTF8.self)
            plain.removeAll()
        }
        var position = 0
        while position < content.count {
            let byte = content[position]
            position += 1
            guard byte == 0x5c, position < content.count else {
                if !units.isEmpty { flushUnits() }
                plain.append(byte)
                continue
            }
            let escape = content[position]
            position += 1
            if escape == 0x75, content.count - position >= 4 {
                if !plain.isEmpty { flushPlain() }
                let digits = content[position..<(position + 4)]
                units.append(digits.reduce(0) { $0 << 4 | UInt16(hexadecimal($1) ?? 0) })
                position += 4
            } else {
                if !units.isEmpty { flushUnits() }
                plain.append(escaped(escape) ?? escape)
            }
        }
        flushUnits()
        flushPlain()
        return text
    }

    static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    /// What the letter behind a backslash stands for.
    static func escaped(_ letter: UInt8) -> UInt8? {
        switch letter {
        case 0x22, 0x5c, 0x2f: letter
        case 0x62: 0x08
        case 0x66: 0x0c
        case 0x6e: 0x0a
        case 0x72: 0x0d
        case 0x74: 0x09
        default: nil
        }
    }
}
