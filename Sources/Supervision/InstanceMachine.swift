package import Model

// The state machine of one instance.
//
// States, and what is true in each:
//   stopped              no main process; its tree may have left processes unless `treeIsGone`
//   starting             a spawn of this generation is under way; a stop that arrives now waits for its answer
//   launching(process)   the main process runs, and has not said yet that it is ready
//   online(process)      the main process runs
//   stopping(…)          the signal was sent; finished when the main process and its tree are gone
//   waiting(until)       ended, a start is due
//   held                 to be started by the executor, when what it depends on is ready (InstanceMachine+Hold.swift)
//   errored(retryAt)     given up; with a slow retry a start is due
//   stuck(…)             a stop that SIGKILL could not finish (shown as errored); it ends when the process does, after
//                        all. Until then nothing is started: there would be two
//
// What is wanted (`wanted`) is apart from the state: a crash never changes it, a command does.
//
// Races that are legal and change nothing: events of a former generation (a late timer, the exit of a process that was
// already replaced), a second exit report for one process (pidfd and keeper both tell), a stop of a stopped instance.
// Identity is the generation: it grows with every spawn, so nothing that belongs to an older process can touch a newer.

package struct InstanceMachine: Sendable {
    struct Stopping: Hashable, Sendable {
        var process: ProcessIdentity?
        var purpose: InstanceRecord.StopPurpose
        var actor: Actor
        var killAt: Instant
        var isKilled = false
        var mainIsGone = false
        /// Nothing of the process is left, but others of the instance are: see `leaving`.
        var waitsForLeaving = false
    }

    enum State: Hashable, Sendable {
        case stopped
        case starting(then: PendingStop?)
        case launching(ProcessIdentity, until: Instant)
        case online(ProcessIdentity)
        case stopping(Stopping)
        case waiting(until: Instant)
        case held
        case errored(retryAt: Instant?)
        case stuck(Stopping)
    }

    struct PendingStop: Hashable, Sendable {
        var purpose: InstanceRecord.StopPurpose
        var actor: Actor
    }

    package let id: InstanceID
    package var spec: AppSpec
    package internal(set) var wanted: Wanted
    package internal(set) var generation: Generation
    package internal(set) var reason: Reason
    package internal(set) var restarts: Int
    package internal(set) var counters: RestartCounters
    package internal(set) var startedAt: Instant?
    package private(set) var lastExit: LastExit?
    package var token: String? {
        // It lands in a fixed-size slot. A cut token could be taken for another one, so a longer one is not kept.
        didSet { if let token, token.bounded(to: Self.longestToken) != token { self.token = nil } }
    }
    /// In bytes of JSON.
    package static let longestToken = 64

    var state: State
    /// No process of the present generation is left: a stop need not look for any.
    var treeIsGone: Bool
    /// What the present generation left behind is being ended already.
    var isSwept = false
    /// To which generation `lastExit` belongs; nil: to one that a former daemon knew.
    private var exitGeneration: Generation?
    // What `reload` adds: see InstanceMachine+Reload.swift.
    package internal(set) var successor: Successor?
    var isSuccessorAdopted = false
    package internal(set) var leaving: [Leaving] = []
    package internal(set) var reload: ReloadProgress?
    var lastGeneration: Generation
    /// What the present process has shown of being able to serve.
    var sign: ReadySign?
    var signalSent: (signal: Signal, actor: Actor)?

    /// A new entry that was not started yet.
    package init(id: InstanceID, spec: AppSpec, wanted: Wanted, by actor: Actor, at now: Instant) {
        self.id = id
        self.spec = spec
        self.wanted = wanted
        generation = Generation(0)
        lastGeneration = generation
        reason = Reason(.registered, by: actor, at: now)
        restarts = 0
        counters = RestartCounters(createdAt: now)
        state = .stopped
        treeIsGone = true
    }

    // MARK: What others see

    package var status: Status { record.status }

    /// Nothing is under way: a command that waited for this instance can be answered.
    package var isSettled: Bool {
        guard isAlone else { return false }
        return switch state {
        case .starting, .launching, .stopping: false
        case .stopped, .online, .waiting, .held, .errored, .stuck: true
        }
    }

    /// The main process, while it is known to run.
    package var process: ProcessIdentity? {
        switch state {
        case .launching(let process, _), .online(let process): process
        case .stopping(let stopping), .stuck(let stopping): stopping.mainIsGone ? nil : stopping.process
        case .stopped, .starting, .waiting, .held, .errored: nil
        }
    }

    /// The process of a generation, while it is known to run.
    package func process(of generation: Generation) -> ProcessIdentity? {
        if generation == self.generation { return process }
        if let successor, successor.generation == generation { return successor.process }
        return leaving.first { $0.generation == generation }?.process
    }

    /// Whether what a generation says of being ready changes anything.
    package func awaits(_ generation: Generation) -> Bool {
        if generation == successor?.generation { return true }
        guard generation == self.generation, case .launching = state else { return false }
        return true
    }

    /// A delete is never taken back.
    var isBeingDeleted: Bool {
        switch state {
        case .starting(let pending): pending?.purpose == .delete
        case .stopping(let stopping), .stuck(let stopping): stopping.purpose == .delete
        case .stopped: reason.kind == .deleted
        case .launching, .online, .waiting, .held, .errored: false
        }
    }

    package var record: InstanceRecord {
        var record = InstanceRecord(
            id: id, generation: generation, phase: .stopped, wanted: wanted, reason: reason, restarts: restarts,
            unstableRestarts: counters.unstable, createdAt: counters.createdAt, startedAt: startedAt,
            previousDelay: counters.previousDelay, slowRetries: counters.slowRetries, lastExit: lastExit, token: token)
        record.successor = successor
        record.leaving = leaving.isEmpty ? nil : leaving
        record.reload = reload
        record.lastGeneration = lastGeneration == generation ? nil : lastGeneration
        record.sign = sign
        record.patientUntil = counters.patientUntil
        switch state {
        case .stopped: record.phase = .stopped
        case .starting(let pending):
            record.phase = .starting
            record.purpose = pending?.purpose
        case .launching(let process, let until):
            // A process with a time by which it counts as online: so a later daemon tells it from a spawn under way.
            record.phase = .starting
            record.process = process
            record.due = until
        case .online(let process):
            record.phase = .online
            record.process = process
        case .stopping(let stopping):
            record.phase = .stopping
            record.process = process
            record.purpose = stopping.purpose
            record.due = stopping.killAt
        case .waiting(let until):
            record.phase = .waiting
            record.due = until
        case .held: record.phase = .waiting
        case .errored(let retryAt):
            record.phase = .errored
            record.due = retryAt
        case .stuck(let stopping):
            record.phase = .errored
            record.process = process
            record.purpose = stopping.purpose
        }
        return record
    }

    // MARK: Events

    /// Advances the machine. The caller performs the effects, in order.
    package mutating func handle(_ event: Event, at now: Instant) -> [Effect] {
        switch event {
        case .start(let actor): return start(by: actor, at: now)
        case .stop(let actor): return stop(.stop, by: actor, at: now)
        case .restart(let actor): return restart(by: actor, at: now)
        case .delete(let actor): return stop(.delete, by: actor, at: now)
        case .killWithDaemon(let actor): return stop(.daemonKill, by: actor, at: now)
        case .reset(let actor): return reset(by: actor, at: now)
        case .schedule(let actor): return schedule(by: actor, at: now)
        case .endRun(let actor): return endRun(by: actor, at: now)
        case .abandon(let actor, let detail): return abandon(by: actor, detail, at: now)
        case .hold(let actor, let detail): return hold(by: actor, detail: detail, at: now)
        case .startAnyway(let actor, let detail): return startAnyway(by: actor, detail: detail, at: now)
        case .bePatient(let until):
            counters.patientUntil = until
            return []
        case .queueReload(let actor, let isRollback): return queueReload(by: actor, isRollback: isRollback)
        case .reload(let hasOwnSocket): return beginReload(hasOwnSocket: hasOwnSocket, at: now)
        case .cancelReload: return cancelReload()
        case .forgetReload: return forgetReload()
        case .signalSent(let signal, let actor):
            signalSent = (signal, actor)
            return []
        case .spawned(let generation, let process): return spawned(generation, process, at: now)
        case .ready(let generation, let sign):
            if generation == successor?.generation { return successorShows(sign, at: now) }
            return ready(generation, sign)
        case .watchdogMissed(let generation, let detail): return watchdogMissed(generation, detail, at: now)
        case .spawnFailed(let generation, let failure): return spawnFailed(generation, failure, at: now)
        case .exited(let generation, let status): return exited(generation, status, at: now)
        case .treeGone(let generation): return treeGone(generation, at: now)
        case .explained(let generation, let cause, let detail):
            guard generation == exitGeneration, var exit = lastExit else { return [] }
            exit.cause = cause
            exit.detail = detail
            lastExit = exit
            return [.record]
        case .timer(let kind, let generation): return timer(kind, generation, at: now)
        }
    }

    mutating func start(by actor: Actor, at now: Instant) -> [Effect] {
        if isBeingDeleted { return [] }
        let persist: [Effect] = wanted == .running ? [] : [.persist]
        wanted = .running
        switch state {
        case .starting(let pending?) where pending.purpose != .restart:
            counters.renew(at: now)
            reason = Reason(.started, by: actor, at: now)
            state = .starting(then: nil)
            return [.record] + persist
        case .online, .launching, .starting:
            return persist.isEmpty ? [] : [.record] + persist
        case .stopping(var stopping):
            // A start that follows a stop: go on with the stop, then start.
            counters.renew(at: now)
            stopping.purpose = .restart
            stopping.actor = actor
            reason = Reason(.restarted, by: actor, at: now)
            state = .stopping(stopping)
            return [.record] + persist
        case .stuck:
            counters.renew(at: now)
            return persist + stop(.restart, by: actor, at: now)
        case .stopped, .waiting, .held, .errored:
            counters.renew(at: now)
            return persist + launch(Reason(.started, by: actor, at: now), report: .start)
        }
    }

    mutating func restart(by actor: Actor, at now: Instant) -> [Effect] {
        if isBeingDeleted { return [] }
        switch state {
        case .online, .launching, .starting:
            let persist: [Effect] = wanted == .running ? [] : [.persist]
            wanted = .running
            counters.renew(at: now)
            return persist + stop(.restart, by: actor, at: now)
        case .stopped, .stopping, .waiting, .held, .errored, .stuck:
            return start(by: actor, at: now)
        }
    }

    private mutating func reset(by actor: Actor, at now: Instant) -> [Effect] {
        restarts = 0
        counters.renew(at: now)
        return [.record, .report(.reset, "counters reset by \(actor)")]
    }

    mutating func stop(
        _ purpose: InstanceRecord.StopPurpose, by actor: Actor, at now: Instant
    ) -> [Effect] {
        var effects: [Effect] = []
        switch purpose {
        case .stop, .delete:
            if wanted != .stopped { effects.append(.persist) }
            wanted = .stopped
        case .restart, .daemonKill, .endRun: break
        }
        effects += dismissSuccessor(at: now)

        switch state {
        case .starting(let pending):
            // The answer to the spawn is on its way; the stop begins when it is there.
            if let pending, !pending.purpose.yields(to: purpose) { return effects }
            state = .starting(then: PendingStop(purpose: purpose, actor: actor))
            // The record names who asked: a daemon that takes over in the middle goes on in that name.
            reason = Reason(purpose.reasonKind, by: actor, at: now)
            return effects + [.record]
        case .launching(let process, _):
            return effects + [.disarm(.ready)] + beginStop(of: process, purpose, by: actor, at: now)
        case .online(let process):
            return effects + beginStop(of: process, purpose, by: actor, at: now)
        case .stopping(var stopping):
            guard stopping.purpose.yields(to: purpose) else { return effects }
            stopping.purpose = purpose
            stopping.actor = actor
            reason = Reason(purpose.reasonKind, by: actor, at: now)
            state = .stopping(stopping)
            return effects + [.record]
        case .stuck(let stuck):
            // Once more, with all signals.
            let yields = stuck.purpose.yields(to: purpose)
            return effects
                + beginStop(
                    of: process, yields ? purpose : stuck.purpose, by: yields ? actor : stuck.actor, at: now)
        case .stopped where treeIsGone || !spec.stop.wholeTree:
            // Stopping what was stopped on purpose keeps the first reason; the end of the daemon is not news to it.
            if purpose == .daemonKill || (purpose == .stop && reason.kind == .stopped) { return effects }
            if purpose != .delete, isBeingDeleted { return [] }
            return effects + finishStop(purpose, by: actor, at: now)
        case .waiting where treeIsGone, .held where treeIsGone, .errored where treeIsGone:
            return effects + [.disarm(.restart)] + finishStop(purpose, by: actor, at: now)
        case .stopped:
            // The main process is gone, but it may have left others.
            return effects + beginStop(of: nil, purpose, by: actor, at: now)
        case .waiting, .held, .errored:
            return effects + [.disarm(.restart)] + beginStop(of: nil, purpose, by: actor, at: now)
        }
    }

    /// - Parameter due: when a former daemon would have sent SIGKILL.
    private mutating func beginStop(
        of process: ProcessIdentity?, _ purpose: InstanceRecord.StopPurpose, by actor: Actor, due: Instant? = nil,
        at now: Instant
    ) -> [Effect] {
        let wholeTree = spec.stop.wholeTree
        if process == nil, !wholeTree { return finishStop(purpose, by: actor, at: now) }
        var killAt = now.advanced(by: spec.stop.killTimeout)
        if let due { killAt = min(due, killAt) }
        state = .stopping(
            Stopping(process: process, purpose: purpose, actor: actor, killAt: killAt, mainIsGone: process == nil))
        if !keepsReason(purpose) { reason = Reason(purpose.reasonKind, by: actor, at: now) }
        var effects: [Effect] = [.record]
        let signal = spec.stop.signal
        let isAsked = process != nil && spec.stop.withMessage == true
        effects.append(
            isAsked
                ? .askToEnd(generation, otherwise: signal, wholeTree: wholeTree)
                : .terminate(generation, signal, wholeTree: wholeTree))
        effects.append(.arm(.kill, generation, at: killAt))
        if process == nil { effects.append(.watchTree(generation)) }
        return effects
    }

    /// What had ended on its own terms did not end with the daemon: it does not come back with it either.
    private func keepsReason(_ purpose: InstanceRecord.StopPurpose) -> Bool {
        guard purpose == .daemonKill else { return false }
        return reason.kind == .notRestarted || (reason.kind == .runEnded && wanted == .stopped)
    }

    mutating func finishStop(
        _ purpose: InstanceRecord.StopPurpose, by actor: Actor, at now: Instant
    ) -> [Effect] {
        guard mayFinish(purpose) else {
            var waiting = Stopping(process: nil, purpose: purpose, actor: actor, killAt: now, mainIsGone: true)
            waiting.waitsForLeaving = true
            if case .stopping(let stopping) = state { waiting.isKilled = stopping.isKilled }
            state = .stopping(waiting)
            return [.record]
        }
        let detail = stopDetail
        startedAt = nil
        switch purpose {
        case .stop:
            state = .stopped
            reason = Reason(.stopped, by: actor, detail: detail, at: now)
            return [.record, .report(.stop, reason.text)]
        case .daemonKill:
            state = .stopped
            if !keepsReason(purpose) { reason = Reason(.killedWithDaemon, by: actor, detail: detail, at: now) }
            return [.record, .report(.stop, reason.text)]
        case .delete:
            state = .stopped
            reason = Reason(.deleted, by: actor, at: now)
            return [.record, .report(.delete, reason.text), .remove]
        case .endRun:
            state = .stopped
            let story = "ended by \(actor)" + (detail.map { "; \($0)" } ?? "")
            return runEnded(story, by: actor, at: now)
        case .restart:
            restarts.countUp()
            return launch(Reason(.restarted, by: actor, detail: detail, at: now), report: .restart)
        }
    }

    /// How the stop went, when it is worth saying.
    private var stopDetail: String? {
        switch state {
        case .stopping(let stopping) where stopping.isKilled, .stuck(let stopping) where stopping.isKilled: break
        default: return nil
        }
        let request = spec.stop.withMessage == true ? "it was asked to" : "\(spec.stop.signal)"
        return "did not end within \(spec.stop.killTimeout) after \(request), so it was killed"
    }

    /// Goes to `starting` with the next generation. The record is written before the spawn: it is the intent.
    private mutating func launch(_ reason: Reason, report: ReportKind) -> [Effect] {
        self.reason = reason
        let former = generation
        let hasLeftovers = !treeIsGone && !isSwept && spec.stop.wholeTree
        lastGeneration = lastGeneration.next
        generation = lastGeneration
        sign = nil
        state = .starting(then: nil)
        startedAt = nil
        treeIsGone = true
        isSwept = false
        signalSent = nil
        let effects: [Effect] = [.disarm(.restart), .record, .report(report, reason.text), .spawn(generation)]
        return hasLeftovers ? effects + [.sweep(former, spec.stop.signal, grace: spec.stop.killTimeout)] : effects
    }

    private mutating func spawned(
        _ generation: Generation, _ process: ProcessIdentity, at now: Instant
    ) -> [Effect] {
        if generation == successor?.generation { return successorSpawned(process, at: now) }
        if isLeaving(generation) { return leaverSpawned(generation, process, at: now) }
        guard generation == self.generation, case .starting(let pending) = state else { return [] }
        runs(process, at: now)
        if pending == nil, let timeout = spec.readyTimeout {
            return [.record] + awaitReady(process, until: now.advanced(by: timeout))
        }
        let story = pending == nil ? ", \(reason.text)" : ""
        var effects: [Effect] = [.record, .report(.online, "pid \(process.pid)\(story)")]
        if let pending { effects += stop(pending.purpose, by: pending.actor, at: now) }
        return effects
    }

    private mutating func awaitReady(_ process: ProcessIdentity, until: Instant) -> [Effect] {
        state = .launching(process, until: until)
        return [.arm(.ready, generation, at: until)]
    }

    private mutating func ready(_ generation: Generation, _ shown: ReadySign) -> [Effect] {
        guard generation == self.generation, process != nil else { return [] }
        // What its successor will have to show, too.
        let isNew = shown == .listening && sign != .listening
        if isNew { sign = shown }
        guard spec.awaits(shown), case .launching(let process, _) = state else { return isNew ? [.record] : [] }
        state = .online(process)
        return [.disarm(.ready), .record, .report(.online, "pid \(process.pid) is ready, \(reason.text)")]
    }

    /// It hangs: it is stopped and started again.
    private mutating func watchdogMissed(_ generation: Generation, _ detail: String, at now: Instant) -> [Effect] {
        guard generation == self.generation else { return [] }
        switch state {
        case .online, .launching: break
        case .stopped, .starting, .stopping, .waiting, .held, .errored, .stuck: return []
        }
        return stop(.restart, by: Actor("hearth (watchdog: \(detail))"), at: now)
    }

    /// As PM2 has it: what does not say that it is ready counts as online all the same.
    private mutating func countsAsReady(_ process: ProcessIdentity, at now: Instant) -> [Effect] {
        let time = spec.readyTimeout ?? startedAt.map { now.since($0) } ?? ReadinessPolicy.usualTimeout
        let story = "declared online after \(time) without 'ready'"
        reason.detail = (reason.detail.map { "\($0); \(story)" } ?? story).bounded(to: Reason.longestDetail)
        state = .online(process)
        return [.record, .report(.online, "pid \(process.pid), \(reason.text)")]
    }

    /// The main process runs, seen by this daemon or by a former one.
    private mutating func runs(_ process: ProcessIdentity, at now: Instant) {
        state = .online(process)
        treeIsGone = false
        if startedAt == nil { startedAt = now }
        guard reason.kind == .spawnFailed else { return }
        // It can be started again: what it does from here on is judged like any first start.
        counters.slowRetries = 0
        let story = "could not be started before: \(reason.detail ?? "")"
        reason = Reason(.retrying, by: .hearth, detail: story, at: now)
    }

    private mutating func spawnFailed(
        _ generation: Generation, _ failure: SpawnFailure, at now: Instant
    ) -> [Effect] {
        if generation == successor?.generation { return successorNotSpawned(failure, at: now) }
        if isLeaving(generation) { return leaverNotSpawned(generation, at: now) }
        guard generation == self.generation, case .starting(let pending) = state else { return [] }
        // A restart that was asked for meanwhile is a try of its own, perhaps with what makes it work.
        if let pending { return finishStop(pending.purpose, by: pending.actor, at: now) }
        reason = Reason(.spawnFailed, by: .hearth, detail: failure.message, at: now)
        let wait = counters.couldNotSpawn(policy: spec.restart, at: now)
        return enterErrored(retryAfter: wait, at: now)
    }

    private mutating func enterErrored(retryAfter wait: Milliseconds?, at now: Instant) -> [Effect] {
        let due = wait.map { now.advanced(by: $0) }
        state = .errored(retryAt: due)
        var effects: [Effect] = [.record, .report(.errored, reason.text)]
        if let due { effects.append(.arm(.restart, generation, at: due)) }
        return effects
    }

    private mutating func exited(_ generation: Generation, _ status: ExitStatus, at now: Instant) -> [Effect] {
        if generation == successor?.generation { return successorEnded(status, at: now) }
        if isLeaving(generation) { return leaverEnded(generation, status, at: now) }
        guard generation == self.generation else { return [] }
        switch state {
        case .stopped, .starting, .waiting, .held, .errored:
            // A second report of the same end.
            return []
        case .stopping(let stopping), .stuck(let stopping):
            guard !stopping.mainIsGone else { return [] }
            noteExit(status, cause: .ours, detail: stopping.purpose.words(by: stopping.actor), at: now)
            let report = Effect.report(.exit, "ended with \(status), as asked by \(stopping.actor)")
            guard spec.stop.wholeTree else {
                return [report, .disarm(.kill)] + finishStop(stopping.purpose, by: stopping.actor, at: now)
            }
            var without = stopping
            without.mainIsGone = true
            if case .stuck = state { state = .stuck(without) } else { state = .stopping(without) }
            // Of a message only the main process knows: now the rest gets the signal.
            let wasAsked = spec.stop.withMessage == true && !stopping.isKilled
            let rest: [Effect] =
                wasAsked ? [.terminate(generation, spec.stop.signal, wholeTree: true)] : []
            return [.record, report] + rest + [.watchTree(generation)]
        case .launching:
            return [.disarm(.ready)] + crashed(status, at: now)
        case .online:
            if successor != nil { return successorSteps(in: status, at: now) }
            return crashed(status, at: now)
        }
    }

    /// The run of a job is over, by itself or not. What runs once is not wanted any more.
    private mutating func runEnded(_ story: String, by actor: Actor, at now: Instant) -> [Effect] {
        reason = Reason(.runEnded, by: actor, detail: story, at: now)
        // A short run is no crash.
        counters.renew(at: now)
        let persist: [Effect] = spec.job?.isOnce == true && wanted == .running ? [.persist] : []
        if !persist.isEmpty { wanted = .stopped }
        return [.record, .report(.stop, reason.text)] + persist
    }

    mutating func noteExit(_ status: ExitStatus, cause: ExitCause, detail: String?, at now: Instant) {
        lastExit = LastExit(
            status: status, cause: cause, at: now, uptime: startedAt.map { now.since($0) } ?? Milliseconds(0),
            pid: process?.pid ?? 0, detail: detail)
        exitGeneration = generation
    }

    /// The main process ended and nobody had asked this machine for it.
    mutating func crashed(_ status: ExitStatus, at now: Instant) -> [Effect] {
        var cause = Self.cause(of: status)
        var detail: String?
        if let sent = signalSent, case .signalled(sent.signal, _) = status {
            cause = .ours
            detail = "\(sent.signal) sent by \(sent.actor)"
        }
        noteExit(status, cause: cause, detail: detail, at: now)
        let uptime = lastExit?.uptime ?? Milliseconds(0)
        let decision = counters.exited(status, uptime: uptime, policy: spec.restart, at: now)
        startedAt = nil
        let story = "\(status) after \(uptime)" + (detail.map { ": \($0)" } ?? "")
        var effects: [Effect] = [.report(.exit, "pid \(lastExit?.pid ?? 0) ended with \(story)")]
        let ended = generation

        switch decision {
        case .now:
            restarts.countUp()
            effects += launch(Reason(.crashed, by: .hearth, detail: story, at: now), report: .restart)
        case .after(let delay):
            let due = now.advanced(by: delay)
            state = .waiting(until: due)
            reason = Reason(.backingOff, by: .hearth, detail: "\(story); next start in \(delay)", at: now)
            effects += [.record, .report(.waiting, reason.text), .arm(.restart, generation, at: due)]
        case .stay where spec.job != nil:
            state = .stopped
            effects += runEnded(story, by: .hearth, at: now)
        case .stay(let why):
            state = .stopped
            reason = Reason(.notRestarted, by: .hearth, detail: why, at: now)
            effects += [.record, .report(.stop, reason.text)]
        case .giveUp(let retryAfter):
            let next = retryAfter.map { "; next try in \($0)" } ?? "; `restart` starts it again"
            let count = counters.slowRetries > 1 ? "it failed again" : "\(spec.restart.maxRestarts) unstable restarts"
            reason = Reason(.gaveUp, by: .hearth, detail: "\(count), last: \(story)\(next)", at: now)
            effects += enterErrored(retryAfter: retryAfter, at: now)
        }
        switch state {
        case .waiting, .held, .errored:
            guard spec.stop.wholeTree else { break }
            isSwept = true
            effects.append(.sweep(ended, spec.stop.signal, grace: spec.stop.killTimeout))
        case .stopped, .starting, .launching, .online, .stopping, .stuck:
            // What an app leaves that ends on its own terms is its own (it may have put itself in the background).
            break
        }
        effects.append(.explain(ended, status))
        return effects
    }

    /// Who is behind an exit that Hearth did not ask for: a fault's signal is raised by the process itself.
    static func cause(of status: ExitStatus) -> ExitCause {
        switch status {
        case .exited: return .exit
        case .unknown: return .unknown
        case .signalled(let signal, _):
            switch signal.rawValue {
            // ILL TRAP ABRT BUS FPE SEGV PIPE ALRM STKFLT XCPU XFSZ VTALRM PROF SYS
            case 4, 5, 6, 7, 8, 11, 13, 14, 16, 24, 25, 26, 27, 31: return .signal
            default: return .outside
            }
        }
    }

    private mutating func treeGone(_ generation: Generation, at now: Instant) -> [Effect] {
        if isLeaving(generation) { return left(generation, at: now) }
        guard generation == self.generation else { return [] }
        switch state {
        case .stopping(let stopping):
            guard stopping.mainIsGone else { return [] }
            treeIsGone = true
            return [.disarm(.kill)] + finishStop(stopping.purpose, by: stopping.actor, at: now)
        case .stuck(let stuck):
            guard stuck.mainIsGone else { return [] }
            treeIsGone = true
            return finishStop(stuck.purpose, by: stuck.actor, at: now)
        case .stopped, .waiting, .held, .errored:
            treeIsGone = true
            return []
        case .starting, .launching, .online:
            return []
        }
    }

    private mutating func timer(_ kind: TimerKind, _ generation: Generation, at now: Instant) -> [Effect] {
        switch kind {
        case .proof: return generation == successor?.generation ? successorIsDue(at: now) : []
        case .leave: return leaveIsDue(at: now)
        case .restart, .kill, .ready: break
        }
        guard generation == self.generation else { return [] }
        switch (kind, state) {
        case (.restart, .waiting(let until)):
            guard now >= until else { return [.arm(.restart, generation, at: until)] }
            restarts.countUp()
            let reason = Reason(.crashed, by: .hearth, detail: lastExitStory, at: now)
            return launch(reason, report: .restart)
        case (.restart, .errored(let retryAt?)):
            guard now >= retryAt else { return [.arm(.restart, generation, at: retryAt)] }
            restarts.countUp()
            // The kind `spawnFailed` stays until a spawn succeeds: `spawned` asks for it.
            let isSpawnRetry = self.reason.kind == .spawnFailed
            let reason = Reason(
                isSpawnRetry ? .spawnFailed : .retrying, by: .hearth,
                detail: isSpawnRetry ? self.reason.detail : lastExitStory, at: now)
            return launch(reason, report: .restart)
        case (.ready, .launching(let process, let until)):
            guard now >= until else { return [.arm(.ready, generation, at: until)] }
            return countsAsReady(process, at: now)
        case (.kill, .stopping(let stopping)) where stopping.waitsForLeaving: return []
        case (.kill, .stopping(var stopping)):
            guard now >= stopping.killAt else { return [.arm(.kill, generation, at: stopping.killAt)] }
            if stopping.isKilled { return couldNotStop(stopping, at: now) }
            stopping.isKilled = true
            // A killed process that is still there after the same time again (at least 5 s) hangs in the kernel.
            stopping.killAt = now.advanced(by: max(spec.stop.killTimeout, Milliseconds(5000)))
            state = .stopping(stopping)
            return [
                .record, .kill(generation, wholeTree: spec.stop.wholeTree),
                .arm(.kill, generation, at: stopping.killAt),
            ]
        default:
            // Late timers change nothing.
            return []
        }
    }

    private var lastExitStory: String? { lastExit.map { "\($0.status) after \($0.uptime)" } }

    private mutating func couldNotStop(_ stopping: Stopping, at now: Instant) -> [Effect] {
        let who = process.map { "pid \($0.pid)" } ?? "a process of its tree"
        reason = Reason(
            .couldNotStop, by: stopping.actor,
            detail: "\(who) is still there after SIGKILL (it may hang in the kernel; see /proc/PID/stack)", at: now)
        state = .stuck(stopping)
        return [.record, .report(.errored, reason.text)]
    }

    // MARK: Adoption

    /// Goes on where a former daemon left off.
    ///
    /// - Parameter record: the slot as it was left; nothing of it is trusted that `observation` contradicts.
    package init(
        restoring record: InstanceRecord, spec: AppSpec, observation: Observation, at now: Instant,
        effects: inout [Effect], find: (Generation, ProcessIdentity?) -> Observation = { _, _ in .neverSpawned }
    ) {
        id = record.id
        self.spec = spec
        wanted = record.wanted
        generation = record.generation
        reason = record.reason
        restarts = record.restarts
        counters = RestartCounters(
            unstable: record.unstableRestarts, createdAt: record.createdAt, previousDelay: record.previousDelay,
            slowRetries: record.slowRetries)
        counters.patientUntil = record.patientUntil
        startedAt = record.startedAt
        lastExit = record.lastExit
        token = record.token
        lastGeneration = max(
            record.lastGeneration ?? record.generation, record.generation,
            record.successor?.generation ?? record.generation)
        sign = record.sign
        reload = record.reload
        state = .stopped
        // Whatever was stopped on purpose was stopped with its tree.
        treeIsGone =
            record.phase == .stopped && [.registered, .stopped, .killedWithDaemon].contains(record.reason.kind)
        let leavingEffects = restoreLeaving(from: record, find: find)
        restoreState(from: record, observation, at: now, effects: &effects, find: find)
        effects += leavingEffects + restoreSuccessor(from: record, at: now, find: find)
    }

    private mutating func restoreState(
        from record: InstanceRecord, _ observation: Observation, at now: Instant, effects: inout [Effect],
        find: (Generation, ProcessIdentity?) -> Observation
    ) {
        let actor = record.reason.actor
        switch (record.phase, observation) {
        case (.starting, .running(let process)), (.online, .running(let process)):
            runs(process, at: now)
            effects += [.record, .report(.adopted, "pid \(process.pid) goes on")]
            if let purpose = record.purpose {
                effects += stop(purpose, by: actor, at: now)
            } else if record.phase == .starting, let timeout = spec.readyTimeout {
                // What it said meanwhile still lies in its channel. The time that is left is not given anew.
                effects += awaitReady(process, until: record.due ?? now.advanced(by: timeout))
            }
        case (.starting, .gone(let status)) where record.purpose != nil, (.stopping, .gone(let status)),
            (.errored, .gone(let status)) where record.purpose != nil:
            let purpose = record.purpose ?? .stop
            // Without a process the record tells of its end already.
            if record.phase == .starting || record.process != nil {
                noteExit(status, cause: .ours, detail: purpose.words(by: actor), at: now)
                lastExit?.pid = record.process?.pid ?? 0
            }
            effects += beginStop(of: nil, purpose, by: actor, due: record.due, at: now)
        case (.online, .gone(let status)) where record.successor != nil:
            runs(record.process ?? ProcessIdentity(pid: 0, startTime: 0), at: now)
            effects += successorOrRestart(record, status, at: now, find: find)
        case (.starting, .gone(let status)), (.online, .gone(let status)):
            runs(record.process ?? ProcessIdentity(pid: 0, startTime: 0), at: now)
            effects += crashed(status, at: now)
        case (.online, .neverSpawned):
            // It was spawned, so it is gone like any other.
            runs(record.process ?? ProcessIdentity(pid: 0, startTime: 0), at: now)
            effects += crashed(.unknown, at: now)
        case (.starting, .neverSpawned):
            treeIsGone = true
            if let purpose = record.purpose {
                effects += finishStop(purpose, by: actor, at: now)
            } else if wanted == .running {
                effects += launch(record.reason, report: .start)
            } else {
                effects.append(.record)
            }
        case (.stopping, .running(let process)):
            // The time that is left until SIGKILL is not given anew: daemons that die in a row must not put it off.
            let purpose = record.purpose ?? .stop
            effects += beginStop(of: process, purpose, by: actor, due: record.due, at: now)
        case (.stopping, .neverSpawned):
            effects += beginStop(of: nil, record.purpose ?? .stop, by: actor, due: record.due, at: now)
        case (.waiting, _) where record.due == nil && record.reason.kind == .waitsFor:
            treeIsGone = true
            state = .held
            effects.append(.record)
        case (.waiting, _):
            state = .waiting(until: record.due ?? now)
            effects += [.record, .arm(.restart, generation, at: record.due ?? now)]
        case (.errored, .running(let process)) where record.purpose != nil:
            state = .stuck(
                Stopping(
                    process: process, purpose: record.purpose ?? .stop, actor: actor, killAt: now, isKilled: true))
            effects.append(.record)
        case (.errored, .neverSpawned) where record.purpose != nil:
            effects += beginStop(of: nil, record.purpose ?? .stop, by: actor, at: now)
        case (.errored, _):
            state = .errored(retryAt: record.due)
            effects.append(.record)
            if let due = record.due { effects.append(.arm(.restart, generation, at: due)) }
        case (.stopped, _) where record.reason.kind == .deleted:
            // Everything was done but the last step.
            effects += finishStop(.delete, by: actor, at: now)
        case (.stopped, _):
            effects.append(.record)
        }
    }
}

extension AppSpec {
    /// Whether an app that has to say that it is ready says so by this.
    fileprivate func awaits(_ sign: ReadySign) -> Bool {
        switch sign {
        case .message: readiness?.waitReady == true
        case .notified: readiness?.notify == true
        case .listening, .ownSocket: false
        }
    }
}

extension InstanceRecord.StopPurpose {
    /// Whether another purpose takes the place of this one. A delete is never taken back; a second stop, or the end of
    /// the daemon, does not change who stopped an instance.
    fileprivate func yields(to other: Self) -> Bool {
        switch self {
        case .delete: false
        case .stop: other == .restart || other == .delete
        case .restart, .daemonKill, .endRun: true
        }
    }

    fileprivate var reasonKind: Reason.Kind {
        switch self {
        case .stop: .stopped
        case .restart: .restarted
        case .delete: .deleted
        case .daemonKill: .killedWithDaemon
        case .endRun: .stopped
        }
    }

    fileprivate func words(by actor: Actor) -> String {
        switch self {
        case .stop: "stopped by \(actor)"
        case .restart: "restarted by \(actor)"
        case .delete: "deleted by \(actor)"
        case .daemonKill: "stopped with the daemon by \(actor)"
        case .endRun: "ended by \(actor)"
        }
    }
}
