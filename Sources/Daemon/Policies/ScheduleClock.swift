import Model
import Platform
import Supervision

/// What is due at times of day, for all rules: one timer on the wall clock.
///
/// When the clock is set, it is as with cron: what less than three hours skipped is done once, now; what less than three
/// hours repeat is not done again.
final class ScheduleClock {
    /// Of each kind an instance has one.
    enum Rule: Int, Hashable {
        case restart, job
    }

    struct Key: Hashable, Comparable {
        var id: InstanceID
        var rule: Rule

        static func < (left: Key, right: Key) -> Bool {
            (left.id, left.rule.rawValue) < (right.id, right.rule.rawValue)
        }
    }

    private struct Entry {
        var schedule: CronSchedule
        /// Milliseconds by which each time is put off.
        var shift: Int64
        /// What a clock that was set over it skipped is done, however much that was.
        var makesUp: Bool
        /// Milliseconds since 1970; nil: the pattern never is due.
        var due: Int64?
        /// When it was due last: the clock may be set back behind it.
        var last: Int64?
        var fire: () -> Void

        func next(after moment: Int64, _ zone: LocalTime) -> Int64? {
            schedule.next(after: moment &- shift, calendar: zone).map { $0 &+ shift }
        }
    }

    private static let smallJump: Int64 = 3 * 3_600_000

    private let services: Services
    private let zone = LocalTime { SystemClock.zoneOffset(at: $0) }
    private var entries: [Key: Entry] = [:]
    private var timer: WallTimer?

    init(_ services: Services) { self.services = services }

    /// - Parameter fire: called on the loop at each due time.
    func set(
        _ key: Key, _ schedule: CronSchedule, shift: Int64 = 0, makesUp: Bool = false, _ fire: @escaping () -> Void
    ) {
        var entry = Entry(schedule: schedule, shift: shift, makesUp: makesUp, fire: fire)
        entry.due = entry.next(after: SystemClock.wallClock(), zone)
        if entry.due == nil {
            services.log.note("instance \(key.id): its schedule '\(schedule.pattern)' is never due")
        }
        entries[key] = entry
        arm()
    }

    func clear(_ key: Key) {
        if entries.removeValue(forKey: key) != nil { arm() }
    }

    func due(_ key: Key) -> Int64? { entries[key]?.due }

    /// The first due time after a moment, both in milliseconds since 1970.
    func next(_ schedule: CronSchedule, shift: Int64, after moment: Int64) -> Int64? {
        schedule.next(after: moment &- shift, calendar: zone).map { $0 &+ shift }
    }

    private func arm() {
        let next = entries.values.lazy.compactMap(\.due).min()
        if timer == nil {
            guard next != nil else { return }
            do throws(SystemError) {
                timer = try WallTimer(services.loop) { [unowned self] firing in self.fire(firing) }
            } catch { return services.log.note("no schedules: \(error)") }
        }
        timer?.arm(for: next)
    }

    private func fire(_ firing: WallTimer.Firing) {
        let now = SystemClock.wallClock()
        var dueNow: [Key] = []
        for (key, var entry) in entries {
            if let due = entry.due, due <= now {
                if firing == .due || entry.makesUp || now - due < Self.smallJump { dueNow.append(key) }
                entry.last = due
            } else if firing == .due {
                continue
            }
            var from = now
            if let last = entry.last, last > now, last - now < Self.smallJump { from = last }
            entry.due = entry.next(after: from, zone)
            entries[key] = entry
        }
        arm()
        for key in dueNow.sorted() { entries[key]?.fire() }
    }
}
