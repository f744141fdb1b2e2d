/// Text from outside on its way to a terminal: harmless, and of a known width.
package enum DisplayText {
    /// Makes control characters visible: a name must not be able to move the cursor or recolour the screen.
    ///
    /// - Parameter unicode: false escapes everything beyond ASCII, too.
    package static func escape(_ text: String, unicode: Bool) -> String {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x0a: result += "\\n"
            case 0x09: result += "\\t"
            case 0x0d: result += "\\r"
            case 0x1b: result += "\\e"
            case 0..<0x20, 0x7f: result += "\\x" + hexadecimal(scalar.value, digits: 2)
            // C1 controls, line separators, marks that reverse the direction of writing, the byte order mark.
            case 0x80..<0xa0, 0x200b, 0x200e, 0x200f, 0x2028...0x202e, 0x2060...0x2069, 0xfeff, 0xe0000...0xe007f:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            case 0x80...: if unicode { result.unicodeScalars.append(scalar) } else { result += "?" }
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func hexadecimal(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// Columns that a terminal needs for already escaped text.
    package static func width(_ text: String) -> Int {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
        return text.reduce(0) { $0 + width($1) }
    }

    /// A character made of several scalars (an accent, an emoji with a skin) takes as much as its widest one.
    package static func width(_ character: Character) -> Int {
        character.unicodeScalars.reduce(0) { max($0, width($1)) }
    }

    private static func width(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0..<0x300: 1
        case 0x300...0x36f, 0x20d0...0x20ff, 0xfe00...0xfe0f, 0x1ab0...0x1aff, 0x200c, 0x200d: 0
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
            0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f680...0x1f6ff, 0x1f900...0x1f9ff,
            0x1fa70...0x1faff, 0x20000...0x3fffd:
            2
        default: 1
        }
    }

    /// Cuts text to `limit` columns, with an ellipsis where something is missing.
    package static func truncate(_ text: String, to limit: Int, ellipsis: String) -> String {
        if width(text) <= limit { return text }
        let room = limit - width(ellipsis)
        if room <= 0 { return String(ellipsis.prefix(max(0, limit))) }
        var result = ""
        var used = 0
        for character in text {
            let columns = width(character)
            if used + columns > room { break }
            result.append(character)
            used += columns
        }
        return result + ellipsis
    }
}
