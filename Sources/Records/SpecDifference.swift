package import Model

/// One setting that two specifications of an app have differently.
package struct SpecDifference: Hashable, Sendable, CustomStringConvertible {
    /// As in an app file where there is such a key: `kill_timeout`, `env NODE_ENV`.
    package var key: String
    /// Nil: secret, or too much to show.
    package var change: (old: String, new: String)?
    /// What happened, where values are not shown: `changed`.
    package var summary: String
    /// The running process must be replaced for it to take effect.
    package var needsRestart: Bool

    package var description: String {
        change.map { "\(key): \($0.old) → \($0.new)" } ?? "\(key): \(summary)"
    }

    package static func == (left: SpecDifference, right: SpecDifference) -> Bool {
        left.description == right.description && left.needsRestart == right.needsRestart
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(description) }

    /// Everything but the number of instances, which is a matter of the list. Values of variables are never shown.
    package static func between(_ old: AppSpec, _ new: AppSpec) -> [SpecDifference] {
        var collector = Collector()
        collector.compare("name", old.name, new.name)
        collector.compare("namespace", old.namespace, new.namespace, restart: false)
        collector.compare("script", old.script, new.script)
        collector.compare("args", old.arguments, new.arguments)
        collector.compare("interpreter", old.interpreter, new.interpreter)
        collector.compare("interpreter_args", old.interpreterArguments, new.interpreterArguments)
        collector.compare("cwd", old.cwd, new.cwd)
        collector.compare("autostart", old.autostart, new.autostart, restart: false)
        compareRestart(old.restart, new.restart, &collector)
        compareStop(old.stop, new.stop, &collector)
        collector.compare("out_file", old.output.outFile, new.output.outFile)
        collector.compare("error_file", old.output.errorFile, new.output.errorFile)
        collector.compare("merge_logs", old.output.merge, new.output.merge)
        collector.compare("stdin", old.stdin.rawValue, new.stdin.rawValue)
        collector.compare("uid", old.uid, new.uid)
        collector.compare("gid", old.gid, new.gid)
        compareAdditions(old, new, &collector)
        collector.compareNames("env", old.environment, new.environment, restart: true)
        // Kept settings may hold environments.
        collector.compareNames("kept", old.kept ?? [:], new.kept ?? [:], restart: false)
        return collector.found
    }

    private static func compareRestart(
        _ old: RestartPolicy, _ new: RestartPolicy, _ collector: inout Collector
    ) {
        collector.compare("restart", old.mode.rawValue, new.mode.rawValue, restart: false)
        collector.compare("max_restarts", old.maxRestarts, new.maxRestarts, restart: false)
        collector.compare("min_uptime", old.minUptime, new.minUptime, restart: false)
        collector.compare("restart_delay", old.restartDelay, new.restartDelay, restart: false)
        collector.compare(
            "exp_backoff_restart_delay", old.exponentialBackoff, new.exponentialBackoff, restart: false)
        collector.compare(
            "stop_exit_codes", old.stopExitCodes.map(String.init), new.stopExitCodes.map(String.init), restart: false)
        collector.compare("slow_retry", old.slowRetry, new.slowRetry, restart: false)
    }

    private static func compareStop(_ old: StopPolicy, _ new: StopPolicy, _ collector: inout Collector) {
        collector.compare("kill_signal", old.signal, new.signal, restart: false)
        collector.compare("kill_timeout", old.killTimeout, new.killTimeout, restart: false)
        collector.compare("treekill", old.wholeTree, new.wholeTree, restart: false)
        collector.compare(
            "shutdown_with_message", old.withMessage ?? false, new.withMessage ?? false, restart: false)
    }

    private static func compareAdditions(_ old: AppSpec, _ new: AppSpec, _ collector: inout Collector) {
        collector.compare("max_memory_restart", old.memoryLimit, new.memoryLimit, restart: false)
        collector.compare("memory_max", old.memoryMax, new.memoryMax, restart: old.job == nil)
        compareJob(old.job, new.job, &collector)
        collector.compare("cron_restart", old.schedule?.pattern, new.schedule?.pattern, restart: false)
        collector.compare("watch", old.watch?.paths, new.watch?.paths, restart: false)
        collector.compare("ignore_watch", old.watch?.ignore, new.watch?.ignore, restart: false)
        collector.compare("watch_delay", old.watch?.delay, new.watch?.delay, restart: false)
        collector.compare("env_file", old.environmentFiles, new.environmentFiles)
        let (before, after) = (old.readiness ?? ReadinessPolicy(), new.readiness ?? ReadinessPolicy())
        // How the next start is judged; but who has no channel yet gets one with a restart only.
        collector.compare("wait_ready", before.waitReady, after.waitReady, restart: false)
        collector.compare("listen_timeout", before.timeout, after.timeout, restart: false)
        collector.compare("notify", before.notify ?? false, after.notify ?? false)
        collector.compare("watchdog", old.watchdog, new.watchdog)
        if old.listen != new.listen { collector.add("listen", "changed", restart: true) }
        if old.drain != new.drain { collector.add("drain", "changed", restart: true) }
        if old.reload != new.reload { collector.add("reload", "changed", restart: false) }
        collector.compare("depends_on", old.dependsOn, new.dependsOn, restart: false)
        let filters = (old.environmentFilter, new.environmentFilter)
        if filters.0 != filters.1 { collector.add("filter_env", "changed", restart: true) }
        collector.compare("instance_var", old.instanceVariable, new.instanceVariable)
        collector.compare("increment_var", old.incrementVariable, new.incrementVariable)
        collector.compare("pid_file", old.pidFile, new.pidFile)
        // Without a mode an app is an ordinary process: that is `fork`.
        collector.compare("exec_mode", (old.mode ?? .fork).rawValue, (new.mode ?? .fork).rawValue)
    }

    private static func compareJob(_ old: JobPolicy?, _ new: JobPolicy?, _ collector: inout Collector) {
        guard old != new else { return }
        guard let old, let new else {
            collector.compare("schedule", old?.summary, new?.summary)
            return
        }
        // From the next run on.
        let summaries = (old.summary, new.summary)
        if summaries.0 == summaries.1 { return collector.add("schedule", "changed", restart: false) }
        collector.compare("schedule", summaries.0, summaries.1, restart: false)
    }

    private struct Collector {
        var found: [SpecDifference] = []

        mutating func add(_ key: String, _ summary: String, restart: Bool) {
            found.append(SpecDifference(key: key, change: nil, summary: summary, needsRestart: restart))
        }

        mutating func compare<Value: Equatable>(_ key: String, _ old: Value, _ new: Value, restart: Bool = true) {
            guard old != new else { return }
            found.append(
                SpecDifference(
                    key: key, change: (Self.text(old), Self.text(new)), summary: "changed", needsRestart: restart))
        }

        mutating func compareNames(
            _ key: String, _ old: [String: String], _ new: [String: String], restart: Bool
        ) {
            for name in Set(old.keys).union(new.keys).sorted() where old[name] != new[name] {
                let summary = old[name] == nil ? "added" : new[name] == nil ? "removed" : "changed"
                let label = key == "kept" ? name : "\(key) \(name)"
                add(label, summary, restart: restart)
            }
        }

        private static func text<Value>(_ value: Value) -> String {
            switch value {
            case let list as [String]: return list.isEmpty ? "none" : list.joined(separator: " ")
            case let text as String: return text
            default: break
            }
            // An optional: what is in it, or nothing.
            let mirror = Mirror(reflecting: value)
            guard mirror.displayStyle == .optional else { return "\(value)" }
            return mirror.children.first.map { text($0.value) } ?? "none"
        }
    }
}
