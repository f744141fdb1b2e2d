import Model
import Platform

/// The environment of an app: the caller's, then the app's own, then what Hearth sets.
enum AppEnvironment {
    struct Variable {
        var name: String
        var value: String
        /// `shell`, `app` or `hearth`.
        var origin: String
    }

    /// - Parameter manager: what a home of PM2's adds; beneath everything else.
    static func compose(
        _ desired: DesiredInstance, caller: [String: String]?, tag: InstanceTag, manager: [String: String] = [:]
    ) -> [Variable] {
        var variables: [String: Variable] = [:]
        func set(_ name: String, _ value: String, _ origin: String) {
            variables[name] = Variable(name: name, value: value, origin: origin)
        }
        for (name, value) in manager { set(name, value, "hearth") }
        let filter = desired.spec.environmentFilter
        for (name, value) in caller ?? [:] where isPassedOn(name) && filter?.keeps(name) ?? true {
            set(name, value, "shell")
        }
        set("PWD", desired.spec.cwd, "hearth")
        set(desired.spec.instanceVariable ?? "NODE_APP_INSTANCE", String(desired.number), "hearth")
        for (name, value) in desired.spec.environment where isPassedOn(name) { set(name, value, "app") }
        set("HEARTH_ID", desired.id.description, "hearth")
        set("HEARTH_NAME", desired.spec.name, "hearth")
        let entry = tag.environmentEntry
        set("HEARTH_INSTANCE", String(entry.drop { $0 != "=" }.dropFirst()), "hearth")
        if variables["PATH"] == nil { set("PATH", "/usr/local/bin:/usr/bin:/bin", "hearth") }
        return variables.values.sorted { $0.name < $1.name }
    }

    /// Names that would mislead the app about who its parent is or which sockets it has.
    private static func isPassedOn(_ name: String) -> Bool {
        if name.isEmpty || name.contains("=") || name.contains("\0") { return false }
        if name.hasPrefix("HEARTH_") || name.hasPrefix("NODE_CHANNEL_") || name.hasPrefix("LISTEN_") { return false }
        return !["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM", "INVOCATION_ID"].contains(name)
    }
}
