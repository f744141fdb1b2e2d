/// Commands of PM2's that Hearth does not have (yet): said plainly, with exit code 1.
enum PM2Absent {
    private static let advice = [
        "create": "`pm2 init` writes a file to begin with"
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
