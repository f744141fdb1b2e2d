import Foundation
import Testing

/// JSON as a test reads it: a member that is not there is null, and so is a value of another kind.
struct JSON: Equatable, CustomStringConvertible {
    private enum Kind: Equatable {
        case null
        case bool(Bool)
        case number(Double)
        case string(String)
        case array([JSON])
        case object([String: JSON])
    }

    private let kind: Kind

    init(_ text: String) throws {
        kind = try JSONDecoder().decode(Node.self, from: Data(text.utf8)).json.kind
    }

    /// One value a line.
    static func lines(_ text: String) throws -> [JSON] { try text.split(separator: "\n").map { try JSON(String($0)) } }

    private init(_ kind: Kind) { self.kind = kind }

    subscript(_ key: String) -> JSON {
        if case .object(let members) = kind, let member = members[key] { return member }
        return JSON(.null)
    }

    subscript(_ index: Int) -> JSON {
        if case .array(let items) = kind, items.indices.contains(index) { return items[index] }
        return JSON(.null)
    }

    var array: [JSON] { if case .array(let items) = kind { items } else { [] } }
    var keys: Set<String> { if case .object(let members) = kind { Set(members.keys) } else { [] } }
    var string: String? { if case .string(let text) = kind { text } else { nil } }
    var int: Int? { if case .number(let number) = kind { Int(exactly: number) } else { nil } }
    var bool: Bool? { if case .bool(let flag) = kind { flag } else { nil } }
    var isNull: Bool { kind == .null }
    var isArray: Bool { if case .array = kind { true } else { false } }
    func has(_ key: String) -> Bool { keys.contains(key) }

    /// Every key of every object in it.
    var allKeys: Set<String> {
        switch kind {
        case .array(let items): items.reduce(into: []) { $0.formUnion($1.allKeys) }
        case .object(let members): members.values.reduce(into: Set(members.keys)) { $0.formUnion($1.allKeys) }
        default: []
        }
    }

    var description: String { "\(kind)" }

    private struct Node: Decodable {
        let json: JSON

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if value.decodeNil() {
                json = JSON(.null)
            } else if let flag = try? value.decode(Bool.self) {
                json = JSON(.bool(flag))
            } else if let number = try? value.decode(Double.self) {
                json = JSON(.number(number))
            } else if let text = try? value.decode(String.self) {
                json = JSON(.string(text))
            } else if let items = try? value.decode([Node].self) {
                json = JSON(.array(items.map(\.json)))
            } else {
                json = JSON(.object(try value.decode([String: Node].self).mapValues(\.json)))
            }
        }
    }
}
