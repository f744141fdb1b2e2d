import Model
import Platform
import Supervision

/// Waits for instances to settle, for commands.
final class Waiting {
    private let services: Services
    private let fleet: Fleet

    init(_ services: Services, _ fleet: Fleet) {
        self.services = services
        self.fleet = fleet
    }

    /// Calls back when nothing is under way with any of `ids`, or after `bound` with those that are not settled.
    func untilSettled(
        _ ids: [InstanceID], within bound: Milliseconds, _ done: @escaping (_ unsettled: Set<InstanceID>) -> Void
    ) {
        wait(ids, bound, done) { [unowned self] in self.isSettled($0) }
    }

    private func wait(
        _ ids: [InstanceID], _ bound: Milliseconds, _ done: @escaping (Set<InstanceID>) -> Void,
        _ isThere: @escaping (InstanceID) -> Bool
    ) {
        var left = Set(ids.filter { !isThere($0) })
        guard !left.isEmpty else { return done([]) }
        var token = 0
        var timer: EventLoop.TimerToken?
        func finish() {
            fleet.stopObserving(token)
            if let timer { services.loop.cancel(timer) }
            done(left)
        }
        token = fleet.observe { id in
            guard left.contains(id), isThere(id) else { return }
            left.remove(id)
            if left.isEmpty { finish() }
        }
        timer = services.loop.schedule(after: bound) { if !left.isEmpty { finish() } }
    }

    /// The same for entries that are about to be started: one that is only registered is not there yet.
    func untilBegunAndSettled(
        _ ids: [InstanceID], within bound: Milliseconds, _ done: @escaping (_ unsettled: Set<InstanceID>) -> Void
    ) {
        wait(ids, bound, done) { [unowned self] id in
            guard let machine = self.fleet[id]?.machine else { return true }
            let isRegistered = machine.reason.kind == .registered && machine.wanted == .running
            return self.isSettled(id) && !isRegistered
        }
    }

    /// Calls back when the reloads of `ids` are over and nothing is under way with them.
    func untilReloaded(
        _ ids: [InstanceID], _ reloads: Reloads, _ done: @escaping (_ unsettled: Set<InstanceID>) -> Void
    ) {
        let each = ids.compactMap { fleet[$0]?.machine.spec }.map { spec -> Int64 in
            let times = [spec.proofTimeout, spec.restart.minUptime, spec.stop.killTimeout, spec.stop.killTimeout]
            return times.reduce(15_000) { min(86_400_000, $0 + min(max(0, $1.rawValue), 86_400_000)) }
        }
        // Twice: what failed may have to be taken back.
        let bound = Milliseconds(each.reduce(0) { min(86_400_000, $0 + 2 * $1) })
        var isOver = false
        let timer = services.loop.schedule(after: bound) {
            guard !isOver else { return }
            isOver = true
            done(Set(ids))
        }
        reloads.whenDone(ids) { [self] in
            guard !isOver else { return }
            isOver = true
            self.services.loop.cancel(timer)
            self.untilSettled(ids, within: self.stopBound(ids), done)
        }
    }

    private func isSettled(_ id: InstanceID) -> Bool {
        (fleet[id]?.machine.isSettled ?? true) && !fleet.dependencies.isMoving(id)
    }

    /// How long stopping these may take: the time to SIGKILL, the time a killed process is waited for, and a margin.
    func stopBound(_ ids: [InstanceID]) -> Milliseconds {
        let longest = ids.compactMap { fleet[$0]?.machine.spec.stop.killTimeout.rawValue }.max() ?? 0
        let (doubled, overflow) = longest.multipliedReportingOverflow(by: 2)
        let stop = overflow ? 86_400_000 : min(86_400_000, doubled) + 15_000
        return Milliseconds(stop + readyBound(ids, inTurn: false).rawValue)
    }

    /// How long these may take to say that they are ready, one after another or all at once; a day at most.
    func readyBound(_ ids: [InstanceID], inTurn: Bool) -> Milliseconds {
        let times = ids.compactMap { fleet[$0]?.machine.spec.readyTimeout }
            .map { min(max(0, $0.rawValue), 86_400_000) }
        guard inTurn else { return Milliseconds(times.max() ?? 0) }
        return Milliseconds(times.reduce(0) { min(86_400_000, $0 + $1) })
    }
}
