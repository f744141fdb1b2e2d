package import Model

extension AppFile {
    /// Which apps of a file are meant, and what the command line adds to them.
    package struct Request {
        /// Names; nil: all.
        package var only: Set<String>?
        /// `--env NAME`: `env_NAME` is laid over `env`.
        package var environmentName: String?
        /// Applied to each description, after the environment was chosen.
        package var change: (inout AppDraft) -> Void = { _ in }

        package init(only: Set<String>? = nil, environmentName: String? = nil) {
            self.only = only
            self.environmentName = environmentName
        }

        /// The names in `--only a,b` and `--only "a b"`, however often it is given; nothing: all apps.
        package static func names(_ texts: [String]) -> Set<String>? {
            let names = Set(texts.flatMap { $0.split(whereSeparator: { $0 == "," || $0 == " " }).map(String.init) })
            return names.isEmpty ? nil : names
        }
    }

    /// What became of the apps of a file.
    package struct Outcome: Sendable {
        package var specs: [AppSpec] = []
        /// What each of them was made of.
        package var drafts: [AppDraft] = []
        /// Of the apps that are not among `specs`.
        package var problems: [ConfigurationError] = []
        /// Of the file and of what was asked of it, in the words of the dialect.
        package var warnings: [String] = []
    }

    /// The specifications of all apps that have no problem, and the problems of the others.
    package func outcome(with resolver: AppResolver, _ request: Request = Request()) -> Outcome {
        var outcome = Outcome(warnings: warnings)
        outcome.problems += dependencyProblems()
        if let missing = request.only?.subtracting(names).sorted(), !missing.isEmpty, dialect == .hearth {
            outcome.problems += missing.map { name in
                let near = Spelling.nearest(to: name, among: names)
                return ConfigurationError(
                    "'\(self.name)' has no app '\(name)'", hint: near.map { "did you mean '\($0)'?" }, subject: .file)
            }
        }
        if let name = request.environmentName, let warning = undefined(name, request.only) {
            outcome.warnings.append(warning)
        }
        for (draft, location) in zip(drafts, locations) {
            var draft = draft
            if let only = request.only, !only.contains(draft.knownName(in: dialect) ?? "") { continue }
            if let name = request.environmentName { choose(name, for: &draft) }
            request.change(&draft)
            do throws(ConfigurationError) {
                outcome.specs.append(try resolver.resolve(draft, warn: { outcome.warnings.append($0) }))
                outcome.drafts.append(draft)
            } catch {
                outcome.problems.append(
                    dialect == .pm2 ? error : error.at(error.location == nil ? location : location + ": "))
            }
        }
        return outcome
    }

    /// The specifications of all apps; every problem is found before any of them is used.
    package func resolve(with resolver: AppResolver, _ request: Request = Request()) throws -> [AppSpec] {
        let outcome = outcome(with: resolver, request)
        guard outcome.problems.isEmpty else { throw ConfigurationProblems(outcome.problems) }
        return outcome.specs
    }

    private func choose(_ name: String, for draft: inout AppDraft) {
        if let named = draft.namedEnvironments[name] { draft.environment.merge(named) { _, named in named } }
        draft.lowestEnvironment = deployVariables(name)
        if draft.appendsEnvironmentToName == true, let known = draft.knownName(in: dialect) {
            draft.name = "\(known)-\(name)"
        }
    }

    /// `deploy.NAME.env`.
    private func deployVariables(_ name: String) -> [String: String] {
        guard case .object(let targets)? = deploy, case .object(let target)? = targets[name],
            case .object(let variables)? = target["env"]
        else { return [:] }
        return variables.filter { $0.value != .null }.mapValues(\.variableText)
    }

    /// What is said of an environment that no app, or not every app, has.
    private func undefined(_ name: String, _ only: Set<String>?) -> String? {
        let wanted = drafts.filter { only?.contains($0.knownName(in: dialect) ?? "") ?? true }
        let lacking = wanted.filter { $0.staticSite == nil && $0.namedEnvironments[name] == nil }
        switch dialect {
        case .pm2: return lacking.isEmpty ? nil : "Environment [\(name)] is not defined in process file"
        case .hearth:
            guard !lacking.isEmpty else { return nil }
            if lacking.count == wanted.count { return "no app of '\(self.name)' has 'env_\(name)'" }
            let names = lacking.compactMap { $0.knownName() }.prefix(5).map { "'\($0)'" }.joined(separator: ", ")
            return "'\(self.name)' has no 'env_\(name)' for \(names): their 'env' alone counts"
        }
    }
}
