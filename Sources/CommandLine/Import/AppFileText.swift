import PM2Format

/// Writes a configuration whose keys have an order, in the three formats that app files have besides JavaScript.
///
/// Written by hand: the libraries that read YAML and TOML sort the keys, and a file that a person is to go on with begins
/// with the name of the app.
enum AppFileText {
    enum Format: String, CaseIterable {
        case yaml
        case toml
        case json

        func text(of value: OrderedJSON) throws(Failure) -> String {
            switch self {
            case .json:
                var bytes: [UInt8] = []
                value.write(to: &bytes, indent: 2)
                return String(decoding: bytes, as: UTF8.self) + "\n"
            case .yaml: return YAMLText.document(value)
            case .toml: return try TOMLText.document(value)
            }
        }
    }

    /// In double quotes, as YAML, TOML and JSON all read it.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case "\r": quoted += "\\r"
            // Control characters, and line ends that only some take for such.
            case "\0"..<" ", "\u{7f}"..."\u{9f}", "\u{2028}", "\u{2029}", "\u{feff}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// Of letters, digits, `_` and `-`.
    static func isBareWord(_ text: String) -> Bool {
        !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
    }

    static func isEmpty(_ value: OrderedJSON) -> Bool {
        switch value {
        case .array(let values): values.isEmpty
        case .object(let object): object.isEmpty
        default: false
        }
    }
}

/// YAML that 1.1 and 1.2 read alike: every text that could be taken for something else is quoted.
private enum YAMLText {
    static func document(_ value: OrderedJSON) -> String {
        var text = ""
        write(value, indent: 0, to: &text)
        return text
    }

    /// A value in lines of its own.
    private static func write(_ value: OrderedJSON, indent: Int, to text: inout String) {
        let margin = String(repeating: " ", count: indent)
        switch value {
        case .object(let object) where !object.isEmpty:
            for member in object.members {
                text += margin + scalar(member.key) + ":"
                writeMember(member.value, indent: indent, to: &text)
            }
        case .array(let values) where !values.isEmpty:
            for value in values {
                text += margin + "-"
                writeItem(value, indent: indent, to: &text)
            }
        default: text += margin + flow(value) + "\n"
        }
    }

    private static func writeMember(_ value: OrderedJSON, indent: Int, to text: inout String) {
        guard isBlock(value) else {
            text += " " + flow(value) + "\n"
            return
        }
        text += "\n"
        write(value, indent: indent + 2, to: &text)
    }

    /// The first member of an object stands beside the dash.
    private static func writeItem(_ value: OrderedJSON, indent: Int, to text: inout String) {
        guard isBlock(value) else {
            text += " " + flow(value) + "\n"
            return
        }
        var block = ""
        write(value, indent: indent + 2, to: &block)
        text += " " + block.dropFirst(indent + 2)
    }

    private static func isBlock(_ value: OrderedJSON) -> Bool {
        switch value {
        case .object(let object): !object.isEmpty
        // Words of a command are easier to read in a row.
        case .array(let values): !values.isEmpty && !values.allSatisfy { $0.scalarText != nil }
        default: false
        }
    }

    private static func flow(_ value: OrderedJSON) -> String {
        switch value {
        case .string(let text): scalar(text)
        case .array(let values): "[" + values.map(flow).joined(separator: ", ") + "]"
        case .object(let object):
            "{" + object.members.map { scalar($0.key) + ": " + flow($0.value) }.joined(separator: ", ") + "}"
        default: value.compactText
        }
    }

    private static func scalar(_ text: String) -> String {
        let isPlain =
            text.first?.isLetter == true || (text.first == "/" && text.count > 1) || text.hasPrefix("./")
        let isSafe = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_./-".contains($0)) }
        return isPlain && isSafe && !ambiguous.contains(text.lowercased()) ? text : AppFileText.quoted(text)
    }

    private static let ambiguous: Set<String> = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
}

/// TOML 1.0.
private enum TOMLText {
    static func document(_ value: OrderedJSON) throws(Failure) -> String {
        guard case .object(let object) = value else {
            throw Failure(.failed, "TOML holds an object at the top: put the apps under 'apps'")
        }
        var text = ""
        try write(object, path: [], to: &text)
        return text
    }

    private static func write(_ object: OrderedObject, path: [String], to text: inout String) throws(Failure) {
        // Values first: what follows the head of a table belongs to that.
        for member in object.members where member.value != .null && !isTable(member.value) {
            text += "\(key(member.key)) = \(try inline(member.value))\n"
        }
        for member in object.members {
            let path = path + [key(member.key)]
            let head = path.joined(separator: ".")
            switch member.value {
            case .object(let inner) where isTable(member.value):
                text += (text.isEmpty ? "" : "\n") + "[\(head)]\n"
                try write(inner, path: path, to: &text)
            case .array(let values) where isTable(member.value):
                for value in values {
                    guard case .object(let inner) = value else { continue }
                    text += (text.isEmpty ? "" : "\n") + "[[\(head)]]\n"
                    try write(inner, path: path, to: &text)
                }
            default: continue
            }
        }
    }

    private static func isTable(_ value: OrderedJSON) -> Bool {
        switch value {
        case .object(let object): !object.isEmpty
        case .array(let values): !values.isEmpty && values.allSatisfy { $0.object != nil }
        default: false
        }
    }

    private static func inline(_ value: OrderedJSON) throws(Failure) -> String {
        switch value {
        case .null: throw Failure(.failed, "TOML has no null, and there is one in an array: write this as YAML or JSON")
        case .string(let text): return AppFileText.quoted(text)
        case .number(let number):
            let text = value.compactText
            // A whole number that is none of 64 bits, as JavaScript writes it.
            return text.contains { ".eE".contains($0) } || !number.isFinite ? text : text + ".0"
        case .array(let values):
            var texts: [String] = []
            for value in values { texts.append(try inline(value)) }
            return "[" + texts.joined(separator: ", ") + "]"
        case .object(let object):
            var texts: [String] = []
            for member in object.members where member.value != .null {
                texts.append("\(key(member.key)) = \(try inline(member.value))")
            }
            return texts.isEmpty ? "{}" : "{ " + texts.joined(separator: ", ") + " }"
        default: return value.compactText
        }
    }

    private static func key(_ text: String) -> String { AppFileText.isBareWord(text) ? text : AppFileText.quoted(text) }
}
