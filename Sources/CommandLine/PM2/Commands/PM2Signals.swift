import Configuration
import Control
import Glibc
import Model

/// Commands that reach into an app: a signal, a line for its standard input, an action, its counters.
struct PM2Signals {
    let face: PM2Session
    private var console: PM2Console { face.console }

    // MARK: - sendSignal

    func send(_ word: String, to target: String) throws {
        guard let signal = Signal(parsing: word) else {
            console.error("Unknown signal: \(word)")
            throw PM2Exit.failed
        }
        let all = try face.inventory().entries.map(\.instance)
        let running = all.filter { $0.status == .online || $0.status == .launching }
        let chosen: [InstanceView]
        if let id = UInt32(target).map({ InstanceID($0) }) {
            guard all.contains(where: { $0.id == id }) else {
                console.plainError("\(target) id unknown")
                throw PM2Exit.failed
            }
            console.say("Sending signal to process id \(target)")
            chosen = running.filter { $0.id == id }
        } else {
            console.say("Sending signal to process name \(target)")
            chosen = running.filter { $0.name == target }
        }
        guard !chosen.isEmpty else {
            console.plainError(UInt32(target) == nil ? "Unknown process name" : "Process \(target) is not online")
            throw PM2Exit.failed
        }
        try face.connect()
        let reply: SignalReply = try face.session.change(
            .signal,
            SignalParameters(
                signal: signal.description, selectors: chosen.map { SelectorMatching.exactly($0.id) },
                origin: face.origin),
            repeats: false)
        let failures = reply.results.filter { !$0.ok }
        for failure in failures { console.error("[\(failure.name)] \(failure.message)") }
        guard failures.isEmpty else { throw PM2Exit.failed }
        console.say(
            "successfully sent signal \(signal) to process \(UInt32(target) == nil ? "name" : "id") \(target)")
        try PM2Lists(face: face).table()
    }

    // MARK: - send

    /// A line for the standard input of an instance: a pipe whose other end the app itself holds.
    func line(_ target: String, _ line: String) throws {
        let entry = try face.inventory().entries.first { $0.instance.id.description == target }
        guard let entry else { return try refuse("Process with ID <\(target)> unknown.") }
        guard let pid = entry.instance.pid else { return try refuse("Process with ID <\(target)> offline.") }
        let path = "/proc/\(pid)/fd/0"
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else {
            return try refuse("Process with ID <\(target)> reads no standard input of ours.")
        }
        let fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        guard fd >= 0 else { return try refuse("the standard input of <\(target)>: \(FileProbe.describe(errno))") }
        defer { close(fd) }
        let bytes = Array((line + "\n").utf8)
        let count = write(fd, bytes, bytes.count)
        guard count == bytes.count else {
            return try refuse(
                "the standard input of <\(target)> is full: \(max(0, count)) of \(bytes.count) bytes were taken")
        }
        try PM2Lists(face: face).table()
    }

    private func refuse(_ why: String) throws {
        console.error("Error: \(why)")
        throw PM2Exit.failed
    }

    // MARK: - trigger

    /// No app has registered an action with this daemon: PM2's answer for that.
    func trigger(_ words: [String]) throws {
        let all = try face.inventory().entries.map(\.instance)
        let target = words.first ?? ""
        if let id = UInt32(target).map({ InstanceID($0) }) {
            guard let instance = all.first(where: { $0.id == id }) else {
                console.plainError("\(target) id unknown")
                throw PM2Exit.failed
            }
            console.plainError("Action doesn't exist \(words.dropFirst().first ?? "") for \(instance.name)")
            throw PM2Exit.failed
        }
        console.plainError("Not any process has received a command (offline or unexistent)")
        throw PM2Exit.failed
    }

    // MARK: - reset

    func reset(_ target: String) throws {
        let all = try face.inventory().entries.map(\.instance)
        let chosen: [InstanceView]
        if target == "all" {
            chosen = all
        } else if let id = UInt32(target).map({ InstanceID($0) }), !all.contains(where: { $0.name == target }) {
            chosen = all.filter { $0.id == id }
        } else {
            chosen = all.filter { $0.name == target }
        }
        guard !chosen.isEmpty || target == "all" else {
            console.plainError("Unknown process name")
            throw PM2Exit.failed
        }
        for instance in chosen { console.say("Resetting meta for process id \(instance.id)") }
        if !chosen.isEmpty { _ = try face.act(.reset, chosen.map(\.id)) }
        try PM2Lists(face: face).table()
    }
}
