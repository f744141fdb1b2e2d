// Written as JavaScript writes it: JSON.stringify(value), and JSON.stringify(value, null, indent).

extension OrderedJSON {
    /// One line, no blanks.
    package func write(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let flag): bytes.append(contentsOf: (flag ? "true" : "false").utf8)
        case .integer(let number): Self.write(number, to: &bytes)
        case .number(let number): bytes.append(contentsOf: ScriptNumber.json(number).utf8)
        case .string(let text): Self.write(text, to: &bytes)
        case .array(let values):
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let object):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.write(member.key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// One value a line.
    ///
    /// - Parameter indent: blanks for each level.
    package func write(to bytes: inout [UInt8], indent: Int, level: Int = 0) {
        switch self {
        case .array(let values) where !values.isEmpty:
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                Self.newLine(first: index == 0, width: indent * (level + 1), to: &bytes)
                value.write(to: &bytes, indent: indent, level: level + 1)
            }
            Self.newLine(first: true, width: indent * level, to: &bytes)
            bytes.append(UInt8(ascii: "]"))
        case .object(let object) where !object.isEmpty:
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                Self.newLine(first: index == 0, width: indent * (level + 1), to: &bytes)
                Self.write(member.key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                bytes.append(UInt8(ascii: " "))
                member.value.write(to: &bytes, indent: indent, level: level + 1)
            }
            Self.newLine(first: true, width: indent * level, to: &bytes)
            bytes.append(UInt8(ascii: "}"))
        default: write(to: &bytes)
        }
    }

    package var compactText: String {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func newLine(first: Bool, width: Int, to bytes: inout [UInt8]) {
        if !first { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: width))
    }

    private static func write(_ number: Int64, to bytes: inout [UInt8]) {
        if (0...9).contains(number) {
            bytes.append(UInt8(ascii: "0") + UInt8(number))
        } else {
            bytes.append(contentsOf: String(number).utf8)
        }
    }

    static func write(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { raw in
            // Nearly every text needs no escape: it is copied whole.
            if !raw.contains(where: needsEscape) {
                bytes.append(contentsOf: raw)
                return
            }
            for byte in raw {
                if needsEscape(byte) { escape(byte, to: &bytes) } else { bytes.append(byte) }
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func needsEscape(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x22 || byte == 0x5c }

    private static func escape(_ byte: UInt8, to bytes: inout [UInt8]) {
        let short: UInt8
        switch byte {
        case 0x22, 0x5c: short = byte
        case 0x08: short = UInt8(ascii: "b")
        case 0x09: short = UInt8(ascii: "t")
        case 0x0a: short = UInt8(ascii: "n")
        case 0x0c: short = UInt8(ascii: "f")
        case 0x0d: short = UInt8(ascii: "r")
        default:
            bytes.append(contentsOf: "\\u00".utf8)
            bytes.append(contentsOf: byte < 0x10 ? "0".utf8 : "".utf8)
            bytes.append(contentsOf: String(byte, radix: 16).utf8)
            return
        }
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(short)
    }
}
