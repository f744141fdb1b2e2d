import Configuration
import Model

/// An app file with every app of it resolved, for commands that make the list like it.
struct LoadedAppFile {
    /// As in messages.
    let name: String
    /// Absolute path, by which entries remember where they came from; nil: standard input.
    let source: String?
    let specs: [AppSpec]
    /// The caller's layer of the apps' environment.
    let environment: [String: String]
    /// Only some of its apps were asked for.
    let isPartial: Bool

    init(path: String, environmentName: String?, only: [String], environment: [String: String]) throws {
        let file = try AppFile.load(path: path)
        let names = AppFile.Request.names(only)
        let request = AppFile.Request(only: names, environmentName: environmentName)
        let outcome = file.outcome(with: try Caller.resolver(environment: environment), request)
        for warning in outcome.warnings { Output.complain("warning: \(warning)") }
        guard outcome.problems.isEmpty else { throw ConfigurationProblems(outcome.problems) }
        let source = Self.source(of: path)
        name = file.name
        self.source = source
        specs = outcome.specs.map { spec in
            var spec = spec
            spec.source = source
            return spec
        }
        self.environment = environment
        isPartial = !only.isEmpty
    }

    /// Absolute path of an operand that names a file.
    static func source(of operand: String) -> String? {
        guard operand != "-", let directory = CallerHome.workingDirectory() else { return nil }
        return Paths.absolute(operand, base: directory, home: CallerHome.directory())
    }
}
