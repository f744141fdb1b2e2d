/// What each event does in each situation. Under the situation's name: `events → status/purpose changes: effects`, or
/// `-` when nothing changes. First printed from the machine, then reviewed entry by entry against the rules; a pair that
/// is missing fails the test.
let transitionTable = """
    fresh
        start restart → launching wanted=running: persist disarm(restart) record report(start) spawn(1)
        stop → stopped: record report(stop)
        delete → stopped: record report(delete) remove
        reset → stopped: record report(reset)
        killWithDaemon signalSent spawned spawnFailed exited treeGone explained restartTimer killTimer → -
        earlyRestartTimer earlyKillTimer staleSpawned staleSpawnFailed staleExited staleTreeGone staleExplained → -
        staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    stopped
        start restart → launching wanted=running: persist disarm(restart) record report(start) spawn(2)
        delete → stopped: record report(delete) remove
        reset → stopped: record report(reset)
        explained → stopped: record
        stop killWithDaemon signalSent spawned spawnFailed exited treeGone restartTimer killTimer → -
        earlyRestartTimer earlyKillTimer staleSpawned staleSpawnFailed staleExited staleTreeGone staleExplained → -
        staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    stoppedWithLeftovers
        start restart → launching: disarm(restart) record report(start) spawn(2) sweep(1)
        stop → stopping/stop wanted=stopped: persist record terminate(1,tree) arm(kill,1,+5000) watch(1)
        delete → stopping/delete wanted=stopped: persist record terminate(1,tree) arm(kill,1,+5000) watch(1)
        reset → stopped: record report(reset)
        killWithDaemon → stopping/daemonKill: record terminate(1,tree) arm(kill,1,+5000) watch(1)
        explained → stopped: record
        signalSent spawned spawnFailed exited treeGone restartTimer killTimer earlyRestartTimer earlyKillTimer → -
        staleSpawned staleSpawnFailed staleExited staleTreeGone staleExplained staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    deleted
        delete → stopped: record report(delete) remove
        reset → stopped: record report(reset)
        explained → stopped: record
        start stop restart killWithDaemon signalSent spawned spawnFailed exited treeGone restartTimer killTimer → -
        earlyRestartTimer earlyKillTimer staleSpawned staleSpawnFailed staleExited staleTreeGone staleExplained → -
        staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    starting
        stop → launching/stop wanted=stopped: persist record
        restart → launching/restart: record
        delete → launching/delete wanted=stopped: persist record
        reset → launching: record report(reset)
        killWithDaemon → launching/daemonKill: record
        spawned → online: record report(online)
        spawnFailed → errored: record report(errored) arm(restart,1,+1000)
        start signalSent exited treeGone explained restartTimer killTimer earlyRestartTimer earlyKillTimer → -
        staleSpawned staleSpawnFailed staleExited staleTreeGone staleExplained staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    startingThenStop
        start → launching wanted=running: record persist
        restart → launching/restart wanted=running: persist record
        delete → launching/delete: record
        reset → launching/stop: record report(reset)
        spawned → stopping/stop: record report(online) record terminate(1,tree) arm(kill,1,+5000)
        spawnFailed → stopped: record report(stop)
        stop killWithDaemon signalSent exited treeGone explained restartTimer killTimer earlyRestartTimer → -
        earlyKillTimer staleSpawned staleSpawnFailed staleExited staleTreeGone staleExplained staleRestartTimer → -
        staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    startingThenRestart
        stop → launching/stop wanted=stopped: persist record
        restart → launching/restart: record
        delete → launching/delete wanted=stopped: persist record
        reset → launching/restart: record report(reset)
        killWithDaemon → launching/daemonKill: record
        spawned → stopping/restart: record report(online) record terminate(1,tree) arm(kill,1,+5000)
        spawnFailed → launching restarts+1: disarm(restart) record report(restart) spawn(2)
        start signalSent exited treeGone explained restartTimer killTimer earlyRestartTimer earlyKillTimer → -
        staleSpawned staleSpawnFailed staleExited staleTreeGone staleExplained staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    startingThenDelete
        reset → launching/delete: record report(reset)
        spawned → stopping/delete: record report(online) record terminate(1,tree) arm(kill,1,+5000)
        spawnFailed → stopped: record report(delete) remove
        start stop restart delete killWithDaemon signalSent exited treeGone explained restartTimer killTimer → -
        earlyRestartTimer earlyKillTimer staleSpawned staleSpawnFailed staleExited staleTreeGone staleExplained → -
        staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    startingThenDaemonKill
        start → launching: record
        stop → launching/stop wanted=stopped: persist record
        restart → launching/restart: record
        delete → launching/delete wanted=stopped: persist record
        reset → launching/daemonKill: record report(reset)
        killWithDaemon → launching/daemonKill: record
        spawned → stopping/daemonKill: record report(online) record terminate(1,tree) arm(kill,1,+5000)
        spawnFailed → stopped: record report(stop)
        signalSent exited treeGone explained restartTimer killTimer earlyRestartTimer earlyKillTimer → -
        staleSpawned staleSpawnFailed staleExited staleTreeGone staleExplained staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    launching
        stop → stopping/stop wanted=stopped: persist disarm(ready) record terminate(1,tree) arm(kill,1,+5000)
        restart → stopping/restart: disarm(ready) record terminate(1,tree) arm(kill,1,+5000)
        delete → stopping/delete wanted=stopped: persist disarm(ready) record terminate(1,tree) arm(kill,1,+5000)
        reset → launching: record report(reset)
        killWithDaemon → stopping/daemonKill: disarm(ready) record terminate(1,tree) arm(kill,1,+5000)
        exited → launching restarts+1: disarm(ready) report(exit) disarm(restart) record report(restart) spawn(2) sweep(1) explain(1)
        ready → online: disarm(ready) record report(online)
        readyTimer → online: record report(online)
        earlyReadyTimer → launching: arm(ready,1,+4001)
        start signalSent spawned spawnFailed treeGone explained restartTimer killTimer earlyRestartTimer → -
        earlyKillTimer staleSpawned staleSpawnFailed staleExited staleTreeGone staleExplained staleRestartTimer → -
        staleKillTimer staleReady staleReadyTimer → -
    online
        stop → stopping/stop wanted=stopped: persist record terminate(1,tree) arm(kill,1,+5000)
        restart → stopping/restart: record terminate(1,tree) arm(kill,1,+5000)
        delete → stopping/delete wanted=stopped: persist record terminate(1,tree) arm(kill,1,+5000)
        reset → online: record report(reset)
        killWithDaemon → stopping/daemonKill: record terminate(1,tree) arm(kill,1,+5000)
        exited → launching restarts+1: report(exit) disarm(restart) record report(restart) spawn(2) sweep(1) explain(1)
        start signalSent spawned spawnFailed treeGone explained restartTimer killTimer earlyRestartTimer → -
        earlyKillTimer staleSpawned staleSpawnFailed staleExited staleTreeGone staleExplained staleRestartTimer → -
        staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    stoppingForStop
        start restart → stopping/restart wanted=running: record persist
        delete → stopping/delete: record
        reset → stopping/stop: record report(reset)
        exited → stopping/stop: record report(exit) watch(1)
        killTimer → stopping/stop: record kill(1,tree) arm(kill,1,+5000)
        earlyKillTimer → stopping/stop: arm(kill,1,+3000)
        stop killWithDaemon signalSent spawned spawnFailed treeGone explained restartTimer earlyRestartTimer → -
        staleSpawned staleSpawnFailed staleExited staleTreeGone staleExplained staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    stoppingForRestart
        start restart → stopping/restart: record
        stop → stopping/stop wanted=stopped: persist record
        delete → stopping/delete wanted=stopped: persist record
        reset → stopping/restart: record report(reset)
        killWithDaemon → stopping/daemonKill: record
        exited → stopping/restart: record report(exit) watch(1)
        killTimer → stopping/restart: record kill(1,tree) arm(kill,1,+5000)
        earlyKillTimer → stopping/restart: arm(kill,1,+3000)
        signalSent spawned spawnFailed treeGone explained restartTimer earlyRestartTimer staleSpawned → -
        staleSpawnFailed staleExited staleTreeGone staleExplained staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    stoppingForDelete
        reset → stopping/delete: record report(reset)
        exited → stopping/delete: record report(exit) watch(1)
        killTimer → stopping/delete: record kill(1,tree) arm(kill,1,+5000)
        earlyKillTimer → stopping/delete: arm(kill,1,+3000)
        start stop restart delete killWithDaemon signalSent spawned spawnFailed treeGone explained restartTimer → -
        earlyRestartTimer staleSpawned staleSpawnFailed staleExited staleTreeGone staleExplained → -
        staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    stoppingForDaemonKill
        start restart → stopping/restart: record
        stop → stopping/stop wanted=stopped: persist record
        delete → stopping/delete wanted=stopped: persist record
        reset → stopping/daemonKill: record report(reset)
        killWithDaemon → stopping/daemonKill: record
        exited → stopping/daemonKill: record report(exit) watch(1)
        killTimer → stopping/daemonKill: record kill(1,tree) arm(kill,1,+5000)
        earlyKillTimer → stopping/daemonKill: arm(kill,1,+3000)
        signalSent spawned spawnFailed treeGone explained restartTimer earlyRestartTimer staleSpawned → -
        staleSpawnFailed staleExited staleTreeGone staleExplained staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    stoppingForStopMainGone
        start restart → stopping/restart wanted=running: record persist
        delete → stopping/delete: record
        reset → stopping/stop: record report(reset)
        treeGone → stopped: disarm(kill) record report(stop)
        explained → stopping/stop: record
        killTimer → stopping/stop: record kill(1,tree) arm(kill,1,+5000)
        earlyKillTimer → stopping/stop: arm(kill,1,+3000)
        stop killWithDaemon signalSent spawned spawnFailed exited restartTimer earlyRestartTimer staleSpawned → -
        staleSpawnFailed staleExited staleTreeGone staleExplained staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    stoppingForRestartMainGone
        start restart explained → stopping/restart: record
        stop → stopping/stop wanted=stopped: persist record
        delete → stopping/delete wanted=stopped: persist record
        reset → stopping/restart: record report(reset)
        killWithDaemon → stopping/daemonKill: record
        treeGone → launching restarts+1: disarm(kill) disarm(restart) record report(restart) spawn(2)
        killTimer → stopping/restart: record kill(1,tree) arm(kill,1,+5000)
        earlyKillTimer → stopping/restart: arm(kill,1,+3000)
        signalSent spawned spawnFailed exited restartTimer earlyRestartTimer staleSpawned staleSpawnFailed → -
        staleExited staleTreeGone staleExplained staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    stoppingForDeleteMainGone
        reset → stopping/delete: record report(reset)
        treeGone → stopped: disarm(kill) record report(delete) remove
        explained → stopping/delete: record
        killTimer → stopping/delete: record kill(1,tree) arm(kill,1,+5000)
        earlyKillTimer → stopping/delete: arm(kill,1,+3000)
        start stop restart delete killWithDaemon signalSent spawned spawnFailed exited restartTimer → -
        earlyRestartTimer staleSpawned staleSpawnFailed staleExited staleTreeGone staleExplained → -
        staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    stoppingForDaemonKillMainGone
        start restart → stopping/restart: record
        stop → stopping/stop wanted=stopped: persist record
        delete → stopping/delete wanted=stopped: persist record
        reset → stopping/daemonKill: record report(reset)
        killWithDaemon explained → stopping/daemonKill: record
        treeGone → stopped: disarm(kill) record report(stop)
        killTimer → stopping/daemonKill: record kill(1,tree) arm(kill,1,+5000)
        earlyKillTimer → stopping/daemonKill: arm(kill,1,+3000)
        signalSent spawned spawnFailed exited restartTimer earlyRestartTimer staleSpawned staleSpawnFailed → -
        staleExited staleTreeGone staleExplained staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    stoppingForStopKilled
        start restart → stopping/restart wanted=running: record persist
        delete → stopping/delete: record
        reset → stopping/stop: record report(reset)
        exited → stopping/stop: record report(exit) watch(1)
        killTimer → errored/stop: record report(errored)
        earlyKillTimer → stopping/stop: arm(kill,1,+3100)
        stop killWithDaemon signalSent spawned spawnFailed treeGone explained restartTimer earlyRestartTimer → -
        staleSpawned staleSpawnFailed staleExited staleTreeGone staleExplained staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    stoppingForRestartKilled
        start restart → stopping/restart: record
        stop → stopping/stop wanted=stopped: persist record
        delete → stopping/delete wanted=stopped: persist record
        reset → stopping/restart: record report(reset)
        killWithDaemon → stopping/daemonKill: record
        exited → stopping/restart: record report(exit) watch(1)
        killTimer → errored/restart: record report(errored)
        earlyKillTimer → stopping/restart: arm(kill,1,+3100)
        signalSent spawned spawnFailed treeGone explained restartTimer earlyRestartTimer staleSpawned → -
        staleSpawnFailed staleExited staleTreeGone staleExplained staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    stoppingForDeleteKilled
        reset → stopping/delete: record report(reset)
        exited → stopping/delete: record report(exit) watch(1)
        killTimer → errored/delete: record report(errored)
        earlyKillTimer → stopping/delete: arm(kill,1,+3100)
        start stop restart delete killWithDaemon signalSent spawned spawnFailed treeGone explained restartTimer → -
        earlyRestartTimer staleSpawned staleSpawnFailed staleExited staleTreeGone staleExplained → -
        staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    stoppingForDaemonKillKilled
        start restart → stopping/restart: record
        stop → stopping/stop wanted=stopped: persist record
        delete → stopping/delete wanted=stopped: persist record
        reset → stopping/daemonKill: record report(reset)
        killWithDaemon → stopping/daemonKill: record
        exited → stopping/daemonKill: record report(exit) watch(1)
        killTimer → errored/daemonKill: record report(errored)
        earlyKillTimer → stopping/daemonKill: arm(kill,1,+3100)
        signalSent spawned spawnFailed treeGone explained restartTimer earlyRestartTimer staleSpawned → -
        staleSpawnFailed staleExited staleTreeGone staleExplained staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    stuckForStop
        start restart → stopping/restart wanted=running: persist record terminate(1,tree) arm(kill,1,+100)
        stop killWithDaemon → stopping/stop: record terminate(1,tree) arm(kill,1,+100)
        delete → stopping/delete: record terminate(1,tree) arm(kill,1,+100)
        reset → errored/stop: record report(reset)
        exited → errored/stop: record report(exit) watch(1)
        signalSent spawned spawnFailed treeGone explained restartTimer killTimer earlyRestartTimer → -
        earlyKillTimer staleSpawned staleSpawnFailed staleExited staleTreeGone staleExplained staleRestartTimer → -
        staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    stuckForRestart
        start restart → stopping/restart: record terminate(1,tree) arm(kill,1,+100)
        stop → stopping/stop wanted=stopped: persist record terminate(1,tree) arm(kill,1,+100)
        delete → stopping/delete wanted=stopped: persist record terminate(1,tree) arm(kill,1,+100)
        reset → errored/restart: record report(reset)
        killWithDaemon → stopping/daemonKill: record terminate(1,tree) arm(kill,1,+100)
        exited → errored/restart: record report(exit) watch(1)
        signalSent spawned spawnFailed treeGone explained restartTimer killTimer earlyRestartTimer → -
        earlyKillTimer staleSpawned staleSpawnFailed staleExited staleTreeGone staleExplained staleRestartTimer → -
        staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    stuckForDelete
        stop delete killWithDaemon → stopping/delete: record terminate(1,tree) arm(kill,1,+100)
        reset → errored/delete: record report(reset)
        exited → errored/delete: record report(exit) watch(1)
        start restart signalSent spawned spawnFailed treeGone explained restartTimer killTimer → -
        earlyRestartTimer earlyKillTimer staleSpawned staleSpawnFailed staleExited staleTreeGone staleExplained → -
        staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    stuckForStopMainGone
        start restart → stopping/restart wanted=running: persist record terminate(1,tree) arm(kill,1,+100) watch(1)
        stop killWithDaemon → stopping/stop: record terminate(1,tree) arm(kill,1,+100) watch(1)
        delete → stopping/delete: record terminate(1,tree) arm(kill,1,+100) watch(1)
        reset → errored/stop: record report(reset)
        treeGone → stopped: record report(stop)
        explained → errored/stop: record
        signalSent spawned spawnFailed exited restartTimer killTimer earlyRestartTimer earlyKillTimer → -
        staleSpawned staleSpawnFailed staleExited staleTreeGone staleExplained staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    waiting
        start restart → launching: disarm(restart) record report(start) spawn(2)
        stop → stopping/stop wanted=stopped: persist disarm(restart) record terminate(1,tree) arm(kill,1,+5000) watch(1)
        delete → stopping/delete wanted=stopped: persist disarm(restart) record terminate(1,tree) arm(kill,1,+5000) watch(1)
        reset → waiting restart: record report(reset)
        killWithDaemon → stopping/daemonKill: disarm(restart) record terminate(1,tree) arm(kill,1,+5000) watch(1)
        explained → waiting restart: record
        restartTimer → launching restarts+1: disarm(restart) record report(restart) spawn(2)
        earlyRestartTimer → waiting restart: arm(restart,1,+3500)
        signalSent spawned spawnFailed exited treeGone killTimer earlyKillTimer staleSpawned staleSpawnFailed → -
        staleExited staleTreeGone staleExplained staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    waitingTreeGone
        start restart → launching: disarm(restart) record report(start) spawn(2)
        stop → stopped wanted=stopped: persist disarm(restart) record report(stop)
        delete → stopped wanted=stopped: persist disarm(restart) record report(delete) remove
        reset → waiting restart: record report(reset)
        killWithDaemon → stopped: disarm(restart) record report(stop)
        explained → waiting restart: record
        restartTimer → launching restarts+1: disarm(restart) record report(restart) spawn(2)
        earlyRestartTimer → waiting restart: arm(restart,1,+3500)
        signalSent spawned spawnFailed exited treeGone killTimer earlyKillTimer staleSpawned staleSpawnFailed → -
        staleExited staleTreeGone staleExplained staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    erroredWithRetry
        start restart → launching: disarm(restart) record report(start) spawn(2)
        stop → stopping/stop wanted=stopped: persist disarm(restart) record terminate(1,tree) arm(kill,1,+5000) watch(1)
        delete → stopping/delete wanted=stopped: persist disarm(restart) record terminate(1,tree) arm(kill,1,+5000) watch(1)
        reset → errored: record report(reset)
        killWithDaemon → stopping/daemonKill: disarm(restart) record terminate(1,tree) arm(kill,1,+5000) watch(1)
        explained → errored: record
        restartTimer → launching restarts+1: disarm(restart) record report(restart) spawn(2)
        earlyRestartTimer → errored: arm(restart,1,+29500)
        signalSent spawned spawnFailed exited treeGone killTimer earlyKillTimer staleSpawned staleSpawnFailed → -
        staleExited staleTreeGone staleExplained staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    erroredWithoutRetry
        start restart → launching: disarm(restart) record report(start) spawn(2)
        stop → stopping/stop wanted=stopped: persist disarm(restart) record terminate(1,tree) arm(kill,1,+5000) watch(1)
        delete → stopping/delete wanted=stopped: persist disarm(restart) record terminate(1,tree) arm(kill,1,+5000) watch(1)
        reset → errored: record report(reset)
        killWithDaemon → stopping/daemonKill: disarm(restart) record terminate(1,tree) arm(kill,1,+5000) watch(1)
        explained → errored: record
        signalSent spawned spawnFailed exited treeGone restartTimer killTimer earlyRestartTimer earlyKillTimer → -
        staleSpawned staleSpawnFailed staleExited staleTreeGone staleExplained staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    erroredSpawnFailed
        start restart → launching: disarm(restart) record report(start) spawn(2)
        stop → stopped wanted=stopped: persist disarm(restart) record report(stop)
        delete → stopped wanted=stopped: persist disarm(restart) record report(delete) remove
        reset → errored: record report(reset)
        killWithDaemon → stopped: disarm(restart) record report(stop)
        restartTimer → launching restarts+1: disarm(restart) record report(restart) spawn(2)
        earlyRestartTimer → errored: arm(restart,1,+500)
        signalSent spawned spawnFailed exited treeGone explained killTimer earlyKillTimer staleSpawned → -
        staleSpawnFailed staleExited staleTreeGone staleExplained staleRestartTimer staleKillTimer → -
        ready readyTimer earlyReadyTimer staleReady staleReadyTimer → -
    """
