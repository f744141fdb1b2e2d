package import Model

/// What a selector is compared with.
package struct SelectorCandidate: Hashable, Sendable {
    package var id: InstanceID
    package var name: String
    package var namespace: String

    package init(id: InstanceID, name: String, namespace: String) {
        self.id = id
        self.name = name
        self.namespace = namespace
    }
}

/// What people write to name instances: ids, names, namespaces, `all`, `/regular expressions/`.
package enum SelectorMatching {
    /// A selector that means this instance alone, whatever it or another one is called.
    package static func exactly(_ id: InstanceID) -> String { "id:\(id)" }

    private static func exactID(_ selector: String) -> InstanceID? {
        guard selector.hasPrefix("id:") else { return nil }
        return UInt32(selector.dropFirst(3)).map { InstanceID($0) }
    }

    /// Ids of what one selector means, in the order of the candidates.
    package static func ids(
        of selector: String, among candidates: [SelectorCandidate]
    ) throws(ControlError) -> [InstanceID] {
        if selector == "all" { return candidates.map(\.id) }
        if let id = exactID(selector) { return candidates.filter { $0.id == id }.map(\.id) }
        if selector.count >= 2, selector.hasPrefix("/"), selector.hasSuffix("/") {
            let pattern = try NamePattern(String(selector.dropFirst().dropLast()))
            return candidates.filter { pattern.matches($0.name) }.map(\.id)
        }
        // As in PM2: a name first (it may be a number), then a namespace, then an id.
        let named = candidates.filter { $0.name == selector }
        if !named.isEmpty { return named.map(\.id) }
        let grouped = candidates.filter { $0.namespace == selector }
        if !grouped.isEmpty { return grouped.map(\.id) }
        guard let number = UInt32(selector) else { return [] }
        return candidates.filter { $0.id.rawValue == number }.map(\.id)
    }
}
