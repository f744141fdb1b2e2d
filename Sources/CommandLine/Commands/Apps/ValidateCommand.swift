import ArgumentParser
import Configuration
import Model

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Check an app file: every app, with scripts, interpreters and env files.",
        discussion: "Exit code 0: all apps can be started from here. 1: what is wrong is listed.")

    @OptionGroup var arguments: AppFileArguments
    @OptionGroup var format: FormatOptions

    func run() throws {
        let reading: LoadedAppFile.Reading
        do {
            reading = try LoadedAppFile.read(
                try AppFile.load(path: arguments.file), environmentName: arguments.env, only: arguments.only,
                BaseEnvironment.current())
        } catch let problems as ConfigurationProblems {
            reading = LoadedAppFile.Reading(problems: problems.problems)
        } catch let error as ConfigurationError {
            reading = LoadedAppFile.Reading(problems: [error])
        }
        if format.json {
            try JSONOutput.write(ValidationView(reading))
        } else {
            for spec in reading.apps.map(\.spec) {
                let count = spec.instances == 1 ? "" : ", \(spec.instances) instances"
                try Output.line(Terminal.detect().escape("\(spec.name): \(spec.command) (in \(spec.cwd)\(count))"))
            }
        }
        for warning in reading.warnings { Output.complain("warning: \(warning)") }
        guard reading.problems.isEmpty else { throw Failure(.failed, lines: reading.problems.map(\.description)) }
    }
}

/// `validate --json`. Values of variables are not shown.
private struct ValidationView: Encodable {
    struct App: Encodable {
        var name: String
        var namespace: String
        var instances: Int
        var script: String
        var interpreter: String?
        var interpreterArguments: [String]
        var arguments: [String]
        var cwd: String
        var variables: [String]

        init(_ spec: AppSpec) {
            name = spec.name
            namespace = spec.namespace
            instances = spec.instances
            script = spec.script
            interpreter = spec.interpreter
            interpreterArguments = spec.interpreterArguments
            arguments = spec.arguments
            cwd = spec.cwd
            variables = spec.environment.keys.sorted()
        }

        private enum CodingKeys: String, CodingKey {
            case name, namespace, instances, script, interpreter, interpreterArguments, arguments, cwd, variables
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(name, forKey: .name)
            try container.encode(namespace, forKey: .namespace)
            try container.encode(instances, forKey: .instances)
            try container.encode(script, forKey: .script)
            // Null where there is none.
            try container.encode(interpreter, forKey: .interpreter)
            try container.encode(interpreterArguments, forKey: .interpreterArguments)
            try container.encode(arguments, forKey: .arguments)
            try container.encode(cwd, forKey: .cwd)
            try container.encode(variables, forKey: .variables)
        }
    }

    var ok: Bool
    var apps: [App]
    var problems: [String]
    var warnings: [String]

    init(_ reading: LoadedAppFile.Reading) {
        ok = reading.problems.isEmpty
        apps = reading.apps.map { App($0.spec) }
        problems = reading.problems.map(\.description)
        warnings = reading.warnings
    }
}
