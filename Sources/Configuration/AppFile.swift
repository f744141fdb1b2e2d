import Model

/// A file that describes apps, as it was read: `{"apps": [...]}`, an array, or one app, in any of the kinds of `FileKind`.
package struct AppFile: Sendable {
    /// As in messages.
    package let name: String
    package let dialect: Dialect
    package let drafts: [AppDraft]
    /// Where each draft stands: `apps[1]`.
    package let locations: [String]
    package let warnings: [String]
    /// The `deploy` object, which `start` only takes variables from.
    package let deploy: JSONValue?

    /// Whether an operand of the command line is the name of an app file, or `-` for one on standard input.
    package static func isNamed(_ operand: String) -> Bool {
        if operand == "-" { return true }
        guard FileKind(name: operand) != nil else { return false }
        // A command line that mentions such a file is none itself.
        return !AppResolver.isShellString(operand) || FileProbe.kind(of: operand) == .file
    }

    /// Reads a file, or standard input when `path` is `-`.
    ///
    /// - Parameter arguments: what a file that is a program finds in its `process.argv`.
    package static func load(
        path: String, dialect: Dialect = .hearth, arguments: [String] = Array(CommandLine.arguments.dropFirst())
    ) throws -> AppFile {
        let name = path == "-" ? "standard input" : path
        let value: JSONValue
        do throws(ConfigurationError) {
            value = try Self.value(path: path, name: name, arguments: arguments, dialect)
        } catch {
            guard dialect == .pm2, error.subject == .file else { throw error }
            throw foreign(error, path: path)
        }
        return try AppFile(value, name, dialect)
    }

    /// The same of a text in JSON.
    package static func parse(_ bytes: [UInt8], name: String, dialect: Dialect = .hearth) throws -> AppFile {
        try AppFile(try json(bytes, name: name, dialect), name, dialect)
    }

    /// What a file says, of whatever kind it is.
    package static func value(
        path: String, name: String? = nil, arguments: [String] = [], _ dialect: Dialect = .hearth
    ) throws(ConfigurationError) -> JSONValue {
        let name = name ?? path
        if path == "-" {
            let bytes = try FileProbe.contents(of: 0, name: name, limit: FileKind.json.largest)
            return try json(bytes, name: name, dialect)
        }
        let kind = FileKind(name: path) ?? .json
        let timeout = JavaScriptRuntime.timeout()
        let bytes: [UInt8]
        do throws(ConfigurationError) {
            bytes = try FileProbe.contents(of: path, limit: kind.largest)
        } catch {
            throw error.about(.file)
        }
        switch kind {
        case .json: return try json(bytes, name: name, dialect)
        case .yaml, .toml:
            return try json(
                try CompanionProgram.json(of: bytes, kind: kind, file: name, timeout: timeout), name: name, dialect)
        case .javaScript:
            return try json(
                try JavaScriptRuntime.json(of: path, name: name, arguments: arguments, timeout: timeout), name: name,
                dialect)
        }
    }

    private static func json(
        _ bytes: [UInt8], name: String, _ dialect: Dialect
    ) throws(ConfigurationError) -> JSONValue {
        do {
            // PM2 evaluates it as JavaScript, where the later of two equal keys counts.
            return try JSONParser.parse(bytes, repeatsKeys: dialect == .pm2)
        } catch {
            throw error.at(name).about(.file)
        }
    }

    /// PM2's words for a file that is not there or can't be read; its reason follows on a line of its own.
    private static func foreign(_ error: ConfigurationError, path: String) -> ConfigurationError {
        let isMissing = path != "-" && FileProbe.kind(of: path) == .missing
        let message = isMissing ? "File \(path) not found" : "File \(path) malformated\n\(error.description)"
        return ConfigurationError(message, subject: .file)
    }

    // MARK: - Shape

    private init(_ value: JSONValue, _ name: String, _ dialect: Dialect) throws {
        let (entries, deploy) = try Self.entries(of: value, name: name)
        var problems: [ConfigurationError] = []
        var warnings: [String] = []
        var drafts: [AppDraft] = []
        var locations: [String] = []
        for entry in entries {
            let prefix = entry.location.isEmpty ? name : "\(name): \(entry.location)"
            guard case .object(let members) = entry.value else {
                problems.append(
                    ConfigurationError(
                        "expected an object, found \(entry.value.kind)", location: prefix, subject: .file))
                continue
            }
            if entry.isStatic {
                var reader = StaticSiteReader(members: members, location: prefix)
                drafts.append(reader.read())
                problems += reader.problems
            } else {
                var reader = AppReader(members: members, location: prefix, dialect: dialect)
                var draft = reader.read()
                if draft.script == "serve" {
                    draft.script = nil
                    draft.staticSite = StaticSite(variables: draft.environment)
                }
                drafts.append(draft)
                problems += reader.problems
                warnings += reader.warnings
            }
            locations.append(prefix)
        }
        if dialect == .hearth { problems += Self.duplicates(drafts, locations) }
        if entries.isEmpty {
            problems.append(
                ConfigurationError(
                    "there are no apps in it", hint: "write {\"apps\": [{\"script\": …}]}", location: name,
                    subject: .file))
        }
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
        self.name = name
        self.dialect = dialect
        self.drafts = drafts
        self.locations = locations
        self.warnings = warnings
        self.deploy = deploy
    }

    private struct Entry {
        var location: String
        var value: JSONValue
        var isStatic = false
    }

    private static func entries(of value: JSONValue, name: String) throws -> (entries: [Entry], deploy: JSONValue?) {
        switch value {
        case .array(let values): return (list(values, ""), nil)
        case .object(let members):
            var entries: [Entry] = []
            var isWhole = true
            for key in ["apps", "pm2"] {
                guard isWhole, let value = members[key], value != .null else { continue }
                isWhole = false
                switch value {
                case .array(let values): entries += list(values, key)
                case .object: entries.append(Entry(location: key, value: value))
                default:
                    throw ConfigurationError(
                        "expected an array of apps, found \(value.kind)", location: "\(name): \(key)", subject: .file)
                }
            }
            if let sites = members["static"], sites != .null {
                isWhole = false
                guard case .array(let values) = sites else {
                    throw ConfigurationError(
                        "expected an array of directories to serve, found \(sites.kind)", location: "\(name): static",
                        subject: .file)
                }
                entries += list(values, "static").map { Entry(location: $0.location, value: $0.value, isStatic: true) }
            }
            if isWhole {
                let isPackage = Paths.baseName(name) == "package.json"
                guard !isPackage, members["deploy"] == nil || members["script"] != nil else {
                    throw ConfigurationError(
                        isPackage ? "has neither 'apps' nor 'pm2'" : "there are no apps in it",
                        hint: "write \"apps\": [{\"script\": …}] into it", location: name, subject: .file)
                }
                entries = [Entry(location: "", value: value)]
            }
            return (entries, members["deploy"])
        default:
            throw ConfigurationError(
                "expected an object with 'apps', found \(value.kind)", hint: "write {\"apps\": [{\"script\": …}]}",
                location: name, subject: .file)
        }
    }

    private static func list(_ values: [JSONValue], _ key: String) -> [Entry] {
        values.enumerated().map { Entry(location: "\(key)[\($0.offset)]", value: $0.element) }
    }

    private static func duplicates(_ drafts: [AppDraft], _ locations: [String]) -> [ConfigurationError] {
        var seen: [String: String] = [:]
        var problems: [ConfigurationError] = []
        for (draft, location) in zip(drafts, locations) {
            guard let name = draft.knownName() else { continue }
            if let first = seen[name] {
                problems.append(
                    ConfigurationError(
                        "the name '\(name)' is used twice (first in \(first))", hint: "give each app a name of its own",
                        location: location, subject: .setting))
            } else {
                seen[name] = location
            }
        }
        return problems
    }

    /// Names of the apps in the file, also of those that the file leaves to be derived from the script.
    package var names: [String] { drafts.compactMap { $0.knownName(in: dialect) } }
}
