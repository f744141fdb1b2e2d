import CLinux
import Control
import Model
import Platform
import Records

#if canImport(Glibc)
    import Glibc
#endif

/// What every part of the daemon works with: the loop, the threads, the home.
final class Services {
    let paths: HomePaths
    let machine: MachineIdentity
    let loop: EventLoop
    let log: DaemonLog
    let journal: EventJournal
    let vault: Vault
    let state: StateStore
    let table: InstanceTable
    /// Start processes: up to 4 at once, so that one that waits for a dead network disk holds no other.
    let spawners = WorkerPool(name: "hearthd-spawn", limit: 4)
    /// State files. One thread: writes are in order.
    let stateThread: WorkerPool
    /// Walks through /proc and socket tables. One thread: it owns the caches of the inspection. A walk of 10 ms must not
    /// delay the start of a crashed app.
    let inspectionThread = WorkerPool(name: "hearthd-inspect", yieldsToOthers: true)
    /// Files that apps name: pid files and environment files, on disks that may hang.
    let files = WorkerPool(name: "hearthd-files", limit: 2)
    /// Directory trees that are watched. A walk through 20,000 directories is never urgent.
    let watchers = WorkerPool(name: "hearthd-watch", limit: 2, yieldsToOthers: true)
    /// Large messages.
    let codec = WorkerPool(name: "hearthd-codec")
    let limits: ProcessLimits
    /// Part of the tag in every app's environment.
    let homeID: String
    /// Where instances get cgroups; nil where none was delegated.
    let cgroupBase: String?
    /// The service that this daemon belongs to, `hearth-deploy.service`; nil: somebody started it.
    let unit: String?
    /// The kernel holds instances to their `memory_max` (their cgroups have a memory controller).
    let limitsMemory: Bool
    private var isTableDirty = false
    private var isTableBusy = false
    private var userNames: [uid_t: String] = [:]

    init(
        paths: HomePaths, machine: MachineIdentity, loop: EventLoop, log: DaemonLog, vault: Vault,
        desired: DesiredState, table: InstanceTable, limits: ProcessLimits
    ) {
        self.paths = paths
        self.machine = machine
        self.loop = loop
        self.log = log
        self.vault = vault
        self.table = table
        self.limits = limits
        journal = EventJournal(log)
        stateThread = WorkerPool(name: "hearthd-state")
        state = StateStore(desired, loop: loop, paths: paths, pool: stateThread, log: log)
        homeID = paths.id
        state.keep = { memory, former in
            // The keeper answers when it has what was sent before, so nothing is closed that is still to be sent.
            let closeFormer = { (_: Bool) in if let former { _ = close(former) } }
            if let memory {
                vault.deposit(KEEPER_KIND_LIST, id: 0, memory, done: closeFormer)
            } else {
                vault.drop(KEEPER_KIND_LIST, id: 0, done: closeFormer)
            }
        }
        unit = getenv("HEARTH_UNIT").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        cgroupBase = Cgroups.delegatedBase()
        limitsMemory = cgroupBase.map(Cgroups.enableControllers) ?? false
    }

    /// The cgroup of one generation of an instance.
    func cgroup(of id: InstanceID, _ generation: Generation) -> String? {
        cgroupBase.map { "\($0)/hearth-\(homeID)-\(id)-\(generation)" }
    }

    /// Has the disk copy of the instance table written, soon and at most once at a time.
    func tableChanged() {
        isTableDirty = true
        guard !isTableBusy else { return }
        isTableBusy = true
        // In the next turn of the loop: behind the start of a crashed app, and many changes of one turn at once.
        loop.schedule(after: Milliseconds(0)) { [unowned self] in self.saveTable() }
    }

    private func saveTable() {
        isTableDirty = false
        let (reader, paths, machine) = (table.reader, paths, machine)
        loop.offload(to: stateThread) { () -> Bool in
            let path = paths.instanceTable(of: machine)
            if (try? reader.save(to: path)) != nil { return true }
            // The run directory may have been removed.
            try? FileSystem.makeDirectory(FileSystem.parent(of: path))
            return (try? reader.save(to: path)) != nil
        } then: { [unowned self] _ in
            self.isTableBusy = false
            if self.isTableDirty { self.tableChanged() }
        }
    }

    /// The disk copy is as the table is.
    var isTableQuiet: Bool { !isTableBusy && !isTableDirty }

    func userName(_ uid: uid_t) -> String {
        if let known = userNames[uid] { return known }
        let name = UserNames.name(of: uid)
        userNames[uid] = name
        return name
    }
}

/// Limits of the daemon's own process that an app must not inherit as they are.
struct ProcessLimits: Sendable {
    /// Soft limit on open files before it was raised: what apps get.
    var openFiles: UInt64
    var openFilesRaised: UInt64
    var umask: UInt32
}
