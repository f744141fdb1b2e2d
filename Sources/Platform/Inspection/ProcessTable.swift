import Glibc
package import Model

/// All processes as one pass over /proc saw them.
///
/// A pass is no snapshot: processes start, end and change parents while it runs. Whatever follows the links must bear
/// a parent that is missing and, after pids were reused, even a cycle.
package struct ProcessTable: Sendable {
    /// One process: what /proc/PID/stat says of it.
    package struct Entry: Hashable, Sendable {
        package var pid: Int32
        package var parent: Int32
        package var group: Int32
        package var session: Int32
        /// Clock ticks after boot.
        package var startTime: UInt64
        /// Effective uid.
        package var uid: UInt32
        /// The kernel's letter: `R`, `S`, `D`, `T`, `Z`, …
        package var state: UInt8
        package var userTicks: UInt64
        package var systemTicks: UInt64
        package var threads: Int
        package var residentBytes: Int64
        package var isKernelThread: Bool
        /// At most 15 bytes, chosen by the process. Not unique, not trustworthy, may hold anything.
        package var name: String

        package init(
            pid: Int32, parent: Int32, group: Int32 = 0, session: Int32 = 0, startTime: UInt64 = 0, uid: UInt32 = 0,
            state: UInt8 = UInt8(ascii: "S"), userTicks: UInt64 = 0, systemTicks: UInt64 = 0, threads: Int = 1,
            residentBytes: Int64 = 0, isKernelThread: Bool = false, name: String = ""
        ) {
            self.pid = pid
            self.parent = parent
            self.group = group
            self.session = session
            self.startTime = startTime
            self.uid = uid
            self.state = state
            self.userTicks = userTicks
            self.systemTicks = systemTicks
            self.threads = threads
            self.residentBytes = residentBytes
            self.isKernelThread = isKernelThread
            self.name = name
        }

        package var identity: ProcessIdentity { ProcessIdentity(pid: pid, startTime: startTime) }

        /// Whether it still runs code. A zombie does not, unless only its first thread ended and others go on.
        package var isAlive: Bool {
            switch state {
            case UInt8(ascii: "X"), UInt8(ascii: "x"): false
            case UInt8(ascii: "Z"): threads > 1
            default: true
            }
        }
    }

    /// Ascending by pid.
    package let entries: [Entry]
    /// False when something other than the end of a process kept one from being read (descriptors or memory ran out):
    /// then "not in the table" does not mean "gone".
    package let isComplete: Bool
    private let firstChild: [Int32]
    private let nextSibling: [Int32]

    package init(entries: [Entry], isComplete: Bool = true) {
        let isSorted = zip(entries, entries.dropFirst()).allSatisfy { $0.pid < $1.pid }
        let sorted = isSorted ? entries : entries.sorted { $0.pid < $1.pid }
        var firstChild = [Int32](repeating: -1, count: sorted.count)
        var nextSibling = firstChild
        for child in sorted.indices.reversed() where sorted[child].parent != sorted[child].pid {
            guard let parent = Self.index(of: sorted[child].parent, in: sorted) else { continue }
            nextSibling[child] = firstChild[parent]
            firstChild[parent] = Int32(truncatingIfNeeded: child)
        }
        self.entries = sorted
        self.isComplete = isComplete
        self.firstChild = firstChild
        self.nextSibling = nextSibling
    }

    /// One pass over /proc. Empty and not complete when /proc cannot be read.
    package static func read(with reader: ProcReader = ProcReader()) -> ProcessTable {
        var entries: [Entry] = []
        entries.reserveCapacity(512)
        var isComplete = true
        // Its own description: the position of a shared one would be shared, too.
        let listing = reader.directory < 0 ? -1 : openat(reader.directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard listing >= 0 else { return ProcessTable(entries: [], isComplete: false) }
        let isListed = forEachName(inDirectory: listing) { name in
            guard let pid = number(in: name) else { return true }
            switch entry(of: pid, with: reader) {
            case .success(let entry): entries.append(entry)
            case .failure(let failure): if !failure.meansGone { isComplete = false }
            }
            return true
        }
        return ProcessTable(entries: entries, isComplete: isComplete && isListed)
    }

    /// A single process, read now; nil when there is none.
    package static func entry(of pid: Int32, reader: ProcReader = ProcReader()) -> Entry? {
        try? entry(of: pid, with: reader).get()
    }

    package func entry(of pid: Int32) -> Entry? {
        index(of: pid).map { entries[$0] }
    }

    package func entry(of identity: ProcessIdentity) -> Entry? {
        entry(of: identity.pid).flatMap { $0.startTime == identity.startTime ? $0 : nil }
    }

    /// Children, ascending by pid.
    package func children(of pid: Int32) -> [Entry] {
        guard let index = index(of: pid) else { return [] }
        return childIndices(of: index).map { entries[$0] }
    }

    /// All below `pid`, the deepest first: the order in which a tree can be ended without anybody restarting anybody.
    package func descendants(of pid: Int32) -> [Entry] {
        guard let root = index(of: pid) else { return [] }
        var isSeen = [Bool](repeating: false, count: entries.count)
        isSeen[root] = true
        var found = [root]
        var next = 0
        while next < found.count {
            for child in childIndices(of: found[next]) where !isSeen[child] {
                isSeen[child] = true
                found.append(child)
            }
            next &+= 1
        }
        return found.dropFirst().reversed().map { entries[$0] }
    }

    // MARK: - By index, for scans

    func index(of pid: Int32) -> Int? { Self.index(of: pid, in: entries) }

    func childIndices(of index: Int) -> some Sequence<Int> {
        sequence(state: firstChild[index]) { (child: inout Int32) -> Int? in
            guard child >= 0 else { return nil }
            let found = Int(child)
            child = nextSibling[found]
            return found
        }
    }

    /// How many ancestors each process has in this table.
    func depths() -> [Int32] {
        var depths = [Int32](repeating: 0, count: entries.count)
        var queue = entries.indices.filter { index in
            entries[index].parent == entries[index].pid || self.index(of: entries[index].parent) == nil
        }
        var next = 0
        // A member of a cycle is below no root: never queued, depth 0.
        while next < queue.count {
            let parent = queue[next]
            for child in childIndices(of: parent) {
                depths[child] = depths[parent] &+ 1
                queue.append(child)
            }
            next &+= 1
        }
        return depths
    }

    private static func index(of pid: Int32, in entries: [Entry]) -> Int? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low &+ high) / 2
            if entries[middle].pid < pid { low = middle &+ 1 } else { high = middle }
        }
        return low < entries.count && entries[low].pid == pid ? low : nil
    }

    private struct ReadFailure: Error {
        let code: Int32
        /// Ended, or hidden from us (hidepid): nothing that another try would change.
        var meansGone: Bool { code == ENOENT || code == ESRCH || code == EACCES || code == EPERM }
    }

    private static func entry(of pid: Int32, with reader: ProcReader) -> Result<Entry, ReadFailure> {
        let count = reader.readRecord(pid, "stat")
        guard count >= 0 else { return .failure(ReadFailure(code: Int32(truncatingIfNeeded: -count))) }
        guard let uid = reader.owner(of: pid), let entry = Entry(stat: reader.bytes(count), uid: uid) else {
            return .failure(ReadFailure(code: ESRCH))
        }
        return .success(entry)
    }
}
