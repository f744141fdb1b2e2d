import Model
import Supervision

extension Fleet {
    /// Sets an entry going that is wanted and was not begun: an app is started, a schedule goes on.
    func setGoing(_ id: InstanceID, by actor: Actor) {
        if self[id]?.desired.spec.isScheduled == true { return send(.schedule(actor), to: id) }
        dependencies.start(id, by: actor)
    }

    /// The same for one that was going before everything ended. What runs once is begun once: who had ordered it does
    /// not know how far it had come.
    func bringBack(_ id: InstanceID, by actor: Actor, endedBy end: String) {
        guard self[id]?.desired.spec.job?.isOnce == true else { return setGoing(id, by: actor) }
        send(.abandon(actor, detail: "cut off by \(end), or not begun before; it is not repeated"), to: id)
    }

    /// A job has a new specification: its next run is by that.
    func reschedule(_ id: InstanceID, wasJob: Bool, by actor: Actor) {
        guard let machine = self[id]?.machine, machine.wanted == .running else { return }
        // An app that was to run always is no run of a job.
        if !wasJob, machine.status.isRunning { return send(.endRun(actor), to: id) }
        if !machine.status.isRunning, machine.spec.isScheduled { send(.schedule(actor), to: id) }
    }
}
