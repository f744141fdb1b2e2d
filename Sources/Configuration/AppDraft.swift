package import Model

/// An app as somebody described it, on the command line or in a file: everything may be missing. `AppResolver` makes
/// an `AppSpec` of it.
package struct AppDraft: Hashable, Sendable {
    package var script: String?
    package var name: String?
    package var namespace: String?
    package var arguments: [String] = []
    /// A name or path, or `none`.
    package var interpreter: String?
    package var interpreterArguments: [String] = []
    package var cwd: String?
    package var environment: [String: String] = [:]
    /// PM2's `env_NAME`: laid over `environment` when NAME is asked for.
    package var namedEnvironments: [String: [String: String]] = [:]
    package var environmentFiles: [String] = []
    package var instances: InstanceCount?
    package var autostart: Bool?
    package var autorestart: Bool?
    package var restartMode: RestartPolicy.Mode?
    package var maxRestarts: Int?
    package var minUptime: Milliseconds?
    package var restartDelay: Milliseconds?
    package var exponentialBackoff: Milliseconds?
    package var stopExitCodes: [Int]?
    package var slowRetry: Bool?
    package var killTimeout: Milliseconds?
    package var killSignal: Signal?
    package var killsTree: Bool?
    package var outFile: String?
    package var errorFile: String?
    package var mergeLogs: Bool?
    package var stdin: StandardInput?
    package var uid: String?
    package var gid: String?
    package var port: Int?

    package init() {}
}
