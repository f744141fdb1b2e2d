package import Model

/// What follows an exit that nobody asked for. PM2's arithmetic, with the slow retry added.
package enum RestartDecision: Hashable, Sendable {
    /// Start again now.
    case now
    case after(Milliseconds)
    /// The policy does not want it started again.
    case stay(String)
    /// Too many unstable restarts. With a slow retry: when.
    case giveUp(retryAfter: Milliseconds?)
}

/// The counters on which a restart decision rests, and how an exit changes them.
package struct RestartCounters: Hashable, Sendable {
    package var unstable: Int
    package var createdAt: Instant
    package var previousDelay: Milliseconds
    /// Slow retries since the app was given up; 0: it is not in slow retry.
    package var slowRetries: Int
    /// Not given up before: what it needs (a disk, a name server) may be there later than the daemon.
    package var patientUntil: Instant?

    /// A run this long ends a back-off (PM2's EXP_BACKOFF_RESET_TIMER).
    package static let stableUptime = Milliseconds(30_000)
    /// The exponential back-off never waits longer (PM2).
    package static let longestBackoff = Milliseconds(15_000)
    /// Slow retries wait 30 s, 1 min, 2 min … 10 min.
    package static let firstSlowRetry = Milliseconds(30_000)
    package static let longestSlowRetry = Milliseconds(600_000)
    /// A program that could not even be started (disk not mounted, file being replaced) is tried after 1 s, 2 s, 4 s …
    package static let firstSpawnRetry = Milliseconds(1000)
    /// So long after a boot nothing is given up …
    package static let patience = Milliseconds(600_000)
    /// … and no try is further from the one before.
    package static let longestPatientRetry = Milliseconds(30_000)

    package init(
        unstable: Int = 0, createdAt: Instant, previousDelay: Milliseconds = Milliseconds(0), slowRetries: Int = 0
    ) {
        self.unstable = unstable
        self.createdAt = createdAt
        self.previousDelay = previousDelay
        self.slowRetries = slowRetries
    }

    /// A person's start, restart or reset: the window begins anew.
    package mutating func renew(at now: Instant) {
        let patience = patientUntil
        self = RestartCounters(createdAt: now)
        patientUntil = patience
    }

    private func isPatient(at now: Instant) -> Bool { patientUntil.map { now < $0 } ?? false }

    /// Takes note of an exit and decides what follows.
    package mutating func exited(
        _ status: ExitStatus, uptime: Milliseconds, policy: RestartPolicy, at now: Instant
    ) -> RestartDecision {
        if uptime > Self.stableUptime { previousDelay = Milliseconds(0) }
        let isUnstable = uptime < policy.minUptime

        if slowRetries > 0 {
            if isUnstable, Self.wanted(after: status, by: policy) == nil {
                return giveUp(policy: policy, at: now)
            }
            renew(at: Instant(milliseconds: now.milliseconds &- uptime.rawValue))
        }

        let (window, overflow) = policy.minUptime.rawValue.multipliedReportingOverflow(by: Int64(policy.maxRestarts))
        if isUnstable, overflow || now.since(createdAt).rawValue < window { unstable.countUp() }

        if let refusal = Self.wanted(after: status, by: policy) { return .stay(refusal) }

        if unstable >= policy.maxRestarts {
            unstable = 0
            return giveUp(policy: policy, at: now)
        }
        return delay(by: policy)
    }

    /// Takes note of a spawn that failed.
    package mutating func couldNotSpawn(policy: RestartPolicy, at now: Instant) -> Milliseconds? {
        let isPatient = isPatient(at: now)
        guard isPatient || policy.slowRetry && policy.mode != .never else { return nil }
        defer { slowRetries.countUp() }
        let limit = isPatient ? Self.longestPatientRetry : Self.longestSlowRetry
        return Self.doubled(Self.firstSpawnRetry, times: slowRetries, limit: limit)
    }

    /// Nil when the policy wants a restart after this exit, else why not.
    private static func wanted(after status: ExitStatus, by policy: RestartPolicy) -> String? {
        switch policy.mode {
        case .never: return "automatic restart is off (\(status))"
        case .onFailure where status.isSuccess: return "it ended with success (restart: on-failure)"
        case .always, .onFailure: break
        }
        // A death by signal has no exit code: unlike in PM2 it never matches `stop_exit_codes: [0]`.
        if case .exited(let code) = status, policy.stopExitCodes.contains(code) {
            return "exit code \(code) is one of its stop_exit_codes"
        }
        return nil
    }

    private mutating func giveUp(policy: RestartPolicy, at now: Instant) -> RestartDecision {
        let isPatient = isPatient(at: now)
        guard policy.slowRetry || isPatient else { return .giveUp(retryAfter: nil) }
        let first = isPatient ? Self.firstSpawnRetry : Self.firstSlowRetry
        let limit = isPatient ? Self.longestPatientRetry : Self.longestSlowRetry
        let wait = Self.doubled(first, times: slowRetries, limit: limit)
        slowRetries.countUp()
        return .giveUp(retryAfter: wait)
    }

    private mutating func delay(by policy: RestartPolicy) -> RestartDecision {
        if let first = policy.exponentialBackoff, first.rawValue > 0 {
            if previousDelay.rawValue <= 0 {
                previousDelay = first
            } else {
                // floor(previous × 1.5), in whole milliseconds as PM2 does.
                let former = min(previousDelay, Self.longestBackoff).rawValue
                previousDelay = Milliseconds(min(Self.longestBackoff.rawValue, former + former / 2))
            }
            return .after(previousDelay)
        }
        if let fixed = policy.restartDelay, fixed.rawValue > 0 { return .after(fixed) }
        return .now
    }

    private static func doubled(_ first: Milliseconds, times: Int, limit: Milliseconds) -> Milliseconds {
        // 2^20 × 1 s is beyond every limit here; the bound keeps the shift defined.
        let factor = Int64(1) << Int64(min(max(times, 0), 20))
        return Milliseconds(min(limit.rawValue, first.rawValue &* factor))
    }
}

extension Int {
    /// One more, at most as many as can be counted.
    mutating func countUp() {
        if self < .max { self += 1 }
    }
}
