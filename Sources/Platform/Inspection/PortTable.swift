import CLinux
import Glibc
package import Model

/// A listening socket, and the process of an instance that has it.
package struct ListeningPort: Hashable, Comparable, Sendable {
    /// `tcp` or `tcp6`.
    package var `protocol`: String
    package var address: String
    package var port: Int
    package var pid: Int32
    /// Its command line, fit to be shown.
    package var command: String

    package static func < (left: Self, right: Self) -> Bool {
        (left.port, left.protocol, left.address, left.pid) < (right.port, right.protocol, right.address, right.pid)
    }
}

/// Which process listens where.
///
/// The kernel lists listening sockets in a tenth of a millisecond, but only a walk over the descriptors of a process
/// says whose they are. So a process is walked once, and again only when a socket has appeared since then.
package struct PortTable {
    private struct Walk {
        /// `version` at the time.
        var version: UInt64
        /// Its sockets that listened then.
        var inodes: [UInt32]
        var command: String
    }

    private let reader: ProcReader
    private var sockets: [UInt32: ListeningSocket] = [:]
    /// Grows when a socket appears that was not there at the refresh before.
    private var version: UInt64 = 0
    private var walks: [ProcessIdentity: Walk] = [:]
    /// How many processes were walked: for tests and benchmarks.
    package private(set) var walkCount = 0

    package init(reader: ProcReader = ProcReader()) {
        self.reader = reader
    }

    /// Asks the kernel for the sockets that listen. Whether they are others than the last time; nil when the kernel
    /// does not answer (then the former ones stay).
    @discardableResult
    package mutating func refresh() -> Bool? {
        guard let raw = ListeningSocket.rawSockets() else { return nil }
        if raw.count == sockets.count,
            raw.allSatisfy({ sockets[$0.inode]?.port == Int($0.port) })
        {
            return false
        }
        var current: [UInt32: ListeningSocket] = [:]
        current.reserveCapacity(raw.count)
        var hasNew = false
        for socket in raw {
            if let known = sockets[socket.inode], known.port == Int(socket.port) {
                current[socket.inode] = known
            } else {
                current[socket.inode] = ListeningSocket(socket)
                hasNew = true
            }
        }
        sockets = current
        if hasNew { version &+= 1 }
        return true
    }

    /// Where `members` listen (as `MembershipScan` orders them: the main process last), by the sockets of the last
    /// `refresh`. A socket that several of them have is listed once, for the one nearest to the main process.
    /// `rescanning` forgets what former walks found: a descriptor can be handed over without a new socket.
    package mutating func ports(of members: [ProcessIdentity], rescanning: Bool = false) -> [ListeningPort] {
        guard !sockets.isEmpty else { return [] }
        var taken: Set<UInt32> = []
        var ports: Set<ListeningPort> = []
        for member in members.reversed() {
            let walk = walk(member, rescanning: rescanning)
            for inode in walk.inodes where !taken.contains(inode) {
                guard let socket = sockets[inode] else { continue }
                taken.insert(inode)
                ports.insert(
                    ListeningPort(
                        protocol: socket.protocol, address: socket.address, port: socket.port, pid: member.pid,
                        command: walk.command))
            }
        }
        return ports.sorted()
    }

    /// Drops what is known of processes other than these.
    package mutating func keep(only living: Set<ProcessIdentity>) {
        walks = walks.filter { living.contains($0.key) }
    }

    private mutating func walk(_ process: ProcessIdentity, rescanning: Bool) -> Walk {
        if !rescanning, let known = walks[process], known.version == version { return known }
        walkCount &+= 1
        let inodes = (socketInodes(of: process.pid, reader) ?? []).filter { sockets[$0] != nil }
        let command = inodes.isEmpty ? "" : CommandLineText.read(of: process.pid, reader: reader)
        let walk = Walk(version: version, inodes: Array(inodes), command: command)
        walks[process] = walk
        return walk
    }
}
