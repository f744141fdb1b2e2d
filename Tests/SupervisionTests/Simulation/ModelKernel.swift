import Model

@testable import Supervision

/// The processes of a pretended Linux: pids that are reused at once, children, zombies, and a keeper that remembers exit
/// statuses. It outlives daemons.
struct ModelKernel {
    /// What an instance's processes belong to.
    struct Tag: Hashable {
        var instance: InstanceID
        var generation: Generation
    }

    struct Process {
        var identity: ProcessIdentity
        var tag: Tag
        var isMain: Bool
        var ignoresSignals: Bool
        /// SIGKILL works only from then on: it hangs in the kernel.
        var hangsUntil: Int64
        var isZombie = false
    }

    private(set) var processes: [Int32: Process] = [:]
    private(set) var spawned: Set<Tag> = []
    private(set) var exits: [Tag: ExitStatus] = [:]
    private var starts: UInt64 = 0

    func members(of tag: Tag) -> [Process] { processes.values.filter { $0.tag == tag && !$0.isZombie } }
    func main(of tag: Tag) -> Process? { processes.values.first { $0.tag == tag && $0.isMain && !$0.isZombie } }
    func mains(of instance: InstanceID) -> [Process] {
        processes.values.filter { $0.tag.instance == instance && $0.isMain && !$0.isZombie }
    }

    /// The process of this identity, zombies included; nil when its pid is free or another's.
    func process(_ identity: ProcessIdentity) -> Process? {
        guard let process = processes[identity.pid], process.identity == identity else { return nil }
        return process
    }

    mutating func create(
        _ tag: Tag, isMain: Bool, ignoresSignals: Bool, hangsUntil: Int64, random: inout SeededGenerator
    ) -> ProcessIdentity? {
        // Few pids, so that they are soon another's.
        var pid: Int32
        var tries = 0
        repeat {
            tries += 1
            if tries > 6 { return nil }
            pid = Int32(10 + random.below(40))
        } while processes[pid] != nil
        starts += 1
        let identity = ProcessIdentity(pid: pid, startTime: starts)
        processes[pid] = Process(
            identity: identity, tag: tag, isMain: isMain, ignoresSignals: ignoresSignals, hangsUntil: hangsUntil)
        if isMain { spawned.insert(tag) }
        return identity
    }

    /// True when it lived. A main process stays as a zombie until it is reaped.
    mutating func end(_ identity: ProcessIdentity, _ status: ExitStatus) -> Bool {
        guard let process = process(identity), !process.isZombie else { return false }
        if process.isMain {
            processes[identity.pid]?.isZombie = true
            exits[process.tag] = status
        } else {
            processes[identity.pid] = nil
        }
        return true
    }

    mutating func reap(_ tag: Tag) {
        for process in processes.values where process.tag == tag && process.isZombie {
            processes[process.identity.pid] = nil
        }
    }

    /// No daemon runs: the keeper reaps. Not every status survives.
    mutating func reapAll(random: inout SeededGenerator) {
        for process in processes.values.sorted(by: { $0.identity.pid < $1.identity.pid }) where process.isZombie {
            processes[process.identity.pid] = nil
            if random.chance(30) { exits[process.tag] = nil }
        }
    }
}
