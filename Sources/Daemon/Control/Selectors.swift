import Control
import Model

#if canImport(Glibc)
    import Glibc
#endif

/// Resolves what people write to name instances: ids, names, namespaces, `all`, `/regular expressions/`.
enum Selectors {
    struct Resolution {
        /// In order of id, each once.
        var ids: [InstanceID] = []
        /// One sentence per selector that matched nothing.
        var failures: [(selector: String, message: String)] = []
    }

    /// - Parameter entries: id, name and namespace of every instance.
    static func resolve(
        _ selectors: [String], among entries: [(id: InstanceID, name: String, namespace: String)],
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
            let ids = try match(selector, entries)
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

    private static func match(
        _ selector: String, _ entries: [(id: InstanceID, name: String, namespace: String)]
    ) throws(ControlError) -> [InstanceID] {
        if selector == "all" { return entries.map(\.id) }
        if selector.count >= 2, selector.hasPrefix("/"), selector.hasSuffix("/") {
            let pattern = try Pattern(String(selector.dropFirst().dropLast()))
            return entries.filter { pattern.matches($0.name) }.map(\.id)
        }
        // As in PM2: a name first, then a namespace, then an id.
        let named = entries.filter { $0.name == selector }
        if !named.isEmpty { return named.map(\.id) }
        let grouped = entries.filter { $0.namespace == selector }
        if !grouped.isEmpty { return grouped.map(\.id) }
        guard let number = UInt32(selector) else { return [] }
        return entries.filter { $0.id.rawValue == number }.map(\.id)
    }

    /// A POSIX extended regular expression, with `\d`, `\w` and `\s` as people know them.
    private final class Pattern {
        private var compiled = regex_t()

        init(_ text: String) throws(ControlError) {
            var pattern = ""
            var isEscaped = false
            for character in text {
                if isEscaped {
                    pattern += character == "d" ? "[0-9]" : character == "D" ? "[^0-9]" : "\\\(character)"
                    isEscaped = false
                } else if character == "\\" {
                    isEscaped = true
                } else {
                    pattern.append(character)
                }
            }
            if isEscaped { pattern += "\\" }
            let failure = regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB)
            guard failure == 0 else {
                var buffer = [CChar](repeating: 0, count: 200)
                regerror(failure, &compiled, &buffer, buffer.count)
                let why = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                throw ControlError(.badRequest, "'/\(shortened(text))/' is not a regular expression: \(why)")
            }
        }

        deinit { regfree(&compiled) }

        func matches(_ text: String) -> Bool { regexec(&compiled, text, 0, nil, 0) == 0 }
    }
}
