/// When a job runs. A job is an app that ends: it is started by the clock or once, and never because it ended.
package struct JobPolicy: Codable, Hashable, Sendable {
    /// What becomes of a run that is due while the one before it goes on.
    package enum Overlap: String, Codable, Hashable, Sendable, CaseIterable {
        /// It is left out.
        case skip
        /// The one before it is stopped for it.
        case replace
    }

    /// Five cron fields, or six with seconds in front, `@daily` and the like, in local time; or `@reboot`: at each start
    /// of the machine. Nil with `every` nil: once.
    package var pattern: String?
    /// From the start of one run to the start of the next.
    package var every: Milliseconds?
    /// Nil: `skip`.
    package var overlap: Overlap?
    /// When runs were missed because the machine or Hearth was down, one is made up.
    package var catchUp: Bool?
    /// A run that takes longer is stopped.
    package var timeout: Milliseconds?
    /// Each due time is put off by an amount from 0 to this, always the same on this machine.
    package var jitter: Milliseconds?
    /// How many of the last runs are remembered; nil: `usualHistory`.
    package var history: Int?

    package static let atBoot = "@reboot"
    package static let usualHistory = 20
    package static let longestHistory = 1000
    /// A rhythm that is faster than this is none for processes of their own.
    package static let shortestInterval = Milliseconds(1000)
    /// 30 days: more is a mistake, and far from every overflow.
    package static let longestTime = Milliseconds(2_592_000_000)

    package init(pattern: String? = nil, every: Milliseconds? = nil) {
        self.pattern = pattern
        self.every = every
    }

    /// It runs once and is not started again by anything but a person.
    package var isOnce: Bool { pattern == nil && every == nil }

    package var runsAtBoot: Bool { pattern == Self.atBoot }

    /// `0 3 * * *`, `every 15m`, `once`.
    package var summary: String {
        pattern ?? every.map { "every \($0)" } ?? "once"
    }

    /// What makes these values impossible; nil: nothing. The pattern is not looked at.
    package var fault: String? {
        if pattern != nil, every != nil { return "cron and every exclude each other" }
        if let every, !(Self.shortestInterval...Self.longestTime).contains(every) {
            return "every \(every) is not between 1s and 30d"
        }
        if let timeout, !(Self.shortestInterval...Self.longestTime).contains(timeout) {
            return "timeout \(timeout) is not between 1s and 30d"
        }
        if jitter != nil, pattern == nil || runsAtBoot {
            return "jitter puts off times of day: it needs a cron pattern"
        }
        if let jitter, !(Milliseconds(0)...Self.longestTime).contains(jitter) {
            return "jitter \(jitter) is not between 0 and 30d"
        }
        if let history, !(0...Self.longestHistory).contains(history) {
            return "history \(history) is not between 0 and \(Self.longestHistory)"
        }
        return nil
    }
}

extension AppSpec {
    /// It is started by the clock, and is there without running.
    package var isScheduled: Bool { job?.isOnce == false }

    /// What keeps this app from being a job; nil: nothing.
    package var jobFault: String? {
        guard let job else { return nil }
        if let fault = job.fault { return fault }
        if restart.mode != .never {
            return "a job is started by its schedule, not because it ended: restart must be never"
        }
        if instances != 1 { return "a job has one instance" }
        if schedule != nil { return "a job has no cron_restart" }
        if watch != nil { return "a job is not restarted by changed files: it has no watch" }
        if memoryLimit != nil { return "a job is not restarted for its memory: memory_max ends it" }
        if watchdog != nil { return "a job has a timeout, not a watchdog" }
        if listen != nil { return "a job holds no sockets" }
        if mode == .cluster { return "a job is no cluster" }
        return nil
    }
}
