package import Model

/// A file that describes apps: JSON (with PM2's leniency), `{"apps": [...]}`, an array, or one app.
package struct AppFile: Sendable {
    /// As in messages.
    package let name: String
    package let drafts: [AppDraft]
    /// Where each draft stands: `apps[1]`.
    package let locations: [String]
    package let warnings: [String]

    /// How an operand of the command line is spelled that names an app file.
    package enum Recognition: Hashable, Sendable {
        case none
        case json
        /// Known to PM2 or planned, and not read yet.
        case unsupported(String)
    }

    package static func recognise(_ operand: String) -> Recognition {
        if operand == "-" { return .json }
        let name = Paths.baseName(operand)
        if name.hasSuffix(".json") || name.hasSuffix(".json5") { return .json }
        for suffix in [".config.js", ".config.cjs", ".config.mjs", ".yml", ".yaml", ".toml"]
        where name.hasSuffix(suffix) { return .unsupported(suffix) }
        return .none
    }

    /// Reads a file, or standard input when `path` is `-`.
    package static func load(path: String) throws -> AppFile {
        let limit = 16 << 20
        let bytes =
            path == "-"
            ? try FileProbe.contents(of: 0, name: "standard input", limit: limit)
            : try FileProbe.contents(of: path, limit: limit)
        return try parse(bytes, name: path == "-" ? "standard input" : path)
    }

    package static func parse(_ bytes: [UInt8], name: String) throws -> AppFile {
        let value: JSONValue
        do {
            value = try JSONParser.parse(bytes)
        } catch {
            throw error.at(name)
        }
        let entries = try appValues(of: value, name: name)
        var problems: [ConfigurationError] = []
        var warnings: [String] = []
        var drafts: [AppDraft] = []
        var locations: [String] = []
        for (location, value) in entries {
            let prefix = location.isEmpty ? name : "\(name): \(location)"
            guard case .object(let members) = value else {
                problems.append(
                    ConfigurationError("expected an object, found \(value.kind)", location: prefix))
                continue
            }
            var reader = AppReader(members: members, location: prefix)
            drafts.append(reader.read())
            locations.append(prefix)
            problems += reader.problems
            warnings += reader.warnings
        }
        problems += duplicates(drafts, locations)
        if entries.isEmpty {
            problems.append(
                ConfigurationError(
                    "there are no apps in it", hint: "write {\"apps\": [{\"script\": …}]}", location: name))
        }
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
        return AppFile(name: name, drafts: drafts, locations: locations, warnings: warnings)
    }

    private static func appValues(of value: JSONValue, name: String) throws -> [(location: String, value: JSONValue)] {
        switch value {
        case .array(let values):
            return values.enumerated().map { ("[\($0.offset)]", $0.element) }
        case .object(let members):
            for key in ["apps", "pm2"] {
                switch members[key] {
                case .array(let values): return values.enumerated().map { ("\(key)[\($0.offset)]", $0.element) }
                case .object(let app): return [(key, .object(app))]
                case nil: continue
                case let other?:
                    throw ConfigurationError(
                        "expected an array of apps, found \(other.kind)", location: "\(name): \(key)")
                }
            }
            return [("", value)]
        default:
            throw ConfigurationError(
                "expected an object with 'apps', found \(value.kind)", hint: "write {\"apps\": [{\"script\": …}]}",
                location: name)
        }
    }

    private static func duplicates(_ drafts: [AppDraft], _ locations: [String]) -> [ConfigurationError] {
        var seen: [String: String] = [:]
        var problems: [ConfigurationError] = []
        for (draft, location) in zip(drafts, locations) {
            guard let name = draft.name ?? draft.script.map(AppResolver.derivedName) else { continue }
            if let first = seen[name] {
                problems.append(
                    ConfigurationError(
                        "the name '\(name)' is used twice (first in \(first))", hint: "give each app a name of its own",
                        location: location))
            } else {
                seen[name] = location
            }
        }
        return problems
    }

    /// Names of the apps in the file, also of those that the file leaves to be derived from the script.
    package var names: [String] {
        drafts.compactMap { $0.name ?? $0.script.map(AppResolver.derivedName) }
    }

    /// The specifications of all apps; every problem is found before any of them is used.
    ///
    /// - Parameter change: applied to each draft first: what the command line adds.
    package func resolve(
        with resolver: AppResolver, only: Set<String>? = nil, change: (inout AppDraft) -> Void = { _ in }
    ) throws -> [AppSpec] {
        var specs: [AppSpec] = []
        var problems: [ConfigurationError] = []
        for (draft, location) in zip(drafts, locations) {
            var draft = draft
            if let only, !only.contains(draft.name ?? draft.script.map(AppResolver.derivedName) ?? "") { continue }
            change(&draft)
            do throws(ConfigurationError) {
                specs.append(try resolver.resolve(draft))
            } catch {
                problems.append(error.at(error.location == nil ? location : location + ": "))
            }
        }
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
        return specs
    }
}
