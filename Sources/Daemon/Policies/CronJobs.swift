import Model
import Platform
import Supervision

/// Restarts by the clock: one job per instance with a schedule, one timer for all.
///
/// A stop leaves the job armed, a delete takes it away. What was due while no daemon ran is not made up. When the clock
/// is set, it is as with cron: what less than three hours skipped is done once, now; what less than three hours repeat
/// is not done again.
final class CronJobs {
    private struct Job {
        var schedule: CronSchedule
        /// Milliseconds since 1970; nil: the pattern never is due.
        var due: Int64?
        /// When it was due last: the clock may be set back behind it.
        var last: Int64?
    }

    private static let smallJump: Int64 = 3 * 3_600_000

    private let services: Services
    private let fleet: Fleet
    private let zone = LocalTime { SystemClock.zoneOffset(at: $0) }
    private var jobs: [InstanceID: Job] = [:]
    private var timer: WallTimer?

    init(_ services: Services, _ fleet: Fleet) {
        self.services = services
        self.fleet = fleet
    }

    func follow(_ id: InstanceID) {
        let pattern = fleet[id]?.desired.spec.schedule?.pattern
        guard jobs[id]?.schedule.pattern != pattern else { return }
        jobs[id] = pattern.flatMap { job(for: $0, id) }
        arm()
    }

    private func job(for pattern: String, _ id: InstanceID) -> Job? {
        do throws(CronSchedule.Invalid) {
            let schedule = try CronSchedule(parsing: pattern)
            let due = schedule.next(after: SystemClock.wallClock(), calendar: zone)
            if due == nil { services.log.note("instance \(id): its schedule '\(pattern)' is never due") }
            return Job(schedule: schedule, due: due)
        } catch {
            // Requests were checked; a list that somebody wrote was not.
            services.log.note("instance \(id) has no schedule: Cron pattern error: \(error)")
            return nil
        }
    }

    private func arm() {
        let next = jobs.values.lazy.compactMap(\.due).min()
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
        var dueNow: [InstanceID] = []
        for (id, var job) in jobs {
            if let due = job.due, due <= now {
                if firing == .due || now - due < Self.smallJump { dueNow.append(id) }
                job.last = due
            } else if firing == .due {
                continue
            }
            var from = now
            if let last = job.last, last > now, last - now < Self.smallJump { from = last }
            job.due = job.schedule.next(after: from, calendar: zone)
            jobs[id] = job
        }
        arm()
        for id in dueNow.sorted() { run(id) }
    }

    private func run(_ id: InstanceID) {
        guard let member = fleet[id], let schedule = member.desired.spec.schedule,
            services.state.desired.killed == nil
        else { return }
        let startsStopped = schedule.startsStopped && member.machine.reason.kind != .killedWithDaemon
        guard member.mayBeStartedByRule || startsStopped else { return }
        services.journal.add("cron", id: id, name: member.desired.spec.name, "due: \(schedule.pattern)")
        fleet.send(.restart(Actor("hearth (cron \(schedule.pattern))")), to: id)
    }
}
