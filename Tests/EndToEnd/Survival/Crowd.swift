import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

/// Apps that print numbered lines and serve HTTP under continuous requests, and the proof that nothing happened to
/// them.
struct Crowd {
    let home: Home
    let names: [String]
    let pids: [Int32]
    private let load: RequestLoad

    init(_ home: Home, count: Int) throws {
        self.home = home
        names = (0..<count).map { "app\($0)" }
        let instances = try home.start(names.map { try home.responder($0) }).instances
        pids = try instances.map { try #require($0.pid) }
        load = RequestLoad(ports: try names.map { try home.port(of: $0) })
        try letRequestsPass(50)
    }

    /// Waits until so many more requests were answered.
    func letRequestsPass(_ count: Int) throws {
        let target = load.answered + count
        try home.eventually("requests are answered") { load.answered >= target }
    }

    /// The same processes, every line in its place, every request answered.
    func expectUntouched(_ location: SourceLocation = #_sourceLocation) throws {
        try letRequestsPass(50)
        let tally = load.stop()
        let all = tally.answered + tally.failures.count
        #expect(tally.failures.isEmpty, "of \(all) requests", sourceLocation: location)
        try expectSamePids(location)
        for name in names {
            let before = home.numbers(of: name).count
            try home.eventually("'\(name)' goes on printing") { home.numbers(of: name).count > before }
            let numbers = home.numbers(of: name)
            #expect(numbers == Array(0..<numbers.count), "lines of '\(name)'", sourceLocation: location)
        }
    }

    func expectSamePids(_ location: SourceLocation = #_sourceLocation) throws {
        let present = try home.list("/^app/").sorted { $0.id < $1.id }.map(\.pid)
        #expect(present == pids, sourceLocation: location)
        for pid in pids { #expect(Processes.isRunning(pid), sourceLocation: location) }
    }
}

/// A figure of a test run, for the report.
func report(_ what: String, _ duration: Duration) {
    print("survival: \(what): \(duration / .milliseconds(1)) ms")
}

extension Home {
    /// Kills app `name`'s process and waits until the restart is counted.
    func expectRestartIsCounted(_ name: String, _ location: SourceLocation = #_sourceLocation) throws {
        let before = try instance(name)
        Glibc.kill(try #require(before.pid, sourceLocation: location), SIGKILL)
        try eventually("the restart of '\(name)' is counted") {
            let now = try instance(name)
            return now.restarts == before.restarts + 1 && now.status == .online && now.pid != before.pid
        }
        #expect(try instance(name).lastExit?.signal == "SIGKILL", sourceLocation: location)
    }

    /// One keeper and one daemon, in the end.
    func expectOnePair(_ location: SourceLocation = #_sourceLocation) throws {
        try eventually("one keeper and one daemon are there") { keeperPids.count == 1 && daemonPids.count == 1 }
    }

    /// SIGKILL to keeper and daemon, so that neither sees the other die.
    func killBoth() throws {
        // Stopped first: between two kills the survivor would already start a successor.
        for pid in keeperPids + daemonPids { Glibc.kill(pid, SIGSTOP) }
        for pid in keeperPids + daemonPids { Glibc.kill(pid, SIGKILL) }
        try eventually("keeper and daemon are gone") { keeperPids.isEmpty && daemonPids.isEmpty }
    }
}
