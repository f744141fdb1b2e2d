/// Where text goes: how wide it is, and whether it shows colours.
package struct Screen: Hashable, Sendable {
    /// What PM2 assumes where there is no terminal.
    package static let unlimited = 300

    package var columns: Int
    package var color: Bool

    package init(columns: Int = unlimited, color: Bool = false) {
        self.columns = columns
        self.color = color
    }

    /// As the library writes them that PM2 uses: each has an end of its own.
    package enum Style: Sendable {
        case bold, inverse, red, green, blue, cyan, gray

        fileprivate var codes: (on: Int, off: Int) {
            switch self {
            case .bold: (1, 22)
            case .inverse: (7, 27)
            case .red: (31, 39)
            case .green: (32, 39)
            case .blue: (34, 39)
            case .cyan: (36, 39)
            case .gray: (90, 39)
            }
        }
    }

    package func paint(_ text: String, _ styles: Style...) -> String {
        guard color, !text.isEmpty else { return text }
        return styles.reversed().reduce(text) { "\u{1b}[\($1.codes.on)m\($0)\u{1b}[\($1.codes.off)m" }
    }
}

/// Text from outside on its way to a terminal: harmless, and of a known width.
enum ShownText {
    /// Makes control characters visible: a name must not be able to move the cursor or recolour the screen.
    static func escape(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x0a: result += "\\n"
            case 0x09: result += "\\t"
            case 0x0d: result += "\\r"
            // Controls, line separators, marks that reverse the direction of writing, the byte order mark.
            case 0..<0x20, 0x7f..<0xa0, 0x200b, 0x200e, 0x200f, 0x2028...0x202e, 0x2060...0x2069, 0xfeff,
                0xe0000...0xe007f:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Columns that a terminal needs.
    static func width(_ text: String) -> Int {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
        return text.reduce(0) { $0 + width($1) }
    }

    /// A character of several scalars (an accent, an emoji with a skin) takes as much as its widest one.
    private static func width(_ character: Character) -> Int {
        character.unicodeScalars.reduce(0) { max($0, width($1)) }
    }

    private static func width(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0..<0x300: 1
        case 0x300...0x36f, 0x1ab0...0x1aff, 0x200c, 0x200d, 0x20d0...0x20ff, 0xfe00...0xfe0f: 0
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
            0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f680...0x1f6ff, 0x1f900...0x1f9ff,
            0x1fa70...0x1faff, 0x20000...0x3fffd:
            2
        default: 1
        }
    }

    /// Cut to `limit` columns, with `…` where something is missing.
    static func truncate(_ text: String, to limit: Int) -> String {
        if width(text) <= limit { return text }
        if limit < 1 { return "" }
        var result = ""
        var used = 0
        for character in text {
            used += width(character)
            if used > limit - 1 { break }
            result.append(character)
        }
        return result + "…"
    }
}
