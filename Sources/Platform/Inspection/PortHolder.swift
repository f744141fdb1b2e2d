import CLinux
import Glibc

/// Who keeps a port from an app that wants it.
package struct PortHolder: Hashable, Sendable {
    package var port: Int
    package var address: String
    /// nil: the socket belongs to a process that we may not look into (or of another pid namespace).
    package var pid: Int32?
    /// Its owner by name, by number where there is none; the socket's owner when the process is unknown.
    package var user: String
    /// Empty when the process is unknown.
    package var command: String
    package var ageSeconds: Int64?
    /// The instance of the given home that this process was once started for.
    package var tag: InstanceTag?

    /// Everybody who listens on `port` in this network namespace: one per socket, the process at the top where several
    /// share one. Walks the descriptors of every process that may be looked into: milliseconds, for a question that a
    /// person asked.
    package static func holders(
        of port: Int, homeID: String, table: ProcessTable? = nil, reader: ProcReader = ProcReader()
    ) -> [PortHolder] {
        holders(homeID: homeID, table: table, reader: reader) { $0 == port }
    }

    /// The same for every port that is asked for, with one walk.
    package static func holders(
        homeID: String, table: ProcessTable? = nil, reader: ProcReader = ProcReader(), of isAsked: (Int) -> Bool
    ) -> [PortHolder] {
        guard let all = ListeningSocket.all() else { return [] }
        var wanted: [UInt32: ListeningSocket] = [:]
        for socket in all where isAsked(socket.port) { wanted[socket.inode] = socket }
        guard !wanted.isEmpty else { return [] }

        let table = table ?? ProcessTable.read(with: reader)
        let depths = table.depths()
        let order = table.entries.indices.sorted { left, right in
            (depths[left], table.entries[left].startTime, table.entries[left].pid)
                < (depths[right], table.entries[right].startTime, table.entries[right].pid)
        }
        var holders: [PortHolder] = []
        for index in order where !wanted.isEmpty {
            let entry = table.entries[index]
            guard !entry.isKernelThread, entry.isAlive, let inodes = socketInodes(of: entry.pid, reader) else {
                continue
            }
            for inode in inodes {
                guard let socket = wanted.removeValue(forKey: inode) else { continue }
                holders.append(PortHolder(socket, entry, homeID: homeID, reader))
            }
        }
        for socket in wanted.values {
            holders.append(
                PortHolder(
                    port: socket.port, address: socket.address, pid: nil, user: UserNames.name(of: socket.uid),
                    command: "",
                    ageSeconds: nil, tag: nil))
        }
        var seen: Set<PortHolder> = []
        return holders.filter { seen.insert($0).inserted }.sorted {
            ($0.pid ?? Int32.max, $0.address) < ($1.pid ?? Int32.max, $1.address)
        }
    }

    package init(
        port: Int, address: String, pid: Int32?, user: String, command: String, ageSeconds: Int64?, tag: InstanceTag?
    ) {
        self.port = port
        self.address = address
        self.pid = pid
        self.user = user
        self.command = command
        self.ageSeconds = ageSeconds
        self.tag = tag
    }

    private init(_ socket: ListeningSocket, _ entry: ProcessTable.Entry, homeID: String, _ reader: ProcReader) {
        let started = Int64(clamping: entry.startTime / ResourceUsage.ticksPerSecond)
        var tag: InstanceTag?
        if case .tag(let found) = InstanceTag.find(in: entry.pid, reader: reader), found.homeID == homeID {
            tag = found
        }
        self.init(
            port: socket.port, address: socket.address, pid: entry.pid, user: UserNames.name(of: entry.uid),
            command: CommandLineText.read(of: entry.pid, reader: reader),
            ageSeconds: max(0, SystemClock.bootNanoseconds() / 1_000_000_000 &- started), tag: tag)
    }
}
