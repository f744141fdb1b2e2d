/// What must be known of a running or ended instance to go on with it after the death of the daemon: one slot of the
/// instance table. Valid within one boot and pid namespace.
package struct InstanceRecord: Hashable, Sendable, Codable {
    /// What the state machine was doing.
    package enum Phase: String, Hashable, Sendable, Codable {
        case stopped
        /// Written before the clone. The child writes its own pid into the slot as its first act.
        case starting
        case online
        case stopping
        /// For its restart; without `due`: for what it depends on.
        case waiting
        case errored
    }

    /// What comes after a stop that is under way.
    package enum StopPurpose: String, Hashable, Sendable, Codable {
        case stop
        case restart
        case delete
        case daemonKill
        /// The run of a job, not its schedule.
        case endRun
    }

    package var id: InstanceID
    package var generation: Generation
    package var phase: Phase
    package var purpose: StopPurpose?
    package var process: ProcessIdentity?
    package var wanted: Wanted
    package var reason: Reason
    package var restarts: Int
    package var unstableRestarts: Int
    /// PM2's `created_at`: start of the window in which unstable restarts count.
    package var createdAt: Instant
    package var startedAt: Instant?
    package var previousDelay: Milliseconds
    /// When the next automatic start is due, in `waiting` and `errored`; when SIGKILL is due, in `stopping`.
    package var due: Instant?
    package var slowRetries: Int
    package var lastExit: LastExit?
    /// Token of the last command that acted on this instance: a client that repeats it after a crash does it once.
    package var token: String?

    // What follows came later: nil in the records of an older daemon.

    package var successor: Successor?
    /// nil: none.
    package var leaving: [Leaving]?
    package var reload: ReloadProgress?
    /// The highest generation that was ever spawned, where that is not the present one.
    package var lastGeneration: Generation?
    /// The present process has shown that it serves by this: its successor has to, too.
    package var sign: ReadySign?
    /// Until then it is not given up: it was restored, and what it needs may come later than the daemon.
    package var patientUntil: Instant?

    package init(
        id: InstanceID, generation: Generation, phase: Phase, purpose: StopPurpose? = nil,
        process: ProcessIdentity? = nil, wanted: Wanted, reason: Reason, restarts: Int = 0,
        unstableRestarts: Int = 0, createdAt: Instant, startedAt: Instant? = nil,
        previousDelay: Milliseconds = Milliseconds(0), due: Instant? = nil, slowRetries: Int = 0,
        lastExit: LastExit? = nil, token: String? = nil
    ) {
        self.id = id
        self.generation = generation
        self.phase = phase
        self.purpose = purpose
        self.process = process
        self.wanted = wanted
        self.reason = reason
        self.restarts = restarts
        self.unstableRestarts = unstableRestarts
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.previousDelay = previousDelay
        self.due = due
        self.slowRetries = slowRetries
        self.lastExit = lastExit
        self.token = token
    }

    /// Whose process the next pid that a spawn child writes is.
    package var spawning: Generation { successor?.generation ?? generation }

    /// A job that its schedule will start; one that was stopped, or that runs once, is not wanted.
    private var isBetweenRuns: Bool { wanted == .running && [.scheduled, .runEnded].contains(reason.kind) }

    package var status: Status {
        switch phase {
        case .stopped: isBetweenRuns ? .scheduled : .stopped
        case .starting: .launching
        case .online: .online
        case .stopping: .stopping
        case .waiting: due == nil ? .waiting : .waitingRestart
        case .errored: .errored
        }
    }
}
