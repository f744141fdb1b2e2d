import Control
import Model
import Supervision

extension Dispatcher {
    /// Takes jobs out of what a command concerns that only names them among others: `restart all` means what runs, and
    /// must not do the work of the night. Schedules that were paused go on with `start all`.
    ///
    /// - Returns: what to say of them.
    func leaveJobs(_ parameters: ActParameters, _ ids: inout [InstanceID], by actor: Actor) -> [ActionResult] {
        let action = parameters.action
        guard [.start, .restart, .reload].contains(action) else { return [] }
        var results: [ActionResult] = []
        for id in ids {
            guard let spec = fleet[id]?.desired.spec, let job = spec.job,
                action == .reload || parameters.sparesJobs == true || !isNamed(id, spec.name, in: parameters.selectors)
            else { continue }
            if action == .start, !job.isOnce, fleet[id]?.machine.wanted == .stopped {
                fleet.send(.schedule(actor), to: id)
            }
            results.append(
                ActionResult(
                    id: id, name: spec.name, ok: true, message: "is a job (\(job.summary)); only its own name runs it"))
        }
        let left = Set(results.compactMap(\.id))
        ids.removeAll { left.contains($0) }
        return results
    }

    private func isNamed(_ id: InstanceID, _ name: String, in selectors: [String]) -> Bool {
        selectors.contains { $0 == name || $0 == id.description || $0 == SelectorMatching.exactly(id) }
    }

    /// New specifications of jobs count from their next run on: nothing is restarted.
    func reschedule(_ ids: [InstanceID], wereJobs: Set<InstanceID>, by actor: Actor) -> [ActionResult] {
        ids.map { id in
            fleet.reschedule(id, wasJob: wereJobs.contains(id), by: actor)
            return ActionResult(
                id: id, name: fleet[id]?.desired.spec.name ?? "", ok: true, message: "counts from its next run on")
        }
    }
}
