import CLinux
import Control
import Glibc
import Model
import Records

/// Apps in the foreground, as a container wants them: their output is ours, our end is theirs.
///
/// One loop over: log files, signals, a look at the list every two seconds, and at last the call that stops everything.
/// No call to the daemon is waited for once the apps are started, so that a signal is heeded whatever hangs.
///
/// As process 1 every orphan of the container becomes our child and is reaped. The keeper is a child as well; how it
/// ended is kept, as it tells whether the daemon was ended on purpose.
final class ForegroundRun {
    struct Options {
        var format = PM2LogPrinter.Format.raw
        /// A pattern of day.js in front of lines, when `prefixed`.
        var timestamp: String?
        /// End when nothing is online any more.
        var autoExit = true
        /// Milliseconds before the apps are started.
        var delay: Int64 = 0
        /// Use a home that another machine ran last.
        var takesOver = false
        /// The command, as reasons show it.
        var origin = "hearth run"

        init() {}
    }

    /// What whoever starts the apps is given.
    struct Start {
        let session: Session
        /// The daemon is this run's own: the list is what this run says.
        let ownsDaemon: Bool
        /// To be told of new apps before they are started.
        let announce: ([AppSpec]) -> Void
    }

    /// Exit code of a run in which nothing was online any more, as PM2's.
    static let nothingOnline: Int32 = 2
    /// Exit code when the second signal was needed, or the daemon was lost.
    static let failed: Int32 = 1

    private let options: Options
    private let session: Session
    private let startApps: (Start) throws -> [InstanceID]

    private let signals: Int32
    private let output: ForegroundOutput
    private var follower: LogFollower<PM2LogPrinter>?
    private var events: EventFeed?
    private var marks = LogMarks()
    private var space = LogSpace()

    private var ownsDaemon = false
    private var keeper: Int32?
    private var daemon: Int32?
    /// Instances of this run, when the daemon is somebody else's.
    private var own: [InstanceID]?

    private var autoExit = AutoExit()
    private var look: PendingCall<ListReply>?
    private var nextLook = Int64.max
    /// Looks in a row that found no daemon.
    private var absences = 0

    private var stop: ForegroundStop?
    private var stopSignals = 0
    /// What the run ends with, once it is stopped.
    private var code: Int32 = 0
    private var isOver = false

    private static let firstLook: Int64 = 4000
    private static let lookInterval: Int64 = 2000
    /// Milliseconds that a reader may keep us waiting for a piece once we are to end.
    private static let lastWords: Int64 = 3000

    init(_ session: Session, _ options: Options, startApps: @escaping (Start) throws -> [InstanceID]) {
        self.session = session
        self.options = options
        self.startApps = startApps
        // Before anything is started: process 1 is not even told of a signal that it neither handles nor blocks.
        let numbers = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD]
        signals = clinux_signalfd(numbers, Int32(numbers.count))
        output = ForegroundOutput(signals: signals)
        output.receiveSignals = { [unowned self] in self.receiveSignals() }
    }

    deinit { if signals >= 0 { close(signals) } }

    /// Exit code.
    func run() throws -> Int32 {
        do {
            try start()
        } catch {
            // What a half-done start left must not stay behind.
            if ownsDaemon, daemon != nil {
                beginStop(Self.failed)
                try? loop()
            }
            throw error
        }
        do {
            try follower?.begin()
            try loop()
        } catch is ForegroundOutput.Broken {
            // Nobody reads any more, as when a terminal is closed; or nobody did while we were to end.
            follower = nil
            events = nil
            beginStop(0)
            try loop()
        }
        return code
    }

    // MARK: - Start

    private func start() throws {
        wait(options.delay)
        guard stopSignals == 0 else {
            isOver = true
            return
        }
        ownsDaemon = try !isDaemonThere()
        let client = try session.connectStarting(takeOver: options.takesOver)
        daemon = client.peer.pid
        keeper = try client.greet().keeperPid

        var printer = PM2LogPrinter(
            format: options.format, terminal: Terminal.detect(), timestamp: options.timestamp.map(DayFormat.init))
        printer.keepsEmptyLines = options.format == .raw
        printer.write = { [output] in try output.write($0, $1) }
        let follower = try LogFollower(paths: session.paths, sink: printer) { [unowned self] in try self.sources() }
        follower.beginning = { [unowned self] in self.marks.size(of: $0) }
        for source in try sources() { marks.add(source.path) }
        if options.format == .json { events = EventFeed(paths: session.paths) }
        let ids = try startApps(
            Start(
                session: session, ownsDaemon: ownsDaemon,
                announce: { [unowned self] in self.marks.add($0, self.session.paths) }))
        if !ownsDaemon { own = ids }
        self.follower = follower
        nextLook = ForegroundOutput.now() + Self.firstLook
    }

    private func isDaemonThere() throws -> Bool {
        do {
            _ = try session.connect().greet()
            return true
        } catch ClientError.noDaemon, ClientError.connectionLost {
            return false
        }
    }

    /// Until the time is over or a signal comes.
    private func wait(_ milliseconds: Int64) {
        let end = ForegroundOutput.now() + milliseconds
        while stopSignals == 0 {
            let left = end - ForegroundOutput.now()
            guard left > 0 else { return }
            var entry = pollfd(fd: signals, events: Int16(POLLIN), revents: 0)
            if poll(&entry, 1, Int32(clamping: left)) > 0 { receiveSignals() }
        }
    }

    /// Whose output is ours.
    private func sources() throws -> [LogSource] {
        let list = try session.read(.list, SelectorParameters(selectors: []), as: ListReply.self).instances
        let instances = own.map { own in list.filter { own.contains($0.id) } } ?? list
        return try PM2LogSelection.all.sources(instances, streams: [.out, .error])
    }

    // MARK: - The loop

    private func loop() throws {
        while !isOver {
            var entries = [signals, follower?.descriptor, events?.descriptor, look?.descriptor, stop?.descriptor].map {
                pollfd(fd: $0 ?? -1, events: Int16(POLLIN), revents: 0)
            }
            // Only an error, which is a reader that has gone.
            entries.append(pollfd(fd: stop == nil ? 1 : -1, events: 0, revents: 0))
            _ = poll(&entries, nfds_t(entries.count), pause())
            receiveSignals()
            guard !isOver else { break }
            if stop == nil, let last = entries.last, last.revents & Int16(POLLERR) != 0 {
                throw ForegroundOutput.Broken()
            }
            for event in events?.turn() ?? [] { try follower?.sink.event(event) }
            try follower?.turn()
            try stopTurn()
            try lookTurn()
        }
        try? follower?.finish()
    }

    private func pause() -> Int32 {
        var pauses = [follower?.pause ?? -1, events?.pause ?? -1]
        if let stop { pauses.append(stop.pause) }
        if stop == nil, nextLook != .max { pauses.append(Int32(clamping: max(0, nextLook - ForegroundOutput.now()))) }
        return pauses.filter { $0 >= 0 }.min() ?? -1
    }

    private func receiveSignals() {
        while true {
            let number = clinux_signalfd_read(signals, nil, nil)
            guard number > 0 else { break }
            guard number != SIGCHLD else { continue }
            stopSignals += 1
            if daemon == nil { continue }
            if stop == nil { beginStop(0) } else { stopByForce() }
        }
        reap()
    }

    private func reap() {
        var status: Int32 = 0
        while true {
            let pid = waitpid(-1, &status, WNOHANG)
            guard pid > 0 else { return }
            guard pid == keeper else { continue }
            keeper = nil
            // The keeper ends in peace only with a daemon that somebody ended on purpose.
            if status == 0, stop == nil, ownsDaemon {
                code = 0
                isOver = true
            }
        }
    }

    // MARK: - The end

    private func beginStop(_ code: Int32) {
        guard stop == nil else { return }
        self.code = code
        isOver = false
        stop = ForegroundStop(session.paths, instances: own, origin: options.origin)
        output.patience = Self.lastWords
        // At once: the loop itself may be waiting for a reader.
        try? stopTurn()
    }

    private func stopTurn() throws {
        guard let progress = try stop?.turn() else { return }
        switch progress {
        case .waiting: break
        case .done: isOver = true
        case .refused(let why):
            Output.complain(why)
            code = Self.failed
            isOver = true
        }
    }

    /// The second signal: somebody does not want to wait.
    private func stopByForce() {
        code = Self.failed
        isOver = true
        output.close()
        // The daemon may be another one by now.
        let current = OfflineHome.recordedDaemon(session.paths)
        stop?.killNow(daemon: Set([keeper, current ?? daemon].compactMap { $0 }).sorted())
        if getpid() == 1 { kill(-1, SIGKILL) }
    }

    // MARK: - Looking

    private func lookTurn() throws {
        guard stop == nil else {
            look = nil
            return
        }
        if let look {
            do throws(ClientError) {
                if look.mustGreetAgain { try look.greet() }
                let received = try look.receive()
                if let list = received.replies.last { try judge(list.instances) }
                if received.isOver { self.look = nil }
            } catch {
                self.look = nil
            }
        }
        guard ForegroundOutput.now() >= nextLook else { return }
        nextLook = ForegroundOutput.now() + Self.lookInterval
        // Where a daemon was there before us, its logs are not ours to thin out.
        if ownsDaemon, let places = follower?.places { space.free(places, below: session.paths.logs) }
        // One that is still not answered is given up: the daemon hangs, and its keeper replaces it.
        look = try? PendingCall(session.paths, .list, SelectorParameters(selectors: []))
        if look == nil { try daemonIsAbsent() } else { absences = 0 }
    }

    private func judge(_ list: [InstanceView]) throws(ClientError) {
        let alive = list.count { instance in
            (own?.contains(instance.id) ?? true) && (instance.status == .online || instance.status == .launching)
        }
        guard options.autoExit else { return }
        let verdict = autoExit.look(alive: alive)
        guard verdict != .goOn else { return }
        let retries = if case .warn(let retries) = verdict { retries } else { 0 }
        let text = Array("0 application online, retry = \(retries)\n".utf8)
        // What reads objects or pairs must not find a sentence among them.
        try? output.write(text, options.format == .json || options.format == .pairs ? 2 : 1)
        if verdict == .end { beginStop(Self.nothingOnline) }
    }

    /// Its keeper brings it back within moments; when that is gone as well, we do.
    private func daemonIsAbsent() throws {
        absences += 1
        guard absences > 1, ownsDaemon else { return }
        do {
            let client = try session.connectStarting()
            daemon = client.peer.pid
            keeper = try client.greet().keeperPid
            absences = 0
        } catch {
            Output.complain("the daemon is gone and cannot be started again")
            code = Self.failed
            isOver = true
            throw error
        }
    }
}
