import Model
import Platform
import Supervision

/// What is done with instances by rules: restarts by the clock, by memory and by changed files, and pid files.
///
/// The rules stand in the specifications; nothing of what is kept here has to outlive the daemon, but for what jobs
/// remember. The next one looks at the same specifications and goes on. Without a rule nothing here ever wakes up.
final class Policies {
    private let fleet: Fleet
    private let cron: CronJobs
    let jobs: Jobs
    private let memory: MemoryLimits
    private let watches: FileWatches
    private let pidFiles: PidFiles

    init(_ services: Services, _ fleet: Fleet, _ inspector: Inspector, _ reloads: Reloads) {
        self.fleet = fleet
        let clock = ScheduleClock(services)
        cron = CronJobs(services, fleet, clock)
        jobs = Jobs(services, fleet, clock)
        memory = MemoryLimits(services, fleet, inspector, reloads)
        watches = FileWatches(services, fleet)
        pidFiles = PidFiles(services, fleet)
    }

    /// Sentences for every list, about rules that cannot be followed.
    var notes: [String] { watches.notes + pidFiles.notes }

    /// Begins with what was adopted, and follows every entry from now on.
    func begin() {
        fleet.configured = { [unowned self] id in self.follow(id) }
        _ = fleet.observe { [unowned self] id in self.follow(id) }
        for id in fleet.ids { follow(id) }
        jobs.begin()
    }

    /// Something about this entry may have changed.
    private func follow(_ id: InstanceID) {
        cron.follow(id)
        jobs.follow(id)
        memory.follow(id)
        watches.follow(id)
        pidFiles.follow(id)
    }
}

extension Fleet.Member {
    /// A rule may start it: nobody stopped it, and it did not go down with everything.
    var mayBeStartedByRule: Bool {
        machine.wanted == .running && machine.reason.kind != .killedWithDaemon && machine.record.purpose != .daemonKill
    }
}
