import CLinux
import Configuration
import Control
import Glibc
import Platform
import Records

/// `pm2 logs`: the last lines of each file, then what comes.
struct PM2Logs {
    struct Options {
        var lines = Self.defaultLines
        var out = false
        var err = false
        var raw = false
        /// A pattern of day.js.
        var timestamp: String?
        var highlight: String?
        var nostream = false
        var json = false
        var format = false

        static let defaultLines = 15
        /// Of `--timestamp` without a pattern.
        static let defaultTimestamp = "YYYY-MM-DD-HH:mm:ss"

        init() {}

        /// What `--lines TEXT` means: the sign does not count, and what is no number is the default.
        static func lines(_ text: String?) -> Int {
            text.flatMap { Int($0) }.map { $0 == .min ? .max : abs($0) } ?? defaultLines
        }

        var printed: PM2LogPrinter.Format { json ? .json : format ? .pairs : raw ? .raw : .prefixed }
        /// As with PM2, `--err` wins over `--out`.
        var streams: Set<LogSource.Stream> { err ? [.error] : out ? [.out] : [.out, .error] }
    }

    var options = Options()
    var target = "all"

    /// Where bytes go: descriptor 1 or 2.
    var write: ([UInt8], Int32) throws -> Void = Output.write

    /// - Parameter ending: readable when the stream is to end; nil: on SIGINT, SIGTERM and SIGHUP.
    func run(session: Session, terminal: Terminal? = nil, ending: Int32? = nil) throws {
        // PM2 draws in UTF-8 whatever the locale is.
        var terminal = terminal ?? Terminal.detect()
        terminal.unicode = true
        var printer = PM2LogPrinter(
            format: options.printed, terminal: terminal, timestamp: options.timestamp.map(DayFormat.init),
            highlight: options.highlight)
        printer.write = write
        let selection = PM2LogSelection(target)
        let find = { try self.sources(selection, session) }
        // A daemon that does not answer is a failure now, and waited for later.
        let sources = try find()
        let follower = try LogFollower(paths: session.paths, sink: printer, find: find)
        try showHistory(of: sources, follower)
        guard !options.nostream else { return }
        let events = options.json ? EventFeed(paths: session.paths) : nil
        if let ending { return try stream(follower, events, until: ending) }
        let numbers = [SIGINT, SIGTERM, SIGHUP]
        let signals = clinux_signalfd(numbers, Int32(numbers.count))
        defer { if signals >= 0 { close(signals) } }
        try stream(follower, events, until: signals)
    }

    private func sources(_ selection: PM2LogSelection, _ session: Session) throws -> [LogSource] {
        let daemonLog = LogSource(path: session.paths.daemonLog, stream: .out, name: "PM2", ids: [])
        if selection == .daemon { return [daemonLog] }
        let list = try session.read(.list, SelectorParameters(selectors: []), as: ListReply.self)
        let sources = try selection.sources(list.instances, streams: options.streams)
        let isWhole = !options.raw && !options.out && !options.err
        return (selection == .all && isWhole ? [daemonLog] : []) + sources
    }

    private func showHistory(of sources: [LogSource], _ follower: LogFollower<PM2LogPrinter>) throws {
        let shows = options.lines > 0 && !options.json && !options.format
        if shows {
            try follower.sink.title(
                "[TAILING] Tailing last \(options.lines) lines for [\(target)] process\(target == "all" ? "es" : "") "
                    + "(change the value with --lines option)")
        }
        for source in Self.oldestFirst(sources) {
            let lines: [LogTail.Line]
            do {
                lines = try follower.take(
                    source, history: shows ? options.lines : 0, complete: !options.nostream)
            } catch {
                Output.complain("cannot read '\(source.path)': \(FileProbe.describe(error.errno))")
                continue
            }
            guard shows, FileProbe.kind(of: source.path) != .missing else { continue }
            try follower.sink.title("\(source.path) last \(options.lines) lines:")
            try follower.sink.history(lines.map { $0.bytes[...] }, of: source)
        }
    }

    /// The daemon's log, then the file first that was left alone longest.
    private static func oldestFirst(_ sources: [LogSource]) -> [LogSource] {
        let times = sources.map { source in
            var status = stat()
            guard !source.ids.isEmpty, stat(source.path, &status) == 0 else { return Int64.min }
            return Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
        }
        let order = zip(times, sources.indices).sorted { ($0.0, $0.1) < ($1.0, $1.1) }
        return order.map { sources[$0.1] }
    }

    private func stream(_ follower: LogFollower<PM2LogPrinter>, _ events: EventFeed?, until ending: Int32) throws {
        try follower.begin()
        while true {
            var entries = [
                pollfd(fd: follower.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: ending, events: Int16(POLLIN), revents: 0),
                // No events asked for: only an error, which is a reader that has gone.
                pollfd(fd: 1, events: 0, revents: 0),
                pollfd(fd: events?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
            ]
            let pauses = [follower.pause, events?.pause ?? -1].filter { $0 >= 0 }
            let ready = poll(&entries, nfds_t(entries.count), pauses.min() ?? -1)
            if ready < 0, errno != EINTR { return }
            if entries[1].revents != 0 || entries[2].revents & Int16(POLLERR) != 0 { return }
            for event in events?.turn() ?? [] { try follower.sink.event(event) }
            try follower.turn()
        }
    }
}
