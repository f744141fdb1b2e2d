import Control
import Model
import Platform
import Supervision

extension Dispatcher {
    /// Replaces what can be replaced side by side, and restarts the rest.
    func reload(
        _ ids: [InstanceID], failures: [ActionResult], _ call: Call, by actor: Actor, token: String?, parallel: Int?
    ) {
        let names = names(of: ids)
        // The same command again, after its client lost us in the middle: it goes on by itself.
        let fresh = ids.filter { token == nil || fleet[$0]?.machine.token != token }
        for id in fresh { fleet.setToken(token, of: id) }
        let overlapping = fresh.filter { canOverlap($0) }
        reloads.begin(overlapping, by: actor, parallel: parallel)
        let rest = fresh.filter { !overlapping.contains($0) }
        reloads.endTrial(of: rest)
        inBatches(rest[...]) { [self] id in
            self.fleet.send(.restart(actor), to: id)
        } then: { [self] in
            self.waiting.untilReloaded(ids, self.reloads) { [self] unsettled in
                let results = ids.map { id in
                    self.reloadResult(id, names[id] ?? "", isRestart: rest.contains(id), unsettled.contains(id))
                }
                self.withLastLines(results) { [self] results in
                    self.services.state.whenDurable { [self] failure in
                        call.reply(
                            ActReply(
                                results: results + failures, instances: self.views(ids), durable: failure == nil,
                                notDurableReason: failure),
                            isLarge: results.count > Self.manyInstances)
                    }
                }
            }
        }
    }

    /// Whether a process with the specification that the entry has (or is given) can run beside the present one.
    func canOverlap(_ id: InstanceID, with spec: AppSpec? = nil) -> Bool {
        guard let member = fleet[id] else { return false }
        guard let spec else { return member.canBeReloaded }
        return spec.canOverlap && member.runsReplaceably
    }

    private func reloadResult(_ id: InstanceID, _ name: String, isRestart: Bool, _ isUnsettled: Bool) -> ActionResult {
        guard let machine = fleet[id]?.machine else {
            return ActionResult(id: id, name: name, ok: false, message: "was deleted meanwhile")
        }
        if isUnsettled {
            return ActionResult(id: id, name: name, ok: false, message: "is still being reloaded")
        }
        let isUp = machine.status == .online
        switch (machine.reload?.phase, machine.reload?.isRollback ?? false) {
        case (.done, true):
            return ActionResult(
                id: id, name: name, ok: false, message: "was taken back to the former version: another instance failed")
        case (.failed, _) where !isRestart:
            return ActionResult(id: id, name: name, ok: false, message: machine.reload?.detail ?? machine.reason.text)
        case (.done, false) where !isRestart:
            return ActionResult(id: id, name: name, ok: isUp, message: machine.reason.text)
        default:
            let story =
                isUp
                ? "stopped and started: \(machine.reason.text)" : "\(machine.status.rawValue): \(machine.reason.text)"
            return ActionResult(id: id, name: name, ok: isUp || machine.status == .waitingRestart, message: story)
        }
    }

    /// What the first process that failed said last.
    private func withLastLines(_ results: [ActionResult], _ done: @escaping ([ActionResult]) -> Void) {
        guard let index = results.firstIndex(where: { !$0.ok }), let id = results[index].id,
            let member = fleet[id], member.machine.reload?.phase == .failed,
            let latest = member.processes.keys.max(), latest > member.machine.generation
        else { return done(results) }
        explainer.lastLines(of: id, latest) { lines in
            var results = results
            for line in lines { results[index].message += "\n    \(line)" }
            done(results)
        }
    }
}
