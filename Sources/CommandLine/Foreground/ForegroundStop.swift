import CLinux
import Control
import Glibc
import Model
import Platform
import Records

/// Stops what a foreground run started: everything and the daemon when that is the run's own, else its apps.
struct ForegroundStop {
    enum Progress: Hashable {
        case waiting
        case done
        /// The daemon refused, in its words.
        case refused(String)
    }

    /// What the daemon says does not matter: that it does.
    struct Answer: Decodable {
        init(from decoder: any Decoder) throws {}
    }

    private let paths: HomePaths
    private let origin: String
    /// Nil: everything and the daemon.
    private let instances: [InstanceID]?
    private let token = Session.makeToken()
    private var call: PendingCall<Answer>?
    /// The daemon has answered, and is to be gone as well.
    private var isAnswered = false
    private var answeredAt: Int64 = 0
    /// Since when there is no daemon.
    private var lostAt: Int64?

    /// Milliseconds for a daemon that died to come back, and for one that has answered to be gone.
    private static let patience: Int64 = 5000

    init(_ paths: HomePaths, instances: [InstanceID]?, origin: String) {
        self.paths = paths
        self.instances = instances
        self.origin = origin
    }

    var descriptor: Int32 { call?.descriptor ?? -1 }
    /// Milliseconds after which a turn is due although nothing came.
    var pause: Int32 { call == nil || call?.mustGreetAgain == true ? 50 : 500 }

    mutating func turn() throws -> Progress {
        do throws(ClientError) {
            if call == nil { try connect() }
            if let call {
                if call.mustGreetAgain { try call.greet() }
                if try call.receive().isOver {
                    if instances != nil { return .done }
                    isAnswered = true
                    answeredAt = ForegroundOutput.now()
                }
            }
        } catch .remote(let error) {
            return .refused(error.description)
        } catch .connectionLost, .noDaemon {
            if isAnswered { return .done }
            call = nil
            // It may have been killed before it was done: its keeper brings another, which is asked again.
            let lost = lostAt ?? ForegroundOutput.now()
            lostAt = lost
            guard ForegroundOutput.now() - lost > Self.patience else { return .waiting }
            return try offline()
        } catch {
            call = nil
        }
        // Its apps are stopped; that it lives on is its keeper's concern.
        if isAnswered, ForegroundOutput.now() - answeredAt > Self.patience { return .done }
        return .waiting
    }

    private mutating func connect() throws(ClientError) {
        if let instances {
            let selectors = instances.map(\.description)
            call = try PendingCall(
                paths, .act, ActParameters(action: .delete, selectors: selectors, token: token, origin: origin))
        } else {
            call = try PendingCall(paths, .kill, OriginParameters(origin: origin))
        }
        try call?.settle()
        lostAt = nil
    }

    /// There is no daemon any more.
    private func offline() throws -> Progress {
        guard instances == nil else { return .refused("no daemon is running, and the apps are as they were left") }
        _ = try OfflineStop(home: OfflineHome(paths: paths, absence: .noDaemon)).run()
        return .done
    }

    // MARK: - By force

    /// SIGKILL to everything at once. Returns when nothing is left, or after a while.
    func killNow(daemon: [Int32]) {
        if instances == nil {
            // Both are held first: each would start the other again.
            for pid in daemon { kill(pid, SIGSTOP) }
            for pid in daemon { kill(pid, SIGKILL) }
        }
        let deadline = ForegroundOutput.now() + Self.patience
        while ForegroundOutput.now() < deadline {
            let home = OfflineHome(paths: paths, absence: .noDaemon)
            let members = home.desired.filter { instances?.contains($0.id) ?? true }.flatMap(home.members)
            if members.isEmpty { return }
            for member in members where member.isAlive() { kill(member.pid, SIGKILL) }
            while getpid() == 1, waitpid(-1, nil, WNOHANG) > 0 {}
            usleep(10_000)
        }
    }
}
