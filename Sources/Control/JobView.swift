package import Model

/// One run of a job. Times on the wall clock.
package struct RunView: Codable, Sendable, Equatable {
    package var startedAt: Int64
    /// Nil: it goes on.
    package var endedAt: Int64?
    package var pid: Int32?
    /// Nil: it goes on, or nobody could see its end.
    package var exit: ExitView?
    /// What is worth saying beyond the exit.
    package var note: String?
    /// Who started it: the schedule, or a person's command.
    package var by: String

    package init(
        startedAt: Int64, endedAt: Int64? = nil, pid: Int32? = nil, exit: ExitView? = nil, note: String? = nil,
        by: String
    ) {
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.pid = pid
        self.exit = exit
        self.note = note
        self.by = by
    }

    private enum Key: String, CodingKey {
        case startedAt, endedAt, pid, exit, note, by
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(startedAt, forKey: .startedAt)
        try container.encode(endedAt, forKey: .endedAt)
        try container.encode(pid, forKey: .pid)
        try container.encode(exit, forKey: .exit)
        try container.encode(note, forKey: .note)
        try container.encode(by, forKey: .by)
    }

    package init(_ run: JobRun) {
        self.init(
            startedAt: run.startedAt, endedAt: run.endedAt, pid: run.pid, note: run.status == nil ? run.detail : nil,
            by: run.by)
        exit = ExitView(run)
    }

    package var isSuccess: Bool { exit?.code == 0 }

    /// `exit code 0 after 3s`.
    package var outcome: String {
        guard let endedAt else { return "goes on" }
        guard let exit else { return note ?? "nobody saw its end" }
        let sentence = "\(exit.sentence) after \(Milliseconds(max(0, endedAt &- startedAt)))"
        return exit.detail.map { "\(sentence): \($0)" } ?? sentence
    }
}

extension ExitView {
    /// Nil: it goes on, or nobody saw its end.
    package init?(_ run: JobRun) {
        guard let ended = run.endedAt, let status = run.status else { return nil }
        let exit = LastExit(
            status: status, cause: run.cause ?? .unknown, at: Instant(milliseconds: ended),
            uptime: Milliseconds(max(0, ended &- run.startedAt)), pid: run.pid ?? 0, detail: run.detail)
        self.init(exit, wallClockOffset: 0)
    }
}

/// What `show` adds for a job.
package struct JobView: Codable, Sendable, Equatable {
    /// `0 3 * * *`, `every 15m`, `once`.
    package var schedule: String
    package var overlap: JobPolicy.Overlap
    package var catchUp: Bool
    package var timeout: Milliseconds?
    /// Wall clock; nil: it is paused, or runs at no time of day.
    package var nextAt: Int64?
    package var isPaused: Bool
    /// How often it was due while the run before went on.
    package var skipped: Int
    /// The last ones, the newest last.
    package var runs: [RunView]

    package init(_ policy: JobPolicy, nextAt: Int64?, isPaused: Bool, skipped: Int, runs: [RunView]) {
        schedule = policy.summary
        overlap = policy.overlap ?? .skip
        catchUp = policy.catchUp ?? false
        timeout = policy.timeout
        self.nextAt = nextAt
        self.isPaused = isPaused
        self.skipped = skipped
        self.runs = runs
    }

    /// Sentences for `why`.
    ///
    /// - Parameter time: a moment on the wall clock for a person.
    package func story(of instance: InstanceView, at time: (Int64) -> String) -> String {
        var sentences = ["It is a job (\(schedule))."]
        if isPaused { sentences.append("Its schedule is paused.") }
        if let nextAt { sentences.append("Next run: \(time(nextAt)).") }
        if !runs.isEmpty {
            let last = runs.suffix(5).reversed().map { "\(time($0.startedAt)) \($0.outcome)" }
            sentences.append("Last runs: \(last.joined(separator: ", ")).")
        }
        let failed = runs.filter { $0.endedAt != nil && !$0.isSuccess }.count
        if failed > 0 { sentences.append("Of \(runs.count) that are remembered \(failed) failed.") }
        if skipped > 0 { sentences.append("Due \(skipped) times while the run before went on.") }
        return sentences.joined(separator: " ")
    }

    private enum Key: String, CodingKey {
        case schedule, overlap, catchUp, timeout, nextAt, isPaused, skipped, runs
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(schedule, forKey: .schedule)
        try container.encode(overlap, forKey: .overlap)
        try container.encode(catchUp, forKey: .catchUp)
        try container.encode(timeout, forKey: .timeout)
        try container.encode(nextAt, forKey: .nextAt)
        try container.encode(isPaused, forKey: .isPaused)
        try container.encode(skipped, forKey: .skipped)
        try container.encode(runs, forKey: .runs)
    }
}
