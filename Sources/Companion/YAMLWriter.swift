import Configuration
import Yams

/// Writes YAML that YAML 1.1 and 1.2 read alike: every text that could be taken for something else is quoted.
enum YAMLWriter {
    static func text(of value: JSONValue) throws -> String {
        try Yams.serialize(node: node(of: value), allowUnicode: true)
    }

    private static func node(of value: JSONValue) -> Node {
        switch value {
        case .string(let text):
            let isPlain =
                !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_./-".contains($0)) }
                && text.contains { $0.isLetter } && !ambiguous.contains(text.lowercased())
                && text.first?.isLetter == true
            return Node(text, Tag(.implicit), isPlain ? .plain : .doubleQuoted)
        case .array(let values): return Node(values.map(node))
        case .object(let members):
            return Node(members.sorted { $0.key < $1.key }.map { (node(of: .string($0.key)), node(of: $0.value)) })
        default: return Node(value.text, Tag(.implicit), .plain)
        }
    }

    private static let ambiguous: Set<String> = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
}
