/// What the keys of a record are. Variables stand among them at the same level, so every key that is not a variable must
/// be known.
enum RecordKeys {
    /// State that PM2 sets when it launches an app: no variable of the same name shows through.
    static let state: Set<String> = [
        "env", "status", "pm_id", "pm_exec_path", "pm_cwd", "pm_out_log_path", "pm_err_log_path", "pm_log_path",
        "pm_pid_path", "pm_uptime", "created_at", "restart_time", "unstable_restarts", "unstable_restart",
        "prev_restart_delay", "exit_code", "version", "node_version", "unique_id", "username", "axm_actions",
        "axm_monitor", "axm_options", "axm_dynamic", "vizion_running", "vizion_runing", "versioning", "km_link",
        "_pm2_version", "_tree_pids", "pmx_module", "pid", "monit", "pm2_env",
    ]

    /// Settings that PM2 knows, under their canonical names and as older versions wrote them.
    static let settings: Set<String> = [
        "name", "name_prefix", "namespace", "script", "cwd", "args", "exec_interpreter", "interpreter", "node_args",
        "interpreter_args", "interpreterArgs", "exec_mode", "execute_command", "instances", "instance_var",
        "increment_var", "out_file", "error_file", "log_file", "pid_file", "disable_logs", "log_type",
        "log_date_format", "time", "merge_logs", "combine_logs", "filter_env", "append_env_to_name", "port",
        "autostart",
        "autorestart", "stop_exit_codes", "min_uptime", "max_restarts", "restart_delay", "exp_backoff_restart_delay",
        "kill_timeout", "kill_retry_time", "treekill", "shutdown_with_message", "wait_ready", "listen_timeout",
        "max_memory_restart", "cron_restart", "cron", "watch", "ignore_watch", "watch_options", "watch_delay", "force",
        "uid", "gid", "user", "post_update", "install_url", "write", "vizion", "pmx", "automation", "windowsHide",
        "source_map_support", "disable_source_map_support", "trace", "disable_trace", "v8", "event_loop_inspector",
        "deep_monitoring", "io", "command", "env_file",
    ]

    /// Settings of Hearth's that PM2 does not have; it keeps them as they are.
    static let own: Set<String> = ["kill_signal", "slow_retry", "restart", "stdin", "watch_ext"]

    /// What Node and PM2 put among the variables for the process itself.
    static let internals: Set<String> = ["NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE", "NODE_UNIQUE_ID"]

    /// Variables that an app is given at every start. In a dump they are those of the former run, or of the app in which
    /// somebody typed the command; and where a home was moved, they name the old one.
    static let setAtEveryStart: Set<String> = [
        "PM2_HOME", "PM2_USAGE", "pm_id", "pm_uptime", "pm_exec_path", "pm_cwd", "pm_out_log_path", "pm_err_log_path",
        "pm_log_path", "pm_pid_path",
    ]

    /// Settings that are stored and shown, and that nothing here acts on.
    static let kept: [String] = [
        "name_prefix", "execute_command", "log_file", "disable_logs", "log_type", "log_date_format", "time",
        "append_env_to_name", "kill_retry_time", "watch_options", "force", "post_update", "install_url", "write",
        "vizion", "pmx", "automation", "windowsHide",
        "source_map_support", "disable_source_map_support", "trace", "disable_trace", "v8", "event_loop_inspector",
        "deep_monitoring", "io", "port",
    ]

    /// Values that PM2 puts into every record.
    static let defaults: KeyValuePairs<String, OrderedJSON> = [
        "kill_retry_time": .integer(100), "vizion": .bool(true), "pmx": .bool(true), "automation": .bool(true),
        "windowsHide": .bool(true),
    ]

    static func isKnown(_ key: String) -> Bool {
        settings.contains(key) || state.contains(key) || own.contains(key) || internals.contains(key)
            || key.hasPrefix("axm_")
    }

    /// What the `env` command leaves out: what PM2 injects into an app, which an app run by PM2 must not hand on.
    static let hiddenByEnvironment: Set<String> = [
        "name", "exec_mode", "env", "args", "pm_cwd", "exec_interpreter", "pm_exec_path", "node_args",
        "pm_out_log_path", "pm_err_log_path", "pm_pid_path", "pm_id", "status", "pm_uptime", "created_at",
        "windowsHide", "username", "merge_logs", "kill_retry_time", "prev_restart_delay", "instance_var",
        "unstable_restarts", "restart_time", "axm_actions", "axm_options", "axm_dynamic", "axm_monitor", "pmx",
        "pmx_module", "command", "watch", "filter_env", "versioning", "vizion", "vizion_runing", "MODULE_DEBUG",
        "instances", "automation", "autostart", "autorestart", "stop_exit_codes", "unstable_restart", "treekill",
        "exit_code",
    ]
}
