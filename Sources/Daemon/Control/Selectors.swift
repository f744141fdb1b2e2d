import Control
import Model

/// Resolves what people write to name instances: ids, names, namespaces, `all`, `/regular expressions/`.
enum Selectors {
    struct Resolution {
        /// In order of id, each once.
        var ids: [InstanceID] = []
        /// One sentence per selector that matched nothing.
        var failures: [(selector: String, message: String)] = []
    }

    static func resolve(
        _ selectors: [String], among entries: [SelectorCandidate],
        emptyMeansAll: Bool
    ) throws(ControlError) -> Resolution {
        var resolution = Resolution()
        if selectors.isEmpty {
            guard emptyMeansAll else {
                throw ControlError(.badRequest, "no app is named", hint: "give an id, a name, or 'all'")
            }
            resolution.ids = entries.map(\.id).sorted()
            return resolution
        }
        var found: Set<InstanceID> = []
        for selector in selectors {
            let ids = try SelectorMatching.ids(of: selector, among: entries)
            if ids.isEmpty {
                let message =
                    selector == "all"
                    ? "there are no apps" : "no app, namespace or id is called '\(shortened(selector))'"
                resolution.failures.append((selector, message))
            }
            found.formUnion(ids)
        }
        resolution.ids = found.sorted()
        return resolution
    }

    /// A selector as a sentence can hold it.
    private static func shortened(_ text: String) -> String {
        text.utf8.count <= 200 ? text : "\(text.prefix(60))…"
    }
}
