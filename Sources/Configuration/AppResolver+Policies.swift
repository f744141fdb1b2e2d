import Model

/// What an app's description says of its life, with the defaults of its dialect.
extension AppResolver {
    func restartPolicy(of draft: AppDraft) -> RestartPolicy {
        var policy = RestartPolicy(slowRetry: defaults.slowRetry)
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

    func stopPolicy(of draft: AppDraft) -> StopPolicy {
        StopPolicy(
            signal: draft.killSignal ?? defaults.stopSignal, killTimeout: draft.killTimeout ?? defaults.killTimeout,
            wholeTree: draft.killsTree ?? true, withMessage: draft.stopsWithMessage)
    }

    func readinessPolicy(of draft: AppDraft) -> ReadinessPolicy? {
        guard draft.waitsForReady == true || draft.notifies == true || draft.readyTimeout != nil else { return nil }
        return ReadinessPolicy(
            waitReady: draft.waitsForReady ?? false, timeout: draft.readyTimeout ?? defaults.readyTimeout,
            notify: draft.notifies == true ? true : nil)
    }

    func sockets(of draft: AppDraft, _ command: Command) throws(ConfigurationError) -> [ListenSpec]? {
        guard let listen = draft.listen, !listen.isEmpty else { return nil }
        if let fault = ListenSpec.fault(of: listen) {
            throw ConfigurationError(fault, hint: "each socket needs an address and a name of its own")
        }
        let names = listen.map(\.name)
        for argument in command.interpreterArguments + command.arguments {
            for part in argument.split(separator: "{fd:", omittingEmptySubsequences: false).dropFirst() {
                guard let end = part.firstIndex(of: "}") else { continue }
                let name = String(part[..<end])
                guard !names.contains(name) else { continue }
                let near = Spelling.nearest(to: name, among: names).map { "did you mean '\($0)'?" }
                throw ConfigurationError(
                    "'{fd:\(name)}' in the arguments names none of the app's sockets",
                    hint: near ?? "they are called \(names.joined(separator: ", "))", subject: .setting)
            }
        }
        return listen
    }

    func schedule(of draft: AppDraft) throws(ConfigurationError) -> RestartSchedule? {
        guard let pattern = draft.schedule, !pattern.isEmpty, pattern != "0" else { return nil }
        if let problem = SchedulePattern.problem(in: pattern, dialect: dialect) {
            guard dialect == .hearth else { throw ConfigurationError("Cron pattern error: \(problem)") }
            throw ConfigurationError(
                "not a cron pattern: \(problem)", hint: "write \"0 3 * * *\" for every day at 3")
        }
        return RestartSchedule(pattern: pattern, startsStopped: defaults.scheduleStartsStopped)
    }

    func watchPolicy(of draft: AppDraft, cwd: String) -> WatchPolicy? {
        guard let watch = draft.watch, watch.isOn else { return nil }
        let paths = watch.paths.isEmpty ? [cwd] : watch.paths.map { absolute($0, base: cwd) }
        return WatchPolicy(
            paths: paths, ignore: watch.ignore, delay: watch.delay ?? Milliseconds(0), extensions: watch.extensions)
    }

    func outputPolicy(of draft: AppDraft, cwd: String) throws(ConfigurationError) -> OutputPolicy {
        var policy = OutputPolicy(merge: draft.mergeLogs ?? mergesByDefault(draft))
        if draft.disableLogs == true {
            policy.outFile = "/dev/null"
            policy.errorFile = "/dev/null"
            return policy
        }
        policy.outFile = try draft.outFile.map { path throws(ConfigurationError) in try file(path, "log", cwd: cwd) }
        policy.errorFile = try draft.errorFile.map { path throws(ConfigurationError) in
            try file(path, "log", cwd: cwd)
        }
        return policy
    }

    /// A number of instances that was given as such gets a file each; with PM2 even 1 does.
    private func mergesByDefault(_ draft: AppDraft) -> Bool {
        switch dialect {
        case .hearth:
            if case .exactly(let count) = draft.instances { return count <= 1 }
            return true
        case .pm2:
            let isGiven = draft.instances != nil && draft.instances != .processors(fewer: 0)
            return !isGiven && draft.mode != .cluster
        }
    }

    /// Like PM2, every Node app whose instances were counted is taken for a cluster.
    func mode(of draft: AppDraft, interpreter: String?) -> ExecutionMode? {
        if let mode = draft.mode { return mode }
        let sharesSockets = ["node", "bun"].contains { interpreter.map(Paths.baseName)?.hasSuffix($0) ?? false }
        if draft.instances != nil, sharesSockets { return .cluster }
        return dialect == .pm2 ? .fork : nil
    }

    func file(_ path: String, _ what: String, cwd: String) throws(ConfigurationError) -> String {
        if path == "NULL" || path == "/dev/null" { return "/dev/null" }
        let full = absolute(path, base: cwd)
        if FileProbe.kind(of: full) == .directory {
            throw ConfigurationError("the \(what) file '\(full)' is a directory", hint: "name a file in it")
        }
        return full
    }
}
