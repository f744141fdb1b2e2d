package import Model

/// What happens to an instance. Time is given beside it.
package enum Event: Hashable, Sendable {
    // Commands of a person or a rule.
    case start(Actor)
    case stop(Actor)
    case restart(Actor)
    case delete(Actor)
    case reset(Actor)
    /// A job is to be started by its schedule from now on; nothing is started now.
    case schedule(Actor)
    /// The run of a job is over: it is stopped, its schedule goes on.
    case endRun(Actor)
    /// A job that runs once was cut off, or missed its time: nothing but a person starts it again.
    case abandon(Actor, detail: String)
    /// Its turn to be reloaded will come.
    case queueReload(Actor, isRollback: Bool)
    /// Its turn has come. `hasOwnSocket`: it is known to have a listening socket of its own.
    case reload(hasOwnSocket: Bool)
    /// Its turn will not come: another instance failed.
    case cancelReload
    /// What became of its last reload is of no interest any more.
    case forgetReload
    /// It is to start when what it depends on is ready. `detail` names that; again: it has changed.
    case hold(Actor, detail: String)
    /// Start it, with something to say about what it depends on.
    case startAnyway(Actor, detail: String)
    /// It was restored (after a boot, by `resurrect`): until then a failure is followed by another try.
    case bePatient(until: Instant)
    /// The whole daemon is being killed: stop, but what is wanted stays as it is.
    case killWithDaemon(Actor)
    /// A person sent a signal through Hearth; an exit by it is then explained.
    case signalSent(Signal, Actor)

    // What Linux says.
    case spawned(Generation, ProcessIdentity)
    case spawnFailed(Generation, SpawnFailure)
    /// The app can serve now, by what it says or by what is seen of it.
    case ready(Generation, ReadySign)
    /// It has not said in time that it is well, or said that it is not.
    case watchdogMissed(Generation, detail: String)
    case exited(Generation, ExitStatus)
    /// No process of the generation is left.
    case treeGone(Generation)
    /// More is known about the last exit.
    case explained(Generation, ExitCause, detail: String)
    case timer(TimerKind, Generation)
}

package enum TimerKind: Hashable, Sendable, CaseIterable {
    /// The delayed start of a waiting or given-up instance.
    case restart
    /// SIGKILL is due, or after it: the wait for the end is over.
    case kill
    /// The app did not say that it is ready.
    case ready
    /// A successor has lived long enough, or has not shown in time that it can serve.
    case proof
    /// A process that is on its way out gets the next signal.
    case leave
}

/// What the executor does, in order.
package enum Effect: Hashable, Sendable {
    case spawn(Generation)
    /// Sends the stop signal to the main process and, if asked, to every member of its tree.
    case terminate(Generation, Signal, wholeTree: Bool)
    /// Asks the main process by a message to end; where that is not possible, the same as `terminate`.
    case askToEnd(Generation, otherwise: Signal, wholeTree: Bool)
    /// Look until the process has a listening socket of its own, and answer with `.ready(…, .ownSocket)`.
    case watchSocket(Generation)
    /// Asks a worker of Node's cluster to take no more connections, and to end when the last one is over.
    case drain(Generation)
    /// SIGKILL to the main process and, if asked, to every member that is left, until none is.
    case kill(Generation, wholeTree: Bool)
    /// Answer with `.treeGone` when no member of the generation is left.
    case watchTree(Generation)
    /// The main process of a restarted instance died: end what it left behind, the instance does not wait for it.
    case sweep(Generation, Signal, grace: Milliseconds)
    case arm(TimerKind, Generation, at: Instant)
    case disarm(TimerKind)
    /// The record changed: write the slot.
    case record
    /// What is wanted changed: write the desired state.
    case persist
    case report(ReportKind, String)
    /// Find out more about the exit: the kernel's log, the port, the last lines.
    case explain(Generation, ExitStatus)
    /// The instance is gone for good.
    case remove
}

/// Kinds of events as clients see them.
package enum ReportKind: String, Hashable, Sendable {
    case online, exit, start, stop, restart, reload, delete, errored, waiting, adopted, reset
}

/// What an adopting daemon found of a recorded process.
package enum Observation: Hashable, Sendable {
    case running(ProcessIdentity)
    case gone(ExitStatus)
    /// The spawn was recorded as intent, and no process of it exists. Also where a record names no main process (any
    /// more) in another phase.
    case neverSpawned
}
