import CLinux
import Model
import Platform
import Records

#if canImport(Glibc)
    import Glibc
#endif

/// The desired state in memory, and its way to the disk.
///
/// Changes are written in order by the state thread, each write carrying everything that changed up to then. A change
/// is `written` when the file is in place (it survives the death of every process) and `durable` when it is on the disk
/// (it survives a power cut). Nobody waits for either longer than a bound: a disk that hangs or is full must not hold
/// an app.
final class StateStore {
    /// Milestones of a change. `failure`: why it is not there.
    typealias Waiter = (_ failure: String?) -> Void

    private let loop: EventLoop
    private let paths: HomePaths
    private let pool: WorkerPool
    private let log: DaemonLog
    private(set) var desired: DesiredState
    private var version: UInt64 = 0
    private var writtenVersion: UInt64 = 0
    private var durableVersion: UInt64 = 0
    private var isBusy = false
    private var writtenWaiters: [(version: UInt64, call: Waiter)] = []
    private var durableWaiters: [(version: UInt64, call: Waiter)] = []
    private var pendingSnapshots: [Snapshot] = []
    private var retryDelay = Milliseconds(1000)
    private(set) var lastFailure: String?
    /// Gives the keeper a list that the disk does not take, and with nil takes it back. The former one is then closed.
    var keep: ((Int32?, _ former: Int32?) -> Void)?
    /// The keeper has a list.
    var isKept = false
    private var keptCopy: Int32?

    init(_ desired: DesiredState, loop: EventLoop, paths: HomePaths, pool: WorkerPool, log: DaemonLog) {
        self.desired = desired
        self.loop = loop
        self.paths = paths
        self.pool = pool
        self.log = log
    }

    /// Changes the list. Before a change that adds or removes entries, the list as it was is kept as a snapshot.
    func change(keepingSnapshotFor actor: Actor? = nil, _ body: (inout DesiredState) -> Void) {
        if let actor, !desired.instances.isEmpty {
            let now = SystemClock.wallClock()
            pendingSnapshots.append(
                Snapshot(
                    name: "auto-\(SnapshotStore.stamp(now))", at: now, kind: .automatic, by: actor, state: desired))
        }
        body(&desired)
        desired.dropUnusedEnvironments()
        version += 1
        write()
    }

    /// Calls back when everything changed so far is written, or after `bound`.
    func whenWritten(within bound: Milliseconds = Milliseconds(1000), _ call: @escaping Waiter) {
        wait(\.writtenWaiters, writtenVersion, bound, call)
    }

    /// Calls back when everything changed so far is on the disk, or after `bound` (2 s as decided).
    func whenDurable(within bound: Milliseconds = Milliseconds(2000), _ call: @escaping Waiter) {
        wait(\.durableWaiters, durableVersion, bound, call)
    }

    private func wait(
        _ waiters: ReferenceWritableKeyPath<StateStore, [(version: UInt64, call: Waiter)]>, _ reached: UInt64,
        _ bound: Milliseconds, _ call: @escaping Waiter
    ) {
        guard reached < version else { return call(nil) }
        var isDone = false
        let timer = loop.schedule(after: bound) { [unowned self] in
            guard !isDone else { return }
            isDone = true
            call(self.lastFailure ?? "the disk did not answer within \(bound)")
        }
        self[keyPath: waiters].append(
            (
                version,
                { [unowned self] failure in
                    guard !isDone else { return }
                    isDone = true
                    self.loop.cancel(timer)
                    call(failure)
                }
            ))
    }

    private func write() {
        guard !isBusy, writtenVersion < version || durableVersion < writtenVersion else { return }
        isBusy = true
        if writtenVersion < version {
            // Before the disk is tried: the keeper's copy, while there is one, is never older than the file.
            if isKept || lastFailure != nil { keepCopy() }
            let (target, state, paths, snapshots) = (version, desired, paths, pendingSnapshots)
            pendingSnapshots = []
            loop.offload(to: pool) { () -> SystemError? in
                do throws(SystemError) {
                    try FileSystem.makeDirectory(paths.state)
                    try DesiredStateFile.write(state, to: paths, sync: false)
                } catch { return error }
                // A snapshot that could not be kept does not undo the change.
                for snapshot in snapshots { try? SnapshotStore.write(snapshot, paths, sync: false) }
                return nil
            } then: { [unowned self] failure in
                self.isBusy = false
                self.finished(\.writtenVersion, target, failure, \.writtenWaiters)
            }
        } else {
            let (target, paths) = (writtenVersion, paths)
            loop.offload(to: pool) { () -> SystemError? in
                do throws(SystemError) {
                    try DesiredStateFile.sync(paths)
                    return nil
                } catch { return error }
            } then: { [unowned self] failure in
                self.isBusy = false
                self.finished(\.durableVersion, target, failure, \.durableWaiters)
                if failure == nil { self.backUp() }
            }
        }
    }

    /// Nobody waits for the copy; one that fails is made after the next change.
    private func backUp() {
        guard durableVersion == version else { return }
        let paths = paths
        loop.offload(to: pool) {
            try? DesiredStateFile.backUp(paths)
        } then: { _ in
        }
    }

    private func finished(
        _ milestone: ReferenceWritableKeyPath<StateStore, UInt64>, _ target: UInt64, _ failure: SystemError?,
        _ waiters: ReferenceWritableKeyPath<StateStore, [(version: UInt64, call: Waiter)]>
    ) {
        if let failure {
            let text = failure.description
            if lastFailure != text { log.note("the list is not saved: \(text)") }
            lastFailure = text
            if writtenVersion < version { keepCopy() }
            let everybody = writtenWaiters + durableWaiters
            writtenWaiters = []
            durableWaiters = []
            for waiter in everybody { waiter.call(text) }
            let delay = retryDelay
            retryDelay = Milliseconds(min(60_000, delay.rawValue * 2))
            loop.schedule(after: delay) { [unowned self] in self.write() }
            return
        }
        if lastFailure != nil { log.note("the list is saved again") }
        lastFailure = nil
        retryDelay = Milliseconds(1000)
        self[keyPath: milestone] = target
        if isKept, writtenVersion == version { dropCopy() }
        let ready = self[keyPath: waiters].filter { $0.version <= target }
        self[keyPath: waiters].removeAll { $0.version <= target }
        for waiter in ready { waiter.call(nil) }
        write()
    }

    // MARK: While the disk takes nothing

    /// What was commanded must outlive this daemon all the same: a copy in memory goes to the keeper.
    private func keepCopy() {
        let memory = clinux_memfd("hearth-list")
        guard memory >= 0 else { return }
        let isWhole = RecordCoding.encode(desired).withUnsafeBytes { raw in
            (try? FileSystem.writeAll(memory, raw, path: "the copy of the list")) != nil
        }
        guard isWhole else {
            close(memory)
            return
        }
        let former = keptCopy
        keptCopy = memory
        isKept = true
        keep?(memory, former)
    }

    private func dropCopy() {
        let former = keptCopy
        keptCopy = nil
        isKept = false
        keep?(nil, former)
    }

    /// A new keeper knows nothing of it.
    func keepAgain() {
        if let keptCopy { keep?(keptCopy, nil) }
    }

    /// The list in a descriptor that a former daemon left with the keeper.
    static func kept(_ memory: Int32) -> DesiredState? {
        defer { close(memory) }
        guard let bytes = try? FileSystem.read("/proc/self/fd/\(memory)") else { return nil }
        return try? RecordCoding.decode(DesiredState.self, from: bytes)
    }

    /// Everything that changed is on the disk, or can't get there now.
    var isQuiet: Bool { !isBusy && (durableVersion == version || lastFailure != nil) }
}

extension DesiredState {
    /// Entries share the environment of the command that made them; one that nobody uses goes.
    fileprivate mutating func dropUnusedEnvironments() {
        let used = Set(instances.compactMap(\.environment))
        if environments.count > used.count { environments = environments.filter { used.contains($0.key) } }
    }
}
