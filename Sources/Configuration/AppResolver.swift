package import Model

/// Turns a draft into an `AppSpec`, and finds everything that would make it fail before anything is started.
package struct AppResolver: Sendable {
    /// Where relative paths start: the caller's working directory.
    package var workingDirectory: String
    /// The caller's environment, as far as it is passed on.
    package var environment: [String: String]
    package var home: String?
    package var processors: Int
    package var isRoot: Bool

    package init(
        workingDirectory: String, environment: [String: String], home: String?, processors: Int, isRoot: Bool
    ) {
        self.workingDirectory = workingDirectory
        self.environment = environment
        self.home = home
        self.processors = processors
        self.isRoot = isRoot
    }

    package func resolve(_ draft: AppDraft) throws(ConfigurationError) -> AppSpec {
        guard let script = draft.script, !script.isEmpty else {
            throw ConfigurationError("no script is given", hint: "name a file or a command")
        }
        try Limits.refuseNUL(in: draft)
        let cwd = try workingDirectory(of: draft)
        let variables = try variables(of: draft)
        var command = try command(for: draft, script: script, cwd: cwd, variables: variables)
        command.variables.merge(variables) { _, own in own }
        let name = draft.name ?? command.name
        try Limits.check(name: name)
        if let namespace = draft.namespace { try Limits.check(namespace: namespace) }
        let spec = AppSpec(
            name: name, namespace: draft.namespace ?? "default", script: command.script,
            arguments: command.arguments, interpreter: command.interpreter,
            interpreterArguments: command.interpreterArguments, cwd: cwd, environment: command.variables,
            instances: draft.instances?.resolved(processors: processors) ?? 1, autostart: draft.autostart ?? true,
            restart: restartPolicy(of: draft), stop: stopPolicy(of: draft),
            output: try outputPolicy(of: draft, cwd: cwd),
            stdin: draft.stdin ?? .pipe, uid: try privileged(draft.uid, "uid"), gid: try privileged(draft.gid, "gid"),
            expectedPort: draft.port
                ?? ExpectedPort.find(
                    environment: environment.merging(command.variables) { _, own in own },
                    arguments: command.arguments))
        try Limits.check(spec, inherited: environment)
        return spec
    }

    // MARK: - Surroundings

    private func absolute(_ path: String, base: String? = nil) -> String {
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

    /// Environment files first, in their order, then single variables.
    private func variables(of draft: AppDraft) throws(ConfigurationError) -> [String: String] {
        var variables: [String: String] = [:]
        for file in draft.environmentFiles {
            let base = environment.merging(variables) { _, own in own }
            variables.merge(try EnvironmentFile.load(path: absolute(file), base: base)) { _, later in later }
        }
        variables.merge(draft.environment) { _, own in own }
        if let port = draft.port, variables["PORT"] == nil { variables["PORT"] = String(port) }
        return variables
    }

    private func privileged(_ user: String?, _ option: String) throws(ConfigurationError) -> String? {
        guard let user else { return nil }
        guard !user.isEmpty else { throw ConfigurationError("\(option) is empty", hint: "name a user or a number") }
        guard isRoot else {
            throw ConfigurationError(
                "only root can run an app under another \(option) ('\(user)')", hint: "leave \(option) out, or use sudo"
            )
        }
        return user
    }

    // MARK: - Policies

    private func restartPolicy(of draft: AppDraft) -> RestartPolicy {
        var policy = RestartPolicy()
        if draft.autorestart == false { policy.mode = .never }
        if let mode = draft.restartMode { policy.mode = mode }
        if let value = draft.maxRestarts { policy.maxRestarts = value }
        if let value = draft.minUptime { policy.minUptime = value }
        policy.restartDelay = draft.restartDelay
        policy.exponentialBackoff = draft.exponentialBackoff
        policy.stopExitCodes = draft.stopExitCodes ?? []
        if let value = draft.slowRetry { policy.slowRetry = value }
        return policy
    }

    private func stopPolicy(of draft: AppDraft) -> StopPolicy {
        var policy = StopPolicy()
        if let signal = draft.killSignal { policy.signal = signal }
        if let timeout = draft.killTimeout { policy.killTimeout = timeout }
        if let tree = draft.killsTree { policy.wholeTree = tree }
        return policy
    }

    private func outputPolicy(of draft: AppDraft, cwd: String) throws(ConfigurationError) -> OutputPolicy {
        func file(_ path: String?) throws(ConfigurationError) -> String? {
            guard let path else { return nil }
            if path == "NULL" || path == "/dev/null" { return "/dev/null" }
            let full = absolute(path, base: cwd)
            if FileProbe.kind(of: full) == .directory {
                throw ConfigurationError("the log file '\(full)' is a directory", hint: "name a file in it")
            }
            return full
        }
        // PM2's rule: a number of instances that was given as such gets a file each.
        var merge = true
        if case .exactly(let count) = draft.instances, count > 1 { merge = false }
        return OutputPolicy(
            outFile: try file(draft.outFile), errorFile: try file(draft.errorFile), merge: draft.mergeLogs ?? merge)
    }
}
