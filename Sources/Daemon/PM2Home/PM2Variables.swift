import Model
import Records

/// What PM2 puts into the environment of its apps, for those that read it. Variables of the caller and of the app win
/// over these, as they do there.
enum PM2Variables {
    /// - Parameters:
    ///   - user: name of the daemon's user.
    ///   - startedAt: wall clock of this start, milliseconds since 1970.
    static func make(
        _ desired: DesiredInstance, _ record: InstanceRecord, paths: HomePaths, user: String, startedAt: Int64,
        wallClockOffset: Int64
    ) -> [String: String] {
        let spec = desired.spec
        let logs = paths.logFiles(of: spec, id: desired.id)
        var variables: [String: String] = [
            "pm_id": desired.id.description, "name": spec.name, "namespace": spec.namespace, "status": "launching",
            "exec_mode": "\((spec.mode ?? .fork).rawValue)_mode", "exec_interpreter": spec.interpreter ?? "none",
            "pm_exec_path": spec.script, "pm_cwd": spec.cwd, "pm_out_log_path": logs.out ?? "/dev/null",
            "pm_err_log_path": logs.error ?? "/dev/null",
            "pm_pid_path": paths.pidFile(of: spec, id: desired.id) ?? "", "pm_uptime": String(startedAt),
            "created_at": String(record.createdAt.milliseconds &+ wallClockOffset),
            "restart_time": String(record.restarts), "unstable_restarts": String(record.unstableRestarts),
            "instances": String(spec.instances), "instance_var": spec.instanceVariable ?? "NODE_APP_INSTANCE",
            "autostart": String(spec.autostart), "autorestart": String(spec.restart.mode != .never),
            "watch": String(spec.watch != nil), "merge_logs": String(spec.output.merge), "vizion": "true",
            "vizion_running": "false", "pmx": "true", "automation": "true", "treekill": String(spec.stop.wholeTree),
            "username": spec.uid ?? user, "windowsHide": "true", "kill_retry_time": "100", "km_link": "false",
            "PM2_HOME": paths.home, "PM2_USAGE": "CLI",
        ]
        if let id = desired.uniqueID { variables["unique_id"] = id }
        if let limit = spec.memoryLimit { variables["max_memory_restart"] = String(limit) }
        if let pattern = spec.schedule?.pattern { variables["cron_restart"] = pattern }
        if case .exited(let code)? = record.lastExit?.status { variables["exit_code"] = String(code) }
        for (key, text) in spec.kept ?? [:] {
            // Scalars only, as PM2 does; a string without its quotes.
            switch text.first {
            case "{", "[", "n", nil: continue
            case "\"": if text.count >= 2, !text.contains("\\") { variables[key] = String(text.dropFirst().dropLast()) }
            default: variables[key] = text
            }
        }
        return variables
    }
}
