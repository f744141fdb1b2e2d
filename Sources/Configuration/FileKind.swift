/// How a file that describes apps is written. A name is recognised as PM2 does it: by what it contains, not by its end.
package enum FileKind: Hashable, Sendable, CaseIterable {
    case json
    case yaml
    case javaScript
    case toml

    /// The kind that the name of `path` stands for; nil: no app file.
    package init?(name path: String) {
        let name = Paths.baseName(path)
        if name.contains(".json") {
            self = .json
        } else if name.contains(".yml") || name.contains(".yaml") {
            self = .yaml
        } else if [".config.js", ".config.cjs", ".config.mjs"].contains(where: { name.contains($0) }) {
            self = .javaScript
        } else if name.hasSuffix(".toml") {
            self = .toml
        } else {
            return nil
        }
    }

    /// As in messages.
    package var title: String {
        switch self {
        case .json: "JSON"
        case .yaml: "YAML"
        case .javaScript: "JavaScript"
        case .toml: "TOML"
        }
    }

    /// Bytes of the largest file: what takes longer than a moment to read is no app file.
    var largest: Int {
        switch self {
        case .json, .javaScript: 16 << 20
        case .yaml, .toml: 2 << 20
        }
    }
}
