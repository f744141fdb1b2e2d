import Model

// What a job is to the machine: an app that is `stopped` between its runs, though it is wanted. What is wanted is its
// schedule; the executor sends `start` when a run is due. Status `scheduled` is that state under another name
// (`InstanceRecord.status`), so everything that ends, deletes or adopts a stopped app holds for a job as well.

extension InstanceMachine {
    mutating func schedule(by actor: Actor, at now: Instant) -> [Effect] {
        if isBeingDeleted { return [] }
        let persist: [Effect] = wanted == .running ? [] : [.persist]
        wanted = .running
        switch state {
        case .stopped, .waiting, .held, .errored:
            counters.renew(at: now)
            state = .stopped
            reason = Reason(.scheduled, by: actor, at: now)
            return [.disarm(.restart), .record, .report(.start, reason.text)] + persist
        case .stopping(var stopping) where stopping.purpose == .stop:
            // The run still ends, but the schedule goes on.
            stopping.purpose = .endRun
            state = .stopping(stopping)
            return [.record] + persist
        case .starting, .launching, .online, .stopping, .stuck:
            return persist.isEmpty ? [] : [.record] + persist
        }
    }

    mutating func endRun(by actor: Actor, at now: Instant) -> [Effect] {
        switch state {
        case .starting, .launching, .online: return stop(.endRun, by: actor, at: now)
        case .stopped, .stopping, .waiting, .held, .errored, .stuck: return []
        }
    }

    mutating func abandon(by actor: Actor, _ detail: String, at now: Instant) -> [Effect] {
        guard !isBeingDeleted, case .stopped = state else { return [] }
        let persist: [Effect] = wanted == .stopped ? [] : [.persist]
        wanted = .stopped
        reason = Reason(.runEnded, by: actor, detail: detail, at: now)
        return [.record, .report(.stop, reason.text)] + persist
    }
}
