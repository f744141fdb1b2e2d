/// Everything that is needed to run one instance of an app, whatever source it came from (command line, file, dump).
///
/// A value of this type was validated when it was made: the daemon spawns it as it is. Paths are absolute.
package struct AppSpec: Codable, Hashable, Sendable {
    /// Name given or derived from the script. Not unique.
    package var name: String
    package var namespace: String
    /// Absolute path of the script or program.
    package var script: String
    package var arguments: [String]
    /// Program that runs the script (a name that is looked up in the app's PATH, or a path); nil: the script runs itself.
    package var interpreter: String?
    package var interpreterArguments: [String]
    package var cwd: String
    /// Variables given by a file, `--env` or an env file; they win over the caller's environment.
    package var environment: [String: String]
    /// Number of instances asked for with this app; each becomes an entry of its own.
    package var instances: Int
    package var autostart: Bool
    package var restart: RestartPolicy
    package var stop: StopPolicy
    package var output: OutputPolicy
    /// Standard input: nil or `pipe` is a pipe that never ends, `null` is /dev/null.
    package var stdin: StandardInput
    /// Run as this user and group (root only); names or numbers as given, resolved at each spawn.
    package var uid: String?
    package var gid: String?
    /// Port that the app was told to listen on (from PORT, its arguments or `listen`), for explanations only.
    package var expectedPort: Int?

    // What follows came later: nil in lists that an older Hearth wrote.

    /// Resident memory of the whole tree, in bytes, above which the instance is restarted.
    package var memoryLimit: Int64?
    /// Restarts by the clock.
    package var schedule: RestartSchedule?
    /// Restarts when files change.
    package var watch: WatchPolicy?
    /// `.env` files, absolute, read at every start: over the caller's environment, beneath `environment`; a later file
    /// wins.
    package var environmentFiles: [String]?
    /// What of the caller's environment the app does not get.
    package var environmentFilter: EnvironmentFilter?
    /// Name of the variable with the instance's number; nil: `NODE_APP_INSTANCE`.
    package var instanceVariable: String?
    /// A variable that counts up from instance to instance: the first has the value in `environment` (or 0).
    package var incrementVariable: String?
    /// Where the pid of the main process is written while it runs; nil: nowhere (in a home of PM2's: under `pids`).
    package var pidFile: String?
    /// How instances were asked to share listening sockets; nil: not at all.
    package var mode: ExecutionMode?
    /// When the app counts as online; nil: as soon as its process runs.
    package var readiness: ReadinessPolicy?
    /// Sockets that Hearth holds for the app, in the order in which it gets them; nil: none.
    package var listen: [ListenSpec]?
    /// The app says at least this often that it is well, or it is restarted; nil: it need not.
    package var watchdog: Milliseconds?
    /// How a worker gives up its connections; nil: as `DrainPolicy()`.
    package var drain: DrainPolicy?
    /// How a new process takes the place of the old one; nil: as `ReloadPolicy()`.
    package var reload: ReloadPolicy?
    /// Nothing of its tree may use more memory than this together, in bytes: the kernel (or Hearth, where no memory
    /// controller was delegated) ends what does.
    package var memoryMax: Int64?
    /// It is a job, which runs by the clock or once; nil: it is to run always.
    package var job: JobPolicy?
    /// Names of apps that are ready before this one is started, and stopped after it; nil: none.
    package var dependsOn: [String]?
    /// The app file that describes the app, absolute; nil: it was described on a command line.
    package var source: String?
    /// Settings that Hearth keeps and shows but does not act on: PM2's canonical key to the value as JSON text.
    package var kept: [String: String]?

    package init(
        name: String, namespace: String = "default", script: String, arguments: [String] = [],
        interpreter: String? = nil, interpreterArguments: [String] = [], cwd: String,
        environment: [String: String] = [:], instances: Int = 1, autostart: Bool = true,
        restart: RestartPolicy = RestartPolicy(), stop: StopPolicy = StopPolicy(),
        output: OutputPolicy = OutputPolicy(), stdin: StandardInput = .pipe, uid: String? = nil, gid: String? = nil,
        expectedPort: Int? = nil
    ) {
        self.name = name
        self.namespace = namespace
        self.script = script
        self.arguments = arguments
        self.interpreter = interpreter
        self.interpreterArguments = interpreterArguments
        self.cwd = cwd
        self.environment = environment
        self.instances = instances
        self.autostart = autostart
        self.restart = restart
        self.stop = stop
        self.output = output
        self.stdin = stdin
        self.uid = uid
        self.gid = gid
        self.expectedPort = expectedPort
    }

    /// The command as a person would type it, for lists.
    package var command: String {
        var words: [String] = []
        if let interpreter { words.append(interpreter) }
        words += interpreterArguments
        words.append(script)
        words += arguments
        return words.joined(separator: " ")
    }
}

/// When an app counts as online.
package struct ReadinessPolicy: Codable, Hashable, Sendable {
    /// Not before it says `"ready"` on its channel (PM2's `wait_ready`).
    package var waitReady: Bool
    /// How long that is waited for before it counts as online anyway (PM2's `listen_timeout`); nil: 3 s.
    package var timeout: Milliseconds?
    /// Not before it says `READY=1` on its notification socket (`sd_notify`).
    package var notify: Bool?

    package static let usualTimeout = Milliseconds(3000)

    package init(waitReady: Bool = false, timeout: Milliseconds? = nil, notify: Bool? = nil) {
        self.waitReady = waitReady
        self.timeout = timeout
        self.notify = notify
    }

    /// Whether the app has to say in some way that it is ready.
    package var isAwaited: Bool { waitReady || notify == true }
}

extension AppSpec {
    /// How long an instance may take from its spawn until it is ready; nil: it need not say so.
    package var readyTimeout: Milliseconds? {
        guard let readiness, readiness.isAwaited else { return nil }
        return readiness.timeout ?? ReadinessPolicy.usualTimeout
    }

    /// Whether its processes get a notification socket (`sd_notify`).
    package var hasNotificationSocket: Bool { readiness?.notify == true || watchdog != nil || listen != nil }

    /// Whether its instances are workers of Node's cluster, with Hearth as their primary.
    package var isCluster: Bool {
        mode == .cluster && ["node", "nodejs"].contains(program)
    }

    private var program: Substring { (interpreter ?? script).split(separator: "/").last ?? "" }

    /// Whether its processes get a channel to Hearth, as Node has it between parent and child.
    package var hasChannel: Bool {
        if readiness?.waitReady == true || stop.withMessage == true { return true }
        return ["node", "nodejs", "bun"].contains(program)
    }
}

/// PM2's `exec_mode`.
package enum ExecutionMode: String, Codable, Hashable, Sendable, CaseIterable {
    case fork
    case cluster
}

/// Restarts by the clock (PM2's `cron_restart`).
package struct RestartSchedule: Codable, Hashable, Sendable {
    /// Five cron fields, or six with seconds in front; local time.
    package var pattern: String
    /// A stopped app is started too, as PM2 does.
    package var startsStopped: Bool

    package init(pattern: String, startsStopped: Bool = false) {
        self.pattern = pattern
        self.startsStopped = startsStopped
    }
}

/// Which files restart an app when they change.
package struct WatchPolicy: Codable, Hashable, Sendable {
    /// Files and directories (with everything below), absolute.
    package var paths: [String]
    /// Patterns of what is left alone, matched against the path relative to the app's cwd and against its absolute
    /// form; nil: names that begin with a dot, and `node_modules`.
    package var ignore: [String]?
    /// Quiet time between the last change and the restart.
    package var delay: Milliseconds
    /// Only files with these extensions count (`js`, `ts`); nil: all.
    package var extensions: [String]?

    package init(
        paths: [String], ignore: [String]? = nil, delay: Milliseconds = Milliseconds(0), extensions: [String]? = nil
    ) {
        self.paths = paths
        self.ignore = ignore
        self.delay = delay
        self.extensions = extensions
    }
}

/// PM2's `filter_env`: what of the caller's environment an app does not get.
package struct EnvironmentFilter: Codable, Hashable, Sendable {
    /// Nothing of it is passed on.
    package var everything: Bool
    /// Exactly these names are not.
    package var names: [String]
    /// Names that contain one of these are not.
    package var fragments: [String]

    package init(everything: Bool = false, names: [String] = [], fragments: [String] = []) {
        self.everything = everything
        self.names = names
        self.fragments = fragments
    }

    package func keeps(_ name: String) -> Bool {
        !everything && !names.contains(name) && !fragments.contains { name.contains($0) }
    }
}

/// What the app's standard input is.
package enum StandardInput: String, Codable, Hashable, Sendable, CaseIterable {
    case pipe
    case null
}

/// When an app that exited is started again. Field meanings and defaults are PM2's, extended.
package struct RestartPolicy: Codable, Hashable, Sendable {
    package enum Mode: String, Codable, Hashable, Sendable, CaseIterable {
        /// After every exit (PM2's `autorestart: true`).
        case always
        /// After a non-zero exit code or a signal.
        case onFailure = "on-failure"
        /// Never (PM2's `autorestart: false`).
        case never
    }

    package var mode: Mode
    /// Number of unstable restarts after which the app is given up.
    package var maxRestarts: Int
    /// An instance that lived shorter is unstable.
    package var minUptime: Milliseconds
    /// Fixed delay before each restart.
    package var restartDelay: Milliseconds?
    /// First delay of the exponential back-off; each further one is 1.5 times as long, 15 s at most.
    package var exponentialBackoff: Milliseconds?
    /// Exit codes after which the app stays stopped.
    package var stopExitCodes: [Int]
    /// After giving up: try again slowly (capped back-off) instead of never.
    package var slowRetry: Bool

    package init(
        mode: Mode = .always, maxRestarts: Int = 16, minUptime: Milliseconds = Milliseconds(1000),
        restartDelay: Milliseconds? = nil, exponentialBackoff: Milliseconds? = nil, stopExitCodes: [Int] = [],
        slowRetry: Bool = true
    ) {
        self.mode = mode
        self.maxRestarts = maxRestarts
        self.minUptime = minUptime
        self.restartDelay = restartDelay
        self.exponentialBackoff = exponentialBackoff
        self.stopExitCodes = stopExitCodes
        self.slowRetry = slowRetry
    }
}

/// How an app is stopped: a signal, then SIGKILL to what is left after `killTimeout`.
package struct StopPolicy: Codable, Hashable, Sendable {
    package var signal: Signal
    /// Time from the signal to SIGKILL.
    package var killTimeout: Milliseconds
    /// Signal every process of the tree and wait until none is left. False (PM2's `treekill: false`): the main process
    /// only; its children are left to it.
    package var wholeTree: Bool
    /// The app gets the message `"shutdown"` on its channel instead of the signal (PM2's `shutdown_with_message`).
    package var withMessage: Bool?

    package init(
        signal: Signal = .term, killTimeout: Milliseconds = Milliseconds(5000), wholeTree: Bool = true,
        withMessage: Bool? = nil
    ) {
        self.signal = signal
        self.killTimeout = killTimeout
        self.wholeTree = wholeTree
        self.withMessage = withMessage
    }
}

/// Where output goes. nil: the default place under the home's `logs`; `/dev/null`: nowhere.
package struct OutputPolicy: Codable, Hashable, Sendable {
    package var outFile: String?
    package var errorFile: String?
    /// Instances of one app share a file; otherwise each file name carries the instance's id.
    package var merge: Bool

    package init(outFile: String? = nil, errorFile: String? = nil, merge: Bool = true) {
        self.outFile = outFile
        self.errorFile = errorFile
        self.merge = merge
    }
}
