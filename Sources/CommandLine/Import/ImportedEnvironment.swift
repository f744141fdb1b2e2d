import Glibc

/// Takes apart the environment that a dump has for an app: PM2 stores everything that the shell had in which the app was
/// started.
struct ImportedEnvironment {
    /// What the app needs from its file.
    private(set) var kept: [String: String] = [:]
    private(set) var session: [String] = []
    private(set) var usual: [String] = []
    private(set) var pm2: [String] = []
    /// Variables that every app gets, kept because they had another value.
    private(set) var unusual: [String] = []
    private(set) var secrets: [String] = []

    /// - Parameters:
    ///   - base: what `apply`, called from here, gives to every app.
    ///   - host: name of this machine.
    init(_ variables: [String: String], base: [String: String], host: String) {
        for (name, value) in variables.sorted(by: { $0.key < $1.key }) {
            if BaseEnvironment.contains(name) {
                if base[name] == value {
                    usual.append(name)
                    continue
                }
                unusual.append(name)
            } else if name == "HOSTNAME", value != host {
                // Shells set it to the machine's name; another value is meant for the app, which listens there.
                unusual.append(name)
            } else if Self.isSession(name) {
                session.append(name)
                continue
            } else if name.hasPrefix("PM2_SERVE_") {
                // What `pm2 serve` serves, and where.
            } else if CallerEnvironment.isPrivate(name) || name.hasPrefix("pm_") || name.hasPrefix("axm_") {
                pm2.append(name)
                continue
            }
            kept[name] = value
            if Secrets.redacted(name, value) != nil { secrets.append(name) }
        }
    }

    static func hostName() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func isSession(_ name: String) -> Bool {
        names.contains(name) || prefixes.contains { name.hasPrefix($0) }
    }

    private static let prefixes = [
        "SSH_", "XDG_", "DBUS_", "SUDO_", "TERM_", "VSCODE_", "TMUX", "GPG_", "LESS", "HIST", "NVM_", "FNM_", "npm_",
        "BASH_", "GNOME_", "GTK_", "QT_", "KDE_", "WAYLAND_", "VTE_", "ITERM_", "LC_TERMINAL", "MEMORY_PRESSURE_",
        "SYSTEMD_",
    ]
    private static let names: Set<String> = [
        "TERM", "COLORTERM", "LS_COLORS", "LSCOLORS", "CLICOLOR", "SHLVL", "PWD", "OLDPWD", "_", "HOSTNAME", "HOSTTYPE",
        "OSTYPE", "MACHTYPE", "MAIL", "COLUMNS", "LINES", "PS1", "PS2", "PROMPT", "PROMPT_COMMAND", "EDITOR", "VISUAL",
        "PAGER", "MANPAGER", "DISPLAY", "XAUTHORITY", "STY", "WINDOW", "WINDOWID", "SESSION_MANAGER", "DESKTOP_SESSION",
        "INVOCATION_ID", "JOURNAL_STREAM", "MANAGERPID", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_FDS",
        "LISTEN_PID", "LISTEN_FDNAMES", "INIT_CWD", "which_declare", "MOTD_SHOWN", "LOGIN", "NODE_UNIQUE_ID",
        "NODE_APP_INSTANCE", "NODE_CHANNEL_FD",
    ]
}
