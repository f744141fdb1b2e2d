import Configuration
import Control
import Model

/// Selectors, where no daemon resolves them.
enum Selection {
    /// What a selector is compared with.
    struct Candidate {
        var id: InstanceID
        var name: String
        var namespace: String
    }

    /// The names that an app file stands for, as `hearth stop apps.json` means them.
    static func expandFiles(_ selectors: [String]) throws -> [String] {
        var expanded: [String] = []
        for selector in selectors {
            if selector != "-", AppFile.recognise(selector) == .json, FileProbe.kind(of: selector) == .file {
                expanded += try AppFile.load(path: selector).names
            } else {
                expanded.append(selector)
            }
        }
        return expanded
    }

    /// Ids of the candidates that any selector means, ascending. None given: all. One that means nothing is an error.
    static func ids(_ selectors: [String], among candidates: [Candidate]) throws -> [InstanceID] {
        if selectors.isEmpty { return candidates.map(\.id).sorted() }
        var found: Set<InstanceID> = []
        for selector in selectors {
            let matches = try matches(selector, candidates)
            guard !matches.isEmpty || selector == "all" else {
                let near = Spelling.nearest(to: selector, among: candidates.map(\.name))
                throw Failure(
                    .failed,
                    "no app is called '\(selector)'"
                        + (near.map { "; did you mean '\($0)'?" } ?? "; run 'hearth list' to see them"))
            }
            found.formUnion(matches)
        }
        return found.sorted()
    }

    private static func matches(_ selector: String, _ candidates: [Candidate]) throws -> [InstanceID] {
        if selector == "all" { return candidates.map(\.id) }
        if selector.count > 2, selector.hasPrefix("/"), selector.hasSuffix("/") {
            let pattern: NamePattern
            do throws(ControlError) {
                pattern = try NamePattern(String(selector.dropFirst().dropLast()))
            } catch {
                throw Failure(.failed, error.description)
            }
            return candidates.filter { pattern.matches($0.name) }.map(\.id)
        }
        // A name may be a number: it wins over an id, as with PM2.
        let named = candidates.filter { $0.name == selector }
        if !named.isEmpty { return named.map(\.id) }
        let grouped = candidates.filter { $0.namespace == selector }
        if !grouped.isEmpty { return grouped.map(\.id) }
        guard let number = UInt32(selector) else { return [] }
        return candidates.map(\.id).filter { $0.rawValue == number }
    }
}
