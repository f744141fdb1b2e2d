// The keeper's loop: one thread, one poll, no allocation after the start.
//
// Two facts decide everything: which daemon lives (`daemon`), and whether it talks to us (`connection`).
//
//   daemon  connection
//   no      no           waiting for `attemptAt`, then arbitration (Keeper+Arbitration)
//   no      not greeted  somebody holds the home; his hello is due
//   yes     yes          at work: requests, exits, heartbeat
//   yes     no           it closed the connection but lives (an upgrade, a fault): arbitration reconnects only
//
// Races that are taken care of:
// - The lock of the home decides who starts a daemon, never a pid file or a socket that answers or not. The keeper
//   looks at the lock and lets go of it; should two look at the same time, both start a hearthd and one of those
//   finds the home locked, exits with 75, and its keeper goes to the other one.
// - A second hearthd is never started while the first may live: not when its connection is gone, not after SIGKILL,
//   only when the kernel says that it is gone (waitpid for a child, pidfd for an attached one).
// - What the daemon sent before it died is read before the decision about its successor: it may have been READY.
// - Of several exited children waitid names the same one for ever until it is reaped. So the daemon, too, is reaped
//   where it is met; else it would hide the exits behind it.
import CLinux

struct Keeper {
    /// A daemon in state D does not die even of SIGKILL.
    private static let killAllowance: Int64 = 5_000
    /// Requests handled in one turn, so that signals get their turn too.
    private static let requestsPerTurn = 64

    let home: UnsafePointer<CChar>
    /// Where Hearth's own files are: the home, or a directory in it when it is PM2's.
    let base: UnsafePointer<CChar>
    let program: UnsafePointer<CChar>
    let vaultPath: UnsafePointer<CChar>
    let signals: Int32
    var deposits: Deposits
    var exits: Exits
    var heartbeat: Heartbeat
    var backoff = Backoff()
    var daemon: Daemon?
    var connection: Connection?
    /// When arbitration is due; nil while there is nothing to decide.
    var attemptAt: Int64? = 0
    var condition = Condition.fine
    var service = Service()

    /// Nil when there is no memory, or the path of the home is too long.
    init?(home: UnsafePointer<CChar>, base: UnsafePointer<CChar>, program: UnsafePointer<CChar>) {
        let pathCapacity = 4096
        guard let path = reserve(CChar.self, count: pathCapacity),
            clinux_keeper_join(base, "run/vault.sock", path, pathCapacity) == 0,
            let deposits = Deposits(), let exits = Exits()
        else { return nil }
        signals = clinux_keeper_signals()
        guard signals >= 0 else { return nil }
        self.home = home
        self.base = base
        self.program = program
        vaultPath = UnsafePointer(path)
        self.deposits = deposits
        self.deposits.inherit()
        self.exits = exits
        heartbeat = Heartbeat(interval: clinux_keeper_heartbeat_ms(5_000))
    }

    mutating func run() -> Never {
        reapChildren()  // an exec keeps the children, but not the signals about them
        while true {
            let now = clinux_keeper_monotonic_ms()
            if let due = attemptAt, due <= now { arbitrate(at: now) }
            checkGreeting(at: now)
            checkHeartbeat(at: now)
            deposits.settle()
            service.tell(isReady: daemon?.isReady == true, at: now)
            let ready = clinux_keeper_wait(
                signals, connection?.socket ?? -1, connection?.isBlocked == true ? 1 : 0, attachedHandle, pause())
            // Answers first: one that waits already must count at the next heartbeat.
            if has(ready, CLINUX_KEEPER_READABLE) { receiveRequests(atMost: Self.requestsPerTurn) }
            if has(ready, CLINUX_KEEPER_WRITABLE) { connection?.flush(deposits, exits) }
            if has(ready, CLINUX_KEEPER_SIGNAL) { receiveSignals() }
            if has(ready, CLINUX_KEEPER_GONE) { daemonIsGone(nil) }
        }
    }

    private func has(_ ready: Int32, _ bit: clinux_keeper_ready) -> Bool {
        UInt32(bitPattern: ready) & bit.rawValue != 0
    }

    /// The end of a child comes by SIGCHLD; that of an attached daemon is seen at its handle.
    private var attachedHandle: Int32 {
        guard let daemon, !daemon.isChild else { return -1 }
        return daemon.handle
    }

    /// Milliseconds until the next thing that is due, -1 when nothing is.
    private func pause() -> Int64 {
        var next = Int64.max
        if let attemptAt { next = min(next, attemptAt) }
        if let connection, !connection.isGreeted { next = min(next, connection.greetingDue) }
        if let daemon {
            if let killedAt = daemon.killedAt {
                if !daemon.wasReportedStuck { next = min(next, killedAt + Self.killAllowance) }
            } else if connection?.isGreeted == true {
                next = min(next, heartbeat.due)
            }
        }
        if deposits.unsettled > 0 { next = min(next, clinux_keeper_monotonic_ms() + Service.retryInterval) }
        if let due = service.due { next = min(next, due) }
        return next == Int64.max ? -1 : max(0, next - clinux_keeper_monotonic_ms())
    }

    // MARK: - Signals and children

    private mutating func receiveSignals() {
        while true {
            let number = clinux_signalfd_read(signals, nil, nil)
            if number <= 0 { break }
            if clinux_keeper_is_child_signal(number) == 0 { endOnRequest() }
        }
        reapChildren()
    }

    /// SIGTERM and SIGINT are the daemon's to decide: it stands down, or stops its apps first.
    private mutating func endOnRequest() {
        guard daemon != nil else { fail("ended by a signal, no hearthd lives", code: 0) }
        daemon?.wasAskedToEnd = true
        daemon?.signal(15)
    }

    private mutating func reapChildren() {
        while true {
            let pid = clinux_peek_exited_child()
            if pid <= 0 { break }
            let startTime = clinux_keeper_start_time(pid)  // while it is a zombie: gone afterwards
            var status: Int32 = 0
            guard clinux_reap(pid, &status) == 1 else { break }
            if let daemon, daemon.isChild, daemon.pid == pid {
                daemonIsGone(WaitStatus(rawValue: status))
            } else {
                exits.append(Exits.Exit(pid: pid, status: status, startTime: startTime))
            }
        }
        connection?.flush(deposits, exits)
    }

    // MARK: - The end of a daemon

    /// Decides what follows. `status` is nil for an attached daemon.
    private mutating func daemonIsGone(_ status: WaitStatus?) {
        receiveRequests(atMost: Int.max)
        guard let ended = daemon else { return }
        clinux_keeper_close(ended.handle)
        closeConnection()
        daemon = nil
        if ended.standsDown { fail("hearthd stood down", code: 0) }
        if status?.exitCode == Int32(KEEPER_EXIT_CONFIG) {
            fail("hearthd says that it cannot run here", code: Int32(KEEPER_EXIT_CONFIG))
        }
        // Before READY it may not have had a handler for the SIGTERM that we passed on.
        if ended.wasAskedToEnd && !ended.isReady { fail("ended by a signal", code: 0) }
        report(status)
        let now = clinux_keeper_monotonic_ms()
        if ended.isReady {
            attemptAt = now
        } else if status?.exitCode == Int32(KEEPER_EXIT_LOCKED) {
            attemptAt = now + backoff.nextAttempt()
        } else {
            attemptAt = now + backoff.nextStart()
        }
    }

    private func report(_ status: WaitStatus?) {
        guard let status else { return log("the attached hearthd is gone") }
        if let code = status.exitCode { return log("hearthd ended with exit code", number: Int(code)) }
        log("hearthd was ended by signal", number: Int(status.signal))
    }

    mutating func closeConnection() {
        guard let connection else { return }
        clinux_keeper_close(connection.socket)
        self.connection = nil
    }

    // MARK: - Heartbeat

    private mutating func checkHeartbeat(at now: Int64) {
        guard let daemon else { return }
        if let killedAt = daemon.killedAt {
            guard !daemon.wasReportedStuck, now - killedAt >= Self.killAllowance else { return }
            self.daemon?.wasReportedStuck = true
            return log("hearthd does not die of SIGKILL; none is started beside it, pid", number: Int(daemon.pid))
        }
        guard connection?.isGreeted == true, heartbeat.due <= now else { return }
        switch heartbeat.tick(at: now) {
        case .ask(let serial):
            connection?.ping(serial)
        case .kill:
            log("hearthd does not answer and is killed, pid", number: Int(daemon.pid))
            self.daemon?.killedAt = now
            daemon.signal(9)
        }
    }
}
