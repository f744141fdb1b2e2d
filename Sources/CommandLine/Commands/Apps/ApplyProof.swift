import CLinux
import Control
import Glibc
import Model

/// Waits until processes that were just started have proved that they run: they have lived as long as an app must in
/// order to count as stable (`min_uptime`), or have ended as they may.
struct Proof {
    /// Milliseconds. What takes longer to show is a matter for the restart policy.
    static let longest: Int64 = 2000
    /// Beyond it, for a process that is not even up.
    private static let patience: Int64 = 10_000

    private let session: Session
    private let specs: [String: AppSpec]

    init(_ session: Session, _ specs: [AppSpec]) {
        self.session = session
        self.specs = Dictionary(specs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// - Parameter started: the instances as the daemon showed them after their start.
    /// - Returns: Those that do not run.
    func failures(of started: [InstanceView]) throws -> [ActionResult] {
        var waiting = started.filter { $0.wanted == .running }
        var failures: [ActionResult] = []
        var deadlines: [InstanceID: Int64] = [:]
        let begin = clinux_boottime_ns() / 1_000_000
        for view in waiting { deadlines[view.id] = begin + needed(view.name) + Self.patience }
        while !waiting.isEmpty {
            let now = try look(at: waiting.map(\.id))
            let time = clinux_boottime_ns() / 1_000_000
            waiting.removeAll { first in
                // Somebody removed it.
                guard let view = now[first.id] else { return true }
                switch verdict(first, view) {
                case .proved: return true
                case .failed(let why):
                    failures.append(ActionResult(id: view.id, name: view.name, ok: false, message: why))
                    return true
                case .open:
                    guard time > deadlines[first.id, default: 0] else { return false }
                    failures.append(
                        ActionResult(
                            id: view.id, name: view.name, ok: false, message: "is still \(view.status.rawValue)"))
                    return true
                }
            }
            // A look at a thousand costs more than one at three.
            if !waiting.isEmpty { usleep(UInt32(30_000 + 200 * waiting.count)) }
        }
        return failures
    }

    private enum Verdict {
        case proved
        case failed(String)
        case open
    }

    private func needed(_ name: String) -> Int64 {
        min(specs[name]?.restart.minUptime.rawValue ?? 0, Self.longest)
    }

    private func verdict(_ first: InstanceView, _ now: InstanceView) -> Verdict {
        // Somebody else's decision.
        if now.wanted == .stopped, now.reasonKind == Reason.Kind.stopped.rawValue { return .proved }
        let isAnother = now.generation != first.generation || now.restarts > first.restarts
        // A restart by a schedule, a changed file or another person is none of its failures.
        let hasEnded = isAnother && now.lastExit?.cause != .ours
        switch now.status {
        case .online where !hasEnded: return now.uptimeMs >= needed(now.name) ? .proved : .open
        case .launching where !hasEnded, .stopping, .waiting: return .open
        case .scheduled: return .proved
        case .stopped:
            let isFine = now.lastExit.map { $0.code == 0 || mayEnd(now.name, with: $0.code) } ?? true
            return isFine ? .proved : .failed(ending(now))
        default: return isRecurring(now) ? .proved : .failed(ending(now))
        }
    }

    private func mayEnd(_ name: String, with code: Int?) -> Bool {
        code.map { specs[name]?.restart.stopExitCodes.contains($0) ?? false } ?? false
    }

    /// A job that does its work, ends well, and is started anew.
    private func isRecurring(_ view: InstanceView) -> Bool {
        guard view.status != .errored, view.lastExit?.code == 0, let policy = specs[view.name]?.restart else {
            return false
        }
        return policy.restartDelay != nil || policy.exponentialBackoff != nil
    }

    private func ending(_ view: InstanceView) -> String {
        let exit = view.lastExit.map { "it ended with \($0.sentence)" } ?? view.reason
        return "does not stay up: \(exit); 'hearth why \(view.name)' tells more"
    }

    private func look(at ids: [InstanceID]) throws -> [InstanceID: InstanceView] {
        // By id one would be an error when it is gone.
        let reply: ListReply = try session.read(.list, SelectorParameters(selectors: []))
        let wanted = Set(ids)
        return Dictionary(
            reply.instances.filter { wanted.contains($0.id) }.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    }
}
