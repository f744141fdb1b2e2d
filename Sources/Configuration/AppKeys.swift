/// The keys of an app in a file: PM2's with their aliases, and ours. Each is also accepted in camelCase.
enum AppKeys {
    /// Canonical key, then its aliases in the order in which they are looked at.
    static let table: [(key: String, aliases: [String])] = [
        ("script", ["exec", "cmd", "command"]),
        ("name", []),
        ("namespace", []),
        ("args", ["arguments"]),
        ("interpreter", ["exec_interpreter"]),
        ("interpreter_args", ["node_args"]),
        ("cwd", []),
        ("env", []),
        ("env_file", []),
        ("instances", []),
        ("autostart", []),
        ("autorestart", []),
        ("restart", []),
        ("max_restarts", []),
        ("min_uptime", []),
        ("restart_delay", []),
        ("exp_backoff_restart_delay", []),
        ("stop_exit_codes", []),
        ("slow_retry", []),
        ("kill_timeout", []),
        ("kill_signal", []),
        ("treekill", []),
        ("out_file", ["out_log", "output", "out"]),
        ("error_file", ["err_log", "err_file", "err", "error"]),
        ("merge_logs", ["combine_logs"]),
        ("stdin", []),
        ("uid", ["user"]),
        ("gid", []),
        ("port", []),
    ]

    /// PM2 keys whose feature comes later: a person must know that they do nothing yet.
    static let later: Set<String> = [
        "exec_mode", "instance_var", "increment_var", "log_file", "log", "pid_file", "pid", "disable_logs", "log_type",
        "log_date_format", "time", "filter_env", "append_env_to_name", "shutdown_with_message", "wait_ready",
        "listen_timeout", "max_memory_restart", "cron_restart", "cron", "watch", "ignore_watch", "watch_options",
        "watch_delay", "listen", "post_update",
    ]

    /// PM2 keys that mean nothing here.
    static let irrelevant: Set<String> = [
        "name_prefix", "execute_command", "kill_retry_time", "force", "install_url", "username", "write", "vizion",
        "pmx", "automation", "windows_hide", "source_map_support", "disable_source_map_support", "trace",
        "disable_trace", "v8", "event_loop_inspector", "deep_monitoring", "io",
    ]

    static func spellings(of key: String) -> [String] {
        let names = [key] + (table.first { $0.key == key }?.aliases ?? [])
        return names + names.map(camelCase).filter { !names.contains($0) }
    }

    static var allSpellings: [String] { table.flatMap { spellings(of: $0.key) } }

    static func camelCase(_ key: String) -> String {
        let parts = key.split(separator: "_")
        return (parts.first.map(String.init) ?? "")
            + parts.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// `maxMemoryRestart` as `max_memory_restart`.
    static func canonical(_ key: String) -> String {
        var result = ""
        for character in key {
            if character.isUppercase {
                result += "_" + character.lowercased()
            } else {
                result.append(character)
            }
        }
        return result
    }
}
