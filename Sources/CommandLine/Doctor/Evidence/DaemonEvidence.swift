import CLinux
import Configuration
import Control
import Glibc
import Model
import Platform
import Records

/// What there is to see of the daemon and the keeper of a home, whether they answer or not.
struct DaemonEvidence: Sendable {
    enum Answer: Hashable, Sendable {
        /// Nobody listens on the control socket.
        case nobody
        case hello(version: String, pid: Int32, keeper: Int32?, ready: Bool, uptimeMs: Int64)
        /// Somebody listens, and says nothing within the time.
        case silence
        /// Another version, or no hearthd: the sentence of the client.
        case incompatible(String)
        /// Of another user.
        case notPermitted(String)
    }

    var answer: Answer
    /// The daemon: who holds the home's lock, else who answers.
    var process: ObservedProcess?
    /// Who holds the home's lock and is no hearthd.
    var foreignHolder: ObservedProcess?
    var pidFile: Int32?
    /// Who has the number in the pid file, if that is no hearthd of this home.
    var pidFileHolder: ObservedProcess?
    var hasSocketFile: Bool
    /// Of this home.
    var keepers: [ObservedProcess]
    /// Of other homes.
    var otherDaemons: [HearthProcess]

    var answers: Bool { if case .hello = answer { true } else { false } }
}

extension DaemonEvidence {
    /// How long a silent daemon is watched, in microseconds.
    private static let watchTime: UInt32 = 200_000

    /// - Returns: with the daemon's own list, where it gives one.
    static func collect(_ paths: HomePaths, timeout: Int) -> (evidence: DaemonEvidence, list: ListReply?) {
        let (answer, list) = ask(paths, timeout: timeout)
        let table = ProcessTable.read()
        let daemons = HearthProcess.all("hearthd", in: table)
        let keepers = HearthProcess.all("hearth-keeper", in: table)
        let recorded = OfflineHome.recordedDaemon(paths)
        var evidence = DaemonEvidence(
            answer: answer, pidFile: recorded, hasSocketFile: FileSystem.exists(paths.controlSocket),
            keepers: keepers.filter { $0.home == paths.home }.map(\.process),
            otherDaemons: daemons.filter { $0.home != paths.home })
        let own = daemons.filter { $0.home == paths.home }.map(\.process)
        let holder = ProcessFacts.lockHolder(of: paths.base).flatMap(ObservedProcess.look)
        if case .hello(_, let pid, _, _, _) = answer {
            evidence.process = own.first { $0.pid == pid } ?? ObservedProcess.look(at: pid)
        } else if let holder, own.contains(where: { $0.pid == holder.pid }) {
            evidence.process = holder
        } else {
            evidence.process = own.first
        }
        // A keeper that starts tries the lock for a moment, and so does a command.
        if let holder, holder.identity != evidence.process?.identity, !isOurs(holder), stillHolds(paths, holder) {
            evidence.foreignHolder = holder
        }
        if let recorded, recorded != evidence.process?.pid, !own.contains(where: { $0.pid == recorded }) {
            evidence.pidFileHolder = ObservedProcess.look(at: recorded)
        }
        if !evidence.answers { evidence.process?.watch(microseconds: watchTime) }
        return (evidence, list)
    }

    private static func isOurs(_ process: ObservedProcess) -> Bool {
        ["hearthd", "hearth-keeper", "hearth", "pm2"].contains(process.program)
    }

    private static func stillHolds(_ paths: HomePaths, _ holder: ObservedProcess) -> Bool {
        usleep(20_000)
        return ProcessFacts.lockHolder(of: paths.base) == holder.pid
    }

    private static func ask(_ paths: HomePaths, timeout: Int) -> (Answer, ListReply?) {
        do throws(ClientError) {
            let client = try Client.connect(socketPath: paths.controlSocket, timeout: timeout)
            let hello = try client.greet()
            let answer = Answer.hello(
                version: hello.version, pid: hello.pid, keeper: hello.keeperPid, ready: hello.ready,
                uptimeMs: hello.uptimeMs)
            guard hello.ready else { return (answer, nil) }
            let list = try? client.call(
                .list, SelectorParameters(selectors: []), as: ListReply.self, kind: .reading, deadline: timeout)
            return (answer, list)
        } catch {
            return (answer(for: error), nil)
        }
    }

    private static func answer(for error: ClientError) -> Answer {
        switch error {
        case .noDaemon, .connectionLost: .nobody
        case .notAnswering: .silence
        case .otherVersion(let why), .malformed(let why): .incompatible(why)
        case .notPermitted(let why): .notPermitted(why)
        case .remote(let error): .incompatible(error.description)
        }
    }
}
