import CLinux

/// The vault connection to one daemon.
///
/// The keeper must never wait for the daemon, which may be hung, and it has no queue that could grow. So the socket
/// does not block, and what is still to be sent is kept as *positions* in what exists anyway: the deposit to list
/// next, the exit to tell next, and one answer. While any of it found no room no request is read, so one answer is
/// enough. (A daemon that sends requests for ever without reading answers stops itself, and then the heartbeat.)
struct Connection {
    let socket: Int32
    /// Who listens at the other end, when we connected; 0 for a daemon that was started with its end.
    let peer: pid_t
    /// False until the daemon we connected to has said hello.
    var isGreeted: Bool
    /// When to give up waiting for the greeting.
    let greetingDue: Int64
    /// Nobody reads any more; what was sent to us before may still wait.
    private var isBroken = false
    /// The socket was full the last time.
    private(set) var isBlocked = false
    private var answer: keeper_packet?
    /// Next deposit to list.
    private var listPosition: Int?
    /// Next exit to tell.
    private var exitPosition: Int
    /// Where the answer to EXITS ends, and how many it has had.
    private var exitsEnd: Int?
    private var exitsTold = 0

    init(socket: Int32, peer: pid_t, isGreeted: Bool, greetingDue: Int64, exits: Exits) {
        self.socket = socket
        self.peer = peer
        self.isGreeted = isGreeted
        self.greetingDue = greetingDue
        exitPosition = exits.total
    }

    // MARK: - What to send

    /// The answer to the request in hand; `flush` sends it.
    mutating func reply(_ type: keeper_message, to request: keeper_packet, a: UInt64, b: UInt64 = 0) {
        var packet = keeper_packet()
        packet.type = type.rawValue
        packet.label = request.label
        packet.a = a
        packet.b = b
        answer = packet
    }

    /// The first packet to a daemon that we connected to: a service manager started us for it.
    func claim() {
        var packet = keeper_packet()
        packet.type = KEEPER_CLAIM.rawValue
        _ = clinux_send_packet(socket, &packet, MemoryLayout<keeper_packet>.size, -1)
    }

    mutating func startListing() { listPosition = 0 }

    mutating func startTelling(_ exits: Exits) {
        exitPosition = exits.oldest
        exitsEnd = exits.total
        exitsTold = 0
    }

    /// Asks for a sign of life. When the socket is full the question is as good as asked: its reader does not read.
    mutating func ping(_ serial: UInt64) {
        guard !isBlocked else { return }
        var packet = keeper_packet()
        packet.type = KEEPER_PING.rawValue
        packet.a = serial
        _ = clinux_send_packet(socket, &packet, MemoryLayout<keeper_packet>.size, -1)
    }

    /// Sends what there is, until the socket is full.
    mutating func flush(_ deposits: Deposits, _ exits: Exits) {
        isBlocked = false
        guard isGreeted, !isBroken else { return }
        if let packet = answer, send(packet) { answer = nil }
        listDeposits(deposits)
        tellExits(exits)
    }

    private mutating func listDeposits(_ deposits: Deposits) {
        while let position = listPosition, !isBlocked, !isBroken {
            var packet = keeper_packet()
            guard position < deposits.count else {
                packet.type = KEEPER_END.rawValue
                packet.a = UInt64(deposits.count)
                if send(packet) { listPosition = nil }
                continue
            }
            // Dropped; the service manager was not told yet.
            guard deposits[position].descriptor >= 0 else {
                listPosition = position + 1
                continue
            }
            packet.type = KEEPER_ITEM.rawValue
            packet.label = deposits[position].label
            if send(packet, descriptor: deposits[position].descriptor) { listPosition = position + 1 }
        }
    }

    private mutating func tellExits(_ exits: Exits) {
        if exitPosition < exits.oldest { exitPosition = exits.oldest }
        while !isBlocked, !isBroken {
            var packet = keeper_packet()
            if let end = exitsEnd, exitPosition >= end {
                packet.type = KEEPER_END.rawValue
                packet.a = UInt64(exitsTold)
                if send(packet) { exitsEnd = nil }
                continue
            }
            guard exitPosition < exits.total else { return }
            let exit = exits[exitPosition]
            packet.type = KEEPER_EXIT.rawValue
            packet.a = UInt64(exit.pid)
            packet.b = exit.startTime
            packet.c = UInt64(UInt32(bitPattern: exit.status))
            guard send(packet) else { return }
            exitPosition += 1
            exitsTold += 1
        }
    }

    /// True when the packet is gone; else the connection is blocked or broken.
    private mutating func send(_ packet: keeper_packet, descriptor: Int32 = -1) -> Bool {
        var packet = packet
        let result = clinux_send_packet(socket, &packet, MemoryLayout<keeper_packet>.size, descriptor)
        if result >= 0 { return true }
        if Int32(-result) == Int32(CLINUX_KEEPER_EAGAIN.rawValue) { isBlocked = true } else { isBroken = true }
        return false
    }

    // MARK: - What has come

    enum Received {
        case packet(keeper_packet, descriptor: Int32, isTruncated: Bool)
        /// Not of the size that was agreed: its type if it has one.
        case malformed(type: UInt32)
        case nothing
        case end
    }

    func receive() -> Received {
        // One byte more than a packet, so that a longer one is seen to be longer.
        var buffer = (packet: keeper_packet(), excess: UInt8(0))
        var descriptor: Int32 = -1
        var isTruncated: Int32 = 0
        let size = clinux_receive_packet(
            socket, &buffer, MemoryLayout<keeper_packet>.size + 1, &descriptor, &isTruncated)
        if size == MemoryLayout<keeper_packet>.size {
            return .packet(buffer.packet, descriptor: descriptor, isTruncated: isTruncated != 0)
        }
        clinux_keeper_close(descriptor)
        if size > 0 { return .malformed(type: size >= 4 ? buffer.packet.type : 0) }
        return Int32(-size) == Int32(CLINUX_KEEPER_EAGAIN.rawValue) ? .nothing : .end
    }
}
