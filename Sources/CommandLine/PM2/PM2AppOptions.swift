import Configuration

/// What the options say of an app, in the form of an app file: one reader for both.
enum PM2AppOptions {
    /// Option to key, where the value is taken as it is.
    private static let plain: [String: String] = [
        "name": "name", "instances": "instances", "interpreter": "exec_interpreter", "interpreter-args": "node_args",
        "node-args": "node_args", "output": "out_file", "error": "error_file", "log-type": "log_type",
        "log-date-format": "log_date_format", "pid": "pid_file", "kill-timeout": "kill_timeout",
        "listen-timeout": "listen_timeout", "max-memory-restart": "max_memory_restart",
        "restart-delay": "restart_delay", "exp-backoff-restart-delay": "exp_backoff_restart_delay",
        "max-restarts": "max_restarts", "uid": "uid", "gid": "gid", "user": "uid", "namespace": "namespace",
        "cwd": "cwd", "cron": "cron_restart", "cron-restart": "cron_restart",
    ]
    /// Flags to key and value.
    private static let flags: [(option: String, key: String, value: Bool)] = [
        ("time", "time", true), ("merge-logs", "merge_logs", true), ("disable-logs", "disable_logs", true),
        ("shutdown-with-message", "shutdown_with_message", true), ("wait-ready", "wait_ready", true),
        ("no-autostart", "autostart", false), ("no-autorestart", "autorestart", false),
        ("no-treekill", "treekill", false), ("no-vizion", "vizion", false), ("no-pmx", "pmx", false),
        ("no-automation", "automation", false), ("trace", "trace", true), ("disable-trace", "disable_trace", true),
        ("v8", "v8", true), ("event-loop-inspector", "event_loop_inspector", true),
        ("deep-monitoring", "deep_monitoring", true), ("source-map-support", "source_map_support", true),
        ("disable-source-map-support", "disable_source_map_support", true),
    ]

    /// The keys that were given.
    static func members(_ options: PM2Options) -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        for (option, key) in plain {
            if let value = options[option] { members[key] = .string(value) }
        }
        for flag in flags where options.has(flag.option) { members[flag.key] = .bool(flag.value) }
        if let path = options["log"] { members["log_file"] = path == "true" ? .bool(true) : .string(path) }
        if options.has("execute-command") { members["exec_mode"] = .string("fork") }
        if options.has("watch") {
            let paths = options.all("watch").filter { $0 != "true" }
            members["watch"] = paths.isEmpty ? .bool(true) : .array(paths.map { .string($0) })
        }
        let ignored = options.all("ignore-watch").flatMap(TextValues.words)
        if !ignored.isEmpty { members["ignore_watch"] = .array(ignored.map { .string($0) }) }
        if let text = options["watch-delay"] { members["watch_delay"] = delay(text) }
        if let codes = options["stop-exit-codes"] {
            members["stop_exit_codes"] = .array(TextValues.words(codes).map { .string($0) })
        }
        let filtered = options.all("filter-env").flatMap(TextValues.words)
        if !filtered.isEmpty {
            members["filter_env"] = filtered == ["true"] ? .bool(true) : .array(filtered.map { .string($0) })
        }
        if let arguments = options.passthrough, !arguments.isEmpty {
            members["args"] = .array(arguments.map { .string($0) })
        }
        return members
    }

    /// On the command line a bare number means seconds; in a file, milliseconds.
    private static func delay(_ text: String) -> JSONValue {
        if text.hasSuffix("ms"), let number = Int64(text.dropLast(2)) { return .integer(number) }
        if let seconds = Double(text), seconds >= 0, seconds < 1e9 { return .integer(Int64(seconds * 1000)) }
        return .string(text)
    }

    /// Extensions of `--ext js,ts`.
    static func extensions(_ options: PM2Options) -> [String]? {
        options["ext"].map { $0.split(whereSeparator: { $0 == "," || $0 == " " }).map(String.init) }
    }
}
