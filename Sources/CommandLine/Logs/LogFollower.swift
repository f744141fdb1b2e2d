import CLinux
import Glibc
import Records

/// Follows log files until the user has enough: Ctrl-C, or nobody reads what is written.
struct LogFollower {
    let paths: HomePaths
    /// Sources as of now: apps that are started later are followed, too.
    let find: () throws -> [LogSource]
    var printer: LogPrinter
    private var files: [String: (source: LogSource, file: FollowedFile)] = [:]

    init(paths: HomePaths, printer: LogPrinter, find: @escaping () throws -> [LogSource]) {
        self.paths = paths
        self.printer = printer
        self.find = find
    }

    mutating func add(_ source: LogSource, from offset: Int64) {
        files[source.path] = (source, FollowedFile(path: source.path, offset: offset))
    }

    mutating func run() throws {
        var watch = try DirectoryWatch()
        defer { watch.close() }
        let endings = [SIGINT, SIGTERM, SIGHUP]
        let signals = clinux_signalfd(endings, Int32(endings.count))
        defer { if signals >= 0 { close(signals) } }
        watch.watch(directoryOf: paths.desiredState)
        for path in files.keys { watch.watch(directoryOf: path) }
        // What was written between the first reading and the watch.
        try readAll()
        while true {
            var entries = [
                pollfd(fd: watch.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
                // No events asked for: only an error, which is a reader that has gone.
                pollfd(fd: 1, events: 0, revents: 0),
            ]
            let ready = poll(&entries, nfds_t(entries.count), watch.hasMissing ? 500 : -1)
            if ready < 0, errno != EINTR { return }
            if entries[1].revents != 0 || entries[2].revents & Int16(POLLERR) != 0 { return }
            if watch.hasMissing, watch.retryMissing() {
                try refresh(&watch)
                try readAll()
            }
            guard entries[0].revents != 0 else { continue }
            guard let changed = watch.changes() else {
                try readAll()
                continue
            }
            if changed.contains(paths.desiredState) { try refresh(&watch) }
            for path in changed { try read(path) }
        }
    }

    /// Takes up files of apps that are new in the list.
    private mutating func refresh(_ watch: inout DirectoryWatch) throws {
        // A selector that means nothing any more is no reason to end.
        guard let sources = try? find() else { return }
        printer.prepare(for: sources)
        for source in sources {
            if files[source.path] == nil {
                add(source, from: 0)
                watch.watch(directoryOf: source.path)
                try read(source.path)
            } else {
                files[source.path]?.source = source
            }
        }
    }

    private mutating func readAll() throws {
        for path in files.keys.sorted() { try read(path) }
    }

    private mutating func read(_ path: String) throws {
        guard var entry = files[path] else { return }
        let printer = printer
        let source = entry.source
        try entry.file.readLines { try printer.print($0, of: source) }
        files[path] = entry
    }
}
