/// What a new daemon does with a record of each situation and what it finds of the process, in the language of the
/// transition table. First printed from the machine, then reviewed entry by entry; a missing pair fails the test.
let adoptionTable = """
    fresh
        running gone neverSpawned → stopped: record
    stopped
        running gone neverSpawned → stopped: record
    stoppedWithLeftovers
        running gone neverSpawned → stopped: record
    deleted
        running gone neverSpawned → stopped: record report(delete) remove
    starting
        running → online: record report(adopted)
        gone → launching restarts+1: report(exit) disarm(restart) record report(restart) spawn(2) sweep(1) explain(1)
        neverSpawned → launching: disarm(restart) record report(start) spawn(2)
    startingThenStop
        running → stopping/stop: record report(adopted) record terminate(1,tree) arm(kill,1,+5000)
        gone → stopping/stop: record terminate(1,tree) arm(kill,1,+5000) watch(1)
        neverSpawned → stopped: record report(stop)
    startingThenRestart
        running → stopping/restart: record report(adopted) record terminate(1,tree) arm(kill,1,+5000)
        gone → stopping/restart: record terminate(1,tree) arm(kill,1,+5000) watch(1)
        neverSpawned → launching restarts+1: disarm(restart) record report(restart) spawn(2)
    startingThenDelete
        running → stopping/delete: record report(adopted) record terminate(1,tree) arm(kill,1,+5000)
        gone → stopping/delete: record terminate(1,tree) arm(kill,1,+5000) watch(1)
        neverSpawned → stopped: record report(delete) remove
    startingThenDaemonKill
        running → stopping/daemonKill: record report(adopted) record terminate(1,tree) arm(kill,1,+5000)
        gone → stopping/daemonKill: record terminate(1,tree) arm(kill,1,+5000) watch(1)
        neverSpawned → stopped: record report(stop)
    launching
        running → launching: record report(adopted) arm(ready,1,+4001)
        gone → launching restarts+1: report(exit) disarm(restart) record report(restart) spawn(2) sweep(1) explain(1)
        neverSpawned → launching: disarm(restart) record report(start) spawn(2)
    online
        running → online: record report(adopted)
        gone neverSpawned → launching restarts+1: report(exit) disarm(restart) record report(restart) spawn(2) sweep(1) explain(1)
    stoppingForStop
        running → stopping/stop: record terminate(1,tree) arm(kill,1,+3000)
        gone neverSpawned → stopping/stop: record terminate(1,tree) arm(kill,1,+3000) watch(1)
    stoppingForRestart
        running → stopping/restart: record terminate(1,tree) arm(kill,1,+3000)
        gone neverSpawned → stopping/restart: record terminate(1,tree) arm(kill,1,+3000) watch(1)
    stoppingForDelete
        running → stopping/delete: record terminate(1,tree) arm(kill,1,+3000)
        gone neverSpawned → stopping/delete: record terminate(1,tree) arm(kill,1,+3000) watch(1)
    stoppingForDaemonKill
        running → stopping/daemonKill: record terminate(1,tree) arm(kill,1,+3000)
        gone neverSpawned → stopping/daemonKill: record terminate(1,tree) arm(kill,1,+3000) watch(1)
    stoppingForStopMainGone
        running → stopping/stop: record terminate(1,tree) arm(kill,1,+3000)
        gone neverSpawned → stopping/stop: record terminate(1,tree) arm(kill,1,+3000) watch(1)
    stoppingForRestartMainGone
        running → stopping/restart: record terminate(1,tree) arm(kill,1,+3000)
        gone neverSpawned → stopping/restart: record terminate(1,tree) arm(kill,1,+3000) watch(1)
    stoppingForDeleteMainGone
        running → stopping/delete: record terminate(1,tree) arm(kill,1,+3000)
        gone neverSpawned → stopping/delete: record terminate(1,tree) arm(kill,1,+3000) watch(1)
    stoppingForDaemonKillMainGone
        running → stopping/daemonKill: record terminate(1,tree) arm(kill,1,+3000)
        gone neverSpawned → stopping/daemonKill: record terminate(1,tree) arm(kill,1,+3000) watch(1)
    stoppingForStopKilled
        running → stopping/stop: record terminate(1,tree) arm(kill,1,+100)
        gone neverSpawned → stopping/stop: record terminate(1,tree) arm(kill,1,+100) watch(1)
    stoppingForRestartKilled
        running → stopping/restart: record terminate(1,tree) arm(kill,1,+100)
        gone neverSpawned → stopping/restart: record terminate(1,tree) arm(kill,1,+100) watch(1)
    stoppingForDeleteKilled
        running → stopping/delete: record terminate(1,tree) arm(kill,1,+100)
        gone neverSpawned → stopping/delete: record terminate(1,tree) arm(kill,1,+100) watch(1)
    stoppingForDaemonKillKilled
        running → stopping/daemonKill: record terminate(1,tree) arm(kill,1,+100)
        gone neverSpawned → stopping/daemonKill: record terminate(1,tree) arm(kill,1,+100) watch(1)
    stuckForStop
        running → errored/stop: record
        gone neverSpawned → stopping/stop: record terminate(1,tree) arm(kill,1,+100) watch(1)
    stuckForRestart
        running → errored/restart: record
        gone neverSpawned → stopping/restart: record terminate(1,tree) arm(kill,1,+100) watch(1)
    stuckForDelete
        running → errored/delete: record
        gone neverSpawned → stopping/delete: record terminate(1,tree) arm(kill,1,+100) watch(1)
    stuckForStopMainGone
        running → errored/stop: record
        gone neverSpawned → stopping/stop: record terminate(1,tree) arm(kill,1,+100) watch(1)
    waiting
        running gone neverSpawned → waiting restart: record arm(restart,1,+3500)
    waitingTreeGone
        running gone neverSpawned → waiting restart: record arm(restart,1,+3500)
    erroredWithRetry
        running gone neverSpawned → errored: record arm(restart,1,+29500)
    erroredWithoutRetry
        running gone neverSpawned → errored: record
    erroredSpawnFailed
        running gone neverSpawned → errored: record arm(restart,1,+500)
    """
