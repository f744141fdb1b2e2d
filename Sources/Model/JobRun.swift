/// One run of a job, as it is remembered. Times on the wall clock, milliseconds since 1970: runs outlive the boot.
package struct JobRun: Hashable, Sendable, Codable {
    package var generation: Generation
    package var startedAt: Int64
    /// Nil: it goes on, as far as is known.
    package var endedAt: Int64?
    package var pid: Int32?
    /// Nil: it goes on, or nobody saw its end.
    package var status: ExitStatus?
    package var cause: ExitCause?
    /// Who ended it, and why.
    package var detail: String?
    package var by: String

    package init(generation: Generation, startedAt: Int64, pid: Int32?, by: String) {
        self.generation = generation
        self.startedAt = startedAt
        self.pid = pid
        self.by = by
    }

    package var isOver: Bool { endedAt != nil }

    package mutating func end(with exit: LastExit, at time: Int64) {
        // The clock may have been set back meanwhile.
        endedAt = max(startedAt, time)
        note(exit)
    }

    /// What became known of its end later is taken, too.
    package mutating func note(_ exit: LastExit) {
        status = exit.status
        cause = exit.cause
        detail = exit.detail
    }

    package mutating func end(unseen detail: String, at time: Int64) {
        endedAt = max(startedAt, time)
        self.detail = detail
    }

    package var isSuccess: Bool { status?.isSuccess ?? false }
}

/// What is remembered of a job beyond the life of the daemon and the machine.
package struct JobRecord: Hashable, Sendable, Codable {
    /// The times it was for: with other ones nothing was missed.
    package var schedule: String
    /// The boot in which it was entered, or its last `@reboot` was done.
    package var boot: String
    /// Up to when everything that was due was done or skipped.
    package var handled: Int64
    /// How often it was due while the run before went on.
    package var skipped: Int
    /// The newest last.
    package var runs: [JobRun]

    package init(schedule: String, boot: String, handled: Int64) {
        self.schedule = schedule
        self.boot = boot
        self.handled = handled
        skipped = 0
        runs = []
    }

    /// Up to when nothing was missed. A run that the table tells of was due, also when its note was lost.
    package var reach: Int64 { max(handled, runs.last?.startedAt ?? handled) }

    /// Generations begin anew with each boot; what ran was cut off.
    package func afterReboot() -> JobRecord {
        var record = self
        for index in record.runs.indices {
            record.runs[index].generation = Generation(0)
            guard !record.runs[index].isOver else { continue }
            record.runs[index].end(
                unseen: "cut off by a restart of the machine", at: record.runs[index].startedAt)
        }
        return record
    }

    package mutating func keep(_ count: Int) {
        // The one that goes on is not history yet.
        let excess = runs.count - max(1, count)
        if excess > 0 { runs.removeFirst(excess) }
    }
}
