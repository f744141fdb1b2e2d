/// Commands of PM2's that Hearth does not have (yet): said plainly, with exit code 1.
enum PM2Absent {
    private static let advice = [
        "startup": "put `pm2 resurrect` into a systemd unit or a crontab line `@reboot` of this user for now",
        "unstartup": "remove the unit or the crontab line that you made",
        "create": "`pm2 init` writes a file to begin with",
    ]

    /// Of the service PM2 Plus, of Node's own tooling, or hardly ever used.
    static let rare = [
        "attach", "slist", "sysinfos", "completion", "pull", "forward", "backward", "deepUpdate", "autoinstall",
        "module:update", "module:generate", "package", "publish", "profile:cpu", "profile:mem", "link", "unlink",
        "monitor", "unmonitor", "open", "plus", "register", "login", "logout", "install-otel", "uninstall-otel",
    ]

    static func say(_ command: String, _ face: PM2Session) throws {
        face.console.error(
            "'\(command)' is not in this version of Hearth: \(advice[command] ?? "see the documentation")")
        throw PM2Exit.failed
    }
}
