import Glibc
package import Model

// Who belongs to an instance.
//
// Without a cgroup no single fact says it. The scan unites what the kernel says with certainty (the main process, what
// is below it, its session and its process group), what former scans knew (remembered members, and what is below
// them), and last the tag in the environment, which only hints.
//
// Two mistakes are possible, and the second is the worse: a member that is missed goes on running and holds its port;
// a stranger that is taken for a member gets killed. So:
// - Some processes are never members, and the walk does not go through them either: what is below a nested hearthd
//   (a hook that ran `hearth up`) is the nested one's business.
// - A pid is believed together with its start time only. The kernel does not give out a pid while a session or
//   group of that number exists, so a session is the main process's own unless that pid has another start time now.
// - A tagged process counts with the same uid and a start time not before the spawn, and only if everything between
//   it and whoever collects orphans is a member, has the same tag, or has lost its environment. Otherwise a shell in
//   which somebody tries out a copy of the app's environment would be taken for a part of the app.

/// Finds the members of instances in one process table. One scan serves many instances: environments are read at most
/// once, and only where the tag can matter.
///
/// Reads /proc/PID/environ, which can block: for the inspection thread and the command line only.
package final class MembershipScan {
    /// What is known of an instance whose members are asked for.
    package struct Query: Hashable, Sendable {
        /// The main process, also when it has ended: its number still names its session. nil: never seen.
        package var main: ProcessIdentity?
        /// Start time of the earliest process that can belong to this generation, in clock ticks after boot.
        package var notBefore: UInt64
        /// Whom its processes run as: what carries the tag under another uid does not count.
        package var uid: UInt32
        package var tag: InstanceTag
        /// Members that former scans found.
        package var remembered: [ProcessIdentity]

        package init(
            main: ProcessIdentity?, notBefore: UInt64, uid: UInt32, tag: InstanceTag,
            remembered: [ProcessIdentity] = []
        ) {
            self.main = main
            self.notBefore = notBefore
            self.uid = uid
            self.tag = tag
            self.remembered = remembered
        }
    }

    /// A process that carries a tag of this home.
    package struct TaggedProcess: Hashable, Sendable {
        package var identity: ProcessIdentity
        package var instance: InstanceID
        package var generation: Generation
        package var uid: UInt32
        /// The oldest session leader of its instance and generation.
        package var isMain: Bool
    }

    package let table: ProcessTable
    private let reader: ProcReader
    private let depths: [Int32]
    /// Never a member, and nothing is reached through it.
    private var isBarred: [Bool]
    /// A barred process that collects orphans: pid 1, the keeper, and the ancestors of keeper and daemon.
    private var collectsOrphans: [Bool]
    private var findings: [InstanceTag.Finding?]
    /// Equal to `query` for what the query at hand has reached.
    private var mark: [UInt32]
    private var query: UInt32 = 0

    /// `keeper` and `daemon`: pids of the home's own, where they live.
    package init(
        _ table: ProcessTable, keeper: Int32? = nil, daemon: Int32? = nil, reader: ProcReader = ProcReader()
    ) {
        self.table = table
        self.reader = reader
        depths = table.depths()
        isBarred = table.entries.map {
            $0.isKernelThread || $0.pid == 1 || $0.pid == getpid() || $0.name == "hearthd" || $0.name == "hearth-keeper"
        }
        // A user's systemd collects the orphans of a session whose keeper has died.
        collectsOrphans = table.entries.map { $0.pid == 1 || $0.name == "systemd" }
        findings = Array(repeating: nil, count: table.entries.count)
        mark = Array(repeating: 0, count: table.entries.count)
        for pid in [keeper, daemon] {
            var index = pid.flatMap(table.index(of:))
            while let current = index, !collectsOrphans[current] || !isBarred[current] {
                isBarred[current] = true
                collectsOrphans[current] = true
                index = table.index(of: table.entries[current].parent)
            }
        }
    }

    /// The living members: the deepest first, the main process last, and absent when it has ended.
    package func members(of asked: Query) -> [ProcessIdentity] {
        query &+= 1
        var reached: [Int] = []
        let main = asked.main.flatMap { index(of: $0) }
        if let main { reach(main, &reached) }
        for identity in asked.remembered {
            if let index = index(of: identity) { reach(index, &reached) }
        }
        if let main = asked.main { reachSession(of: main, asked, &reached) }
        var next = 0
        reachDescendants(from: &next, &reached)
        reachTagged(asked, &reached)
        reachDescendants(from: &next, &reached)

        let members = reached.filter { table.entries[$0].isAlive && $0 != main }.sorted { left, right in
            if depths[left] != depths[right] { return depths[left] > depths[right] }
            let (one, other) = (table.entries[left], table.entries[right])
            return (one.startTime, one.pid) > (other.startTime, other.pid)
        }
        var identities = members.map { table.entries[$0].identity }
        if let main, mark[main] == query, table.entries[main].isAlive {
            identities.append(table.entries[main].identity)
        }
        return identities
    }

    /// Every process with a tag of this home, the oldest first: the last resort when there are no records. Anybody
    /// can set a tag: look at the uid before believing it.
    package func taggedProcesses(homeID: String) -> [TaggedProcess] {
        var found: [(process: TaggedProcess, leadsSession: Bool)] = []
        for (index, entry) in table.entries.enumerated() where !isBarred[index] && entry.isAlive {
            guard case .tag(let tag) = finding(at: index), tag.homeID == homeID else { continue }
            let process = TaggedProcess(
                identity: entry.identity, instance: tag.instance, generation: tag.generation, uid: entry.uid,
                isMain: false)
            found.append((process, entry.session == entry.pid))
        }
        // Of two that started within one tick the lower pid is the older, unless the numbers began anew just then.
        // Not the one higher up: a daemon that left its parents stands above them.
        found.sort { left, right in
            (left.process.identity.startTime, left.process.identity.pid)
                < (right.process.identity.startTime, right.process.identity.pid)
        }
        var withMain: Set<InstanceTag> = []
        return found.map { process, leadsSession in
            var process = process
            if leadsSession {
                let tag = InstanceTag(homeID: "", instance: process.instance, generation: process.generation)
                process.isMain = withMain.insert(tag).inserted
            }
            return process
        }
    }

    /// The tag that a process carries, if its environment can be read.
    package func tag(of pid: Int32) -> InstanceTag? {
        guard let index = table.index(of: pid), case .tag(let tag) = finding(at: index) else { return nil }
        return tag
    }

    // MARK: - The rules

    private func index(of identity: ProcessIdentity) -> Int? {
        guard let index = table.index(of: identity.pid) else { return nil }
        return table.entries[index].startTime == identity.startTime ? index : nil
    }

    private func reach(_ index: Int, _ reached: inout [Int]) {
        guard !isBarred[index], mark[index] != query else { return }
        mark[index] = query
        reached.append(index)
    }

    private func reachDescendants(from next: inout Int, _ reached: inout [Int]) {
        while next < reached.count {
            for child in table.childIndices(of: reached[next]) { reach(child, &reached) }
            next &+= 1
        }
    }

    private func reachSession(of main: ProcessIdentity, _ asked: Query, _ reached: inout [Int]) {
        let current = table.entry(of: main.pid)
        // Somebody else has the number now, which the kernel allows only once session and group were empty.
        if let current, current.startTime != main.startTime { return }
        for (index, entry) in table.entries.enumerated()
        where (entry.session == main.pid || entry.group == main.pid) && entry.startTime >= asked.notBefore {
            // With the main process gone, its number may have been used and left again: then another tag says so.
            if current == nil, case .tag(let tag) = finding(at: index), tag != asked.tag { continue }
            reach(index, &reached)
        }
    }

    private func reachTagged(_ asked: Query, _ reached: inout [Int]) {
        for (index, entry) in table.entries.enumerated() {
            guard entry.uid == asked.uid, entry.startTime >= asked.notBefore, mark[index] != query, !isBarred[index],
                hasTag(asked.tag, at: index), isOrphaned(index, of: asked)
            else { continue }
            reach(index, &reached)
        }
    }

    /// Whether nothing but members, bearers of the same tag and processes without an environment stands between this
    /// process and one that collects orphans.
    private func isOrphaned(_ index: Int, of asked: Query) -> Bool {
        var current = table.index(of: table.entries[index].parent)
        // A cycle cannot be longer than the table.
        for _ in table.entries.indices {
            // The parent is gone, or lies outside this pid namespace.
            guard let above = current else { return true }
            if collectsOrphans[above] { return true }
            if isBarred[above] { return false }
            if mark[above] != query {
                guard table.entries[above].startTime >= asked.notBefore else { return false }
                switch finding(at: above) {
                case .tag(let tag): if tag != asked.tag { return false }
                case .none: return false
                case .unreadable: break
                }
            }
            current = table.index(of: table.entries[above].parent)
        }
        return false
    }

    private func hasTag(_ tag: InstanceTag, at index: Int) -> Bool {
        guard case .tag(let found) = finding(at: index) else { return false }
        return found == tag
    }

    private func finding(at index: Int) -> InstanceTag.Finding {
        if let finding = findings[index] { return finding }
        let entry = table.entries[index]
        // In D it may hold the lock that reading its memory needs.
        let isWorthReading = entry.isAlive && entry.state != UInt8(ascii: "D") && !entry.isKernelThread
        let finding = isWorthReading ? InstanceTag.find(in: entry.pid, reader: reader) : .unreadable
        findings[index] = finding
        return finding
    }
}
