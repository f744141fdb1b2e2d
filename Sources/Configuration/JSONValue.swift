/// Any JSON value, for files whose keys are checked by hand so that a wrong one can be named.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// What kind of value this is, in words.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer: "a number"
        case .number: "a number with decimals"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// The value as in messages, cut when it is long.
    package var quoted: String {
        let text = compact
        return text.count > 60 ? "'\(text.prefix(57))...'" : "'\(text)'"
    }

    /// The value as a shell variable would hold it: nested values as JSON.
    package var variableText: String {
        switch self {
        case .string(let text): text
        default: compact
        }
    }

    private var compact: String {
        switch self {
        case .null: "null"
        case .bool(let value): String(value)
        case .integer(let value): String(value)
        // JSON has neither infinity nor "not a number".
        case .number(let value) where !value.isFinite: "null"
        // As JavaScript writes it: 1.0 is 1.
        case .number(let value) where value == value.rounded() && abs(value) < 1e15: String(Int64(value))
        case .number(let value): String(value)
        case .string(let value): value
        case .array(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map { "\(JSONValue.string($0.key).text):\($0.value.text)" }
                .joined(separator: ",") + "}"
        }
    }

    /// The value as JSON, keys in order.
    package var text: String {
        guard case .string(let text) = self else { return compact }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case "\r": quoted += "\\r"
            case "\0"..<" ":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

extension JSONValue {
    /// Reads JSON, with the leniency of app files.
    package init(parsing bytes: [UInt8]) throws(ConfigurationError) { self = try JSONParser.parse(bytes) }
}
