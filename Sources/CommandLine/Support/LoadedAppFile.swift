import Configuration
import Model

/// An app file with every app of it resolved, for commands that make the list like it.
struct LoadedAppFile {
    /// An app of the file.
    struct App {
        var spec: AppSpec
        /// The file says whether instances share their log files; otherwise a running app stays as it is.
        var choosesMerging = false
        /// Variables in `pass_env` that the caller does not have: an app in the list keeps what it was given.
        var unset: Set<String> = []
    }

    /// What was read, with what is wrong with it.
    struct Reading {
        var apps: [App] = []
        var problems: [ConfigurationError] = []
        var warnings: [String] = []
    }

    /// As in messages.
    let name: String
    /// Absolute path, by which entries remember where they came from; nil: standard input.
    let source: String?
    let apps: [App]
    /// The caller's layer of the apps' environment.
    let environment: [String: String]
    /// Only some of its apps were asked for.
    let isPartial: Bool

    init(path: String, environmentName: String?, only: [String]) throws {
        let environment = BaseEnvironment.current()
        let file = try AppFile.load(path: path)
        let reading = try Self.read(file, environmentName: environmentName, only: only, environment)
        for warning in reading.warnings { Output.complain("warning: \(warning)") }
        guard reading.problems.isEmpty else { throw ConfigurationProblems(reading.problems) }
        let source = Self.source(of: path)
        name = file.name
        self.source = source
        apps = reading.apps.map { app in
            var app = app
            app.spec.source = source
            return app
        }
        self.environment = environment
        isPartial = !only.isEmpty
    }

    static func read(
        _ file: AppFile, environmentName: String?, only: [String], _ environment: [String: String]
    ) throws -> Reading {
        let resolver = try Caller.resolver(environment: environment)
        let request = AppFile.Request(only: AppFile.Request.names(only), environmentName: environmentName)
        let outcome = file.outcome(with: resolver, request)
        var reading = Reading(problems: outcome.problems, warnings: outcome.warnings)
        for (spec, draft) in zip(outcome.specs, outcome.drafts) {
            let unset = draft.passedVariables.filter { spec.environment[$0] == nil && resolver.passable?[$0] == nil }
            reading.warnings += unset.map { "'\(spec.name)': '\($0)' of pass_env is not set here" }
            reading.apps.append(App(spec: spec, choosesMerging: draft.mergeLogs != nil, unset: Set(unset)))
        }
        // Names may become equal only here (append_env_to_name).
        var seen: Set<String> = []
        for app in reading.apps where !seen.insert(app.spec.name).inserted {
            reading.problems.append(
                ConfigurationError(
                    "the name '\(app.spec.name)' is used twice", hint: "give each app a name of its own",
                    location: file.name))
        }
        return reading
    }

    /// Absolute path of an operand that names a file.
    static func source(of operand: String) -> String? {
        guard operand != "-", let directory = CallerHome.workingDirectory() else { return nil }
        return Paths.absolute(operand, base: directory, home: CallerHome.directory())
    }
}
