import Glibc

/// The environment that PM2 takes from its caller: all of it.
enum PM2Environment {
    static func caller() -> [String: String] {
        var variables: [String: String] = [:]
        var pointer = environ
        while let entry = pointer.pointee {
            pointer += 1
            guard let text = String(validatingCString: entry), let separator = text.firstIndex(of: "=") else {
                continue
            }
            let name = String(text[..<separator])
            guard !name.isEmpty, !isOurs(name) else { continue }
            variables[name] = String(text[text.index(after: separator)...])
        }
        // Called from within an app: what was put into its environment is not the caller's.
        if variables["pm_id"] != nil || variables["PM2_PROGRAMMATIC"] == "true" {
            for name in injected { variables[name] = nil }
        }
        return variables
    }

    /// What would mislead an app about its parent or its sockets.
    private static func isOurs(_ name: String) -> Bool {
        ["HEARTH_", "NODE_CHANNEL_", "LISTEN_"].contains { name.hasPrefix($0) }
            || ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "NODE_UNIQUE_ID"].contains(name)
    }

    private static let injected: Set<String> = [
        "name", "exec_mode", "env", "args", "pm_cwd", "exec_interpreter", "pm_exec_path", "node_args",
        "pm_out_log_path", "pm_err_log_path", "pm_pid_path", "pm_id", "status", "pm_uptime", "created_at",
        "windowsHide", "username", "merge_logs", "kill_retry_time", "prev_restart_delay", "instance_var",
        "unstable_restarts", "restart_time", "axm_actions", "axm_options", "axm_dynamic", "axm_monitor", "pmx",
        "pmx_module", "command", "watch", "filter_env", "versioning", "vizion", "vizion_runing", "vizion_running",
        "MODULE_DEBUG", "instances", "automation", "autostart", "autorestart", "stop_exit_codes",
        "unstable_restart", "treekill", "exit_code", "namespace", "unique_id", "NODE_APP_INSTANCE", "km_link",
    ]
}
