/// A JSON value whose objects keep the order of their keys, as JavaScript's do.
package enum OrderedJSON: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([OrderedJSON])
    case object(OrderedObject)

    package static func strings(_ texts: [String]) -> OrderedJSON { .array(texts.map { .string($0) }) }
    package static var emptyObject: OrderedJSON { .object(OrderedObject()) }

    package var object: OrderedObject? {
        if case .object(let object) = self { return object }
        return nil
    }

    package var text: String? {
        if case .string(let text) = self { return text }
        return nil
    }

    /// What kind of value this is, in words.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// The value as in messages, cut when it is long.
    var quoted: String {
        // Cut before it is written: a value of 16 MiB is not worth it.
        if case .string(let text) = self {
            return text.utf8.count > 60 ? "'\(text.prefix(57))…'" : "'\(text)'"
        }
        let text = compactText
        return text.utf8.count > 60 ? "'\(text.prefix(57))…'" : "'\(text)'"
    }

    /// What a string, number or boolean is as the value of a variable; nil for everything else.
    package var scalarText: String? {
        switch self {
        case .string(let text): text
        case .integer, .number, .bool: compactText
        case .null, .array, .object: nil
        }
    }
}

/// The members of a JSON object, in their order.
package struct OrderedObject: Hashable, Sendable {
    package struct Member: Hashable, Sendable {
        package var key: String
        package var value: OrderedJSON

        package init(_ key: String, _ value: OrderedJSON) {
            self.key = key
            self.value = value
        }
    }

    package var members: [Member]

    package init(_ members: [Member] = []) { self.members = members }

    package init(_ pairs: KeyValuePairs<String, OrderedJSON>) {
        members = pairs.map { Member($0.key, $0.value) }
    }

    package var isEmpty: Bool { members.isEmpty }
    package var keys: [String] { members.map(\.key) }

    /// The value of a key: of the last member that has it, as JavaScript reads it. Setting one that exists keeps its
    /// place; setting nil removes it.
    package subscript(key: String) -> OrderedJSON? {
        get { members.last { $0.key == key }?.value }
        set {
            guard let newValue else {
                members.removeAll { $0.key == key }
                return
            }
            if let index = members.lastIndex(where: { $0.key == key }) {
                members[index].value = newValue
            } else {
                members.append(Member(key, newValue))
            }
        }
    }

    /// All members by key; the last one of a key counts.
    package var dictionary: [String: OrderedJSON] {
        var result: [String: OrderedJSON] = [:]
        result.reserveCapacity(members.count)
        for member in members { result[member.key] = member.value }
        return result
    }
}
