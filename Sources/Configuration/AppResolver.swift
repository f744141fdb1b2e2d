package import Model

/// Turns a draft into an `AppSpec`, and finds everything that would make it fail before anything is started.
package struct AppResolver: Sendable {
    /// Where relative paths start: the caller's working directory.
    package var workingDirectory: String
    /// The caller's environment, as far as it is passed on.
    package var environment: [String: String]
    /// Where `pass_env` takes variables from; nil: from `environment`.
    package var passable: [String: String]?
    package var home: String?
    package var processors: Int
    package var isRoot: Bool
    package var dialect: Dialect
    /// What an app gets that its description does not say.
    package var defaults: Defaults
    /// Program, and arguments before any other, that serve a directory; nil: none can be served.
    package var staticServer: [String]?

    package init(
        workingDirectory: String, environment: [String: String], home: String?, processors: Int, isRoot: Bool,
        dialect: Dialect = .hearth
    ) {
        self.workingDirectory = workingDirectory
        self.environment = environment
        self.home = home
        self.processors = processors
        self.isRoot = isRoot
        self.dialect = dialect
        defaults = Defaults(dialect, environment: environment)
    }

    /// - Parameter warn: gets what a person should know of an app that can be started all the same.
    package func resolve(
        _ draft: AppDraft, warn: (String) -> Void = { _ in }
    ) throws(ConfigurationError) -> AppSpec {
        try Limits.refuseNUL(in: draft)
        let cwd = try workingDirectory(of: draft)
        var variables = variables(of: draft)
        let files = try environmentFiles(of: draft, cwd: cwd, warn: warn)
        // Beneath what files say, like everything that comes from the caller.
        for name in draft.passedVariables where variables[name] == nil && files.variables[name] == nil {
            variables[name] = (passable ?? environment)[name]
        }
        let seen = environment.merging(files.variables) { _, own in own }.merging(variables) { _, own in own }
        var command = try command(for: draft, cwd: cwd, search: seen["PATH"] ?? Paths.defaultSearchPath)
        command.variables.merge(variables) { _, own in own }
        // A file may say otherwise than the interpreter's habit.
        for name in files.variables.keys where variables[name] == nil { command.variables[name] = nil }
        let name = draft.name ?? command.name
        try Limits.check(name: name)
        if let namespace = draft.namespace { try Limits.check(namespace: namespace) }
        var spec = AppSpec(
            name: name, namespace: draft.namespace ?? "default", script: command.script,
            arguments: command.arguments, interpreter: command.interpreter,
            interpreterArguments: command.interpreterArguments, cwd: command.cwd ?? cwd,
            environment: command.variables,
            instances: draft.instances?.resolved(processors: processors) ?? 1, autostart: draft.autostart ?? true,
            restart: restartPolicy(of: draft), stop: stopPolicy(of: draft),
            output: try outputPolicy(of: draft, cwd: cwd),
            stdin: draft.stdin ?? .pipe, uid: try privileged(draft.uid, "uid"), gid: try privileged(draft.gid, "gid"),
            expectedPort: draft.port ?? draft.listen?.lazy.compactMap(\.address.port).first
                ?? ExpectedPort.find(
                    environment: seen.merging(command.variables) { _, own in own }, arguments: command.arguments)
                ?? draft.staticSite?.port)
        spec.memoryLimit = draft.memoryLimit.flatMap { $0 > 0 ? $0 : nil }
        spec.memoryMax = draft.memoryMax
        spec.schedule = try schedule(of: draft)
        spec.watch = watchPolicy(of: draft, cwd: cwd)
        spec.environmentFiles = files.paths.isEmpty ? nil : files.paths
        spec.environmentFilter = draft.environmentFilter
        spec.instanceVariable = try variableName(draft.instanceVariable, "instance_var")
        spec.incrementVariable = try variableName(draft.incrementVariable, "increment_var")
        spec.pidFile = try draft.pidFile.map { path throws(ConfigurationError) in try file(path, "pid", cwd: cwd) }
        spec.readiness = readinessPolicy(of: draft)
        spec.watchdog = draft.watchdog
        spec.listen = try sockets(of: draft, command)
        spec.reload = draft.reload
        spec.dependsOn = draft.dependsOn.flatMap { $0.isEmpty ? nil : $0 }
        spec.drain = draft.drain
        spec.mode = mode(of: draft, interpreter: command.interpreter)
        spec.kept = draft.kept.isEmpty ? nil : draft.kept
        try makeJob(of: draft, &spec)
        try Limits.check(spec, inherited: environment.merging(files.variables) { _, own in own })
        return spec
    }

    // MARK: - Surroundings

    func absolute(_ path: String, base: String? = nil) -> String {
        Paths.absolute(path, base: base ?? workingDirectory, home: home)
    }

    private func workingDirectory(of draft: AppDraft) throws(ConfigurationError) -> String {
        let cwd = absolute(draft.cwd ?? ".")
        switch FileProbe.kind(of: cwd) {
        case .directory: return cwd
        case .missing:
            throw ConfigurationError("the working directory '\(cwd)' does not exist", hint: "create it, or correct cwd")
        case .unreachable(let code):
            throw ConfigurationError("cannot reach the working directory '\(cwd)': \(FileProbe.describe(code))")
        case .file, .other:
            throw ConfigurationError("the working directory '\(cwd)' is not a directory", hint: "correct cwd")
        }
    }

    /// What the app's own description sets.
    private func variables(of draft: AppDraft) -> [String: String] {
        var variables = draft.environment
        // Beneath the caller's environment: only what nothing else sets.
        for (name, value) in draft.lowestEnvironment where environment[name] == nil && variables[name] == nil {
            variables[name] = value
        }
        if let port = draft.port, dialect == .pm2 || variables["PORT"] == nil { variables["PORT"] = String(port) }
        return variables
    }

    /// The `.env` files by absolute path, and what they say now: the daemon reads them again at every start.
    private func environmentFiles(
        of draft: AppDraft, cwd: String, warn: (String) -> Void
    ) throws(ConfigurationError) -> (paths: [String], variables: [String: String]) {
        var paths: [String] = []
        var variables: [String: String] = [:]
        for file in draft.environmentFiles {
            let bases = [cwd, workingDirectory].map { absolute(file, base: $0) }
            guard let path = bases.first(where: { FileProbe.kind(of: $0) != .missing }) else {
                // The key is not one of PM2's, which started such an app without a word.
                guard dialect == .pm2 else {
                    throw ConfigurationError(
                        "cannot read '\(absolute(file, base: cwd))': no such file or directory", hint: "check the path")
                }
                warn("Environment file \(absolute(file, base: cwd)) does not exist, ignored")
                continue
            }
            let base = environment.merging(variables) { _, own in own }
            variables.merge(try EnvironmentFile.load(path: path, base: base)) { _, later in later }
            paths.append(path)
        }
        return (paths, variables)
    }

    private func variableName(_ name: String?, _ key: String) throws(ConfigurationError) -> String? {
        guard let name else { return nil }
        guard !name.isEmpty, !name.contains("=") else {
            throw ConfigurationError("'\(name)' is not the name of a variable", hint: "correct \(key)")
        }
        return name
    }

    private func privileged(_ user: String?, _ option: String) throws(ConfigurationError) -> String? {
        guard let user else { return nil }
        guard !user.isEmpty else { throw ConfigurationError("\(option) is empty", hint: "name a user or a number") }
        guard isRoot else {
            if dialect == .pm2 {
                throw ConfigurationError("To use --uid and --gid please run pm2 as root", subject: .setting)
            }
            throw ConfigurationError(
                "only root can run an app under another \(option) ('\(user)')", hint: "leave \(option) out, or use sudo"
            )
        }
        return user
    }
}
