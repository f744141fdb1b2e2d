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

    package init(signal: Signal = .term, killTimeout: Milliseconds = Milliseconds(5000), wholeTree: Bool = true) {
        self.signal = signal
        self.killTimeout = killTimeout
        self.wholeTree = wholeTree
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
