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
    /// Beneath the caller's environment: `deploy.NAME.env` of the file when NAME is asked for.
    package var lowestEnvironment: [String: String] = [:]
    package var environmentFiles: [String] = []
    /// Names of variables that the app gets from the caller, where it would not get them anyway.
    package var passedVariables: [String] = []
    package var environmentFilter: EnvironmentFilter?
    /// With `--env NAME` the app is called `name-NAME`.
    package var appendsEnvironmentToName: Bool?
    package var instances: InstanceCount?
    package var mode: ExecutionMode?
    package var instanceVariable: String?
    package var incrementVariable: String?
    package var autostart: Bool?
    package var autorestart: Bool?
    package var restartMode: RestartPolicy.Mode?
    package var maxRestarts: Int?
    package var minUptime: Milliseconds?
    package var restartDelay: Milliseconds?
    package var exponentialBackoff: Milliseconds?
    package var stopExitCodes: [Int]?
    package var slowRetry: Bool?
    /// Bytes; 0: no limit.
    package var memoryLimit: Int64?
    /// Bytes.
    package var memoryMax: Int64?
    /// A cron pattern of restarts; empty: none.
    package var schedule: String?
    /// When it runs, where it is a job.
    package var job: JobPolicy?
    package var watch: WatchDraft?
    package var killTimeout: Milliseconds?
    package var killSignal: Signal?
    package var killsTree: Bool?
    package var stopsWithMessage: Bool?
    package var waitsForReady: Bool?
    package var readyTimeout: Milliseconds?
    package var notifies: Bool?
    package var watchdog: Milliseconds?
    package var listen: [ListenSpec]?
    package var reload: ReloadPolicy?
    package var drain: DrainPolicy?
    /// Names of apps of the same file.
    package var dependsOn: [String]?
    package var outFile: String?
    package var errorFile: String?
    package var mergeLogs: Bool?
    /// Nothing is written, whatever files are named.
    package var disableLogs: Bool?
    package var pidFile: String?
    package var stdin: StandardInput?
    package var uid: String?
    package var gid: String?
    package var port: Int?
    /// Served instead of run: there is no script then.
    package var staticSite: StaticSite?
    /// Settings without effect here: PM2's canonical key to the value as JSON text.
    package var kept: [String: String] = [:]

    package init() {}

    /// The name that the app has or will be given, as far as the description tells.
    package func knownName(in dialect: Dialect = .hearth) -> String? {
        name ?? staticSite?.name ?? script.map { AppResolver.derivedName(script: $0, dialect: dialect) }
    }
}

/// What is to be watched, as described.
package struct WatchDraft: Hashable, Sendable {
    package var isOn = false
    /// Relative to the app's directory; empty: that directory.
    package var paths: [String] = []
    package var ignore: [String]?
    package var delay: Milliseconds?
    package var extensions: [String]?

    package init() {}
}
