import Configuration
import Control
import DisplayText
import Glibc
import Model
import Records

/// One command of PM2's at work: its options, its words, and the daemon of its home.
final class PM2Session {
    let options: PM2Options
    var console: PM2Console
    let paths: HomePaths
    let session: Session
    /// Nothing is said of a daemon that had to be started: the output is read by a program.
    var startsSilently = false
    /// Tables after commands are left out: the output is the apps'.
    var showsTables = true
    /// Told of new apps before they are started.
    var announce: ([AppSpec]) -> Void = { _ in }
    private var isConnected = false

    convenience init(_ options: PM2Options) throws {
        let paths = try Self.home()
        self.init(options, Session(paths: paths, timeout: CommonOptions.defaultTimeout))
    }

    init(_ options: PM2Options, _ session: Session) {
        self.options = options
        self.session = session
        console = PM2Console(options)
        paths = session.paths
    }

    /// PM2_HOME, else `.pm2` in the home directory.
    static func home() throws -> HomePaths {
        if let value = getenv("PM2_HOME"), value.pointee != 0 {
            guard let path = String(validatingCString: value) else {
                throw Failure.usage("PM2_HOME is not valid UTF-8")
            }
            let base = CallerHome.workingDirectory() ?? "/"
            return HomePaths(home: Paths.absolute(path, base: base, home: CallerHome.directory()), isPM2: true)
        }
        let directory = CallerHome.directory() ?? "/etc"
        return HomePaths(home: directory + "/.pm2", isPM2: true)
    }

    // MARK: - The daemon

    /// Starts a daemon where there is none, with the words that PM2 has for it.
    func connect() throws {
        guard !isConnected else { return }
        do {
            _ = try session.connect()
            try session.connectStarting()
        } catch ClientError.noDaemon {
            try start()
        }
        isConnected = true
    }

    private func start() throws {
        if let pid = GenuinePM2.daemon(of: paths) {
            console.error("A genuine PM2 daemon (pid \(pid)) manages \(paths.home): Hearth does not start beside it.")
            console.error(
                "Keep its list and end it with its own command line, 'pm2 save' and 'pm2 kill', then run this again")
            console.error("('pm2 resurrect' brings the saved list back).")
            throw PM2Exit.failed
        }
        let speaks = !startsSilently && !console.isDiscreet
        if speaks { console.say("Spawning PM2 daemon with pm2_home=\(paths.home)") }
        try HomeOwner(paths: paths).create()
        for directory in [paths.logs, paths.pm2Pids, paths.home + "/modules"] { mkdir(directory, 0o755) }
        try session.connectStarting()
        if speaks { console.say("PM2 Successfully daemonized") }
    }

    // MARK: - Calls

    /// The list with everything that is known of it.
    func inventory() throws -> InventoryReply {
        try connect()
        return try session.read(.inventory, SelectorParameters(selectors: []))
    }

    func act(
        _ action: Action, _ ids: [InstanceID], environment: [String: String]? = nil, parallel: Int? = nil
    ) throws -> ActReply {
        try connect()
        return try session.change(
            .act,
            ActParameters(
                action: action, selectors: ids.map(SelectorMatching.exactly), environment: environment,
                token: Session.makeToken(), origin: origin, parallel: parallel),
            repeats: true, deadline: Session.Deadline.stopping)
    }

    func configure(
        _ changes: [SpecChange], then: ConfigureParameters.Then, parallel: Int? = nil
    ) throws -> ActReply {
        try connect()
        return try session.change(
            .configure,
            ConfigureParameters(
                changes: changes, then: then, token: Session.makeToken(), origin: origin, parallel: parallel),
            repeats: true, deadline: Session.Deadline.stopping)
    }

    func start(
        _ apps: [AppSpec], environment: [String: String], token: String = Session.makeToken(), restores: Bool? = nil
    ) throws -> InstancesReply {
        try connect()
        announce(apps)
        return try session.change(
            .start,
            StartParameters(apps: apps, environment: environment, token: token, origin: origin, restores: restores),
            repeats: true)
    }

    /// The command as reasons show it: `pm2 stop api`. Options are left out, as they may hold secrets.
    var origin: String {
        let words = options.operands.map { $0.contains { $0.isWhitespace } ? "\"\($0)\"" : $0 }
        return String(DisplayText.escape((["pm2"] + words).joined(separator: " "), unicode: true).prefix(80))
    }
}
