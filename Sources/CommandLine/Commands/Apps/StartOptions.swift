import ArgumentParser
import Configuration
import Model

/// What describes an app on the command line.
struct StartOptions: ParsableArguments {
    @Option(name: [.customShort("n"), .long], help: "Name of the app (default: from the script).")
    var name: String?

    @Option(
        help: ArgumentHelp("Working directory (default: the present one).", valueName: "dir"), completion: .directory)
    var cwd: String?

    @Option(
        help: ArgumentHelp(
            "Program that runs the script, or 'none' (default: by extension or #! line).", valueName: "name"))
    var interpreter: String?

    @Option(
        name: [.long, .customLong("node-args")], parsing: .unconditional,
        help: ArgumentHelp("Arguments of the interpreter, in one string.", valueName: "args"))
    var interpreterArgs: String?

    @Option(
        name: [.customShort("i", allowingJoined: true), .long], parsing: .unconditional,
        help: ArgumentHelp("Number of instances; max or 0: one per processor, -1: one fewer.", valueName: "n"))
    var instances: String?

    @Option(help: "Group of apps that can be named together.")
    var namespace: String?

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "A variable for the app, repeatable; without '=': choose env_NAME of an app file.", valueName: "key=value"))
    var env: [String] = []

    @Option(help: ArgumentHelp("A file of KEY=value lines, repeatable.", valueName: "file"), completion: .file())
    var envFile: [String] = []

    @Option(
        name: [.customShort("k"), .long],
        help: ArgumentHelp("Time from the stop signal to SIGKILL (default: 5s).", valueName: "time"))
    var killTimeout: String?

    @Option(help: ArgumentHelp("Signal that asks the app to stop (default: SIGTERM).", valueName: "signal"))
    var killSignal: String?

    @Option(help: ArgumentHelp("Unstable restarts until the app is given up (default: 16).", valueName: "n"))
    var maxRestarts: String?

    @Option(help: ArgumentHelp("An app that lived shorter is unstable (default: 1s).", valueName: "time"))
    var minUptime: String?

    @Option(help: ArgumentHelp("Wait before each restart.", valueName: "time"))
    var restartDelay: String?

    @Option(help: ArgumentHelp("First wait of a growing back-off.", valueName: "time"))
    var expBackoffRestartDelay: String?

    @Option(help: ArgumentHelp("When to restart: always, on-failure or never (default: always).", valueName: "mode"))
    var restart: String?

    @Flag(help: "The same as --restart never.")
    var noAutorestart = false

    @Option(help: ArgumentHelp("Exit codes after which the app stays stopped: 0,143.", valueName: "codes"))
    var stopExitCodes: String?

    @Flag(help: "Send the stop signal to the main process only.")
    var noTreekill = false

    @Flag(help: "Ask it to end by the message 'shutdown' on its channel instead of the signal.")
    var shutdownWithMessage = false

    @Flag(help: "It is online when it says 'ready' on its channel.")
    var waitReady = false

    @Flag(help: "It is online when it says READY=1 on its notification socket (sd_notify).")
    var notify = false

    @Option(
        help: ArgumentHelp(
            "Restart it when it has not said WATCHDOG=1 for so long (sd_notify).", valueName: "time"))
    var watchdog: String?

    @Option(
        help: ArgumentHelp(
            "With --wait-ready or --notify: after this time it counts as online anyway (default: 3s).",
            valueName: "time"))
    var listenTimeout: String?

    @Option(
        help: ArgumentHelp(
            "A socket to hold for the app, repeatable: 8080, 127.0.0.1:8080, unix:/run/app.sock, name=8080.",
            valueName: "address"))
    var listen: [String] = []

    @Flag(help: "Only put the app into the list.")
    var noAutostart = false

    @Flag(help: "After giving up, stay errored instead of trying again slowly.")
    var noSlowRetry = false

    @Option(
        name: [.customShort("o"), .long], help: ArgumentHelp("File for standard output.", valueName: "file"),
        completion: .file())
    var output: String?

    @Option(
        name: [.customShort("e"), .long], help: ArgumentHelp("File for standard error.", valueName: "file"),
        completion: .file())
    var error: String?

    @Flag(help: "All instances write to the same files.")
    var mergeLogs = false

    @Option(help: ArgumentHelp("pipe: never ends (default); null: ends at once.", valueName: "kind"))
    var stdin: String?

    @Option(help: ArgumentHelp("Run as this user (root only).", valueName: "user"))
    var uid: String?

    @Option(help: ArgumentHelp("Run as this group (root only).", valueName: "group"))
    var gid: String?

    /// Variables of `--env`, without the names of environments.
    func variables() throws -> [String: String] {
        var variables: [String: String] = [:]
        for text in env {
            guard let separator = text.firstIndex(of: "=") else { continue }
            guard separator != text.startIndex else { throw Failure.usage("'\(text)' has no name before the '='") }
            variables[String(text[..<separator])] = String(text[text.index(after: separator)...])
        }
        return variables
    }

    /// The `NAME` of `--env NAME`.
    func environmentName() throws -> String? {
        let names = env.filter { !$0.contains("=") }
        guard names.count <= 1 else { throw Failure.usage("--env \(names[1]): only one environment can be chosen") }
        return names.first
    }

    /// The files of `--env-file`, seen from where the command was typed, whatever the app's own directory is.
    func environmentFiles(from directory: String) -> [String] {
        envFile.map { Paths.absolute($0, base: directory, home: CallerHome.directory()) }
    }

    /// The options of a single app as a draft, still without a script.
    func draft() throws -> AppDraft {
        var draft = AppDraft()
        draft.name = name
        draft.cwd = cwd
        draft.interpreter = interpreter
        draft.interpreterArguments = interpreterArgs.map(TextValues.words) ?? []
        draft.namespace = namespace
        draft.environment = try variables()
        draft.outFile = output
        draft.errorFile = error
        draft.uid = uid
        draft.gid = gid
        if mergeLogs { draft.mergeLogs = true }
        if noAutostart { draft.autostart = false }
        if noAutorestart { draft.autorestart = false }
        if noTreekill { draft.killsTree = false }
        if shutdownWithMessage { draft.stopsWithMessage = true }
        if waitReady { draft.waitsForReady = true }
        if notify { draft.notifies = true }
        draft.watchdog = try parse(watchdog, "watchdog", "a time from 100 ms to 30 days, such as 10s") {
            TextValues.watchdogPeriod($0)
        }
        if noSlowRetry { draft.slowRetry = false }
        draft.instances = try parse(instances, "instances", "a number or max") { InstanceCount($0) }
        draft.killTimeout = try time(killTimeout, "kill-timeout")
        draft.readyTimeout = try time(listenTimeout, "listen-timeout")
        draft.minUptime = try time(minUptime, "min-uptime")
        draft.restartDelay = try time(restartDelay, "restart-delay")
        draft.exponentialBackoff = try time(expBackoffRestartDelay, "exp-backoff-restart-delay")
        draft.killSignal = try parse(killSignal, "kill-signal", "a signal such as SIGTERM") { Signal(parsing: $0) }
        draft.restartMode = try parse(restart, "restart", "always, on-failure or never") {
            RestartPolicy.Mode(rawValue: $0)
        }
        if !listen.isEmpty { draft.listen = try sockets() }
        draft.stdin = try parse(stdin, "stdin", "pipe or null") { StandardInput(rawValue: $0) }
        draft.stopExitCodes = try parse(stopExitCodes, "stop-exit-codes", "exit codes from 0 to 255, such as 0,143") {
            TextValues.exitCodes($0)
        }
        draft.maxRestarts = try parse(maxRestarts, "max-restarts", "a whole number, 0 or more") {
            Int($0).flatMap { (0...1_000_000_000).contains($0) ? $0 : nil }
        }
        return draft
    }

    /// Options that say nothing about the apps of a file; the file itself has a key for each.
    var notForFiles: [String] {
        let given: [(option: String, isGiven: Bool)] = [
            ("--name", name != nil), ("--interpreter", interpreter != nil),
            ("--interpreter-args", interpreterArgs != nil),
            ("--instances", instances != nil), ("--kill-timeout", killTimeout != nil),
            ("--kill-signal", killSignal != nil), ("--max-restarts", maxRestarts != nil),
            ("--min-uptime", minUptime != nil), ("--restart-delay", restartDelay != nil),
            ("--exp-backoff-restart-delay", expBackoffRestartDelay != nil), ("--restart", restart != nil),
            ("--no-autorestart", noAutorestart), ("--stop-exit-codes", stopExitCodes != nil),
            ("--no-treekill", noTreekill), ("--no-autostart", noAutostart), ("--no-slow-retry", noSlowRetry),
            ("--shutdown-with-message", shutdownWithMessage), ("--wait-ready", waitReady),
            ("--notify", notify), ("--watchdog", watchdog != nil), ("--listen-timeout", listenTimeout != nil),
            ("--listen", !listen.isEmpty),
            ("--output", output != nil), ("--error", error != nil), ("--merge-logs", mergeLogs),
            ("--stdin", stdin != nil),
        ]
        return given.filter(\.isGiven).map(\.option)
    }

    private func sockets() throws -> [ListenSpec] {
        var sockets: [ListenSpec] = []
        for (index, text) in listen.enumerated() {
            do throws(ConfigurationError) { sockets.append(try ListenSpec.reading(text, at: index)) } catch {
                throw Failure.usage("--listen: \(error.description)")
            }
        }
        return sockets
    }

    private func time(_ text: String?, _ option: String) throws -> Milliseconds? {
        try parse(text, option, "a time: milliseconds, or 5s, 2m", TextValues.duration)
    }

    private func parse<Value>(
        _ text: String?, _ option: String, _ expected: String, _ parse: (String) -> Value?
    ) throws -> Value? {
        guard let text else { return nil }
        guard let value = parse(text) else {
            throw Failure.usage("--\(option): expected \(expected), found '\(text)'")
        }
        return value
    }
}
