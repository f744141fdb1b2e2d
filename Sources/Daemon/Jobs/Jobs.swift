import Control
import Model
import Platform
import Records
import Supervision

// Jobs: apps that a schedule starts.
//
// To the state machine a job is an app that is stopped between its runs (InstanceMachine+Job.swift). Here is when a run
// is due, that it does not take too long, and what is remembered of it.
//
// What must outlive the daemon is a record for each job (`JobRecord`), by the `uniqueID` of its entry: up to when
// everything that was due is dealt with (`handled`), in which boot, and the last runs. The rest follows from the
// specification and the machine. A daemon that takes over compares the last run with the machine: the instance table is
// exact where the file is a moment behind.

/// Starts jobs when they are due, and remembers how they went.
final class Jobs {
    /// What is known of a job while this daemon lives.
    struct Followed {
        let key: String
        var policy: JobPolicy
        var isActive = false
        /// Of the interval.
        var timer: EventLoop.TimerToken?
        var due: Instant?
        /// Of the run that goes on.
        var timeout: EventLoop.TimerToken?
    }

    /// What was missed by no more than this is done all the same: hearthd was being replaced.
    private static let shortAbsence: Int64 = 60_000

    let services: Services
    let fleet: Fleet
    private let clock: ScheduleClock
    /// Read in `begin`, before anybody is served: the loop does not wait for a disk later.
    private lazy var book = JobBook(services)
    private lazy var finished = FinishedRuns(services, fleet)
    private(set) var followed: [InstanceID: Followed] = [:]
    private var hasBegun = false

    init(_ services: Services, _ fleet: Fleet, _ clock: ScheduleClock) {
        self.services = services
        self.fleet = fleet
        self.clock = clock
    }

    /// What is remembered is on the disk.
    var isQuiet: Bool { !hasBegun || book.isQuiet }

    /// With what was adopted.
    func begin() {
        let entries = fleet.ids.compactMap { fleet[$0]?.desired }.filter { $0.spec.job != nil }
        book.keepOnly(Set(entries.compactMap(\.uniqueID)))
        hasBegun = true
        for entry in entries { follow(entry.id, isAdopted: true) }
    }

    /// Something about this entry may have changed.
    func follow(_ id: InstanceID) {
        if hasBegun { follow(id, isAdopted: false) }
    }

    private func follow(_ id: InstanceID, isAdopted: Bool) {
        guard let member = fleet[id], let policy = member.desired.spec.job, let key = member.desired.uniqueID else {
            return forget(id)
        }
        var isNew = false
        if let known = followed[id], known.policy != policy || known.key != key { disarm(id) }
        if followed[id]?.policy != policy || followed[id]?.key != key {
            followed[id] = Followed(key: key, policy: policy)
            isNew = true
        }
        if book[key] == nil || book[key]?.schedule != policy.summary {
            var record = JobRecord(
                schedule: policy.summary, boot: services.machine.boot, handled: SystemClock.wallClock())
            record.runs = book[key]?.runs ?? []
            book[key] = record
        }
        remember(id, member, isAdopted: isAdopted)
        let isActive = member.mayBeStartedByRule && services.state.desired.killed == nil && !policy.isOnce
        if isActive != followed[id]?.isActive {
            followed[id]?.isActive = isActive
            if !isActive {
                disarm(id)
            } else {
                if !isAdopted, !isNew { book[key]?.handled = SystemClock.wallClock() }
                arm(id, policy, key, isAdopted: isAdopted)
            }
        }
        if policy.isOnce { finished.follow(id, book[key]?.runs.last) }
    }

    private func forget(_ id: InstanceID) {
        guard let known = followed[id] else { return }
        disarm(id)
        if let timer = known.timeout { services.loop.cancel(timer) }
        followed[id] = nil
        finished.forget(id)
        // Of an app that is no job any more, too.
        book[known.key] = nil
    }

    private func disarm(_ id: InstanceID) {
        clock.clear(ScheduleClock.Key(id: id, rule: .job))
        if let timer = followed[id]?.timer { services.loop.cancel(timer) }
        followed[id]?.timer = nil
        followed[id]?.due = nil
    }

    // MARK: When it is due

    private func arm(_ id: InstanceID, _ policy: JobPolicy, _ key: String, isAdopted: Bool) {
        let now = SystemClock.wallClock()
        guard let record = book[key] else { return }
        if policy.runsAtBoot {
            guard record.boot != services.machine.boot else { return }
            book[key]?.boot = services.machine.boot
            // A daemon that died before it could note it has run it.
            if record.runs.contains(where: { $0.generation.rawValue > 0 }) { return }
            return soon(id, "the machine was started")
        }
        book[key]?.boot = services.machine.boot
        if let every = policy.every {
            return arm(id, every, elapsed: now &- record.reach, catchesUp: policy.catchUp ?? false)
        }
        guard let pattern = policy.pattern, let schedule = try? CronSchedule(parsing: pattern) else {
            return services.log.note("job \(id) has no schedule: '\(policy.summary)' is not a time")
        }
        let shift = shift(policy, id)
        clock.set(
            ScheduleClock.Key(id: id, rule: .job), schedule, shift: shift, makesUp: policy.catchUp ?? false
        ) { [unowned self] in self.due(id, nil) }
        guard isAdopted, let missed = clock.next(schedule, shift: shift, after: record.reach), missed <= now else {
            return
        }
        let latest = clock.next(schedule, shift: shift, after: max(record.reach, now - Self.shortAbsence))
        let isShort = latest.map { $0 <= now } ?? false
        missedAt(missed, id, isMadeUp: isShort || policy.catchUp == true)
    }

    /// An interval is measured in time that passes, whatever the clock is set to.
    private func arm(_ id: InstanceID, _ every: Milliseconds, elapsed: Int64, catchesUp: Bool) {
        let late = elapsed - every.rawValue
        if late >= 0, catchesUp || late < Self.shortAbsence { return soon(id, late > 1000 ? "made up" : nil) }
        let passed = elapsed < 0 ? 0 : elapsed % every.rawValue
        wait(id, Milliseconds(every.rawValue - passed))
    }

    private func wait(_ id: InstanceID, _ time: Milliseconds) {
        if let timer = followed[id]?.timer { services.loop.cancel(timer) }
        let due = SystemClock.now().advanced(by: time)
        followed[id]?.due = due
        followed[id]?.timer = services.loop.schedule(at: due) { [unowned self] in
            self.followed[id]?.timer = nil
            self.due(id, nil)
        }
    }

    /// By how much this machine puts this job off.
    private func shift(_ policy: JobPolicy, _ id: InstanceID) -> Int64 {
        guard let jitter = policy.jitter, jitter.rawValue > 0, let name = fleet[id]?.desired.spec.name else { return 0 }
        // FNV-1a: another machine gets another amount, this one always the same.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in (services.machine.machine + services.homeID + name).utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        return Int64(hash % UInt64(jitter.rawValue))
    }

    private func missedAt(_ time: Int64, _ id: InstanceID, isMadeUp: Bool) {
        let story = "it was due at \(Self.text(time)) while nobody was there"
        guard isMadeUp else {
            // The next look is from now on: it is told once.
            if let key = followed[id]?.key { book[key]?.handled = SystemClock.wallClock() }
            return services.journal.add(
                "job", id: id, name: fleet[id]?.desired.spec.name, "\(story); it is not made up (no catch_up)")
        }
        soon(id, story)
    }

    /// Not from within the event that made it due.
    private func soon(_ id: InstanceID, _ why: String?) {
        services.loop.schedule(after: Milliseconds(0)) { [unowned self] in self.due(id, why) }
    }

    /// - Parameter why: what to say besides its schedule.
    private func due(_ id: InstanceID, _ why: String?) {
        guard let member = fleet[id], let entry = followed[id], entry.isActive,
            services.state.desired.killed == nil
        else { return }
        if let every = entry.policy.every { wait(id, every) }
        book[entry.key]?.handled = SystemClock.wallClock()
        let name = member.desired.spec.name
        let actor = Actor("hearth (\(entry.policy.summary)\(why.map { ": \($0)" } ?? ""))")
        guard member.machine.status.isRunning else {
            services.journal.add(
                "job", id: id, name: name, "due: \(entry.policy.summary)\(why.map { "; \($0)" } ?? "")")
            return fleet.send(.start(actor), to: id)
        }
        if entry.policy.overlap == .replace {
            services.journal.add("job", id: id, name: name, "due: the run before it is replaced")
            return fleet.send(.restart(actor), to: id)
        }
        book[entry.key]?.skipped += 1
        let pid = member.machine.process.map { " (pid \($0.pid))" } ?? ""
        services.journal.add("job", id: id, name: name, "skipped: the run before it\(pid) goes on")
    }

    static func text(_ time: Int64) -> String {
        let local = SystemClock.local(time)
        return "\(local.date) \(local.time)"
    }

    // MARK: How it went

    private func remember(_ id: InstanceID, _ member: Fleet.Member, isAdopted: Bool) {
        guard let entry = followed[id], var record = book[entry.key] else { return }
        let before = record.runs.last
        record.note(member.machine, isAdopted: isAdopted, at: SystemClock.wallClock())
        record.keep(entry.policy.history ?? JobPolicy.usualHistory)
        book[entry.key] = record
        guard let run = record.runs.last, !run.isOver else {
            if let timer = followed[id]?.timeout { services.loop.cancel(timer) }
            followed[id]?.timeout = nil
            return
        }
        guard run.generation != before?.generation || isAdopted, let started = member.machine.startedAt else { return }
        if let every = entry.policy.every, entry.isActive, !isAdopted {
            record.handled = run.startedAt
            book[entry.key] = record
            wait(id, every)
        }
        guard let timeout = entry.policy.timeout else { return }
        if let timer = followed[id]?.timeout { services.loop.cancel(timer) }
        followed[id]?.timeout = services.loop.schedule(at: started.advanced(by: timeout)) { [unowned self] in
            self.followed[id]?.timeout = nil
            guard self.fleet[id]?.machine.generation == run.generation else { return }
            self.fleet.send(.endRun(Actor("hearth (it took longer than its timeout of \(timeout))")), to: id)
        }
    }

    // MARK: What others see

    /// When it runs next, milliseconds since 1970.
    private func nextAt(_ id: InstanceID) -> Int64? {
        guard let entry = followed[id], entry.isActive else { return nil }
        if let due = entry.due { return due.milliseconds &+ SystemClock.wallClockOffset() }
        return clock.due(ScheduleClock.Key(id: id, rule: .job))
    }

    func view(_ id: InstanceID) -> JobView? {
        guard let entry = followed[id], let record = book[entry.key] else { return nil }
        return JobView(
            entry.policy, nextAt: nextAt(id), isPaused: !entry.policy.isOnce && !entry.isActive,
            skipped: record.skipped, runs: record.runs.map(RunView.init))
    }

    /// What the machine does not know: the next run, and the last one of a former boot.
    func complete(_ view: inout InstanceView) {
        guard let entry = followed[view.id] else { return }
        if !view.status.isRunning { view.nextStartAt = nextAt(view.id) }
        if view.lastExit == nil { view.lastExit = book[entry.key]?.runs.last { $0.isOver }.flatMap(ExitView.init) }
    }
}

extension JobRecord {
    /// Takes note of what the machine does and did.
    ///
    /// - Parameter isAdopted: the machine is a former daemon's, perhaps of a former boot.
    mutating func note(_ machine: InstanceMachine, isAdopted: Bool, at now: Int64) {
        let offset = SystemClock.wallClockOffset()
        let isRunning = machine.process != nil
        if let last = runs.indices.last, !runs[last].isOver {
            if runs[last].generation == machine.generation, isRunning || machine.status == .launching { return }
            if let exit = machine.lastExit, exit.pid == runs[last].pid {
                runs[last].end(with: exit, at: exit.at.milliseconds &+ offset)
            } else {
                runs[last].end(unseen: "nobody saw its end", at: now)
            }
        } else if let last = runs.indices.last, runs[last].generation == machine.generation,
            let exit = machine.lastExit, exit.pid == runs[last].pid, !isRunning
        {
            // The kernel's words come later than the exit.
            runs[last].note(exit)
        }
        guard machine.generation.rawValue > 0, runs.last?.generation != machine.generation else { return }
        if isRunning {
            let started = machine.startedAt.map { $0.milliseconds &+ offset } ?? now
            runs.append(
                JobRun(
                    generation: machine.generation, startedAt: started, pid: machine.process?.pid,
                    by: machine.reason.actor.description))
        } else if machine.reason.kind == .spawnFailed, machine.status == .errored {
            var run = JobRun(
                generation: machine.generation, startedAt: now, pid: nil, by: machine.reason.actor.description)
            run.end(unseen: "could not be started: \(machine.reason.detail ?? "")", at: now)
            runs.append(run)
        } else if isAdopted, let exit = machine.lastExit {
            // It began and ended, and nobody wrote it down.
            let ended = exit.at.milliseconds &+ offset
            var run = JobRun(
                generation: machine.generation, startedAt: ended &- exit.uptime.rawValue, pid: exit.pid, by: "hearth")
            run.end(with: exit, at: ended)
            runs.append(run)
        }
    }
}
