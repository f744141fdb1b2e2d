import CLinux
import Control
import Glibc
import Platform
import Records

/// Follows log files, in a loop of whoever uses it: that polls `descriptor` and calls `turn`.
final class LogFollower<Sink: LogSink> {
    let paths: HomePaths
    var sink: Sink
    /// Sources as of now: apps that are started later are followed, too.
    private let find: () throws -> [LogSource]
    private var files: [String: (source: LogSource, file: FollowedFile)] = [:]
    private var watch: DirectoryWatch
    /// Where a file begins that is found later: what stood in it before is not shown.
    var beginning: (String) -> Int64 = { _ in 0 }
    /// Files that were not read to their ends.
    private var unfinished: Set<String> = []
    /// Nobody could tell the sources when the list had changed.
    private var owesRefresh = false

    init(paths: HomePaths, sink: Sink, find: @escaping () throws -> [LogSource]) throws {
        self.paths = paths
        self.sink = sink
        self.find = find
        watch = try DirectoryWatch()
        // Before the first list is read: a change after that is seen.
        watch.watch(directoryOf: paths.desiredState)
    }

    deinit {
        watch.close()
        for path in files.keys { files[path]?.file.close() }
    }

    var descriptor: Int32 { watch.descriptor }

    /// Milliseconds after which a turn is due although nothing was told; -1: none.
    var pause: Int32 { !unfinished.isEmpty ? 0 : watch.hasMissing || owesRefresh ? 500 : -1 }

    /// Takes up a file and gives its last lines; what is followed begins behind them.
    func take(_ source: LogSource, history count: Int, complete: Bool) throws(SystemError) -> [LogTail.Line] {
        var file = FollowedFile(path: source.path, offset: 0)
        defer { files[source.path] = (source, file) }
        return try file.history(count, complete: complete)
    }

    /// Takes up a file from where it begins.
    private func take(_ source: LogSource) {
        files[source.path] = (source, FollowedFile(path: source.path, offset: beginning(source.path)))
    }

    /// Begins to follow: what was written since the files were taken up is given out at once.
    func begin() throws {
        for path in files.keys { watch.watch(directoryOf: path) }
        try refresh()
        try readAll()
    }

    /// After `descriptor` was readable or the pause over.
    func turn() throws {
        if watch.hasMissing, watch.retryMissing() {
            try refresh()
            try readAll()
        }
        if owesRefresh { try refresh() }
        guard let changed = watch.changes() else { return try readAll() }
        if changed.contains(paths.desiredState) { try refresh() }
        for path in changed.union(unfinished).sorted() { try read(path) }
    }

    /// How far each file has been read.
    var places: [String: Int64] { files.mapValues(\.file.offset) }

    /// Gives out all that there is, and what no newline ends.
    func finish() throws {
        for path in files.keys.sorted() {
            guard var entry = files[path] else { continue }
            defer { files[path] = entry }
            let source = entry.source
            try entry.file.readRest { try sink.print($0, of: source) }
        }
    }

    /// Takes up files of apps that are new in the list.
    private func refresh() throws {
        owesRefresh = false
        let sources: [LogSource]
        do {
            sources = try find()
        } catch is ClientError {
            owesRefresh = true
            return
        } catch {
            // A selector that means nothing any more is no reason to end.
            return
        }
        sink.prepare(for: sources)
        for source in sources {
            if files[source.path] == nil {
                take(source)
                watch.watch(directoryOf: source.path)
                try read(source.path)
            } else {
                files[source.path]?.source = source
            }
        }
    }

    private func readAll() throws {
        for path in files.keys.sorted() { try read(path) }
    }

    private func read(_ path: String) throws {
        guard var entry = files[path] else { return }
        // Also when the reader has gone: the place in the file is not forgotten.
        defer {
            files[path] = entry
            if entry.file.hasMore { unfinished.insert(path) } else { unfinished.remove(path) }
        }
        let source = entry.source
        try entry.file.readLines { try sink.print($0, of: source) }
    }
}

extension LogFollower {
    /// Follows until the user has enough: Ctrl-C, or nobody reads what is written.
    func run() throws {
        try begin()
        let endings = [SIGINT, SIGTERM, SIGHUP]
        let signals = clinux_signalfd(endings, Int32(endings.count))
        defer { if signals >= 0 { close(signals) } }
        while true {
            var entries = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
                // No events asked for: only an error, which is a reader that has gone.
                pollfd(fd: 1, events: 0, revents: 0),
            ]
            let ready = poll(&entries, nfds_t(entries.count), pause)
            if ready < 0, errno != EINTR { return }
            if entries[1].revents != 0 || entries[2].revents & Int16(POLLERR) != 0 { return }
            try turn()
        }
    }
}
