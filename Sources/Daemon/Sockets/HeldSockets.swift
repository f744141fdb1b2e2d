import CLinux
import Model
import Platform
import Records

#if canImport(Glibc)
    import Glibc
#endif

// Listening sockets that belong to an app and to none of its processes. While nobody accepts, connections wait in the
// backlog: a restart is a delay and no refusal.
//
// hearthd holds them; the keeper does, from before anybody gets one; and every process of the app does that has not
// closed it. So a socket outlives hearthd (the keeper has it), the keeper (hearthd has it) and both (the app has it).
//
// With each socket the keeper gets a memfd that says what it is: one label, index 0 and 1. The memfd is written once,
// so it is never half a description. A copy of all descriptions on disk is for the death of both: then each socket is
// looked for by its inode among the descriptors of the app. Where Linux does not allow that (Yama), it is lost to us
// although the app goes on serving; the next process gets another one, bound beside it.

/// The sockets of all apps.
final class HeldSockets {
    private struct Name: Hashable {
        var group: String
        var key: String
    }

    private final class Socket {
        let label: UInt32
        var description: SocketDescription
        /// -1: not bound yet.
        var descriptor: Int32 = -1
        /// The keeper has it.
        var isReady = false
        var waiting: [(Result<Int32, SystemError>) -> Void] = []

        init(_ label: UInt32, _ description: SocketDescription) {
            self.label = label
            self.description = description
        }
    }

    private let services: Services
    /// Paths may be on disks that hang. One thread: a path is removed before it is bound again.
    private let paths = WorkerPool(name: "hearthd-socket")
    private var sockets: [Name: Socket] = [:]
    /// Described by a former daemon, and not in our hands.
    private var lost: [Name: SocketDescription] = [:]
    private var nextLabel: UInt32 = 1
    private var isFileDirty = false
    private var isFileBusy = false

    init(_ services: Services) { self.services = services }

    /// Names the app that an instance is one of.
    static func group(of spec: AppSpec) -> String { spec.name + "\0" + spec.namespace }

    var isEmpty: Bool { sockets.isEmpty && lost.isEmpty }
    /// Nothing is being bound, and the disk has what there is to know.
    var isQuiet: Bool { !isFileDirty && !isFileBusy && paths.isQuiet && !sockets.values.contains { !$0.isReady } }

    // MARK: Getting one

    /// The socket of that name, bound if there is none yet. Calls back at once when it is there, else later on the loop.
    /// The descriptor stays ours: it is valid until it is released.
    func acquire(
        _ group: String, key: String, _ request: SocketRequest, then: @escaping (Result<Int32, SystemError>) -> Void
    ) {
        let name = Name(group: group, key: key)
        if let socket = sockets[name] {
            guard socket.isReady else { return socket.waiting.append(then) }
            adapt(socket, to: request)
            return then(.success(socket.descriptor))
        }
        let socket = Socket(
            nextLabel, SocketDescription(group: group, key: key, request: request, port: request.port, inode: 0))
        nextLabel &+= 1
        socket.waiting = [then]
        sockets[name] = socket
        let former = lost[name]
        guard request.kind == .unix else {
            return bound(name, socket, Self.bind(request, beside: former))
        }
        services.loop.offload(to: paths) {
            Self.bind(request, beside: former)
        } then: { [unowned self] result in
            self.bound(name, socket, result)
        }
    }

    private struct Bound: Sendable {
        var descriptor: Int32
        var port: Int
        var inode: UInt64
        var file: SocketDescription.File?
    }

    private func bound(_ name: Name, _ socket: Socket, _ result: Result<Bound, SystemError>) {
        guard sockets[name] === socket else {
            // It was released meanwhile.
            if case .success(let bound) = result {
                socket.description.file = bound.file
                discard(bound.descriptor, socket)
            }
            return answer(socket, .failure(SystemError(ECANCELED, "hold a socket")))
        }
        switch result {
        case .failure(let error):
            sockets[name] = nil
            answer(socket, .failure(error))
        case .success(let bound):
            socket.descriptor = bound.descriptor
            socket.description.port = bound.port
            socket.description.inode = bound.inode
            socket.description.file = bound.file
            lost[name] = nil
            changed()
            deposit(socket) { [unowned self] in
                guard self.sockets[name] === socket else { return }
                socket.isReady = true
                self.answer(socket, .success(socket.descriptor))
            }
        }
    }

    private func answer(_ socket: Socket, _ result: Result<Int32, SystemError>) {
        let waiting = socket.waiting
        socket.waiting = []
        for body in waiting { body(result) }
    }

    private static func bind(
        _ request: SocketRequest, beside former: SocketDescription?
    ) -> Result<Bound, SystemError> {
        switch request.kind {
        case .unix: return bindUnix(request, beside: former)
        case .tcp, .udp:
            // A free port is only looked for when the app has none yet.
            let isAny = request.port == 0 && former != nil
            var result = bindInternet(request, port: isAny ? former?.port ?? 0 : request.port)
            // The app's processes have the former one still.
            if let former, case .failure(let error) = result, error.errno == EADDRINUSE {
                result = bindInternet(request, port: former.port, shares: true)
            }
            return result
        }
    }

    private static func bindInternet(
        _ request: SocketRequest, port: Int, shares: Bool = false
    ) -> Result<Bound, SystemError> {
        var wanted = clinux_inet_socket()
        wanted.datagram = request.kind == .udp ? 1 : 0
        wanted.family = Int32(clamping: request.family ?? 0)
        wanted.port = Int32(clamping: port)
        wanted.backlog = Int32(clamping: request.backlog)
        wanted.ipv6_only = request.ipv6Only ? 1 : 0
        wanted.reuse_address = request.reuseAddress ? 1 : 0
        wanted.reuse_port = request.sharesPort || shares ? 1 : 0
        let descriptor: Int32
        if let address = request.address {
            descriptor = address.withCString { text in
                wanted.address = text
                return clinux_hold_inet(&wanted)
            }
        } else {
            descriptor = clinux_hold_inet(&wanted)
        }
        guard descriptor >= 0 else {
            return .failure(SystemError(-descriptor, "listen on \(request.address ?? "*") port \(port)"))
        }
        let actual = max(0, Int(clinux_bound_port(descriptor)))
        return .success(Bound(descriptor: descriptor, port: actual, inode: inode(of: descriptor)))
    }

    private static func bindUnix(
        _ request: SocketRequest, beside former: SocketDescription?
    ) -> Result<Bound, SystemError> {
        var file = clinux_file_identity()
        let path = request.address ?? ""
        let descriptor = clinux_hold_unix(
            path, request.mode ?? 0o660, Int32(clamping: request.backlog), former == nil ? 0 : 1, &file)
        guard descriptor >= 0 else { return .failure(SystemError(-descriptor, "listen on '\(path)'")) }
        return .success(
            Bound(
                descriptor: descriptor, port: 0, inode: inode(of: descriptor),
                file: SocketDescription.File(device: file.device, inode: file.inode)))
    }

    private static func inode(of descriptor: Int32) -> UInt64 {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? UInt64(status.st_ino) : 0
    }

    /// What of a socket can be changed while it listens.
    private func adapt(_ socket: Socket, to request: SocketRequest) {
        let former = socket.description.request
        guard former != request else { return }
        socket.description.request.backlog = request.backlog
        socket.description.request.mode = request.mode
        if former.backlog != request.backlog, request.kind != .udp {
            _ = listen(socket.descriptor, Int32(clamping: request.backlog))
        }
        if request.kind == .unix, former.mode != request.mode, let path = request.address {
            let mode = request.mode ?? 0o660
            paths.submit { _ = chmod(path, mode) }
        }
        guard former != socket.description.request else { return }
        changed()
        deposit(socket) {}
    }

    // MARK: What there is

    /// Those of an app, sorted by key.
    func held(_ group: String) -> [(key: String, request: SocketRequest, descriptor: Int32)] {
        sockets.filter { $0.key.group == group && $0.value.isReady }
            .map { (key: $0.key.key, request: $0.value.description.request, descriptor: $0.value.descriptor) }
            .sorted { $0.key < $1.key }
    }

    /// The port that a socket is bound to.
    func port(_ group: String, key: String) -> Int? {
        sockets[Name(group: group, key: key)].map(\.description.port)
    }

    func hasAny(_ group: String) -> Bool {
        sockets.keys.contains { $0.group == group } || lost.keys.contains { $0.group == group }
    }

    var groups: Set<String> { Set(sockets.keys.map(\.group)).union(lost.keys.map(\.group)) }

    /// Which app has a socket at that place.
    func holder(of request: SocketRequest) -> String? {
        sockets.first { $0.value.description.request.isSamePlace(as: request) }?.key.group
    }

    // MARK: Letting go

    /// From now on nobody can connect: not to a process that has it still, either.
    func release(_ group: String, key: String) {
        let name = Name(group: group, key: key)
        if lost.removeValue(forKey: name) != nil { changed() }
        guard let socket = sockets.removeValue(forKey: name) else { return }
        changed()
        // Else it is dealt with when it is bound.
        if socket.descriptor >= 0 { discard(socket.descriptor, socket) }
        answer(socket, .failure(SystemError(ECANCELED, "hold a socket")))
    }

    func releaseAll(_ group: String) {
        for name in sockets.keys where name.group == group { release(group, key: name.key) }
        for name in lost.keys where name.group == group { release(group, key: name.key) }
    }

    private func discard(_ descriptor: Int32, _ socket: Socket) {
        if socket.description.request.kind != .udp { clinux_stop_listening(descriptor) }
        removeFile(socket.description)
        services.vault.drop(KEEPER_KIND_LISTENER, id: socket.label, index: 1)
        // The keeper answers when it has what was sent before, so nothing is closed that is still to be sent.
        services.vault.drop(KEEPER_KIND_LISTENER, id: socket.label) { _ in close(descriptor) }
    }

    private func removeFile(_ description: SocketDescription) {
        guard let path = description.request.address, let file = description.file else { return }
        paths.submit {
            clinux_unlink_socket(path, clinux_file_identity(device: file.device, inode: file.inode))
        }
    }

    /// An app got another name.
    func move(_ group: String, to other: String) {
        guard !hasAny(other) else { return releaseAll(group) }
        for (name, socket) in sockets where name.group == group {
            sockets[name] = nil
            sockets[Name(group: other, key: name.key)] = socket
            socket.description.group = other
            if socket.isReady { deposit(socket) {} }
        }
        for (name, description) in lost where name.group == group {
            lost[name] = nil
            lost[Name(group: other, key: name.key)] = description
        }
        changed()
    }

    // MARK: The keeper

    /// Leaves a socket and its description with the keeper. `done` comes in any case: without a keeper we hold it alone.
    private func deposit(_ socket: Socket, done: @escaping () -> Void) {
        guard let memory = socket.description.store() else {
            services.log.note("no memory for the description of a socket: it would not outlive hearthd")
            return done()
        }
        services.vault.deposit(KEEPER_KIND_LISTENER, id: socket.label, index: 1, memory) { _ in close(memory) }
        services.vault.deposit(KEEPER_KIND_LISTENER, id: socket.label, socket.descriptor) { [services] isKept in
            if !isKept, services.vault.isConnected {
                services.log.note("the keeper cannot take another socket: it would not outlive hearthd")
            }
            done()
        }
    }

    /// To a keeper that is new.
    func depositAgain() {
        for socket in sockets.values where socket.isReady { deposit(socket) {} }
    }

    /// Takes over what a former daemon left with the keeper, and what it wrote down.
    func take(_ deposits: [Vault.Deposit]) {
        var found: [UInt32: (socket: Int32?, description: SocketDescription?)] = [:]
        for deposit in deposits where deposit.kind == KEEPER_KIND_LISTENER.rawValue {
            nextLabel = max(nextLabel, deposit.id &+ 1)
            if deposit.index == 0 {
                found[deposit.id, default: (nil, nil)].socket = deposit.descriptor
            } else {
                found[deposit.id, default: (nil, nil)].description = SocketDescription.read(deposit.descriptor)
                close(deposit.descriptor)
            }
        }
        for (label, pair) in found {
            guard let descriptor = pair.socket, let description = pair.description else {
                // The daemon died between the two: nobody has been given it.
                if let descriptor = pair.socket { close(descriptor) }
                services.vault.drop(KEEPER_KIND_LISTENER, id: label, index: 1)
                services.vault.drop(KEEPER_KIND_LISTENER, id: label)
                continue
            }
            enter(description, descriptor, label)
        }
        for description in SocketFile.read(services.paths, services.machine) {
            let name = Name(group: description.group, key: description.key)
            if sockets[name] == nil { lost[name] = description }
        }
        if !isEmpty { changed() }
    }

    private func enter(_ description: SocketDescription, _ descriptor: Int32, _ label: UInt32) {
        let name = Name(group: description.group, key: description.key)
        let socket = Socket(label, description)
        socket.descriptor = descriptor
        socket.isReady = true
        if let other = sockets[name] { discard(other.descriptor, other) }
        sockets[name] = socket
    }

    // MARK: After the death of both

    /// Looks for what is missing of an app among the descriptors of one of its processes.
    func recover(_ group: String, from process: ProcessIdentity) {
        let wanted = lost.filter { $0.key.group == group }
        guard !wanted.isEmpty else { return }
        let numbers = SocketSearch.descriptors(of: process.pid)
        guard !numbers.isEmpty else { return }
        let pidfd = clinux_pidfd_open(process.pid)
        guard pidfd >= 0 else { return }
        defer { close(pidfd) }
        // Opened first, checked then.
        guard ProcessIdentity.current(of: process.pid) == process else { return }
        for (name, description) in wanted {
            guard let number = numbers[description.inode] else { continue }
            let descriptor = clinux_pidfd_getfd(pidfd, number)
            guard descriptor >= 0 else { continue }
            guard Self.inode(of: descriptor) == description.inode else {
                close(descriptor)
                continue
            }
            lost[name] = nil
            enter(description, descriptor, nextLabel)
            nextLabel &+= 1
            if let socket = sockets[name] { deposit(socket) {} }
            changed()
        }
    }

    /// Once all is adopted: lets go of apps that no longer run. Returns what is in use and was not got back, by app.
    func settle(inUse groups: Set<String>) -> [String: [SocketDescription]] {
        for group in self.groups where !groups.contains(group) {
            for (name, description) in lost where name.group == group { removeFile(description) }
            releaseAll(group)
        }
        return Dictionary(grouping: lost.values, by: \.group)
    }

    // MARK: The copy on disk

    /// The copy was removed by somebody.
    func saveAgain() {
        if !isEmpty { changed() }
    }

    private func changed() {
        isFileDirty = true
        guard !isFileBusy else { return }
        isFileBusy = true
        services.loop.schedule(after: Milliseconds(0)) { [unowned self] in self.save() }
    }

    private func save() {
        isFileDirty = false
        let path = SocketFile.path(services.paths, services.machine)
        let all = sockets.values.filter { $0.descriptor >= 0 }.map(\.description) + lost.values
        let file = SocketFile(boot: services.machine.boot, sockets: all)
        services.loop.offload(to: services.stateThread) { () -> Bool in
            // Like the copy of the table, it is worth nothing after a power cut, and not synced.
            let bytes = RecordCoding.encode(file)
            if (try? FileSystem.replace(path, with: bytes, sync: false)) != nil { return true }
            try? FileSystem.makeDirectory(FileSystem.parent(of: path))
            return (try? FileSystem.replace(path, with: bytes, sync: false)) != nil
        } then: { [unowned self] _ in
            self.isFileBusy = false
            if self.isFileDirty { self.changed() }
        }
    }
}
