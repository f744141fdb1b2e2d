import Glibc

/// Why a document is not JSON, with the place.
package struct JSONFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String
    /// Bytes before the place.
    package var offset: Int
    package var line: Int

    package var description: String { "it is not valid JSON: \(message) (line \(line), byte \(offset))" }
}

/// Reads JSON strictly, as `JSON.parse` does, and keeps the order of keys.
///
/// Works on bytes and searches strings with memchr: a dump of 16 MiB is read in a fraction of a second even without
/// optimisation.
struct JSONReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    private var depth = 0

    /// Deeper nesting is no document of PM2's, and would exhaust the stack.
    private static let deepest = 200

    static func parse(_ bytes: [UInt8]) throws(JSONFailure) -> OrderedJSON {
        let outcome = bytes.withUnsafeBytes { raw -> Result<OrderedJSON, JSONFailure> in
            var reader = JSONReader(raw)
            do throws(JSONFailure) { return .success(try reader.document()) } catch { return .failure(error) }
        }
        return try outcome.get()
    }

    private init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        // Editors leave a byte order mark.
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func failure(_ message: String, at place: Int? = nil) -> JSONFailure {
        let offset = min(place ?? position, bytes.count)
        let line = bytes[..<offset].reduce(1) { $1 == 0x0a ? $0 + 1 : $0 }
        return JSONFailure(message: message, offset: offset, line: line)
    }

    private var found: String {
        guard let current else { return "the end of the file" }
        return (0x21...0x7e).contains(current) ? "'\(Unicode.Scalar(current))'" : "byte \(current)"
    }

    private mutating func skipBlanks() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0a, 0x0d, 0x09: position += 1
            default: return
            }
        }
    }

    // MARK: - Values

    private mutating func document() throws(JSONFailure) -> OrderedJSON {
        let value = try value()
        skipBlanks()
        guard current == nil else { throw failure("\(found) after the value") }
        return value
    }

    private mutating func value() throws(JSONFailure) -> OrderedJSON {
        skipBlanks()
        guard let current else { throw failure("a value is expected, \(found) was found") }
        switch current {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw failure("a value is expected, \(found) was found")
        }
    }

    private mutating func word(_ word: StaticString, _ value: OrderedJSON) throws(JSONFailure) -> OrderedJSON {
        let text = word.description.utf8
        guard bytes[position...].starts(with: text) else { throw failure("a value is expected, \(found) was found") }
        position += text.count
        return value
    }

    private mutating func enter() throws(JSONFailure) {
        depth += 1
        guard depth <= Self.deepest else { throw failure("it is nested too deeply") }
        position += 1
    }

    private mutating func array() throws(JSONFailure) -> OrderedJSON {
        try enter()
        var values: [OrderedJSON] = []
        skipBlanks()
        if current == UInt8(ascii: "]") {
            position += 1
        } else {
            repeat { values.append(try value()) } while try another(before: UInt8(ascii: "]"))
        }
        depth -= 1
        return .array(values)
    }

    private mutating func object() throws(JSONFailure) -> OrderedJSON {
        try enter()
        var members: [OrderedObject.Member] = []
        skipBlanks()
        if current == UInt8(ascii: "}") {
            position += 1
        } else {
            repeat {
                skipBlanks()
                guard current == UInt8(ascii: "\"") else { throw failure("a key is expected, \(found) was found") }
                let key = try string()
                skipBlanks()
                guard current == UInt8(ascii: ":") else { throw failure("':' is expected, \(found) was found") }
                position += 1
                members.append(OrderedObject.Member(key, try value()))
            } while try another(before: UInt8(ascii: "}"))
        }
        depth -= 1
        return .object(OrderedObject(members))
    }

    /// Passes a comma, or the closing bracket: then there is no other.
    private mutating func another(before closing: UInt8) throws(JSONFailure) -> Bool {
        skipBlanks()
        guard let byte = current, byte == closing || byte == UInt8(ascii: ",") else {
            throw failure("',' or '\(Unicode.Scalar(closing))' is expected, \(found) was found")
        }
        position += 1
        return byte != closing
    }

    private mutating func number() throws(JSONFailure) -> OrderedJSON {
        let start = position
        func digit(_ byte: UInt8?) -> Bool { byte.map { (0x30...0x39).contains($0) } ?? false }
        if current == UInt8(ascii: "-") { position += 1 }
        guard digit(current) else { throw failure("a digit is expected, \(found) was found") }
        if current == UInt8(ascii: "0") { position += 1 } else { while digit(current) { position += 1 } }
        var isWhole = true
        if current == UInt8(ascii: ".") {
            isWhole = false
            position += 1
            guard digit(current) else { throw failure("a digit is expected, \(found) was found") }
            while digit(current) { position += 1 }
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            isWhole = false
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            guard digit(current) else { throw failure("a digit is expected, \(found) was found") }
            while digit(current) { position += 1 }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, text != "-0", let number = Int64(text) { return .integer(number) }
        guard let number = Double(text) else { throw failure("'\(text)' is not a number", at: start) }
        return .number(number)
    }

    // MARK: - Strings

    private mutating func string() throws(JSONFailure) -> String {
        let start = position + 1
        let end = try end(ofStringAt: start)
        let part = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
        try refuseControls(in: part, at: start)
        position = end + 1
        guard Self.index(of: 0x5c, in: part) != nil else {
            guard let text = String(validating: part, as: UTF8.self) else {
                throw failure("a string is not UTF-8", at: start)
            }
            return text
        }
        return try unescaped(part, at: start)
    }

    /// The next place of a byte, from `start` to the end.
    private static func index(of byte: UInt8, in part: UnsafeRawBufferPointer, from start: Int = 0) -> Int? {
        guard let base = part.baseAddress, start < part.count,
            let hit = memchr(base + start, Int32(byte), part.count - start)
        else { return nil }
        return UnsafeRawPointer(hit) - base
    }

    /// The place of the closing quote.
    private func end(ofStringAt start: Int) throws(JSONFailure) -> Int {
        var place = start
        while let quote = Self.index(of: 0x22, in: bytes, from: place) {
            var backslashes = 0
            while quote - backslashes > start, bytes[quote - backslashes - 1] == 0x5c { backslashes += 1 }
            if backslashes % 2 == 0 { return quote }
            place = quote + 1
        }
        throw failure("a string is never closed", at: start - 1)
    }

    /// Bytes below a blank do not stand in JSON unescaped. Looked for in steps of eight.
    private func refuseControls(in part: UnsafeRawBufferPointer, at start: Int) throws(JSONFailure) {
        var index = 0
        while part.count - index >= 8 {
            let word = part.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            // The classical test for a byte less than 0x20 in a word.
            if (word &- 0x2020_2020_2020_2020) & ~word & 0x8080_8080_8080_8080 != 0 { break }
            index += 8
        }
        while index < part.count {
            if part[index] < 0x20 { throw failure("a control character in a string", at: start + index) }
            index += 1
        }
    }

    private func unescaped(_ part: UnsafeRawBufferPointer, at start: Int) throws(JSONFailure) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(part.count)
        var index = 0
        while index < part.count {
            let backslash = Self.index(of: 0x5c, in: part, from: index) ?? part.count
            result.append(contentsOf: UnsafeRawBufferPointer(rebasing: part[index..<backslash]))
            if backslash == part.count { break }
            index = backslash + 1
            // A backslash is never the last byte: the quote after it would not have closed the string.
            guard index < part.count else { throw failure("a string is never closed", at: start) }
            let escape = part[index]
            index += 1
            switch escape {
            case 0x22, 0x5c, 0x2f: result.append(escape)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0c)
            case UInt8(ascii: "n"): result.append(0x0a)
            case UInt8(ascii: "r"): result.append(0x0d)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "u"):
                guard let unit = Self.unit(part, at: index) else {
                    throw failure("four hexadecimal digits are expected after \\u", at: start + index)
                }
                index += 4
                result.append(contentsOf: String(scalar(unit, in: part, after: &index)).utf8)
            default: throw failure("'\\\(Unicode.Scalar(escape))' is no escape", at: start + index - 1)
            }
        }
        guard let text = String(validating: result, as: UTF8.self) else {
            throw failure("a string is not UTF-8", at: start)
        }
        return text
    }

    /// JavaScript's strings may hold half a pair; ours cannot: it becomes the replacement character.
    private func scalar(_ unit: UInt32, in part: UnsafeRawBufferPointer, after index: inout Int) -> Unicode.Scalar {
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard unit < 0xdc00, index + 6 <= part.count, part[index] == 0x5c, part[index + 1] == UInt8(ascii: "u"),
            let low = Self.unit(part, at: index + 2), (0xdc00..<0xe000).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00))
        else { return "\u{fffd}" }
        index += 6
        return scalar
    }

    private static func unit(_ part: UnsafeRawBufferPointer, at index: Int) -> UInt32? {
        guard index + 4 <= part.count else { return nil }
        var value: UInt32 = 0
        for byte in part[index..<index + 4] {
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
            case 0x41...0x46: value = value << 4 | UInt32(byte - 0x37)
            case 0x61...0x66: value = value << 4 | UInt32(byte - 0x57)
            default: return nil
            }
        }
        return value
    }
}

extension OrderedJSON {
    /// Reads a document strictly.
    package static func parse(_ bytes: [UInt8]) throws(JSONFailure) -> OrderedJSON { try JSONReader.parse(bytes) }
}
