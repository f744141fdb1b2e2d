import Control
package import Model
import Records

extension PM2Record {
    /// Everything but the variables, in the order in which it is shown.
    static func settings(of entry: InventoryEntry, paths: HomePaths, facts: Facts) -> OrderedObject {
        var members: [OrderedObject.Member] = []
        members.reserveCapacity(80)
        func add(_ key: String, _ value: OrderedJSON?) {
            if let value { members.append(OrderedObject.Member(key, value)) }
        }
        addCommand(of: entry, add)
        addPolicies(of: entry.spec, add)
        addPlaces(of: entry, paths, add)
        addState(of: entry, facts, add)
        var settings = OrderedObject(members)
        for (key, text) in (entry.spec.kept ?? [:]).sorted(by: { $0.key < $1.key }) {
            // Text that is no JSON cannot have come from a reader of ours: it is shown as it is.
            settings[key] = (try? OrderedJSON.parse(Array(text.utf8))) ?? .string(text)
        }
        return settings
    }

    private typealias Add = (String, OrderedJSON?) -> Void

    private static func addCommand(of entry: InventoryEntry, _ add: Add) {
        let spec = entry.spec
        add("name", .string(spec.name))
        add("namespace", .string(spec.namespace))
        add("args", .strings(spec.arguments))
        add("node_args", .strings(spec.interpreterArguments))
        add("exec_interpreter", .string(spec.interpreter ?? "none"))
        add("exec_mode", .string(spec.mode == .cluster ? "cluster_mode" : "fork_mode"))
        add("instances", .integer(Int64(spec.instances)))
        let variable = spec.instanceVariable ?? "NODE_APP_INSTANCE"
        add("instance_var", .string(variable))
        // A variable of that name among the settings would stand there twice.
        if !RecordKeys.isKnown(variable) { add(variable, .integer(Int64(entry.instance.number))) }
        add("increment_var", spec.incrementVariable.map { .string($0) })
        add("env", .null)
    }

    private static func addPolicies(of spec: AppSpec, _ add: Add) {
        for (key, value) in RecordKeys.defaults { add(key, value) }
        add("autostart", .bool(spec.autostart))
        add("autorestart", .bool(spec.restart.mode != .never))
        add("treekill", .bool(spec.stop.wholeTree))
        addRestarts(spec.restart, add)
        if spec.stop.killTimeout != PM2Defaults.killTimeout { add("kill_timeout", milliseconds(spec.stop.killTimeout)) }
        if spec.stop.signal != PM2Defaults.killSignal { add("kill_signal", .string(spec.stop.signal.description)) }
        add("shutdown_with_message", spec.stop.withMessage.map { .bool($0) })
        if spec.readiness?.waitReady == true { add("wait_ready", .bool(true)) }
        add("listen_timeout", spec.readiness?.timeout.map(milliseconds))
        add("max_memory_restart", spec.memoryLimit.map { .integer($0) })
        add("cron_restart", spec.schedule.map { .string($0.pattern) })
        addWatch(spec, add)
        add("filter_env", filter(spec.environmentFilter))
        add("env_file", spec.environmentFiles.map { .strings($0) })
        if spec.stdin != .pipe { add("stdin", .string(spec.stdin.rawValue)) }
        add("uid", account(spec.uid))
        add("gid", account(spec.gid))
    }

    private static func addRestarts(_ policy: RestartPolicy, _ add: Add) {
        if policy.mode == .onFailure { add("restart", .string(policy.mode.rawValue)) }
        if policy.maxRestarts != PM2Defaults.maxRestarts { add("max_restarts", .integer(Int64(policy.maxRestarts))) }
        if policy.minUptime != PM2Defaults.minUptime { add("min_uptime", milliseconds(policy.minUptime)) }
        add("restart_delay", policy.restartDelay.map(milliseconds))
        add("exp_backoff_restart_delay", policy.exponentialBackoff.map(milliseconds))
        if !policy.stopExitCodes.isEmpty {
            add("stop_exit_codes", .array(policy.stopExitCodes.map { .integer(Int64($0)) }))
        }
        if policy.slowRetry { add("slow_retry", .bool(true)) }
    }

    private static func addWatch(_ spec: AppSpec, _ add: Add) {
        guard let watch = spec.watch else {
            add("watch", .bool(false))
            return
        }
        add("watch", watch.paths == [spec.cwd] ? .bool(true) : .strings(watch.paths))
        add("ignore_watch", watch.ignore.map { .strings($0) })
        if watch.delay.rawValue != 0 { add("watch_delay", milliseconds(watch.delay)) }
        add("watch_ext", watch.extensions.map { .strings($0) })
    }

    private static func addPlaces(of entry: InventoryEntry, _ paths: HomePaths, _ add: Add) {
        let spec = entry.spec
        let logs = paths.logFiles(of: spec, id: entry.instance.id)
        add("merge_logs", .bool(spec.output.merge))
        add("pm_exec_path", .string(spec.script))
        add("pm_cwd", .string(spec.cwd))
        add("pm_out_log_path", .string(logs.out ?? "/dev/null"))
        add("pm_err_log_path", .string(logs.error ?? "/dev/null"))
        add("pm_log_path", combinedLog(of: spec, paths).map { .string($0) })
        add("pm_pid_path", .string(PM2Defaults.pidFile(of: entry, paths)))
    }

    /// `log_file`: a path, or true for the default one.
    private static func combinedLog(of spec: AppSpec, _ paths: HomePaths) -> String? {
        guard let text = spec.kept?["log_file"], let value = try? OrderedJSON.parse(Array(text.utf8)) else {
            return nil
        }
        switch value {
        case .string(let path): return path.hasPrefix("/") ? path : "\(spec.cwd)/\(path)"
        case .bool(true):
            return "\(paths.logs)/\(HomePaths.safeFileName(spec.name, keepingUnderscore: !paths.isPM2)).log"
        default: return nil
        }
    }

    private static func addState(of entry: InventoryEntry, _ facts: Facts, _ add: Add) {
        let instance = entry.instance
        add("status", .string(instance.status.pm2Name))
        add("pm_id", .integer(Int64(instance.id.rawValue)))
        add("pm_uptime", .integer(instance.startedAt ?? instance.createdAt))
        add("created_at", .integer(instance.createdAt))
        add("restart_time", .integer(Int64(instance.restarts)))
        add("unstable_restarts", .integer(Int64(instance.unstableRestarts)))
        // 0 after a death by signal.
        add("exit_code", instance.lastExit.map { .integer(Int64($0.code ?? 0)) })
        add("unique_id", entry.uniqueId.map { .string($0) })
        add("username", .string(entry.user))
        add("version", .string(facts.version))
        add("node_version", (entry.report?.nodeVersion ?? facts.nodeVersion).map { .string($0) })
        add("vizion_running", .bool(false))
        add("km_link", .bool(false))
        add("axm_actions", entry.report?.axmActions ?? .array([]))
        add("axm_monitor", entry.report?.axmMonitor ?? .emptyObject)
        add("axm_options", entry.report?.axmOptions ?? .emptyObject)
        add("axm_dynamic", .emptyObject)
    }

    private static func milliseconds(_ time: Milliseconds) -> OrderedJSON { .integer(time.rawValue) }

    private static func account(_ account: String?) -> OrderedJSON? {
        account.map { text in Int64(text).map { .integer($0) } ?? .string(text) }
    }

    private static func filter(_ filter: EnvironmentFilter?) -> OrderedJSON {
        guard let filter else { return .array([]) }
        if filter.everything { return .bool(true) }
        if let name = filter.names.first, filter.names.count == 1, filter.fragments.isEmpty { return .string(name) }
        // PM2 has no list of exact names; a fragment leaves out the same and perhaps more.
        return .strings(filter.fragments + filter.names)
    }
}

/// What PM2 does where nothing is said.
package enum PM2Defaults {
    package static let killTimeout = Milliseconds(1600)
    package static let killSignal = Signal.int
    package static let maxRestarts = 16
    package static let minUptime = Milliseconds(1000)

    /// The pid file of an entry, also in a home where none is written.
    static func pidFile(of entry: InventoryEntry, _ paths: HomePaths) -> String {
        paths.pidFile(of: entry.spec, id: entry.instance.id)
            ?? usualPidFile(of: entry.spec, paths, id: entry.instance.id)
    }

    /// Where PM2 writes it unless another place was asked for.
    static func usualPidFile(of spec: AppSpec, _ paths: HomePaths, id: InstanceID) -> String {
        "\(paths.pm2Pids)/\(HomePaths.safeFileName(spec.name, keepingUnderscore: false))-\(id).pid"
    }
}
