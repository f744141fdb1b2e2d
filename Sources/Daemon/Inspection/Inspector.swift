import Control
import Model
import Platform
import Supervision

#if canImport(Glibc)
    import Glibc
#endif

/// Measures the instances' process trees on the inspection thread: memory, CPU, ports, members.
///
/// Nothing is measured unless somebody asks, or an instance is new: then at 0.2, 1, 5 and 30 s, so that its ports and
/// its members are known before anyone asks (and before a member can lose itself).
final class Inspector {
    struct Sample: Sendable {
        var generation: Generation
        var members: [ProcessIdentity]
        var memoryBytes: Int64
        var cpuPercent: Double?
        var ports: [ListeningPort]
    }

    struct Detail: Sendable {
        var usage: ResourceUsage
        var members: [ProcessIdentity]
    }

    private struct Key: Hashable, Sendable {
        var id: InstanceID
        var generation: Generation
    }

    /// Belongs to the inspection thread, which is one.
    private final class Caches: @unchecked Sendable {
        // Sendable: used on the single inspection thread only.
        var ports = PortTable()
        var cpu = CPUSampler<Key>()
    }

    private static let looksAfterSpawn: [Int64] = [200, 1000, 5000, 30_000]

    private let services: Services
    private let fleet: Fleet
    private let caches = Caches()
    private(set) var samples: [InstanceID: Sample] = [:]
    private var sampledAt = Instant(milliseconds: -1_000_000)
    private var walkedAt = Instant(milliseconds: -1_000_000)
    private var lookAfterwards = false
    private var isSampling = false
    private var waiters: [() -> Void] = []
    private var dueLooks: [Instant] = []
    private var lookTimer: EventLoop.TimerToken?

    init(_ services: Services, _ fleet: Fleet) {
        self.services = services
        self.fleet = fleet
    }

    func usage(of id: InstanceID) -> InstanceView.Usage {
        guard let sample = samples[id], sample.generation == fleet[id]?.machine.generation else {
            return InstanceView.Usage()
        }
        return InstanceView.Usage(
            cpuPercent: sample.cpuPercent, memoryBytes: sample.memoryBytes,
            ports: sample.ports.map {
                PortView(
                    protocol: $0.protocol, address: $0.address, port: $0.port, pid: $0.pid, command: $0.command)
            })
    }

    /// Calls back when the samples are at most a second old, or after 300 ms with what there is: a /proc that hangs
    /// must not keep anybody from a list.
    ///
    /// Only the members that are known are measured (a hundred processes in a millisecond). Who else belongs to the
    /// trees is looked up behind the answer, by a pass over all of /proc, when the last one is over 5 s old.
    func refresh(_ done: @escaping () -> Void) {
        let now = SystemClock.now()
        let isComplete = fleet.ids.allSatisfy { id in
            fleet[id]?.machine.process == nil || samples[id]?.generation == fleet[id]?.machine.generation
        }
        if now.since(sampledAt).rawValue < 1000, isComplete { return done() }
        var isDone = false
        let timer = services.loop.schedule(after: Milliseconds(300)) {
            guard !isDone else { return }
            isDone = true
            done()
        }
        waiters.append { [unowned self] in
            guard !isDone else { return }
            isDone = true
            self.services.loop.cancel(timer)
            done()
        }
        guard !isSampling else { return }
        sample(onlyKnown: true)
        if now.since(walkedAt).rawValue > 5000 { lookAfterwards = true }
    }

    /// Looks at a new process a few times while it settles.
    func lookSoon() {
        let now = SystemClock.now()
        dueLooks += Self.looksAfterSpawn.map { now.advanced(by: Milliseconds($0)) }
        // A walk costs some 10 ms of a processor: an app in a restart loop gets two a second, not one per restart.
        dueLooks.sort()
        var kept: [Instant] = []
        for due in dueLooks where kept.last.map({ due.since($0).rawValue >= 500 }) ?? true { kept.append(due) }
        dueLooks = kept
        armLook()
    }

    private func armLook() {
        if let lookTimer { services.loop.cancel(lookTimer) }
        lookTimer = nil
        guard let next = dueLooks.first else { return }
        lookTimer = services.loop.schedule(at: next) { [unowned self] in
            self.lookTimer = nil
            let now = SystemClock.now()
            self.dueLooks.removeAll { $0 <= now }
            self.sample()
            self.armLook()
        }
    }

    /// - Parameter onlyKnown: measure the members that former looks found, and find no others.
    private func sample(onlyKnown: Bool = false) {
        guard !isSampling else { return }
        isSampling = true
        let jobs = fleet.ids.compactMap { id -> (Key, MembershipScan.Query)? in
            guard let (generation, query) = fleet.inspectionQuery(of: id) else { return nil }
            return (Key(id: id, generation: generation), query)
        }
        let (caches, keeper, daemon) = (caches, services.vault.keeperPid, getpid())
        services.loop.offload(to: services.inspectionThread) {
            Self.measure(jobs, caches, onlyKnown: onlyKnown, keeper: keeper, daemon: daemon)
        } then: { [unowned self] samples in
            self.isSampling = false
            self.samples = samples
            self.sampledAt = SystemClock.now()
            if !onlyKnown {
                self.walkedAt = self.sampledAt
                for (id, sample) in samples {
                    self.fleet.remember(sample.members, of: id, sample.generation)
                }
            }
            let waiters = self.waiters
            self.waiters = []
            for waiter in waiters { waiter() }
            if self.lookAfterwards {
                self.lookAfterwards = false
                // Not while the client is still at work with its answer.
                self.services.loop.schedule(after: Milliseconds(100)) { [unowned self] in self.sample() }
            }
        }
    }

    private static func measure(
        _ jobs: [(Key, MembershipScan.Query)], _ caches: Caches, onlyKnown: Bool, keeper: Int32?, daemon: Int32
    ) -> [InstanceID: Sample] {
        let reader = ProcReader()
        let table: ProcessTable
        let membersOf: (MembershipScan.Query) -> [ProcessIdentity]
        if onlyKnown {
            let known = { (query: MembershipScan.Query) -> [ProcessIdentity] in
                query.remembered.isEmpty ? query.main.map { [$0] } ?? [] : query.remembered
            }
            let pids = Set(jobs.flatMap { known($0.1).map(\.pid) })
            table = ProcessTable(entries: pids.sorted().compactMap { ProcessTable.entry(of: $0, reader: reader) })
            membersOf = { query in known(query).filter { table.entry(of: $0) != nil } }
        } else {
            table = ProcessTable.read(with: reader)
            let scan = MembershipScan(table, keeper: keeper, daemon: daemon, reader: reader)
            membersOf = { scan.members(of: $0) }
        }
        caches.ports.refresh()
        let now = SystemClock.bootNanoseconds()
        var samples: [InstanceID: Sample] = [:]
        var living: Set<ProcessIdentity> = []
        for (key, query) in jobs {
            let members = membersOf(query)
            let usage = ResourceUsage.measure(members, in: table, reader: reader)
            samples[key.id] = Sample(
                generation: key.generation, members: members, memoryBytes: usage.memoryBytes,
                cpuPercent: caches.cpu.sample(key, ticks: usage.cpuTicks, at: now),
                ports: caches.ports.ports(of: members))
            living.formUnion(members)
        }
        caches.ports.keep(only: living)
        caches.cpu.keep(only: Set(jobs.map(\.0)))
        return samples
    }

    // MARK: For reloads

    /// Whether a process, or one of its tree, has a listening TCP socket.
    func hasOwnSocket(_ id: InstanceID, _ generation: Generation, _ done: @escaping (Bool) -> Void) {
        guard let query = fleet.inspectionQuery(of: id, generation) else { return done(false) }
        let (keeper, daemon) = (services.vault.keeperPid, getpid())
        services.loop.offload(to: services.inspectionThread) { () -> Bool in
            let scan = MembershipScan(ProcessTable.read(), keeper: keeper, daemon: daemon)
            var ports = PortTable()
            ports.refresh()
            return !ports.ports(of: scan.members(of: query)).isEmpty
        } then: {
            done($0)
        }
    }

    // MARK: For memory limits

    /// Looks through all processes for new members of the trees.
    func walk() { sample() }

    /// What the trees of some instances use now: by their cgroups where the kernel counts there, else the sum over the
    /// members that are known.
    func memory(
        of ids: [InstanceID], _ done: @escaping ([InstanceID: (generation: Generation, bytes: Int64)]) -> Void
    ) {
        let jobs = ids.compactMap { id -> MemoryJob? in
            guard let (generation, query) = fleet.inspectionQuery(of: id) else { return nil }
            return MemoryJob(
                id: id, generation: generation, cgroup: services.cgroup(of: id, generation),
                known: query.remembered.isEmpty ? query.main.map { [$0] } ?? [] : query.remembered)
        }
        services.loop.offload(to: services.inspectionThread) { () -> [MemoryReading] in
            let reader = ProcReader()
            return jobs.map { MemoryReading(id: $0.id, generation: $0.generation, bytes: Self.memory($0, reader)) }
        } then: { readings in
            var found: [InstanceID: (generation: Generation, bytes: Int64)] = [:]
            for reading in readings { found[reading.id] = (reading.generation, reading.bytes) }
            done(found)
        }
    }

    private struct MemoryJob: Sendable {
        var id: InstanceID
        var generation: Generation
        var cgroup: String?
        var known: [ProcessIdentity]
    }

    private struct MemoryReading: Sendable {
        var id: InstanceID
        var generation: Generation
        var bytes: Int64
    }

    private static func memory(_ job: MemoryJob, _ reader: ProcReader) -> Int64 {
        if let cgroup = job.cgroup, let bytes = Cgroups.memory(of: cgroup) { return bytes }
        var members = Set(job.known)
        // A process cannot leave its cgroup: it names children that no walk has found yet.
        for pid in job.cgroup.map(Cgroups.pids(in:)) ?? [] {
            if let process = ProcessIdentity.current(of: pid, reader: reader) { members.insert(process) }
        }
        let table = ProcessTable(
            entries: Set(members.map(\.pid)).sorted().compactMap { ProcessTable.entry(of: $0, reader: reader) })
        return ResourceUsage.measure(Array(members), in: table, reader: reader).memoryBytes
    }

    /// Everything about some instances, for `show`.
    func details(of ids: [InstanceID], _ done: @escaping ([InstanceID: Detail]) -> Void) {
        let jobs = ids.compactMap { id in fleet.inspectionQuery(of: id).map { (id, $0.query) } }
        let (keeper, daemon) = (services.vault.keeperPid, getpid())
        services.loop.offload(to: services.inspectionThread) { () -> [InstanceID: Detail] in
            let table = ProcessTable.read()
            let scan = MembershipScan(table, keeper: keeper, daemon: daemon)
            var details: [InstanceID: Detail] = [:]
            for (id, query) in jobs {
                let members = scan.members(of: query)
                details[id] = Detail(
                    usage: ResourceUsage.measure(members, in: table, detail: .full), members: members)
            }
            return details
        } then: {
            done($0)
        }
    }
}
