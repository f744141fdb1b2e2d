import Configuration
import Control
import Model

/// Selectors, where no daemon resolves them.
enum Selection {
    /// The names that an app file stands for, as `hearth stop apps.json` means them.
    static func expandFiles(_ selectors: [String]) throws -> [String] {
        var expanded: [String] = []
        for selector in selectors {
            if selector != "-", AppFile.isNamed(selector), FileProbe.kind(of: selector) == .file {
                expanded += try AppFile.load(path: selector).names
            } else {
                expanded.append(selector)
            }
        }
        return expanded
    }

    /// Ids of the candidates that any selector means, ascending. None given: all. One that means nothing is an error.
    static func ids(_ selectors: [String], among candidates: [SelectorCandidate]) throws -> [InstanceID] {
        if selectors.isEmpty { return candidates.map(\.id).sorted() }
        var found: Set<InstanceID> = []
        for selector in selectors {
            let matches: [InstanceID]
            do throws(ControlError) { matches = try SelectorMatching.ids(of: selector, among: candidates) } catch {
                throw Failure(.failed, error.description)
            }
            guard !matches.isEmpty || selector == "all" else {
                let near = Spelling.nearest(to: selector, among: candidates.map(\.name))
                throw Failure(
                    .failed,
                    "no app is called '\(selector.prefix(200))'"
                        + (near.map { "; did you mean '\($0)'?" } ?? "; run 'hearth list' to see them"))
            }
            found.formUnion(matches)
        }
        return found.sorted()
    }
}
