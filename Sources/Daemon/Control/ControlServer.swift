import CLinux
import Control
import Model
import Platform
import Records

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Glibc)
    import Glibc
#endif

/// The control socket: accepts clients of the same user (or root), takes calls apart, hands them on.
final class ControlServer {
    /// Connections at most; beyond it a new client waits in the backlog.
    private static let mostConnections = 4096

    private let services: Services
    private let dispatcher: Dispatcher
    private let memory: MemoryHousekeeping
    private var listener: Int32?
    private var connections: [Int32: Connection] = [:]
    private var isPaused = false

    init(_ services: Services, _ dispatcher: Dispatcher, _ memory: MemoryHousekeeping) {
        self.memory = memory
        self.services = services
        self.dispatcher = dispatcher
    }

    /// Takes over a listening socket that still answers under the home's path, or binds a new one.
    func open(inherited: Int32?, inheritedInode: UInt32?) throws(SystemError) {
        if let inherited {
            if Self.inode(services.paths.controlSocket) == inheritedInode {
                try listen(on: inherited)
                return
            }
            // Nobody can reach it any more, but somebody may wait in its backlog.
            acceptAll(from: inherited)
            close(inherited)
        }
        try bindAgain()
    }

    private static func inode(_ path: String) -> UInt32? {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
        return UInt32(truncatingIfNeeded: status.st_ino)
    }

    /// Binds under a temporary name and renames: there is no moment without a socket.
    func bindAgain() throws(SystemError) {
        let path = services.paths.controlSocket
        let temporary = path + ".new"
        let fd = try checked(
            clinux_unix_listen(temporary, Int32(SOCK_STREAM.rawValue), 0o600, 4096), "listen on '\(path)'")
        if rename(temporary, path) != 0 {
            let failure = errno
            close(fd)
            throw SystemError(failure, "rename '\(temporary)' to '\(path)'")
        }
        if let listener {
            services.loop.unwatch(listener)
            acceptAll(from: listener)
            close(listener)
            self.listener = nil
        }
        try listen(on: fd)
    }

    private func listen(on fd: Int32) throws(SystemError) {
        listener = fd
        try services.loop.watch(fd, .readable) { [unowned self] _ in self.acceptSome() }
        deposit()
    }

    /// Gives the keeper a copy: clients that connect while no daemon runs wait for the next one.
    func deposit() {
        guard let listener, let inode = Self.inode(services.paths.controlSocket) else { return }
        services.vault.deposit(KEEPER_KIND_CONTROL, id: inode, listener)
    }

    /// Whether the socket in the file system is still ours.
    var isReachable: Bool { Self.inode(services.paths.controlSocket) != nil }

    private func acceptSome() {
        guard let listener else { return }
        // 32 a turn: a storm of clients does not hold a restart.
        for _ in 0..<32 {
            if connections.count >= Self.mostConnections { return pause() }
            let fd = clinux_accept(listener)
            if fd == -EMFILE || fd == -ENFILE { return pause() }
            guard fd >= 0 else { return }
            admit(fd)
        }
    }

    /// Out of descriptors: try again when some were closed, instead of spinning on a readable listener.
    private func pause() {
        guard let listener, !isPaused else { return }
        isPaused = true
        services.loop.unwatch(listener)
        services.loop.schedule(after: Milliseconds(100)) { [unowned self] in
            self.isPaused = false
            guard let listener = self.listener else { return }
            try? self.services.loop.watch(listener, .readable) { [unowned self] _ in self.acceptSome() }
        }
    }

    private func acceptAll(from listener: Int32) {
        while true {
            let fd = clinux_accept(listener)
            guard fd >= 0 else { return }
            admit(fd)
        }
    }

    private func admit(_ fd: Int32) {
        var pid: pid_t = 0
        var uid: uid_t = 0
        var gid: gid_t = 0
        guard clinux_peer_credentials(fd, &pid, &uid, &gid) == 0 else {
            close(fd)
            return
        }
        do throws(SystemError) {
            let connection = try Connection(fd, peer: Connection.Peer(pid: pid, uid: uid), loop: services.loop)
            connections[fd] = connection
            connection.onClose = { [unowned self] connection in
                self.connections.removeValue(forKey: connection.descriptor)
                self.dispatcher.closed(connection)
            }
            connection.onCall = { [unowned self] connection, message in self.receive(connection, message) }
            if uid != geteuid(), uid != 0 {
                connection.onCall = { connection, _ in
                    connection.answer(
                        Varlink.error(
                            ControlError(
                                .notPermitted, "this Hearth belongs to another user",
                                hint: "run the command as that user, or as root")))
                    connection.close()
                }
            }
        } catch {
            close(fd)
        }
    }

    private func receive(_ connection: Connection, _ message: Data) {
        guard let header = try? JSONDecoder().decode(Varlink.CallHeader.self, from: message) else {
            connection.answer(
                Varlink.error(
                    ControlError(.badRequest, "the message is no Varlink call (a JSON object with 'method', then NUL)"))
            )
            connection.close()
            return
        }
        memory.noteActivity()
        dispatcher.dispatch(Call(connection, message, header, services))
    }

    var listeningDescriptor: Int32? { listener }
    var inodeOnDisk: UInt32? { Self.inode(services.paths.controlSocket) }

    /// Clients that another program can go on with.
    var idleDescriptors: [Int32] { connections.values.filter(\.isIdle).map(\.descriptor) }

    /// A client other than `asking` waits for an answer. One that follows events waits for none.
    func isAnswering(besides asking: Connection) -> Bool {
        connections.values.contains { $0 !== asking && !$0.isIdle && !dispatcher.isStreaming(to: $0) }
    }

    /// A client that was taken over from before an exec.
    func adoptConnection(_ fd: Int32) -> Connection? {
        admit(fd)
        return connections[fd]
    }

    /// Takes the socket's name away before a deliberate end.
    func unlinkSocket() {
        _ = unlink(services.paths.controlSocket)
    }
}
