/// The `Authorization` header against the one name and password that there is.
enum BasicAuthentication {
    static func accepts(_ header: String?, _ credentials: SiteSettings.Credentials) -> Bool {
        guard let header, header.prefix(6).lowercased() == "basic ",
            let given = decode(header.dropFirst(6).filter { $0 != " " })
        else { return false }
        return equal(given, Array("\(credentials.user):\(credentials.password)".utf8))
    }

    /// Takes as long for a first wrong byte as for a last one: otherwise the time would tell how much of a guess is
    /// right.
    static func equal(_ given: [UInt8], _ expected: [UInt8]) -> Bool {
        guard !expected.isEmpty else { return given.isEmpty }
        var difference = UInt64(given.count ^ expected.count)
        for (index, byte) in given.enumerated() { difference |= UInt64(byte ^ expected[index % expected.count]) }
        return difference == 0
    }

    /// Base64; nil for anything else.
    static func decode(_ text: String) -> [UInt8]? {
        var digits = Array(text.utf8)[...]
        while digits.last == UInt8(ascii: "="), text.utf8.count - digits.count < 2 { digits = digits.dropLast() }
        guard digits.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for digit in digits {
            guard let value = value(of: digit) else { return nil }
            bits = bits << 6 | value
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }

    private static func value(of digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
