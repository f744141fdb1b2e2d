import Configuration
import Yams

/// Reads YAML 1.2 with the core schema and merge keys, as js-yaml does: `on`, `yes` and dates are texts.
struct YAMLReader {
    /// A few lines of aliases can stand for billions of values.
    private static let mostValues = 200_000
    private static let deepest = 90

    private var count = 0

    static func value(of text: String) throws -> JSONValue {
        do {
            guard let node = try Parser(yaml: text, resolver: .basic).singleRoot() else { return .null }
            var reader = YAMLReader()
            return try reader.value(of: node, depth: 0)
        } catch let error as YamlError {
            throw Refusal(describe(error))
        }
    }

    private mutating func value(of node: Node, depth: Int) throws -> JSONValue {
        count += 1
        guard count <= Self.mostValues else {
            throw Refusal("it comes to more than \(Self.mostValues) values, with what its aliases stand for")
        }
        guard depth <= Self.deepest else { throw Refusal("too deeply nested\(Self.place(node.mark))") }
        switch node {
        case .scalar(let scalar): return Self.value(of: scalar)
        case .sequence(let sequence): return .array(try sequence.map { try value(of: $0, depth: depth + 1) })
        case .mapping(let mapping): return .object(try members(of: mapping, depth: depth))
        case .alias: throw Refusal("an alias without its anchor\(Self.place(node.mark))")
        }
    }

    private mutating func members(of mapping: Node.Mapping, depth: Int) throws -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        var merged: [JSONValue] = []
        for (key, node) in mapping {
            guard case .scalar(let scalar) = key else {
                throw Refusal("a key that is no text\(Self.place(key.mark))")
            }
            let value = try value(of: node, depth: depth + 1)
            if scalar.string == "<<", scalar.style == .plain {
                if case .array(let values) = value { merged += values } else { merged.append(value) }
            } else {
                members[scalar.string] = value
            }
        }
        for value in merged {
            guard case .object(let others) = value else {
                throw Refusal("'<<' merges a mapping, not \(value.kind)\(Self.place(mapping.mark))")
            }
            members.merge(others) { own, _ in own }
        }
        return members
    }

    private static func value(of scalar: Node.Scalar) -> JSONValue {
        let text = scalar.string
        guard scalar.style == .plain, scalar.tag.description != "tag:yaml.org,2002:str" else { return .string(text) }
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: return number(text) ?? .string(text)
        }
    }

    private static func number(_ text: String) -> JSONValue? {
        let digits = text.drop { $0 == "-" || $0 == "+" }
        guard text.count - digits.count <= 1, let first = digits.first else { return nil }
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where digits.hasPrefix(prefix) {
            let rest = digits.dropFirst(2)
            guard rest.allSatisfy(\.isHexDigit) else { return nil }
            return Int64(rest, radix: radix).map { .integer(text.hasPrefix("-") ? -$0 : $0) }
        }
        guard first == "." || (first.isASCII && first.isNumber) else { return nil }
        if let integer = Int64(text) { return .integer(integer) }
        // Not what Swift would read beyond the core schema: hexadecimal fractions.
        guard digits.allSatisfy({ $0.isASCII && ($0.isNumber || "eE.+-".contains($0)) }), let number = Double(text),
            number.isFinite
        else { return nil }
        return .number(number)
    }

    // MARK: - Errors

    private static func place(_ mark: Mark?) -> String {
        guard let mark else { return "" }
        return " at line \(mark.line), column \(mark.column)"
    }

    private static func describe(_ error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _):
            return problem + place(mark)
        case .composer(_, let problem, let mark, _):
            let hint = problem.contains("undefined alias") ? ": no anchor of that name is complete before it" : ""
            return problem + place(mark) + hint
        case .duplicatedKeysInMapping(let duplicates, let context):
            return "the key '\(duplicates.first ?? "")' stands twice in one mapping" + place(context.mark)
        case .reader(let problem, let offset, _, let yaml):
            guard let offset else { return problem }
            let before = yaml.prefix(offset)
            let line = before.count { $0.isNewline } + 1
            let column = before.reversed().prefix { !$0.isNewline }.count + 1
            return "\(problem) at line \(line), column \(column)"
        default: return "\(error)"
        }
    }
}
