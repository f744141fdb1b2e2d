import Model

// Reload: the new process runs beside the old one until it has shown that it can serve.
//
//   queued      its turn has not come; nothing else is different
//   successor   a process of the next generation was started and is watched. The machine's own state goes on as if there
//               were none: an exit of the old process, a stop, a restart are what they always are
//   replaced    the successor became the process of the machine; the old one is `leaving`: it drains (workers of Node's
//               cluster), gets its stop signal, then SIGKILL
//   failed      the successor is `leaving`, the old process goes on
//
// What can come in between:
// - the old process ends: the successor takes its place at once, shown or not
// - a stop, restart or delete: the successor leaves; the stop is finished when nobody is left
// - the daemon dies: the record has it all; the next one goes on. A successor that it adopts never fails for what it did
//   not show: the sign may have been lost with the daemon. It counts when it has lived until then

extension InstanceMachine {
    /// Nothing beside the present process exists.
    var isAlone: Bool { successor == nil && leaving.isEmpty }

    mutating func queueReload(by actor: Actor, isRollback: Bool) -> [Effect] {
        if isBeingDeleted { return [] }
        reload = ReloadProgress(.queued, by: actor, isRollback: isRollback ? true : nil)
        return [.record]
    }

    mutating func cancelReload() -> [Effect] {
        guard reload?.phase == .queued else { return [] }
        reload?.phase = .failed
        reload?.detail = "goes on as it was: the new version failed in another instance"
        return [.record]
    }

    mutating func forgetReload() -> [Effect] {
        guard let progress = reload, !progress.isUnderWay else { return [] }
        reload = nil
        return [.record]
    }

    mutating func beginReload(hasOwnSocket: Bool, at now: Instant) -> [Effect] {
        guard let actor = reload?.actor, reload?.phase == .queued, isAlone, !isBeingDeleted else { return [] }
        guard spec.canOverlap, case .online = state else {
            reload = nil
            return restart(by: actor, at: now)
        }
        reload?.phase = .running
        lastGeneration = lastGeneration.next
        let awaited = awaitedSign(hasOwnSocket: hasOwnSocket)
        successor = Successor(
            generation: lastGeneration, awaited: awaited, due: now.advanced(by: spec.proofTimeout))
        return [
            .record, .report(.reload, "a new process is started beside it, asked for by \(actor)"),
            .spawn(lastGeneration),
        ]
    }

    /// What the app promises to say counts; else what the process in place has shown.
    private func awaitedSign(hasOwnSocket: Bool) -> ReadySign? {
        if spec.readiness?.waitReady == true { return .message }
        if spec.readiness?.notify == true { return .notified }
        if spec.isCluster { return sign == .listening ? .listening : nil }
        // A socket that Hearth holds is everybody's: it proves nothing.
        return hasOwnSocket && spec.listen?.isEmpty ?? true ? .ownSocket : nil
    }

    // MARK: The successor

    mutating func successorSpawned(_ process: ProcessIdentity, at now: Instant) -> [Effect] {
        guard var next = successor else { return [] }
        next.process = process
        next.startedAt = now
        next.due = now.advanced(by: next.awaited == nil ? spec.restart.minUptime : spec.proofTimeout)
        successor = next
        let watch: [Effect] = next.awaited == .ownSocket ? [.watchSocket(next.generation)] : []
        return [.record, .arm(.proof, next.generation, at: next.due)] + watch
    }

    mutating func successorShows(_ shown: ReadySign, at now: Instant) -> [Effect] {
        guard let next = successor, next.process != nil, next.awaited == nil || next.awaited == shown else { return [] }
        return replace(sign: shown, at: now)
    }

    mutating func successorIsDue(at now: Instant) -> [Effect] {
        guard let next = successor, let process = next.process else { return [] }
        guard now >= next.due else { return [.arm(.proof, next.generation, at: next.due)] }
        guard let awaited = next.awaited, !isSuccessorAdopted else { return replace(sign: nil, at: now) }
        let time = next.startedAt.map { now.since($0) } ?? spec.proofTimeout
        let effects = reloadFailed(
            "its new process (pid \(process.pid)) did not \(awaited.missing) within \(time)", at: now)
        return effects + dismiss(next, at: now)
    }

    mutating func successorEnded(_ status: ExitStatus, at now: Instant) -> [Effect] {
        guard let next = successor else { return [] }
        let time = next.startedAt.map { now.since($0) } ?? Milliseconds(0)
        let who = next.process.map { " (pid \($0.pid))" } ?? ""
        successor = nil
        return [.disarm(.proof)] + reloadFailed("its new process\(who) ended with \(status) after \(time)", at: now)
            + [.sweep(next.generation, spec.stop.signal, grace: spec.stop.killTimeout)]
    }

    mutating func successorNotSpawned(_ failure: SpawnFailure, at now: Instant) -> [Effect] {
        successor = nil
        return reloadFailed("its new process could not be started: \(failure.message)", at: now)
    }

    private mutating func reloadFailed(_ why: String, at now: Instant) -> [Effect] {
        let actor = reload?.actor ?? .hearth
        // Somebody asked for another one meanwhile: that has its own outcome.
        if reload?.phase != .queued {
            reload = ReloadProgress(.failed, by: actor, detail: why, isRollback: reload?.isRollback)
        }
        reason = Reason(.notReloaded, by: actor, detail: why, at: now)
        return [.record, .report(.reload, reason.text)]
    }

    /// The successor is the process from here on; the old one leaves.
    private mutating func replace(sign shown: ReadySign?, at now: Instant) -> [Effect] {
        guard let next = successor, let process = next.process, case .online(let old) = state else { return [] }
        let former = Leaving(
            generation: generation, process: old, stage: spec.isCluster ? .draining : .signalled,
            due: now.advanced(by: spec.stop.killTimeout))
        takeOver(next, process, at: now)
        sign = shown
        reason = Reason(.reloaded, by: reload?.actor ?? .hearth, detail: nil, at: now)
        leaving.append(former)
        return [
            .disarm(.proof), .record,
            .report(.reload, "pid \(process.pid) serves in place of pid \(old.pid), \(reason.text)"),
        ] + send(former) + armLeave()
    }

    /// The old process ended by itself while the new one was being watched.
    mutating func successorSteps(in status: ExitStatus, at now: Instant) -> [Effect] {
        guard let next = successor else { return [] }
        let ended = generation
        noteExit(status, cause: Self.cause(of: status), detail: nil, at: now)
        let story = "\(status) after \(lastExit?.uptime ?? Milliseconds(0))"
        let pid = lastExit?.pid ?? 0
        takeOver(next, next.process, at: now)
        reason = Reason(
            .crashed, by: .hearth, detail: "\(story), during a reload; the new process took its place", at: now)
        return [
            .disarm(.proof), .record, .report(.exit, "pid \(pid) ended with \(story)"),
            .report(.restart, reason.text), .sweep(ended, spec.stop.signal, grace: spec.stop.killTimeout),
            .explain(ended, status),
        ]
    }

    private mutating func takeOver(_ next: Successor, _ process: ProcessIdentity?, at now: Instant) {
        successor = nil
        generation = next.generation
        state = process.map { .online($0) } ?? .starting(then: nil)
        startedAt = process == nil ? nil : next.startedAt ?? now
        treeIsGone = process == nil
        isSwept = false
        signalSent = nil
        restarts.countUp()
        counters.renew(at: now)
        if reload?.phase != .queued {
            reload = ReloadProgress(.done, by: reload?.actor ?? .hearth, isRollback: reload?.isRollback)
        }
    }

    // MARK: Who leaves

    /// A stop, a restart or a delete: the successor is not wanted any more.
    mutating func dismissSuccessor(at now: Instant) -> [Effect] {
        if reload?.isUnderWay == true { reload = nil }
        guard let next = successor else { return [] }
        return dismiss(next, at: now)
    }

    private mutating func dismiss(_ next: Successor, at now: Instant) -> [Effect] {
        successor = nil
        let goer = Leaving(
            generation: next.generation, process: next.process, stage: next.process == nil ? .unborn : .signalled,
            due: now.advanced(by: spec.stop.killTimeout))
        leaving.append(goer)
        return [.disarm(.proof), .record] + send(goer) + armLeave()
    }

    /// What its stage means for the process.
    private func send(_ goer: Leaving) -> [Effect] {
        let wholeTree = spec.stop.wholeTree
        switch goer.stage {
        case .unborn: return []
        case .draining: return [.drain(goer.generation)]
        case .killed: return [.kill(goer.generation, wholeTree: wholeTree)]
        case .signalled:
            let (signal, generation) = (spec.stop.signal, goer.generation)
            guard goer.process != nil, spec.stop.withMessage == true else {
                return [.terminate(generation, signal, wholeTree: wholeTree)]
            }
            return [.askToEnd(generation, otherwise: signal, wholeTree: wholeTree)]
        }
    }

    private func armLeave() -> [Effect] {
        guard let due = leaving.filter({ $0.stage != .unborn }).map(\.due).min() else { return [.disarm(.leave)] }
        return [.arm(.leave, generation, at: due)]
    }

    func isLeaving(_ generation: Generation) -> Bool { leaving.contains { $0.generation == generation } }

    mutating func leaverSpawned(_ generation: Generation, _ process: ProcessIdentity, at now: Instant) -> [Effect] {
        guard let index = leaving.firstIndex(where: { $0.generation == generation }) else { return [] }
        leaving[index].process = process
        leaving[index].stage = .signalled
        leaving[index].due = now.advanced(by: spec.stop.killTimeout)
        return [.record] + send(leaving[index]) + armLeave()
    }

    mutating func leaverNotSpawned(_ generation: Generation, at now: Instant) -> [Effect] { left(generation, at: now) }

    mutating func leaverEnded(_ generation: Generation, _ status: ExitStatus, at now: Instant) -> [Effect] {
        guard let index = leaving.firstIndex(where: { $0.generation == generation }),
            let process = leaving[index].process
        else { return [] }
        let report = Effect.report(.exit, "pid \(process.pid) ended with \(status), as asked by the reload")
        guard spec.stop.wholeTree else { return [report] + left(generation, at: now) }
        let stage = leaving[index].stage
        leaving[index].process = nil
        // Only the main process knows that it is to drain, or of a message: now the rest gets the signal.
        let knewAlone = stage == .draining || (stage == .signalled && spec.stop.withMessage == true)
        if stage == .draining { leaving[index].stage = .signalled }
        let rest: [Effect] =
            knewAlone ? [.terminate(generation, spec.stop.signal, wholeTree: true)] : []
        return [.record, report] + rest + [.watchTree(generation)]
    }

    /// No process of it is left.
    mutating func left(_ generation: Generation, at now: Instant) -> [Effect] {
        leaving.removeAll { $0.generation == generation }
        var effects: [Effect] = [.record] + armLeave()
        if case .stopping(let stopping) = state, stopping.waitsForLeaving, mayFinish(stopping.purpose) {
            effects += finishStop(stopping.purpose, by: stopping.actor, at: now)
        }
        return effects
    }

    /// Whether a stop can be finished although somebody is still leaving. What is started again may run beside them; but
    /// there is one place only where a spawn child writes its pid.
    func mayFinish(_ purpose: InstanceRecord.StopPurpose) -> Bool {
        purpose == .restart ? !leaving.contains { $0.stage == .unborn } : leaving.isEmpty
    }

    mutating func leaveIsDue(at now: Instant) -> [Effect] {
        var effects: [Effect] = []
        for index in leaving.indices where leaving[index].due <= now {
            let goer = leaving[index]
            switch goer.stage {
            case .unborn: continue
            case .draining: leaving[index].stage = .signalled
            case .signalled: leaving[index].stage = .killed
            case .killed:
                // It hangs in the kernel. Nobody waits for it any longer; SIGKILL will end it when it can.
                effects.append(
                    .report(
                        .errored,
                        "\(goer.process.map { "pid \($0.pid)" } ?? "a process of its tree"), which was replaced, is still there after SIGKILL"
                    ))
                continue
            }
            let patience = max(spec.stop.killTimeout, Milliseconds(leaving[index].stage == .killed ? 5000 : 0))
            leaving[index].due = now.advanced(by: patience)
            effects += send(leaving[index])
        }
        let stuck = leaving.filter { $0.stage == .killed && $0.due <= now }.map(\.generation)
        for generation in stuck { effects += left(generation, at: now) }
        return effects + [.record] + armLeave()
    }

    // MARK: Adoption

    /// Those who were leaving when the former daemon died. `find` tells what became of a process.
    mutating func restoreLeaving(
        from record: InstanceRecord, find: (Generation, ProcessIdentity?) -> Observation
    ) -> [Effect] {
        var effects: [Effect] = []
        for var goer in record.leaving ?? [] {
            guard case .running(let process) = find(goer.generation, goer.process) else {
                // What it may have left behind is ended without anybody waiting for it.
                effects.append(.sweep(goer.generation, spec.stop.signal, grace: spec.stop.killTimeout))
                continue
            }
            if goer.stage == .unborn { goer.stage = .signalled }
            goer.process = process
            leaving.append(goer)
            effects += send(goer)
        }
        return leaving.isEmpty ? effects : effects + armLeave()
    }

    /// The old process ended while no daemon was there: the new one takes its place if it runs.
    mutating func successorOrRestart(
        _ record: InstanceRecord, _ status: ExitStatus, at now: Instant,
        find: (Generation, ProcessIdentity?) -> Observation
    ) -> [Effect] {
        guard let next = record.successor, case .running(let process) = find(next.generation, next.process) else {
            return crashed(status, at: now)
        }
        successor = next
        successor?.process = process
        return successorSteps(in: status, at: now)
    }

    /// The successor that the former daemon watched, unless it took over already.
    mutating func restoreSuccessor(
        from record: InstanceRecord, at now: Instant, find: (Generation, ProcessIdentity?) -> Observation
    ) -> [Effect] {
        guard let next = record.successor, next.generation != generation else { return endOfReload() }
        let found = find(next.generation, next.process)
        guard case .online = state else {
            // The old process is gone, or it is being stopped.
            guard case .running(let process) = found else { return endOfReload() }
            successor = next
            successor?.process = process
            return dismissSuccessor(at: now)
        }
        successor = next
        switch found {
        case .running(let process):
            isSuccessorAdopted = true
            successor?.process = process
            if next.startedAt == nil {
                successor?.startedAt = now
                successor?.due = now.advanced(by: next.awaited == nil ? spec.restart.minUptime : spec.proofTimeout)
            }
            let watch: [Effect] = next.awaited == .ownSocket ? [.watchSocket(next.generation)] : []
            return [.record, .arm(.proof, next.generation, at: successor?.due ?? now)] + watch
        case .gone(let status): return successorEnded(status, at: now)
        case .neverSpawned: return [.record, .spawn(next.generation)]
        }
    }

    private mutating func endOfReload() -> [Effect] {
        guard reload?.phase == .running else { return [] }
        reload?.phase = .done
        return [.record]
    }
}

extension ReadySign {
    /// What did not happen, after "did not".
    fileprivate var missing: String {
        switch self {
        case .message: "say 'ready' on its channel"
        case .listening: "listen"
        case .notified: "send READY=1"
        case .ownSocket: "open a listening socket of its own"
        }
    }
}
