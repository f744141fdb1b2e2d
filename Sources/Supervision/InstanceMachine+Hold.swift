import Model

// An instance that depends on others is not started before they are ready. The machine knows none of them: the executor
// looks at all, sends `hold` instead of `start`, again whenever there is something else to say, and `start` in the end.

extension InstanceMachine {
    /// It waits for what it depends on.
    package var isHeld: Bool { state == .held }

    /// It will run without anybody doing anything: who depends on it waits for that.
    package var isOnItsWay: Bool {
        switch state {
        case .online: false
        case .starting(let pending): pending?.purpose ?? .restart == .restart
        case .launching, .waiting, .held: true
        case .stopping(let stopping), .stuck(let stopping): stopping.purpose == .restart
        case .errored(let retryAt): retryAt != nil
        // Entered into the list, its start follows.
        case .stopped: reason.kind == .registered && wanted == .running
        }
    }

    mutating func hold(by actor: Actor, detail: String, at now: Instant) -> [Effect] {
        if isBeingDeleted { return [] }
        switch state {
        case .held:
            let next = Reason(.waitsFor, by: actor, detail: detail, at: now)
            guard next.detail != reason.detail || actor != reason.actor else { return [] }
            reason = next
            return [.record]
        case .stopped, .waiting, .errored:
            let persist: [Effect] = wanted == .running ? [] : [.persist]
            wanted = .running
            counters.renew(at: now)
            state = .held
            reason = Reason(.waitsFor, by: actor, detail: detail, at: now)
            return persist + [.disarm(.restart), .record, .report(.waiting, reason.text)]
        case .starting, .launching, .online, .stopping, .stuck:
            return start(by: actor, at: now)
        }
    }

    mutating func startAnyway(by actor: Actor, detail: String, at now: Instant) -> [Effect] {
        let former = generation
        let effects = start(by: actor, at: now)
        guard generation != former else { return effects }
        reason.detail = detail.bounded(to: Reason.longestDetail)
        return effects.map { effect in
            if case .report(let kind, _) = effect { .report(kind, reason.text) } else { effect }
        }
    }
}
