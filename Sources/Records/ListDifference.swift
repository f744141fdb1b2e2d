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
                var details = fields(former.spec, present.spec)
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

    private static func fields(_ old: AppSpec, _ new: AppSpec) -> [String] {
        var details: [String] = []
        func compare(_ left: Any, _ right: Any, prefix: String) {
            for (former, present) in zip(Mirror(reflecting: left).children, Mirror(reflecting: right).children) {
                guard let label = former.label, label != "instances" else { continue }
                if label == "environment" {
                    continue
                }
                if ["restart", "stop", "output"].contains(label) {
                    compare(former.value, present.value, prefix: label + ".")
                    continue
                }
                let texts = (text(former.value), text(present.value))
                if texts.0 != texts.1 { details.append("\(prefix)\(label): \(texts.0) → \(texts.1)") }
            }
        }
        compare(old, new, prefix: "")
        for key in Set(old.environment.keys).union(new.environment.keys).sorted()
        where old.environment[key] != new.environment[key] {
            let change = old.environment[key] == nil ? "added" : new.environment[key] == nil ? "removed" : "changed"
            details.append("environment \(key): \(change)")
        }
        return details
    }

    private static func text(_ value: Any) -> String {
        let mirror = Mirror(reflecting: value)
        if mirror.displayStyle == .optional {
            return mirror.children.first.map { text($0.value) } ?? "none"
        }
        if let list = value as? [String] { return list.isEmpty ? "none" : list.joined(separator: " ") }
        return "\(value)"
    }
}
