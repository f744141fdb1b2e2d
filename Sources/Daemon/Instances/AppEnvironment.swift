import Configuration
import Model
import Platform

/// The environment of an app: the caller's, then its environment files, then the app's own, then what Hearth sets.
///
/// Files are read when it is composed: at every start, on the thread that starts the process. A disk may hang.
struct AppEnvironment: Sendable {
    struct Variable: Sendable {
        var name: String
        var value: String
        /// `shell`, the path of a file, `app` or `hearth`.
        var origin: String
    }

    var desired: DesiredInstance
    /// What was stored when it was started.
    var caller: [String: String]?
    var tag: InstanceTag
    /// What a home of PM2's adds; beneath everything else.
    var manager: [String: String] = [:]
    /// Entries that tell the process of its channel; nothing that a person looks at has them.
    var channel: [String] = []
    /// The same of its sockets.
    var sockets: [String] = []

    func compose() throws(SpawnFailure) -> [Variable] {
        var variables: [String: Variable] = [:]
        func set(_ name: String, _ value: String, _ origin: String) {
            variables[name] = Variable(name: name, value: value, origin: origin)
        }
        for (name, value) in manager { set(name, value, "hearth") }
        let spec = desired.spec
        for (name, value) in caller ?? [:]
        where Self.isPassedOn(name) && spec.environmentFilter?.keeps(name) ?? true {
            set(name, value, "shell")
        }
        set("PWD", spec.cwd, "hearth")
        set(spec.instanceVariable ?? "NODE_APP_INSTANCE", String(desired.number), "hearth")
        for path in spec.environmentFiles ?? [] {
            // `${VAR}` is looked up in the file, then in what came before it.
            let file = try Self.read(path, base: variables.mapValues(\.value))
            for (name, value) in file where Self.isPassedOn(name) && !value.contains("\0") { set(name, value, path) }
        }
        for (name, value) in spec.environment where Self.isPassedOn(name) { set(name, value, "app") }
        set("HEARTH_ID", desired.id.description, "hearth")
        set("HEARTH_NAME", spec.name, "hearth")
        let entry = tag.environmentEntry
        set("HEARTH_INSTANCE", String(entry.drop { $0 != "=" }.dropFirst()), "hearth")
        if variables["PATH"] == nil { set("PATH", "/usr/local/bin:/usr/bin:/bin", "hearth") }
        return variables.values.sorted { $0.name < $1.name }
    }

    private static func read(_ path: String, base: [String: String]) throws(SpawnFailure) -> [String: String] {
        do throws(ConfigurationError) {
            return try EnvironmentFile.load(path: path, base: base)
        } catch {
            var place = error.location ?? ""
            if place.hasPrefix(path) { place.removeFirst(path.count) }
            let message = error.hint.map { "\(error.message); \($0)" } ?? error.message
            throw SpawnFailure(stage: .preparation, errno: 0, message: "env_file '\(path)'\(place): \(message)")
        }
    }

    /// Names that would mislead the app about who its parent is or which sockets it has.
    private static func isPassedOn(_ name: String) -> Bool {
        if name.isEmpty || name.contains("=") || name.contains("\0") { return false }
        if name.hasPrefix("HEARTH_") || name.hasPrefix("NODE_CHANNEL_") || name.hasPrefix("LISTEN_") { return false }
        return !["NODE_UNIQUE_ID", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM", "INVOCATION_ID"]
            .contains(name)
    }
}
