import Model
import Platform
import Records
import Supervision

#if canImport(Glibc)
    import Glibc
#endif

/// What ran once and has ended stays in the list for a while, so that somebody can look at it.
///
/// A day if it succeeded, a week if not, and the last 20 at most. Its output goes with it where it has files of its own.
final class FinishedRuns {
    private static let most = 20
    private static let successStays = Milliseconds(86_400_000)
    private static let failureStays = Milliseconds(7 * 86_400_000)

    private let services: Services
    private let fleet: Fleet
    /// When each ended, and when it goes: milliseconds since 1970.
    private var ended: [InstanceID: (at: Int64, goes: Int64)] = [:]
    private var timer: EventLoop.TimerToken?

    init(_ services: Services, _ fleet: Fleet) {
        self.services = services
        self.fleet = fleet
    }

    /// - Parameter run: its last one.
    func follow(_ id: InstanceID, _ run: JobRun?) {
        guard let run, let end = run.endedAt, let machine = fleet[id]?.machine, machine.isSettled,
            machine.process == nil, machine.wanted == .stopped || machine.status == .errored
        else { return forget(id) }
        let stays = run.isSuccess ? Self.successStays : Self.failureStays
        guard ended[id]?.at != end else { return }
        ended[id] = (end, end &+ stays.rawValue)
        arm()
    }

    func forget(_ id: InstanceID) {
        if ended.removeValue(forKey: id) != nil { arm() }
    }

    private func arm() {
        if let timer { services.loop.cancel(timer) }
        timer = nil
        guard let first = ended.values.map(\.goes).min() else { return }
        let wait = ended.count > Self.most ? 0 : max(0, first - SystemClock.wallClock())
        timer = services.loop.schedule(after: Milliseconds(wait)) { [unowned self] in
            self.timer = nil
            self.clear()
        }
    }

    private func clear() {
        let now = SystemClock.wallClock()
        let oldest = ended.sorted { ($0.value.at, $0.key) < ($1.value.at, $1.key) }
        let excess = Set(oldest.prefix(max(0, oldest.count - Self.most)).map(\.key))
        for (id, times) in oldest where times.goes <= now || excess.contains(id) {
            ended[id] = nil
            removeOutput(of: id)
            fleet.send(.delete(Actor("hearth (it ended at \(Jobs.text(times.at)))")), to: id)
        }
        arm()
    }

    /// Files that `run-once` made for this run alone.
    private func removeOutput(of id: InstanceID) {
        guard let spec = fleet[id]?.desired.spec else { return }
        let own = services.paths.onceLogs
        let files = [spec.output.outFile, spec.output.errorFile].compactMap { $0 }.filter { $0.hasPrefix(own) }
        guard !files.isEmpty else { return }
        services.loop.offload(to: services.files) {
            for file in files { _ = unlink(file) }
        } then: { _ in
        }
    }
}
