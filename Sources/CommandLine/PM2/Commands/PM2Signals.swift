import Configuration
import Control
import Glibc
import Model

/// Commands that reach into an app: a signal, a line for its standard input, its counters.
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
        guard entry.instance.pid != nil else { return try refuse("Process with ID <\(target)> offline.") }
        try face.connect()
        let reply: SendReply = try face.session.change(
            .send,
            SendParameters(
                selectors: [SelectorMatching.exactly(entry.instance.id)], line: line, message: nil,
                origin: face.origin), repeats: false)
        if let failure = reply.results.first(where: { !$0.ok }) {
            return try refuse("Process with ID <\(target)>: \(failure.message)")
        }
        try PM2Lists(face: face).table()
    }

    private func refuse(_ why: String) throws {
        console.error("Error: \(why)")
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
