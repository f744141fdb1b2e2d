import Model

/// `depends_on` names apps of the same file, and none of them waits for itself.
extension AppFile {
    func dependencyProblems() -> [ConfigurationError] {
        var problems: [ConfigurationError] = []
        for (draft, location) in zip(drafts, locations) {
            for name in draft.dependsOn ?? [] where !names.contains(name) {
                let near = Spelling.nearest(to: name, among: names).map { "did you mean '\($0)'?" }
                problems.append(
                    ConfigurationError(
                        "no app of this file is called '\(name)'", hint: near ?? "it has \(shown)",
                        location: "\(location).depends_on"))
            }
        }
        let order = DependencyOrder(
            drafts.compactMap { draft in draft.knownName(in: dialect).map { ($0, draft.dependsOn ?? []) } })
        if let cycle = order.cycle {
            problems.append(
                ConfigurationError(
                    "depends_on goes round in a circle: \(cycle.joined(separator: " → "))",
                    hint: "take one of them out", location: name, subject: .file))
        }
        return problems
    }

    private var shown: String { names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", …" : "") }
}
