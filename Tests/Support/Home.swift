import CLinux
package import Control
import Foundation
import Glibc
package import Records

// The fixture of the end-to-end tests: a scratch home with the real keeper and the real daemon.
//
//     @Test("a crashed app comes back") func comesBack() throws {
//         try withHome { home in
//             let app = try home.start(home.responder("web")).instances[0]
//             kill(app.pid ?? 0, SIGKILL)
//             try home.eventually("the app runs again") { try home.list()[0].restarts == 1 }
//         }
//     }
//
// Whatever the body does, keeper, daemon and apps of the home are gone afterwards, and the directory too. Homes do not
// see each other, so tests run in parallel.

/// Runs `body` with a new home and cleans up after it, also when it throws.
///
/// - Parameters:
///   - heartbeat: milliseconds between two questions of the keeper; nil is the product's own 5 s.
///   - starting: false leaves the home empty; `up` starts keeper and daemon then.
///   - path: a home that the test prepared itself; nil makes one under the temporary directory.
///   - isPM2: the home is one of PM2's (`PM2Home` has more for it).
///   - environment: added to what the keeper, and so the daemon, is started with.
@discardableResult
package func withHome<Result>(
    heartbeat: Int? = nil, starting: Bool = true, at path: String? = nil, isPM2: Bool = false,
    environment: [String: String] = [:], _ body: (Home) throws -> Result
) throws -> Result {
    let home = try Home(path: path, isPM2: isPM2, heartbeat: heartbeat, environment: environment)
    do {
        if starting { try home.up() }
        let result = try body(home)
        try home.cleanUp()
        return result
    } catch {
        // The first failure is the one to read.
        try? home.cleanUp()
        throw error
    }
}

/// A scratch home and what runs in it. Made by `withHome`.
package final class Home {
    package let paths: HomePaths
    package var path: String { paths.home }
    /// What keeper and daemon are started with.
    package let environment: [String: String]
    /// Keepers that this process started, with their wait status once they have ended.
    private var keepers: [Int32: Int32?] = [:]
    private var children: [Int32] = []
    private var cleanups: [() throws -> Void] = []

    fileprivate init(path: String?, isPM2: Bool, heartbeat: Int?, environment: [String: String]) throws {
        let directory = path ?? Self.temporaryDirectory()
        paths = HomePaths(home: directory, isPM2: isPM2)
        var all = Self.baseEnvironment
        if let heartbeat { all["HEARTH_HEARTBEAT_MS"] = String(heartbeat) }
        self.environment = all.merging(environment) { _, new in new }
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    /// Short: a socket path has 108 bytes.
    private static func temporaryDirectory() -> String {
        let root = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        return "\(root)/hearth-e2e-\(UUID().uuidString.prefix(13))"
    }

    private static var baseEnvironment: [String: String] {
        let kept = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR"]
        return ProcessInfo.processInfo.environment.filter { kept.contains($0.key) }
    }

    // MARK: Keeper and daemon

    /// What `hearth up` does: starts a keeper, and waits until a daemon is ready.
    @discardableResult
    package func up() throws -> HelloReply {
        try startKeeper()
        return try ready()
    }

    /// Starts a keeper and waits for nothing.
    @discardableResult
    package func startKeeper(adding environment: [String: String] = [:]) throws -> Int32 {
        let pid = try Processes.start(
            Programs.keeper(), ["--home", path], environment: self.environment.merging(environment) { _, new in new },
            output: paths.daemonLog)
        keepers[pid] = .some(nil)
        return pid
    }

    /// Waits until a daemon other than `former` says that it is ready.
    @discardableResult
    package func ready(after former: Int32? = nil, within seconds: Double = 30) throws -> HelloReply {
        var reply: HelloReply?
        try eventually("a daemon is ready", within: seconds) {
            reply = try? hello(timeout: 1000)
            return reply.map { $0.ready && $0.pid != former } ?? false
        }
        guard let reply else { throw Unexpected("a daemon that was ready did not say so", in: self) }
        return reply
    }

    /// How a keeper of ours ended: its exit code, -SIGNAL, or nil while it lives.
    package func exitCode(ofKeeper pid: Int32) -> Int32? {
        guard let known = keepers[pid] else { return nil }
        if let known { return Processes.exitCode(known) }
        var status: Int32 = 0
        guard clinux_reap(pid, &status) == 1 else { return nil }
        keepers[pid] = status
        return Processes.exitCode(status)
    }

    /// Every living keeper of this home, whoever started it.
    package var keeperPids: [Int32] { Processes.programs("hearth-keeper", home: path) }
    /// Every living daemon of this home.
    package var daemonPids: [Int32] { Processes.programs("hearthd", home: path) }

    /// Main processes of this home's apps by the tag in their environment: pids by instance id.
    package var appPids: [Int: [Int32]] {
        var found: [Int: [Int32]] = [:]
        for pid in Processes.all {
            guard let id = taggedID(pid), getsid(pid) == pid else { continue }
            found[id, default: []].append(pid)
        }
        return found
    }

    private func taggedID(_ pid: Int32) -> Int? {
        let prefix = "HEARTH_INSTANCE=\(paths.id):"
        guard let tag = Processes.environment(pid).first(where: { $0.hasPrefix(prefix) }) else { return nil }
        return tag.dropFirst(prefix.count).split(separator: ":").first.flatMap { Int($0) }
    }

    // MARK: Other processes

    /// Starts a program that is killed at the end of the test at the latest. Output goes to a file of the home.
    @discardableResult
    package func startProcess(
        _ program: String, _ arguments: [String], environment: [String: String]? = nil, output: String = "/dev/null",
        errors: String? = nil
    ) throws -> Int32 {
        let pid = try Processes.start(
            program, arguments, environment: environment ?? self.environment,
            output: output.hasPrefix("/") ? output : file(output), errors: errors)
        children.append(pid)
        return pid
    }

    /// Exit code, or -SIGNAL, of a process that `startProcess` started.
    package func exitCode(of pid: Int32, within seconds: Double = 30) throws -> Int32 {
        var status: Int32 = 0
        try eventually("process \(pid) ends", within: seconds) { clinux_reap(pid, &status) == 1 }
        children.removeAll { $0 == pid }
        return Processes.exitCode(status)
    }

    /// Something to undo at the end. The last one is undone first, after all processes are gone.
    package func atEnd(_ undo: @escaping () throws -> Void) { cleanups.append(undo) }

    // MARK: Files

    package func file(_ name: String) -> String { path + "/" + name }

    @discardableResult
    package func write(_ text: String, to name: String, executable: Bool = false) throws -> String {
        let path = name.hasPrefix("/") ? name : file(name)
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        if executable { chmod(path, 0o755) }
        return path
    }

    /// The text of a file; empty when there is none.
    package func read(_ name: String) -> String {
        let data = (try? Data(contentsOf: URL(fileURLWithPath: name.hasPrefix("/") ? name : file(name)))) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    /// The daemon's log: what to read when something failed.
    package var log: String { read(paths.daemonLog) }

    // MARK: Waiting

    /// Waits until `condition` holds. When the deadline passes first it throws, with the daemon's log.
    ///
    /// An error that `condition` throws counts as "not yet", and is told when the deadline passes.
    package func eventually(
        _ what: String, within seconds: Double = 30, every milliseconds: UInt32 = 5, _ condition: () throws -> Bool
    ) throws {
        let deadline = ContinuousClock.now + .milliseconds(Int(seconds * 1000))
        var failure: (any Error)?
        while true {
            do {
                if try condition() { return }
                failure = nil
            } catch { failure = error }
            if ContinuousClock.now > deadline { break }
            usleep(milliseconds * 1000)
        }
        let why = failure.map { " (\($0))" } ?? ""
        throw Unexpected("not within \(seconds) s: \(what)\(why)", in: self)
    }

    // MARK: The end

    fileprivate func cleanUp() throws {
        var failures: [String] = []
        // Together: a keeper starts a daemon and a daemon a keeper, up to their last moment.
        if !killAll({ keeperPids + daemonPids }) { failures.append("keeper or daemon of '\(path)' do not die") }
        if !killAll(remainingApps) { failures.append("an app of '\(path)' does not die") }
        for pid in children + keepers.filter({ $0.value == nil }).keys {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        while let undo = cleanups.popLast() {
            do { try undo() } catch { failures.append("\(error)") }
        }
        if ProcessInfo.processInfo.environment["HEARTH_TEST_KEEP"] == nil {
            try? FileManager.default.removeItem(atPath: path)
        }
        if !failures.isEmpty { throw Unexpected(failures.joined(separator: "; "), in: self) }
    }

    /// Processes with the tag of this home, and those that lost it but work in the home.
    private func remainingApps() -> [Int32] {
        Processes.all.filter { pid in
            guard pid != getpid() else { return false }
            if taggedID(pid) != nil { return true }
            let directory = Processes.workingDirectory(pid)
            return directory == path || directory.hasPrefix(path + "/")
        }
    }

    /// Kills until there is none. Looks several times: a process in the middle of its exec has no command line.
    private func killAll(_ find: () -> [Int32]) -> Bool {
        let deadline = ContinuousClock.now + .seconds(20)
        var looksWithoutFinding = 0
        while looksWithoutFinding < 3 {
            let living = find()
            looksWithoutFinding = living.isEmpty ? looksWithoutFinding + 1 : 0
            for pid in living { kill(pid, SIGSTOP) }
            for pid in living { kill(pid, SIGKILL) }
            if ContinuousClock.now > deadline { return false }
            for pid in keepers.keys { _ = exitCode(ofKeeper: pid) }
            usleep(5_000)
        }
        return true
    }
}

/// A condition that did not come, or a value that cannot be. Its text ends with the daemon's log.
package struct Unexpected: Error, CustomStringConvertible {
    package let description: String

    package init(_ what: String, in home: Home) {
        let lines = home.log.split(separator: "\n", omittingEmptySubsequences: false).suffix(60)
        description = "\(what)\n-- hearthd.log of \(home.path):\n\(lines.joined(separator: "\n"))\n--"
    }
}
