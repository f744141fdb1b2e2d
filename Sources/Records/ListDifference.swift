package import Model

/// What differs between two lists, app by app.
package struct ListDifference: Hashable, Sendable {
    package enum Change: String, Hashable, Sendable {
        case added, removed, changed
    }

    package var name: String
    package var change: Change
    /// `key: old → new`. Values of environment variables are never shown.
    package var details: [String]

    package static func between(_ old: DesiredState, _ new: DesiredState) -> [ListDifference] {
        let before = Dictionary(grouping: old.instances) { $0.spec.name }
        let after = Dictionary(grouping: new.instances) { $0.spec.name }
        var differences: [ListDifference] = []
        for name in Set(before.keys).union(after.keys).sorted() {
            switch (before[name]?.first, after[name]?.first) {
            case (nil, let added?):
                let count = after[name]?.count ?? 1
                differences.append(
                    ListDifference(
                        name: name, change: .added,
                        details: ["command: \(added.spec.command)", "instances: \(count)"]))
            case (let removed?, nil):
                differences.append(
                    ListDifference(name: name, change: .removed, details: ["command: \(removed.spec.command)"]))
            case (let former?, let present?):
                var details = SpecDifference.between(former.spec, present.spec).map(\.description)
                let counts = (before[name]?.count ?? 0, after[name]?.count ?? 0)
                if counts.0 != counts.1 { details.append("instances: \(counts.0) → \(counts.1)") }
                if former.wanted != present.wanted {
                    details.append("wanted: \(former.wanted.rawValue) → \(present.wanted.rawValue)")
                }
                if !details.isEmpty {
                    differences.append(ListDifference(name: name, change: .changed, details: details))
                }
            case (nil, nil): break
            }
        }
        return differences
    }
}
