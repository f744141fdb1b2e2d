import CLinux
import Model
import Platform
import Records

#if canImport(Glibc)
    import Glibc
#endif

/// What somebody wants to listen on.
struct SocketRequest: Codable, Hashable, Sendable {
    enum Kind: String, Codable, Sendable { case tcp, udp, unix }

    var kind: Kind
    /// Numeric, IPv6 without brackets; nil: every address of the machine. The absolute path of a unix socket.
    var address: String?
    /// 0: any free one.
    var port = 0
    /// 4, 6, or nil: as the address has it.
    var family: Int?
    var backlog = Self.usualBacklog
    var ipv6Only = false
    var reuseAddress = true
    /// Permissions of a unix socket's file; nil: 0660.
    var mode: UInt32?
    /// Bound beside others of the same user that share the address.
    var sharesPort = false

    /// Node's, too.
    static let usualBacklog = 511

    init(kind: Kind, address: String?, port: Int = 0) {
        self.kind = kind
        self.address = address
        self.port = port
    }

    init(_ listen: ListenSpec) {
        switch listen.address {
        case .tcp(let host, let port): self.init(kind: .tcp, address: host, port: port)
        case .unix(let path): self.init(kind: .unix, address: path)
        }
        backlog = listen.backlog ?? Self.usualBacklog
        mode = listen.mode
        sharesPort = listen.reusePort ?? false
    }

    /// The same place, however it is listened to there.
    func isSamePlace(as other: Self) -> Bool {
        kind == other.kind && address == other.address && port == other.port && family == other.family
    }
}

/// All that the next daemon has to know of a socket.
struct SocketDescription: Codable, Hashable, Sendable {
    /// The file that a unix socket has under its path.
    struct File: Codable, Hashable, Sendable {
        var device: UInt64
        var inode: UInt64
    }

    /// The app: see `HeldSockets.group(of:)`.
    var group: String
    /// Names the socket within the app.
    var key: String
    var request: SocketRequest
    /// Where it really is, also when any free port was asked for.
    var port: Int
    /// Of the socket itself, as in `/proc/PID/fd`.
    var inode: UInt64
    var file: File?

    /// A memfd with it, written once; nil when there is no memory.
    func store() -> Int32? {
        let memory = clinux_memfd("hearth-socket")
        guard memory >= 0 else { return nil }
        let isWhole = RecordCoding.encode(self).withUnsafeBytes { raw in
            (try? FileSystem.writeAll(memory, raw, path: "the description of a socket")) != nil
        }
        if isWhole { return memory }
        close(memory)
        return nil
    }

    static func read(_ memory: Int32) -> SocketDescription? {
        // A path and two names are far below.
        guard let bytes = try? FileSystem.read("/proc/self/fd/\(memory)", limit: 64 << 10) else { return nil }
        return try? RecordCoding.decode(SocketDescription.self, from: bytes)
    }
}

/// The copy on disk, for the case that daemon and keeper die together.
struct SocketFile: Codable, Sendable {
    /// Inodes mean nothing in another boot.
    var boot: String
    var sockets: [SocketDescription]

    static func path(_ paths: HomePaths, _ machine: MachineIdentity) -> String {
        paths.runtime(of: machine) + "/sockets.json"
    }

    static func read(_ paths: HomePaths, _ machine: MachineIdentity) -> [SocketDescription] {
        guard let bytes = try? FileSystem.read(path(paths, machine), limit: 16 << 20),
            let file = try? RecordCoding.decode(SocketFile.self, from: bytes), file.boot == machine.boot
        else { return [] }
        return file.sockets
    }
}
