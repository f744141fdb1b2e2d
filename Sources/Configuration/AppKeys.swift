/// One key of an app in a file.
struct AppKey {
    /// The types that PM2 accepts.
    enum Kind: String {
        case string = "String"
        case number = "Number"
        case boolean = "Boolean"
        case array = "Array"
        case object = "Object"
    }

    /// What Hearth does with it.
    enum Use {
        case acts
        /// Kept and shown, without effect so far: a person must know.
        case later
        /// Kept and shown; without any meaning here.
        case irrelevant
    }

    var name: String
    /// In the order in which they are looked at.
    var aliases: [String] = []
    /// In PM2's order; empty: PM2 does not know the key.
    var kinds: [Kind]
    /// PM2's canonical spelling, where ours is another one.
    var foreignName: String?
    var use = Use.acts

    init(
        _ name: String, _ aliases: [String] = [], _ kinds: Kind..., foreignName: String? = nil, use: Use = .acts
    ) {
        self.name = name
        self.aliases = aliases
        self.kinds = kinds
        self.foreignName = foreignName
        self.use = use
    }

    /// All spellings, the canonical one first. Each is also accepted in camelCase.
    var spellings: [String] {
        let names = [name] + aliases
        return names + names.map(AppKeys.camelCase).filter { !names.contains($0) }
    }
}

/// The keys of an app in a file: PM2's with their aliases, and ours.
package enum AppKeys {
    static let table: [AppKey] = [
        AppKey("script", ["exec", "cmd", "command"], .string),
        AppKey("name", [], .string),
        AppKey("namespace", [], .string),
        AppKey("args", ["arguments"], .array, .string),
        AppKey("interpreter", ["exec_interpreter"], .string, foreignName: "exec_interpreter"),
        AppKey("interpreter_args", ["node_args"], .array, .string, foreignName: "node_args"),
        AppKey("cwd", [], .string),
        AppKey("env", [], .object, .string),
        AppKey("env_file", []),
        AppKey("pass_env", []),
        AppKey("filter_env", [], .boolean, .array, .string),
        AppKey("append_env_to_name", [], .boolean),
        AppKey("port", [], .number),
        AppKey("exec_mode", [], .string),
        AppKey("instances", [], .number),
        AppKey("instance_var", [], .string),
        AppKey("increment_var", [], .string),
        AppKey("autostart", [], .boolean),
        AppKey("autorestart", [], .boolean),
        AppKey("restart", []),
        AppKey("max_restarts", [], .number),
        AppKey("min_uptime", [], .number, .string),
        AppKey("restart_delay", [], .number),
        AppKey("exp_backoff_restart_delay", [], .number),
        AppKey("stop_exit_codes", [], .array, .number),
        AppKey("slow_retry", []),
        AppKey("max_memory_restart", [], .string, .number),
        AppKey("memory_max", []),
        AppKey("schedule", []),
        AppKey("cron_restart", ["cron"], .string, .number),
        AppKey("watch", [], .boolean, .array, .string),
        AppKey("ignore_watch", [], .array, .string),
        AppKey("watch_options", [], .object),
        AppKey("watch_delay", [], .number),
        AppKey("kill_timeout", [], .number),
        AppKey("kill_signal", []),
        AppKey("treekill", [], .boolean),
        AppKey("shutdown_with_message", [], .boolean),
        AppKey("wait_ready", [], .boolean),
        AppKey("listen_timeout", [], .number),
        AppKey("notify", []),
        AppKey("watchdog", []),
        AppKey("listen", []),
        AppKey("drain", []),
        AppKey("depends_on", []),
        AppKey("reload", []),
        AppKey("out_file", ["out_log", "output", "out"], .string),
        AppKey("error_file", ["err_log", "err_file", "err", "error"], .string),
        AppKey("merge_logs", ["combine_logs"], .boolean),
        AppKey("disable_logs", [], .boolean),
        AppKey("pid_file", ["pid"], .string),
        AppKey("stdin", []),
        AppKey("uid", ["user"], .number, .string),
        AppKey("gid", [], .number, .string),

        AppKey("log_file", ["log"], .boolean, .string, use: .later),
        AppKey("log_type", [], .string, use: .later),
        AppKey("log_date_format", [], .string, use: .later),
        AppKey("time", [], .boolean, use: .later),
        AppKey("post_update", [], .array, use: .later),

        AppKey("name_prefix", [], .string, use: .irrelevant),
        AppKey("execute_command", [], .boolean, use: .irrelevant),
        AppKey("kill_retry_time", [], .number, use: .irrelevant),
        AppKey("force", [], .boolean, use: .irrelevant),
        AppKey("install_url", [], .string, use: .irrelevant),
        AppKey("username", [], .string, use: .irrelevant),
        AppKey("write", [], .boolean, use: .irrelevant),
        AppKey("vizion", [], .boolean, use: .irrelevant),
        AppKey("pmx", [], .boolean, .string, use: .irrelevant),
        AppKey("automation", [], .boolean, use: .irrelevant),
        AppKey("windowsHide", ["windows_hide"], .boolean, use: .irrelevant),
        AppKey("source_map_support", [], .boolean, use: .irrelevant),
        AppKey("disable_source_map_support", [], .boolean, use: .irrelevant),
        AppKey("trace", [], .boolean, use: .irrelevant),
        AppKey("disable_trace", [], .boolean, use: .irrelevant),
        AppKey("v8", [], .boolean, use: .irrelevant),
        AppKey("event_loop_inspector", [], .boolean, use: .irrelevant),
        AppKey("deep_monitoring", [], .boolean, use: .irrelevant),
        AppKey("io", [], .object, use: .irrelevant),
    ]

    static func spellings(of key: String) -> [String] {
        table.first { $0.name == key }?.spellings ?? [key, camelCase(key)]
    }

    /// Where a key comes when an app is written: in the order of the table, environments behind `env`, unknown ones last.
    package static func rank(of key: String) -> Int {
        if environmentName(of: key) != nil { return rank(of: "env") }
        return table.firstIndex { $0.spellings.contains(key) } ?? table.count
    }

    /// Kept settings that mean something to a person: what has no meaning here is none of them.
    package static func isIrrelevant(_ key: String) -> Bool {
        table.contains { $0.use == .irrelevant && $0.spellings.contains(key) }
    }

    /// What a person may have meant: keys without a meaning here are no suggestions.
    static var allSpellings: [String] { table.filter { $0.use != .irrelevant }.flatMap(\.spellings) }

    /// `env_production` holds variables of an environment; `env_file` is something else.
    static func environmentName(of key: String) -> String? {
        guard key.hasPrefix("env_"), key != "env_file", key.count > 4 else { return nil }
        return String(key.dropFirst(4))
    }

    static func camelCase(_ key: String) -> String {
        let parts = key.split(separator: "_")
        return (parts.first.map(String.init) ?? "")
            + parts.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }
}
