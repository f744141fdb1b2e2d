import CLinux
import Model
import Platform
import Supervision

/// Restarts of instances whose trees use more memory than their limit, and SIGKILL above `memory_max` where no cgroup
/// holds them to it.
///
/// Only instances with a limit are measured, and how often depends on how near they are: ten seconds while they are far
/// from it, a second or less when they are near or grow fast. Without limits nothing is armed.
final class MemoryLimits {
    private struct Watched {
        var generation: Generation
        var due: Instant
        var last: (bytes: Int64, at: Instant)?
    }

    /// How often an instance was restarted for memory: one that is over its limit from the start on must not be
    /// restarted every second.
    private struct History {
        var last: Instant
        var gap: Milliseconds
    }

    private static let first = Milliseconds(500)
    private static let shortest: Int64 = 200
    private static let near: Int64 = 1000
    private static let far: Int64 = 10_000
    /// All processes are looked through for new members of the trees: some 10 ms of a processor.
    private static let walk = Milliseconds(30_000)
    private static let longestGap = Milliseconds(30_000)
    private static let forgotten = Milliseconds(300_000)

    private let services: Services
    private let fleet: Fleet
    private let inspector: Inspector
    private let reloads: Reloads
    private var watched: [InstanceID: Watched] = [:]
    private var histories: [InstanceID: History] = [:]
    private var timer: EventLoop.TimerToken?
    private var isMeasuring = false
    private var walkedAt = Instant(milliseconds: 0)

    init(_ services: Services, _ fleet: Fleet, _ inspector: Inspector, _ reloads: Reloads) {
        self.reloads = reloads
        self.services = services
        self.fleet = fleet
        self.inspector = inspector
    }

    func follow(_ id: InstanceID) {
        guard let member = fleet[id] else {
            histories[id] = nil
            return forget(id)
        }
        guard Self.limit(of: member.desired.spec, services) != nil, member.machine.status == .online else {
            return forget(id)
        }
        let generation = member.machine.generation
        guard watched[id]?.generation != generation else { return }
        watched[id] = Watched(generation: generation, due: SystemClock.now().advanced(by: Self.first))
        arm()
    }

    private func forget(_ id: InstanceID) {
        if watched.removeValue(forKey: id) != nil { arm() }
    }

    private func arm() {
        if let timer { services.loop.cancel(timer) }
        timer = nil
        guard !isMeasuring, let next = watched.values.map(\.due).min() else { return }
        timer = services.loop.schedule(at: next) { [unowned self] in
            self.timer = nil
            self.measure()
        }
    }

    private func measure() {
        let now = SystemClock.now()
        // What is due shortly is measured now: one wake-up for several.
        let soon = now.advanced(by: Milliseconds(100))
        let ids = watched.filter { $0.value.due <= soon }.map(\.key)
        isMeasuring = true
        if now.since(walkedAt) >= Self.walk {
            walkedAt = now
            inspector.walk()
        }
        inspector.memory(of: ids) { [unowned self] readings in
            self.isMeasuring = false
            for id in ids { self.judge(id, readings[id]) }
            self.arm()
        }
    }

    private func judge(_ id: InstanceID, _ reading: (generation: Generation, bytes: Int64)?) {
        guard var entry = watched[id], let spec = fleet[id]?.desired.spec,
            let limit = Self.limit(of: spec, services), limit > 0
        else { return }
        let now = SystemClock.now()
        var wait = Self.far
        if let reading, reading.generation == entry.generation {
            if let most = Self.maximum(of: spec, services), reading.bytes > most {
                return end(id, entry.generation, reading.bytes, most)
            } else if reading.bytes > limit {
                if let pause = pause(id, at: now) {
                    wait = max(Self.shortest, pause.rawValue)
                } else {
                    return restart(id, reading.bytes, limit)
                }
            } else {
                wait = Self.interval(reading.bytes, limit, since: entry.last, at: now)
            }
            entry.last = (reading.bytes, now)
        }
        entry.due = now.advanced(by: Milliseconds(wait))
        watched[id] = entry
    }

    /// What is watched for: the lower of the two.
    private static func limit(of spec: AppSpec, _ services: Services) -> Int64? {
        [spec.memoryLimit, maximum(of: spec, services)].compactMap { $0 }.min()
    }

    /// Nil also where the kernel sees to it.
    private static func maximum(of spec: AppSpec, _ services: Services) -> Int64? {
        services.limitsMemory ? nil : spec.memoryMax
    }

    /// As the kernel would: without notice. What follows is a matter for the restart policy.
    private func end(_ id: InstanceID, _ generation: Generation, _ bytes: Int64, _ most: Int64) {
        guard let member = fleet[id], let (present, query) = fleet.inspectionQuery(of: id), present == generation,
            let pidfd = member.pidfd
        else { return }
        watched[id] = nil
        let texts = Self.texts(bytes, most)
        let story = "memory \(texts.0) is over its memory_max of \(texts.1)"
        services.journal.add("memory", id: id, name: member.desired.spec.name, pid: query.main?.pid, story)
        fleet.send(.signalSent(.kill, Actor("hearth (\(story))")), to: id)
        _ = clinux_pidfd_send_signal(pidfd, Signal.kill.rawValue)
        fleet.trees.killAll(query) {}
    }

    /// Milliseconds until the next look: near the limit often, and several times before it would be reached at the
    /// present rate.
    static func interval(
        _ bytes: Int64, _ limit: Int64, since last: (bytes: Int64, at: Instant)?, at now: Instant
    ) -> Int64 {
        let use = Double(bytes) / Double(limit)
        var wait = use > 0.7 ? near : use > 0.5 ? 2 * near : far
        guard let last else { return min(wait, near) }
        let growth = Double(bytes) - Double(last.bytes)
        let elapsed = Double(max(1, now.since(last.at).rawValue))
        if growth > 0 {
            let left = (Double(limit) - Double(bytes)) / (growth / elapsed)
            if left / 4 < Double(wait) { wait = max(shortest, Int64(left / 4)) }
        }
        return wait
    }

    /// How long a restart is still to be put off; nil: it is done now.
    private func pause(_ id: InstanceID, at now: Instant) -> Milliseconds? {
        guard let history = histories[id] else { return nil }
        let left = history.gap.rawValue - now.since(history.last).rawValue
        return left > 0 ? Milliseconds(left) : nil
    }

    private func restart(_ id: InstanceID, _ bytes: Int64, _ limit: Int64) {
        guard let member = fleet[id], member.machine.status == .online else { return }
        let now = SystemClock.now()
        var gap = Milliseconds(1000)
        if let history = histories[id], now.since(history.last) < Self.forgotten {
            gap = min(Self.longestGap, Milliseconds(history.gap.rawValue * 2))
        }
        histories[id] = History(last: now, gap: gap)
        watched[id] = nil
        let (use, most) = Self.texts(bytes, limit)
        let story = "memory \(use) is over its limit of \(most)"
        services.journal.add(
            "memory", id: id, name: member.desired.spec.name, pid: member.machine.process?.pid, story)
        let actor = Actor("hearth (\(story))")
        if member.canBeReloaded { reloads.begin([id], by: actor) } else { fleet.send(.restart(actor), to: id) }
    }

    /// `612 MB` and `500 MB`; with more digits where they would look alike.
    static func texts(_ bytes: Int64, _ limit: Int64) -> (String, String) {
        let megabyte: Int64 = 1 << 20
        let whole = ("\(bytes / megabyte) MB", "\(limit / megabyte) MB")
        if whole.0 != whole.1, limit >= megabyte { return whole }
        let kilobytes = ("\(bytes / 1024) KB", "\(limit / 1024) KB")
        return kilobytes.0 != kilobytes.1 ? kilobytes : ("\(bytes) bytes", "\(limit) bytes")
    }
}
