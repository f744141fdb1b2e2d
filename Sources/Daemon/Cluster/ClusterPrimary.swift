import CLinux
import Model
import NodeBridge
import Platform

#if canImport(Glibc)
    import Glibc
#endif

// Node's `cluster` has a primary process that opens sockets for its workers. Here hearthd is that primary, for apps that
// know nothing of it: a worker asks on its channel for the socket it wants to listen on, and gets it. All workers accept
// from the same socket, so no connection goes through hearthd, and none is lost while it is dead.
//
// The question of a worker stays in the channel until it is answered (Channel.swift). So a worker that asked a hearthd
// that died is answered by the next one.

/// Primary of all workers of all apps in cluster mode.
final class ClusterPrimary {
    private struct Worker {
        /// Of the messages sent to it.
        var sequence = 0
        /// It was asked to disconnect: that it closes its sockets then does not mean that the app gave them up.
        var isDraining = false
    }

    /// More sockets no app gets: they are hearthd's descriptors, too.
    private static let socketLimit = 256
    private static let addressLimit = 4096
    private static let dataLimit = 16 << 10

    private let services: Services
    private let channels: Channels
    private let sockets: HeldSockets
    private var workers: [ProcessKey: Worker] = [:]
    /// By app, as HeldSockets names it.
    private var ledgers: [String: ClusterLedger<ProcessKey>] = [:]

    /// What an instance is an instance of; nil: there is none.
    var specification: ((InstanceID) -> AppSpec?)?
    /// The process is meant to go on running.
    var isStaying: ((ProcessKey) -> Bool)?
    var onListening: ((ProcessKey) -> Void)?

    init(_ services: Services, _ channels: Channels, _ sockets: HeldSockets) {
        self.services = services
        self.channels = channels
        self.sockets = sockets
        channels.onCluster = { [unowned self] key, message, finished in self.receive(key, message, finished) }
    }

    // MARK: Life of a worker

    /// - Parameter isNew: false for one that was started by a former hearthd.
    func enter(_ key: ProcessKey, isNew: Bool) {
        guard let spec = specification?(key.id), spec.isCluster else { return }
        workers[key] = Worker()
        ledgers[HeldSockets.group(of: spec), default: ClusterLedger()].enter(key, isNew: isNew)
    }

    /// It is gone. What it listened on stays, for the next one.
    func leave(_ key: ProcessKey) {
        guard workers.removeValue(forKey: key) != nil else { return }
        for group in Array(ledgers.keys) {
            ledgers[group]?.leave(key)
            if ledgers[group]?.isEmpty == true { ledgers[group] = nil }
        }
    }

    /// Asks it to take no more connections, and to end when the last one is over. False: it cannot be told.
    @discardableResult
    func drain(_ key: ProcessKey) -> Bool {
        guard workers[key] != nil else { return false }
        workers[key]?.isDraining = true
        return channels.send(PrimaryMessage.disconnect(sequence: nextSequence(key)), to: key)
    }

    private func nextSequence(_ key: ProcessKey) -> Int {
        let sequence = workers[key]?.sequence ?? 0
        workers[key]?.sequence = sequence &+ 1
        return sequence
    }

    // MARK: What it says

    private func receive(_ key: ProcessKey, _ message: ClusterMessage, _ finished: @escaping () -> Void) {
        guard workers[key] != nil, let spec = specification?(key.id) else { return finished() }
        switch message {
        case .query(let query): answer(query, of: key, spec, finished)
        case .listening: onListening?(key)
        case .close(let name): closed(name, by: key, HeldSockets.group(of: spec))
        case .exitedAfterDisconnect(let sequence):
            workers[key]?.isDraining = true
            let line = PrimaryMessage.acknowledgement(of: sequence, sequence: nextSequence(key))
            channels.send(line, to: key)
        case .online, .other: break
        }
    }

    private func closed(_ name: String, by key: ProcessKey, _ group: String) {
        guard ledgers[group]?.closed(name, by: key) == true else { return }
        // Only the app itself, in the middle of its life, gives a socket up.
        guard workers[key]?.isDraining == false, isStaying?(key) ?? false else { return }
        sockets.release(group, key: name)
    }

    private func answer(
        _ query: ListenQuery, of key: ProcessKey, _ spec: AppSpec, _ finished: @escaping () -> Void
    ) {
        let group = HeldSockets.group(of: spec)
        let (name, request): (String, SocketRequest)
        switch socket(for: query, spec, group) {
        case .success(let found): (name, request) = found
        case .failure(let refusal):
            refuse(query, of: key, refusal.errno)
            return finished()
        }
        sockets.acquire(group, key: name, request) { [unowned self] result in
            defer { finished() }
            guard self.workers[key] != nil, self.channels.isOpen(key) else { return }
            switch result.flatMap(Self.copy) {
            case .success(let descriptor): self.give(descriptor, for: query, to: key, group)
            case .failure(let error): self.refuse(query, of: key, error.errno)
            }
        }
    }

    private func give(_ descriptor: Int32, for query: ListenQuery, to key: ProcessKey, _ group: String) {
        let name = query.key
        ledgers[group]?.gave(name, to: key)
        let data = ledgers[group]?.agreed(name, query.data) ?? query.data
        // Node takes what its primary sends as it is. On a socket that blocks, the worker that is second at a connection
        // would sleep in accept until the next one comes.
        _ = clinux_set_nonblocking(descriptor, 1)
        let line = PrimaryMessage.handle(for: query, key: name, data: data, sequence: nextSequence(key))
        channels.send(line, to: key, descriptor: descriptor)
    }

    private func refuse(_ query: ListenQuery, of key: ProcessKey, _ errno: Int32) {
        // A key or data that are too long to be sent back are nobody's but the sender's.
        let isShort = query.key.utf8.count <= Self.addressLimit && query.data.utf8.count <= Self.dataLimit
        let line = PrimaryMessage.failure(
            for: query, key: isShort ? query.key : "", errno: errno, data: isShort ? query.data : "null",
            sequence: nextSequence(key))
        channels.send(line, to: key)
    }

    /// Sent messages wait for a while, and a socket may be released meanwhile.
    private static func copy(_ descriptor: Int32) -> Result<Int32, SystemError> {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        return copy >= 0 ? .success(copy) : .failure(SystemError(errno, "copy a socket"))
    }

    // MARK: Which socket

    private func socket(
        for query: ListenQuery, _ spec: AppSpec, _ group: String
    ) -> Result<(String, SocketRequest), SystemError> {
        guard query.key.utf8.count <= Self.addressLimit, query.data.utf8.count <= Self.dataLimit else {
            return .failure(SystemError(EINVAL, "listen"))
        }
        guard let wanted = request(for: query) else {
            guard let listen = given(query, spec) else { return .failure(SystemError(EBADF, "listen")) }
            return .success((Fleet.key(of: listen), SocketRequest(listen)))
        }
        let held = sockets.held(group)
        guard held.count < Self.socketLimit || held.contains(where: { $0.key == query.key }) else {
            return .failure(SystemError(EMFILE, "listen"))
        }
        return .success((query.key, wanted))
    }

    private func request(for query: ListenQuery) -> SocketRequest? {
        var request: SocketRequest
        switch query.kind {
        case .descriptor: return nil
        case .tcp, .udp:
            guard let port = query.port, (0...65_535).contains(port) else { return nil }
            request = SocketRequest(kind: query.kind == .udp ? .udp : .tcp, address: query.address, port: port)
            // Without an address every address is meant, of both families.
            request.family = query.address == nil ? nil : query.family
            request.ipv6Only = query.flags & 1 != 0
            if query.kind == .udp { request.reuseAddress = query.flags & 4 != 0 }
        case .pipe:
            guard let path = query.address, path.hasPrefix("/"), !path.contains("\0") else { return nil }
            request = SocketRequest(kind: .unix, address: path)
            var mode = 0o777 & ~services.limits.umask
            if query.readableAll { mode |= 0o444 }
            if query.writableAll { mode |= 0o222 }
            request.mode = mode
        }
        request.backlog = query.backlog ?? SocketRequest.usualBacklog
        return request
    }

    /// `listen({fd})` means what the process was given from the sockets of its specification.
    private func given(_ query: ListenQuery, _ spec: AppSpec) -> ListenSpec? {
        guard query.kind == .descriptor, let number = query.descriptor.flatMap({ Int32(exactly: $0) }) else {
            return nil
        }
        let listen = spec.listen ?? []
        let plan = DescriptorPlan(listen.map { DescriptorPlan.Passed(name: $0.name, descriptor: -1) })
        return listen.enumerated().first { index, listen in
            number == DescriptorPlan.first &+ Int32(clamping: index) || number == plan.number(of: listen.name)
        }?.element
    }
}
