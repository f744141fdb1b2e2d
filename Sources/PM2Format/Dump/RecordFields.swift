import Glibc
import Model

/// Reads the keys of one record, whatever version of PM2 wrote them, and notes what cannot be used.
struct RecordFields {
    /// The record cannot be used at all; the problem is noted.
    struct Unusable: Error {}

    let index: Int
    let members: [String: OrderedJSON]
    /// The variables in `env`.
    private(set) var variables: [String: OrderedJSON] = [:]
    private(set) var problems: [DumpProblem] = []
    var name: String?

    /// MAX_ARG_STRLEN of Linux: one argument or one `NAME=value`, with its NUL.
    static let longestText = 131_072

    init(_ object: OrderedObject, index: Int) {
        self.index = index
        members = object.dictionary
        switch members["env"] {
        case .object(let object): variables = object.dictionary
        case nil, .null: break
        case .some(let other): note("env", "expected an object, found \(other.kind) \(other.quoted)")
        }
    }

    // MARK: - Problems

    mutating func note(_ key: String?, _ message: String) {
        problems.append(DumpProblem(index: index, name: name, key: key, message: message, skipsRecord: false))
    }

    mutating func refuse(_ key: String?, _ message: String) -> Unusable {
        problems.append(DumpProblem(index: index, name: name, key: key, message: message, skipsRecord: true))
        return Unusable()
    }

    // MARK: - Values

    /// The value of a setting; nil where it is null, or a variable of the same name stands in its place.
    func value(_ key: String) -> OrderedJSON? {
        guard let value = members[key], value != .null else { return nil }
        if case .string(let text) = value, variables[key]?.scalarText == text { return nil }
        return value
    }

    mutating func flag(_ key: String) -> Bool? {
        guard let value = value(key) else { return nil }
        switch value {
        case .bool(let flag): return flag
        case .string("true"), .integer(1): return true
        case .string("false"), .integer(0): return false
        default:
            note(key, "expected true or false, found \(value.kind) \(value.quoted)")
            return nil
        }
    }

    mutating func number(_ key: String, in range: ClosedRange<Int64>) -> Int64? {
        guard let value = value(key) else { return nil }
        guard let number = Self.integer(value), range.contains(number) else {
            note(
                key,
                "expected a number from \(range.lowerBound) to \(range.upperBound), found \(value.kind) \(value.quoted)"
            )
            return nil
        }
        return number
    }

    static func integer(_ value: OrderedJSON) -> Int64? {
        switch value {
        case .integer(let number): number
        case .number(let number): Int64(exactly: number.rounded(.towardZero))
        case .string(let text): Int64(text)
        default: nil
        }
    }

    /// Milliseconds, at most 30 days: more is a mistake, and far from every overflow.
    mutating func time(_ key: String) -> Milliseconds? {
        number(key, in: 0...2_592_000_000).map { Milliseconds($0) }
    }

    /// A text that a program can be given.
    mutating func text(_ key: String) throws(Unusable) -> String? {
        guard let value = value(key) else { return nil }
        switch value {
        case .string(let text): return try checked(text, key)
        case .integer, .number: return value.scalarText
        default:
            note(key, "expected a string, found \(value.kind) \(value.quoted)")
            return nil
        }
    }

    mutating func checked(_ text: String, _ key: String) throws(Unusable) -> String {
        if text.holdsNUL {
            throw refuse(key, "\(OrderedJSON.string(text).quoted) holds a NUL byte, which no program can be given")
        }
        if text.utf8.count >= Self.longestText {
            throw refuse(
                key, "\(OrderedJSON.string(text).quoted) has \(text.utf8.count) bytes, more than Linux lets pass")
        }
        return text
    }

    /// An array of words, or a string of them.
    mutating func words(_ key: String, split: (String) -> [String]) throws(Unusable) -> [String]? {
        guard let value = value(key) else { return nil }
        switch value {
        case .string(let text): return split(try checked(text, key))
        case .array(let values):
            var words: [String] = []
            for value in values {
                guard let word = value.scalarText else {
                    throw refuse(key, "expected strings, found \(value.kind) \(value.quoted)")
                }
                words.append(try checked(word, key))
            }
            return words
        default: throw refuse(key, "expected a string or an array of strings, found \(value.kind) \(value.quoted)")
        }
    }
}

extension String {
    /// No program can be given a text with one.
    var holdsNUL: Bool {
        var text = self
        return text.withUTF8 { raw in raw.baseAddress.map { memchr($0, 0, raw.count) != nil } ?? false }
    }
}
