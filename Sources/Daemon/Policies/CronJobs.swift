import Model
import Platform
import Supervision

/// Restarts by the clock (`cron_restart`).
///
/// A stop leaves the schedule armed, a delete takes it away. What was due while no daemon ran is not made up.
final class CronJobs {
    private let services: Services
    private let fleet: Fleet
    private let clock: ScheduleClock
    private var patterns: [InstanceID: String] = [:]

    init(_ services: Services, _ fleet: Fleet, _ clock: ScheduleClock) {
        self.services = services
        self.fleet = fleet
        self.clock = clock
    }

    func follow(_ id: InstanceID) {
        let pattern = fleet[id]?.desired.spec.schedule?.pattern
        guard patterns[id] != pattern else { return }
        patterns[id] = pattern
        let key = ScheduleClock.Key(id: id, rule: .restart)
        guard let pattern else { return clock.clear(key) }
        do throws(CronSchedule.Invalid) {
            clock.set(key, try CronSchedule(parsing: pattern)) { [unowned self] in self.run(id) }
        } catch {
            clock.clear(key)
            // Requests were checked; a list that somebody wrote was not.
            services.log.note("instance \(id) has no schedule: Cron pattern error: \(error)")
        }
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
