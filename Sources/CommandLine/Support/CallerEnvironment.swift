import Configuration
import Glibc

/// The environment of whoever called `hearth`, as an app gets it.
struct CallerEnvironment {
    /// What an app is given.
    var variables: [String: String]
    /// Names of variables that can't be passed on because they are not UTF-8.
    var unreadable: [String]

    static func current() -> CallerEnvironment {
        var entries: [[UInt8]] = []
        var pointer = environ
        while let entry = pointer.pointee {
            entries.append([UInt8](UnsafeRawBufferPointer(start: entry, count: strlen(entry))))
            pointer += 1
        }
        return CallerEnvironment(entries: entries)
    }

    /// What an app can be given when it is asked for by name: also what belongs to the caller's session.
    static func everything() -> [String: String] {
        var variables: [String: String] = [:]
        var pointer = environ
        while let entry = pointer.pointee {
            pointer += 1
            guard let text = String(validatingCString: entry), let separator = text.firstIndex(of: "="),
                separator != text.startIndex
            else { continue }
            let name = String(text[..<separator])
            // Sockets and channels are the caller's alone.
            guard !["HEARTH_", "NODE_CHANNEL_", "LISTEN_"].contains(where: name.hasPrefix), name != "NOTIFY_SOCKET"
            else { continue }
            variables[name] = String(text[text.index(after: separator)...])
        }
        return variables
    }

    init(entries: [[UInt8]]) {
        variables = [:]
        unreadable = []
        for entry in entries {
            guard let separator = entry.firstIndex(of: UInt8(ascii: "=")), separator > 0 else { continue }
            let name = String(validating: entry[..<separator], as: UTF8.self)
            let value = String(validating: entry[(separator + 1)...], as: UTF8.self)
            guard let name, let value else {
                unreadable.append(String(decoding: entry[..<separator], as: UTF8.self))
                continue
            }
            if !Self.isPrivate(name) { variables[name] = value }
        }
        unreadable.sort()
    }

    /// Says on standard error what is left out.
    func warn() {
        for name in unreadable {
            Output.complain("warning: the variable '\(name)' is not valid UTF-8 and is not given to the app")
        }
    }

    /// Variables that describe the caller's session, or another manager, and would be a lie in an app.
    static func isPrivate(_ name: String) -> Bool {
        if names.contains(name) { return true }
        return prefixes.contains { name.hasPrefix($0) }
    }

    private static let prefixes = ["SSH_", "XDG_SESSION_", "HEARTH_", "NODE_CHANNEL_", "LISTEN_", "PM2_"]
    private static let names: Set<String> = [
        "HOSTNAME", "TERM", "SHLVL", "OLDPWD", "_", "NOTIFY_SOCKET", "COLUMNS", "LINES", "NODE_UNIQUE_ID",
        "NODE_APP_INSTANCE", "WATCHDOG_PID", "WATCHDOG_USEC",
        // What PM2 puts into its apps: a shell started below one has them all.
        "pm_id", "pm_cwd", "pm_exec_path", "pm_out_log_path", "pm_err_log_path", "pm_pid_path", "pm_uptime",
        "exec_mode",
        "exec_interpreter", "node_args", "axm_actions", "axm_options", "axm_dynamic", "axm_monitor", "pmx",
        "pmx_module", "km_link", "created_at", "restart_time", "unstable_restarts", "unique_id", "vizion",
        "vizion_running", "vizion_runing", "windowsHide", "merge_logs", "kill_retry_time", "prev_restart_delay",
        "instance_var", "treekill", "automation", "autorestart", "autostart", "stop_exit_codes", "filter_env",
        "versioning", "MODULE_DEBUG",
    ]
}

/// Whose home it is, and where.
enum CallerHome {
    /// HOME, or what /etc/passwd says (read as a file: a statically linked program can't ask the name service).
    static func directory() -> String? {
        if let home = getenv("HOME").map({ String(cString: $0) }), home.hasPrefix("/") { return home }
        guard let bytes = try? FileProbe.contents(of: "/etc/passwd", limit: 4 << 20) else { return nil }
        let user = String(geteuid())
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard fields.count >= 6, String(decoding: fields[2], as: UTF8.self) == user else { continue }
            let home = String(decoding: fields[5], as: UTF8.self)
            return home.hasPrefix("/") ? home : nil
        }
        return nil
    }

    static func workingDirectory() -> String? {
        guard let path = getcwd(nil, 0) else { return nil }
        defer { free(path) }
        return String(validatingCString: path)
    }
}
