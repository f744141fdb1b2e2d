import CLinux
import Model
import Platform

#if canImport(Glibc)
    import Glibc
#endif

/// The daemon's end of the connection to the keeper: deposits, heartbeat, exits of processes that are not our children.
final class Vault {
    struct Deposit {
        var kind: UInt32
        var id: UInt32
        var generation: UInt32
        var index: UInt32
        var descriptor: Int32
    }

    private let loop: EventLoop
    private(set) var socket: Int32?
    private(set) var keeperPid: Int32?
    /// Wait statuses by identity: what the keeper reaped. Bounded by its ring.
    private var exits: [ProcessIdentity: Int32] = [:]
    private var waiting: [(type: UInt32, done: (Bool) -> Void)] = []
    private var outbox: [(packet: keeper_packet, descriptor: Int32)] = []

    var onExit: ((ProcessIdentity, Int32) -> Void)?
    var onLost: (() -> Void)?
    /// The keeper says that a service manager started it.
    var onClaim: (() -> Void)?

    init(_ loop: EventLoop) { self.loop = loop }

    var isConnected: Bool { socket != nil }

    func recordedExit(of process: ProcessIdentity) -> Int32? { exits.removeValue(forKey: process) }

    /// The exit of a process whose start time is not known: the only one the keeper remembers under that number.
    func anyRecordedExit(of pid: Int32) -> (ProcessIdentity, Int32)? {
        let candidates = exits.filter { $0.key.pid == pid }
        guard candidates.count == 1, let only = candidates.first else { return nil }
        exits.removeValue(forKey: only.key)
        return (only.key, only.value)
    }

    /// Greets a keeper, and takes over what it holds. Blocks for 5 s at most: only at start, before the loop runs.
    func takeOver(_ socket: Int32) throws(SystemError) -> [Deposit] {
        var deposits: [Deposit] = []
        try blockingSend(socket, type: KEEPER_HELLO, a: UInt64(getpid()), b: UInt64(KEEPER_PROTOCOL_VERSION))
        try blockingSend(socket, type: KEEPER_LIST)
        try blockingSend(socket, type: KEEPER_EXITS)
        var ends = 0
        let deadline = SystemClock.now().advanced(by: Milliseconds(5000))
        while ends < 2 {
            var poll = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            let left = deadline.since(SystemClock.now()).rawValue
            guard left > 0, Glibc.poll(&poll, 1, Int32(left)) > 0 else {
                throw SystemError(ETIMEDOUT, "take over from the keeper")
            }
            var packet = keeper_packet()
            var fd: Int32 = -1
            var truncated: Int32 = 0
            let count = clinux_receive_packet(socket, &packet, MemoryLayout<keeper_packet>.size, &fd, &truncated)
            guard count > 0 else {
                throw SystemError(count == 0 ? EPIPE : Int32(-count), "take over from the keeper")
            }
            switch keeper_message(packet.type) {
            case KEEPER_WELCOME: keeperPid = Int32(truncatingIfNeeded: packet.a)
            case KEEPER_ITEM where fd >= 0:
                deposits.append(
                    Deposit(
                        kind: packet.label.kind, id: packet.label.id, generation: packet.label.generation,
                        index: packet.label.index, descriptor: fd))
            case KEEPER_EXIT: note(packet)
            case KEEPER_END: ends += 1
            case KEEPER_PING: try blockingSend(socket, type: KEEPER_PONG, a: packet.a)
            default: if fd >= 0 { close(fd) }
            }
        }
        try attach(socket)
        return deposits
    }

    /// A keeper that connected to a living daemon: it is greeted, and gets everything from its caller.
    func welcome(_ socket: Int32) throws(SystemError) {
        try attach(socket)
        send(KEEPER_HELLO, a: UInt64(getpid()), b: UInt64(KEEPER_PROTOCOL_VERSION))
    }

    private func attach(_ socket: Int32) throws(SystemError) {
        _ = clinux_set_nonblocking(socket, 1)
        self.socket = socket
        try loop.watch(socket, .readable) { [unowned self] ready in self.ready(ready) }
    }

    /// Keeps a copy of `descriptor` with the keeper. `done(false)`: the keeper could not take it, or died.
    func deposit(
        _ kind: keeper_kind, id: UInt32, generation: UInt32 = 0, index: UInt32 = 0, _ descriptor: Int32,
        done: @escaping (Bool) -> Void = { _ in }
    ) {
        guard isConnected else { return done(false) }
        waiting.append((KEEPER_DEPOSIT.rawValue, done))
        var packet = keeper_packet()
        packet.type = KEEPER_DEPOSIT.rawValue
        packet.label.kind = kind.rawValue
        packet.label.id = id
        packet.label.generation = generation
        packet.label.index = index
        enqueue(packet, descriptor)
    }

    func drop(
        _ kind: keeper_kind, id: UInt32, generation: UInt32 = 0, index: UInt32 = 0,
        done: @escaping (Bool) -> Void = { _ in }
    ) {
        guard isConnected else { return done(false) }
        waiting.append((KEEPER_DROP.rawValue, done))
        var packet = keeper_packet()
        packet.type = KEEPER_DROP.rawValue
        packet.label.kind = kind.rawValue
        packet.label.id = id
        packet.label.generation = generation
        packet.label.index = index
        enqueue(packet, -1)
    }

    func ready() { send(KEEPER_READY) }

    /// For the service manager, where the keeper has one.
    func tell(online: Int, wanted: Int, errored: Int) {
        guard isConnected else { return }
        send(KEEPER_COUNTS, a: UInt64(max(0, online)), b: UInt64(max(0, wanted)), c: UInt64(max(0, errored)))
    }

    /// Everything that was sent has arrived.
    var isQuiet: Bool { waiting.isEmpty && outbox.isEmpty }

    /// Another keeper takes the place of this one, which ends.
    func dismiss() {
        guard let socket else { return }
        var packet = keeper_packet()
        packet.type = KEEPER_REFUSED.rawValue
        _ = clinux_send_packet(socket, &packet, MemoryLayout<keeper_packet>.size, -1)
        forget()
    }

    /// Tells the keeper that this daemon ends on purpose. `done` also comes when there is no keeper.
    func standDown(done: @escaping () -> Void) {
        guard isConnected else { return done() }
        waiting.append((KEEPER_STAND_DOWN.rawValue, { _ in done() }))
        send(KEEPER_STAND_DOWN)
    }

    private func send(_ type: keeper_message, a: UInt64 = 0, b: UInt64 = 0, c: UInt64 = 0) {
        var packet = keeper_packet()
        packet.type = type.rawValue
        packet.a = a
        packet.b = b
        packet.c = c
        enqueue(packet, -1)
    }

    private func enqueue(_ packet: keeper_packet, _ descriptor: Int32) {
        outbox.append((packet, descriptor))
        flush()
    }

    private func flush() {
        guard let socket else { return }
        while let (packet, descriptor) = outbox.first {
            var packet = packet
            let sent = clinux_send_packet(socket, &packet, MemoryLayout<keeper_packet>.size, descriptor)
            if sent == -Int(EAGAIN) {
                loop.change(socket, to: [.readable, .writable])
                return
            }
            // Any other failure shows as end-of-file on the reading side.
            outbox.removeFirst()
        }
        loop.change(socket, to: .readable)
    }

    private func blockingSend(
        _ socket: Int32, type: keeper_message, a: UInt64 = 0, b: UInt64 = 0
    ) throws(SystemError) {
        var packet = keeper_packet()
        packet.type = type.rawValue
        packet.a = a
        packet.b = b
        try checked(
            clinux_send_packet(socket, &packet, MemoryLayout<keeper_packet>.size, -1), "write to the keeper")
    }

    private func ready(_ ready: EventLoop.Interest) {
        if ready.contains(.writable) { flush() }
        guard let socket else { return }
        // At most 64 packets a turn: a burst of exits must not hold the loop.
        for _ in 0..<64 {
            var packet = keeper_packet()
            var fd: Int32 = -1
            var truncated: Int32 = 0
            let count = clinux_receive_packet(socket, &packet, MemoryLayout<keeper_packet>.size, &fd, &truncated)
            if count == -Int(EAGAIN) || count == -Int(EINTR) { return }
            if count <= 0 { return lost() }
            if fd >= 0 { close(fd) }
            guard count == MemoryLayout<keeper_packet>.size else { continue }
            handle(packet)
        }
    }

    private func handle(_ packet: keeper_packet) {
        switch keeper_message(packet.type) {
        case KEEPER_PING: send(KEEPER_PONG, a: packet.a)
        case KEEPER_WELCOME: keeperPid = Int32(truncatingIfNeeded: packet.a)
        case KEEPER_CLAIM: onClaim?()
        case KEEPER_ACK, KEEPER_NACK:
            let answered = UInt32(truncatingIfNeeded: packet.a)
            guard let index = waiting.firstIndex(where: { $0.type == answered }) else { return }
            waiting.remove(at: index).done(packet.type == KEEPER_ACK.rawValue)
        case KEEPER_EXIT:
            let process = note(packet)
            if let status = exits[process] { onExit?(process, status) }
        default: break
        }
    }

    @discardableResult
    private func note(_ packet: keeper_packet) -> ProcessIdentity {
        let process = ProcessIdentity(pid: Int32(truncatingIfNeeded: packet.a), startTime: packet.b)
        if exits.count >= Int(KEEPER_MAX_EXITS) { exits.removeAll(keepingCapacity: true) }
        exits[process] = Int32(truncatingIfNeeded: packet.c)
        return process
    }

    private func lost() {
        guard socket != nil else { return }
        forget()
        onLost?()
    }

    private func forget() {
        guard let socket else { return }
        loop.unwatch(socket)
        close(socket)
        self.socket = nil
        keeperPid = nil
        outbox.removeAll()
        let orphans = waiting
        waiting = []
        for waiter in orphans { waiter.done(false) }
    }
}
