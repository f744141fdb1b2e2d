package import Model

extension AppDraft {
    /// Lays what the draft says over an app that exists. What it does not say stays, and so do what PM2 fixes with the
    /// first start: script, directory, files, number of instances.
    package func change(_ spec: inout AppSpec, with resolver: AppResolver) throws(ConfigurationError) {
        if let name {
            try Limits.check(name: name)
            spec.name = name
        }
        if let namespace {
            try Limits.check(namespace: namespace)
            spec.namespace = namespace
        }
        if !arguments.isEmpty { spec.arguments = arguments }
        if let interpreter { spec.interpreter = interpreter == "none" ? nil : interpreter }
        if !interpreterArguments.isEmpty { spec.interpreterArguments = interpreterArguments }
        spec.environment.merge(environment) { _, new in new }
        if let environmentFilter { spec.environmentFilter = environmentFilter }
        if let autorestart { spec.restart.mode = autorestart ? .always : .never }
        if let restartMode { spec.restart.mode = restartMode }
        if let maxRestarts { spec.restart.maxRestarts = maxRestarts }
        if let minUptime { spec.restart.minUptime = minUptime }
        if let restartDelay { spec.restart.restartDelay = restartDelay }
        if let exponentialBackoff { spec.restart.exponentialBackoff = exponentialBackoff }
        if let stopExitCodes { spec.restart.stopExitCodes = stopExitCodes }
        if let slowRetry { spec.restart.slowRetry = slowRetry }
        if let killTimeout { spec.stop.killTimeout = killTimeout }
        if let killSignal { spec.stop.signal = killSignal }
        if let killsTree { spec.stop.wholeTree = killsTree }
        if let stopsWithMessage { spec.stop.withMessage = stopsWithMessage }
        if waitsForReady != nil || readyTimeout != nil || notifies != nil {
            var readiness = spec.readiness ?? ReadinessPolicy()
            if let waitsForReady { readiness.waitReady = waitsForReady }
            if let readyTimeout { readiness.timeout = readyTimeout }
            if let notifies { readiness.notify = notifies ? true : nil }
            spec.readiness = readiness
        }
        if let watchdog { spec.watchdog = watchdog }
        if let drain { spec.drain = drain }
        if let memoryLimit { spec.memoryLimit = memoryLimit > 0 ? memoryLimit : nil }
        if let schedule {
            let startsStopped = spec.schedule?.startsStopped ?? (resolver.dialect == .pm2)
            spec.schedule = schedule.isEmpty ? nil : RestartSchedule(pattern: schedule, startsStopped: startsStopped)
        }
        if let uid { spec.uid = uid }
        if let gid { spec.gid = gid }
        if !kept.isEmpty { spec.kept = (spec.kept ?? [:]).merging(kept) { _, new in new } }
        try Limits.check(spec, inherited: [:])
    }

    /// Takes settings back to what they are without being named (`--node-args=null`).
    package static func clear(_ keys: [String], in spec: inout AppSpec) {
        for key in keys {
            switch key {
            case "args": spec.arguments = []
            case "node_args": spec.interpreterArguments = []
            case "max_memory_restart": spec.memoryLimit = nil
            case "cron_restart": spec.schedule = nil
            case "restart_delay": spec.restart.restartDelay = nil
            case "exp_backoff_restart_delay": spec.restart.exponentialBackoff = nil
            case "stop_exit_codes": spec.restart.stopExitCodes = []
            case "filter_env": spec.environmentFilter = nil
            case "shutdown_with_message": spec.stop.withMessage = nil
            case "wait_ready": spec.readiness?.waitReady = false
            case "listen_timeout": spec.readiness?.timeout = nil
            case "ignore_watch": spec.watch?.ignore = nil
            default: spec.kept?[key] = nil
            }
        }
    }
}
