import CLinux

/// Why there is no daemon at work. Said when it changes, not at every try.
///
/// Not an enum: one without payload is Hashable unasked, and hashing needs a seed from libc's newest functions.
struct Condition {
    static let fine = Condition(rawValue: 0)
    static let homeUnreadable = Condition(rawValue: 1)
    static let silent = Condition(rawValue: 2)
    static let startFails = Condition(rawValue: 3)
    static let wrongGreeting = Condition(rawValue: 4)

    let rawValue: UInt8
}

/// Who is hearthd, and are we its keeper?
extension Keeper {
    /// Looks at the lock of the home: free, a daemon is started; held, its holder is asked to take us as its vault.
    mutating func arbitrate(at now: Int64) {
        attemptAt = nil
        let isFree = clinux_keeper_home_is_free(base)
        if isFree == 0 {
            connect(at: now)
        } else if isFree > 0 && daemon == nil {
            start(at: now)
        } else {
            if isFree < 0 { note(.homeUnreadable, "the home cannot be opened, trying again", error: isFree) }
            attemptAt = now + backoff.nextAttempt()
        }
    }

    mutating func note(_ condition: Condition, _ text: StaticString, error: Int32 = 0) {
        guard self.condition.rawValue != condition.rawValue else { return }
        self.condition = condition
        log(text, error: error)
    }

    private mutating func start(at now: Int64) {
        var ends: (Int32, Int32) = (-1, -1)
        var result = withUnsafeMutablePointer(to: &ends) { pair in
            pair.withMemoryRebound(to: Int32.self, capacity: 2) { clinux_seqpacket_pair($0) }
        }
        var handle: Int32 = -1
        if result == 0 { result = clinux_set_nonblocking(ends.0, 1) }
        if result == 0 { result = clinux_keeper_start(program, home, base == home ? 0 : 1, ends.1, &handle) }
        clinux_keeper_close(ends.1)
        guard result > 0 else {
            clinux_keeper_close(ends.0)
            attemptAt = now + backoff.nextStart()
            return note(.startFails, "hearthd cannot be started, trying again", error: result)
        }
        condition = .fine
        daemon = Daemon(pid: result, handle: handle, isChild: true, isReady: false)
        connection = Connection(socket: ends.0, peer: 0, isGreeted: true, greetingDue: 0, exits: exits)
        heartbeat.start(at: now)
        log("hearthd started, pid", number: Int(result))
    }

    private mutating func connect(at now: Int64) {
        var peer: pid_t = 0
        let socket = clinux_keeper_connect(vaultPath, &peer)
        guard socket >= 0 else {
            attemptAt = now + backoff.nextAttempt()
            return note(.silent, "the home is locked, but its hearthd cannot be reached yet", error: socket)
        }
        connection = Connection(
            socket: socket, peer: peer, isGreeted: false, greetingDue: now + heartbeat.startAllowance, exits: exits)
        if clinux_keeper_claims() != 0 { connection?.claim() }
    }

    /// Gives up a daemon that took the connection but does not greet. It is not killed: it may have another keeper,
    /// which knows better how patient to be.
    mutating func checkGreeting(at now: Int64) {
        guard let connection, !connection.isGreeted, connection.greetingDue <= now else { return }
        closeConnection()
        attemptAt = now + backoff.nextAttempt()
        note(.silent, "the home is locked, but its hearthd does not greet")
    }

    /// The first packet of a daemon that we connected to: from here on we watch it.
    mutating func attach(_ hello: keeper_packet) {
        guard let connection else { return }
        let now = clinux_keeper_monotonic_ms()
        let isExpected = daemon.map { $0.pid == connection.peer } ?? true
        guard connection.peer > 0, hello.a == UInt64(connection.peer), isExpected else {
            closeConnection()
            attemptAt = now + backoff.nextAttempt()
            return note(.wrongGreeting, "the vault socket is not the daemon's own")
        }
        if daemon == nil {
            // The process that greeted is alive, so the number is still its own.
            let handle = clinux_pidfd_open(connection.peer)
            guard handle >= 0 else {
                closeConnection()
                attemptAt = now + backoff.nextAttempt()
                return note(.silent, "the hearthd that greeted cannot be watched", error: handle)
            }
            daemon = Daemon(pid: connection.peer, handle: handle, isChild: false, isReady: true)
        }
        self.connection?.isGreeted = true
        self.connection?.reply(
            KEEPER_WELCOME, to: hello, a: UInt64(clinux_keeper_pid()), b: UInt64(KEEPER_PROTOCOL_VERSION))
        heartbeat.start(at: now)
        backoff.reset()
        condition = .fine
        log("attached to hearthd, pid", number: Int(connection.peer))
    }
}
