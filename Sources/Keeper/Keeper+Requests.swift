import CLinux

/// What the daemon asks for. Nothing it sends can end the keeper, but its own STAND_DOWN.
extension Keeper {
    /// Handles what has come. Stops while an answer finds no room, unless everything is to be read.
    mutating func receiveRequests(atMost limit: Int) {
        var handled = 0
        while handled < limit, let connection, limit == Int.max || !connection.isBlocked {
            handled += 1
            switch connection.receive() {
            case .packet(let packet, let descriptor, let isTruncated):
                handle(packet, descriptor, isTruncated: isTruncated)
            case .malformed(let type):
                refuse(type, keeper_packet(), CLINUX_KEEPER_EINVAL)
            case .nothing:
                return
            case .end:
                return connectionHasEnded()
            }
            self.connection?.flush(deposits, exits)
        }
    }

    /// The daemon may live on: whether it does is told by its handle, not by the socket.
    private mutating func connectionHasEnded() {
        closeConnection()
        attemptAt = clinux_keeper_monotonic_ms() + backoff.nextAttempt()
    }

    private mutating func handle(_ packet: keeper_packet, _ descriptor: Int32, isTruncated: Bool) {
        let type = keeper_message(rawValue: packet.type)
        if type == KEEPER_DEPOSIT && connection?.isGreeted == true {
            return deposit(packet, descriptor, isTruncated: isTruncated)
        }
        clinux_keeper_close(descriptor)
        switch type {
        case KEEPER_HELLO where connection?.isGreeted == true:
            connection?.reply(
                KEEPER_WELCOME, to: packet, a: UInt64(clinux_keeper_pid()), b: UInt64(KEEPER_PROTOCOL_VERSION))
        case KEEPER_HELLO:
            attach(packet)
        case KEEPER_REFUSED where connection?.isGreeted == false:
            fail("this home has a keeper", code: 0)
        case KEEPER_REFUSED:
            fail("another keeper has taken this one's place", code: 0)
        case _ where connection?.isGreeted != true:
            break  // not from a daemon yet: nothing to answer
        default:
            answer(type, packet)
        }
    }

    private mutating func answer(_ type: keeper_message, _ packet: keeper_packet) {
        switch type {
        case KEEPER_DROP:
            deposits.drop(packet.label)
            acknowledge(packet)
        case KEEPER_LIST:
            connection?.startListing()
        case KEEPER_EXITS:
            connection?.startTelling(exits)
        case KEEPER_PONG:
            heartbeat.receiveAnswer(packet.a)
        case KEEPER_READY:
            daemon?.isReady = true
            backoff.reset()
        case KEEPER_COUNTS:
            service.counts(online: packet.a, wanted: packet.b, errored: packet.c)
        case KEEPER_STAND_DOWN:
            daemon?.standsDown = true
            acknowledge(packet)
        default:
            refuse(packet.type, packet, CLINUX_KEEPER_EINVAL)
        }
    }

    private mutating func deposit(_ packet: keeper_packet, _ descriptor: Int32, isTruncated: Bool) {
        if isTruncated || descriptor < 0 || packet.label.kind >= UInt32(KEEPER_LABEL_KINDS) {
            clinux_keeper_close(descriptor)
            // Truncated: our table of descriptors is full, the kernel has thrown this one away.
            return refuse(packet.type, packet, isTruncated ? CLINUX_KEEPER_EMFILE : CLINUX_KEEPER_EINVAL)
        }
        guard deposits.keep(descriptor, under: packet.label) else {
            clinux_keeper_close(descriptor)
            return refuse(packet.type, packet, CLINUX_KEEPER_ENOSPC)
        }
        acknowledge(packet)
    }

    private mutating func acknowledge(_ packet: keeper_packet) {
        connection?.reply(KEEPER_ACK, to: packet, a: UInt64(packet.type))
    }

    private mutating func refuse(_ type: UInt32, _ packet: keeper_packet, _ reason: clinux_keeper_errno) {
        connection?.reply(KEEPER_NACK, to: packet, a: UInt64(type), b: UInt64(reason.rawValue))
    }
}
