import DisplayText

/// `util.inspect(value, {depth: null})` of Node, for values that JSON can hold: what `prettylist` prints.
///
/// Follows Node's own procedure step by step, because its line breaks depend on what was formatted before: whether an
/// object may stand on one line is decided by how deep the last object within it was.
package struct Inspection {
    /// Longest line that is made by joining entries.
    private static let breakLength = 80
    /// So many innermost levels may be joined on one line.
    private static let compact = 3
    private static let longestArray = 100
    private static let longestString = 10_000
    /// A string shorter than this is never split at its newlines.
    private static let shortestSplit = 16

    private var indentation = 0
    /// Depth of the object that was entered last.
    private var currentDepth = 0

    package static func text(_ value: OrderedJSON) -> String {
        var inspection = Inspection()
        return inspection.format(value, depth: 0)
    }

    /// Text with its length as JavaScript counts it.
    private struct Entry {
        var text: String
        var length: Int

        init(_ text: String) {
            self.text = text
            length = text.utf16.count
        }
    }

    // MARK: - Values

    private mutating func format(_ value: OrderedJSON, depth: Int) -> String {
        switch value {
        case .null: return "null"
        case .bool(let flag): return String(flag)
        case .integer(let number): return String(number)
        case .number(let number): return number == 0 && number.sign == .minus ? "-0" : ScriptNumber.text(number)
        case .string(let text): return string(text)
        case .array(let values): return array(values, depth: depth)
        case .object(let object): return self.object(object, depth: depth)
        }
    }

    private mutating func array(_ values: [OrderedJSON], depth: Int) -> String {
        if values.isEmpty { return "[]" }
        let depth = depth + 1
        currentDepth = depth
        var output: [Entry] = []
        for value in values.prefix(Self.longestArray) {
            indentation += 2
            output.append(Entry(format(value, depth: depth)))
            indentation -= 2
        }
        let rest = values.count - output.count
        if rest > 0 { output.append(Entry("... \(rest) more item\(rest > 1 ? "s" : "")")) }
        let count = output.count
        if count > 6 {
            let allNumbers = values.prefix(count).allSatisfy(\.isNumber)
            output = grouped(output, hasRest: rest > 0, padsStart: allNumbers)
        }
        return joined(output, "[", "]", depth: depth, mayBeOneLine: count == output.count)
    }

    private mutating func object(_ object: OrderedObject, depth: Int) -> String {
        if object.isEmpty { return "{}" }
        let depth = depth + 1
        currentDepth = depth
        var output: [Entry] = []
        for member in Self.scriptOrder(object.members) {
            indentation += 2
            let value = format(member.value, depth: depth)
            indentation -= 2
            output.append(Entry("\(Self.key(member.key)): \(value)"))
        }
        return joined(output, "{", "}", depth: depth, mayBeOneLine: true)
    }

    /// JavaScript has keys that are indices first, in their order, and each key once.
    private static func scriptOrder(_ members: [OrderedObject.Member]) -> [OrderedObject.Member] {
        var places: [String: Int] = [:]
        var unique: [OrderedObject.Member] = []
        for member in members {
            if let place = places[member.key] {
                unique[place].value = member.value
            } else {
                places[member.key] = unique.count
                unique.append(member)
            }
        }
        func index(_ key: String) -> UInt32? {
            guard let number = UInt32(key), number < UInt32.max, String(number) == key else { return nil }
            return number
        }
        let indices = unique.filter { index($0.key) != nil }.sorted { index($0.key) ?? 0 < index($1.key) ?? 0 }
        return indices.isEmpty ? unique : indices + unique.filter { index($0.key) == nil }
    }

    private static func key(_ key: String) -> String {
        if key == "__proto__" { return "['__proto__']" }
        guard let first = key.utf8.first, !(0x30...0x39).contains(first), key.utf8.allSatisfy(isIdentifier) else {
            return quoted(key)
        }
        return key
    }

    private static func isIdentifier(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x30...0x39,
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    // MARK: - Lines

    private func joined(
        _ output: [Entry], _ open: String, _ close: String, depth: Int, mayBeOneLine: Bool
    ) -> String {
        // Node's constant: room for what stands around the braces.
        let start = output.count + indentation + open.count + 10
        if mayBeOneLine, currentDepth - depth < Self.compact, fits(output, start: start),
            !output.contains(where: { $0.text.utf8.contains(UInt8(ascii: "\n")) })
        {
            return "\(open) \(output.map(\.text).joined(separator: ", ")) \(close)"
        }
        let line = "\n" + String(repeating: " ", count: indentation)
        return "\(open)\(line)  \(output.map(\.text).joined(separator: ",\(line)  "))\(line)\(close)"
    }

    private func fits(_ output: [Entry], start: Int) -> Bool {
        var total = output.count + start
        if total + output.count > Self.breakLength { return false }
        for entry in output {
            total += entry.length
            if total > Self.breakLength { return false }
        }
        return true
    }

    /// Entries of a long array in columns, where at least three of them stand beside each other.
    private func grouped(_ output: [Entry], hasRest: Bool, padsStart: Bool) -> [Entry] {
        let entries = hasRest ? output.dropLast() : output[...]
        let separator = 2
        // Columns are measured as a terminal shows them, lines as JavaScript counts.
        let lengths = entries.map { DisplayText.width($0.text) }
        let longest = lengths.reduce(0, max)
        let total = lengths.reduce(0) { $0 + $1 + separator }
        let widest = longest + separator
        guard widest * 3 + indentation < Self.breakLength,
            Double(total) / Double(widest) > 5 || longest <= 6
        else { return output }
        // A character is about two and a half times as high as wide: the block becomes a square.
        let bias = (Double(widest) - Double(total) / Double(output.count)).squareRoot()
        let biased = max(Double(widest) - 3 - bias, 1)
        let square = ((2.5 * biased * Double(entries.count)).squareRoot() / biased + 0.5).rounded(.down)
        let columns = min(Int(square), (Self.breakLength - indentation) / widest, Self.compact * 4, 15)
        if columns <= 1 { return output }
        let widths = (0..<columns).map { column in
            stride(from: column, to: entries.count, by: columns).reduce(0) { max($0, lengths[$1]) } + separator
        }
        var lines: [Entry] = []
        for first in stride(from: 0, to: entries.count, by: columns) {
            let last = min(first + columns, entries.count) - 1
            var line = ""
            for place in first...last {
                let entry = entries[place]
                let isLast = place == last
                let padding = String(
                    repeating: " ", count: max(0, widths[place - first] - separator - lengths[place]))
                let text = isLast ? entry.text : entry.text + ", "
                line += padsStart ? padding + text : isLast ? text : text + padding
            }
            lines.append(Entry(line))
        }
        return hasRest ? lines + output.suffix(1) : lines
    }

    // MARK: - Strings

    private func string(_ text: String) -> String {
        if text.utf8.count <= Self.longestString, Self.isPlain(text) { return "'\(text)'" }
        var units = Array(text.utf16)
        var trailer = ""
        if units.count > Self.longestString {
            let rest = units.count - Self.longestString
            units.removeLast(rest)
            trailer = "... \(rest) more character\(rest > 1 ? "s" : "")"
        }
        guard units.count > Self.shortestSplit, units.count > Self.breakLength - indentation - 4 else {
            return Self.quoted(units) + trailer
        }
        var parts: [String] = []
        var start = 0
        for (place, unit) in units.enumerated() where unit == 0x0a && place + 1 < units.count {
            parts.append(Self.quoted(Array(units[start...place])))
            start = place + 1
        }
        parts.append(Self.quoted(Array(units[start...])))
        return parts.joined(separator: " +\n" + String(repeating: " ", count: indentation + 2)) + trailer
    }

    private static func quoted(_ text: String) -> String {
        isPlain(text) ? "'\(text)'" : quoted(Array(text.utf16))
    }

    /// Nothing in it has to be escaped.
    private static func isPlain(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { raw in
            raw.allSatisfy { $0 >= 0x20 && $0 != 0x27 && $0 != 0x5c && $0 < 0x7f }
        }
    }

    private static func quoted(_ units: [UInt16]) -> String {
        let quote = quote(for: units)
        var text = String(quote)
        for (place, unit) in units.enumerated() {
            switch unit {
            case 0x27: text += quote == "'" ? "\\'" : "'"
            case 0x5c: text += "\\\\"
            case 0x08: text += "\\b"
            case 0x09: text += "\\t"
            case 0x0a: text += "\\n"
            case 0x0c: text += "\\f"
            case 0x0d: text += "\\r"
            case 0..<0x20, 0x7f..<0xa0:
                let digits = String(unit, radix: 16, uppercase: true)
                text += "\\x" + (digits.count < 2 ? "0" : "") + digits
            case 0xd800..<0xdc00:
                // The cut of a long string may part a pair.
                if place + 1 < units.count, UTF16.isTrailSurrogate(units[place + 1]) {
                    text += String(decoding: units[place...place + 1], as: UTF16.self)
                } else {
                    text += "\\u" + String(unit, radix: 16)
                }
            case 0xdc00..<0xe000: break
            default: text.unicodeScalars.append(Unicode.Scalar(unit) ?? "\u{fffd}")
            }
        }
        text.append(quote)
        return text
    }

    /// Single quotes, unless they would have to be escaped and others would not.
    private static func quote(for units: [UInt16]) -> Character {
        guard units.contains(0x27) else { return "'" }
        if !units.contains(0x22) { return "\"" }
        let hasDollar = zip(units, units.dropFirst()).contains { $0 == 0x24 && $1 == 0x7b }
        return units.contains(0x60) || hasDollar ? "'" : "`"
    }
}

extension OrderedJSON {
    fileprivate var isNumber: Bool {
        switch self {
        case .integer, .number: true
        default: false
        }
    }
}

extension ProcessListing {
    /// `prettylist`: no newline at its end.
    package var prettylist: String { Inspection.text(json) }
}
