import CLinux
import Model
import Platform

#if canImport(Glibc)
    import Glibc
#endif

/// Signals whole process trees, and tells when one is gone.
///
/// Who belongs to a tree is found on the inspection thread, in one pass over /proc for all instances that ask at the
/// same time. What is found is signalled there at once, each by pidfd after its start time was checked, so a number
/// that was reused is never hit. Waiting is for pidfds of the members, never by polling; when all that were known are
/// gone, one more pass proves that they left nothing.
final class ProcessTrees {
    typealias Query = MembershipScan.Query

    private struct Job: Sendable {
        var query: Query
        var signal: Int32?
        /// Not the main process: it is signalled by its own pidfd, or has been replaced.
        var sparesMain: Bool
        /// The cgroup of the generation, where there is one: what is in it belongs to the instance.
        var cgroup: String?
    }

    private struct Found: Sendable {
        var members: [ProcessIdentity]
        /// A pidfd for each member that could be opened, to wait for its end.
        var pidfds: [Int32]
        /// False: /proc could not be read whole, so "not found" is not "gone".
        var isComplete: Bool
    }

    private let services: Services
    private var queue: [(job: Job, then: (Found) -> Void)] = []
    private var isScanning = false

    init(_ services: Services) { self.services = services }

    /// Signals every member, the deepest first. `then` gets how many there were.
    func signal(_ query: Query, _ signal: Int32, sparingMain: Bool = false, then: @escaping (Int) -> Void) {
        enqueue(Job(query: query, signal: signal, sparesMain: sparingMain)) { found in
            for pidfd in found.pidfds { close(pidfd) }
            then(found.members.count)
        }
    }

    /// Calls back when no member is left.
    func whenGone(_ query: Query, _ then: @escaping () -> Void) {
        enqueue(Job(query: query, signal: nil, sparesMain: false)) { [unowned self] found in
            self.wait(found, query, signal: nil, then)
        }
    }

    /// SIGKILL to every member until none is left.
    func killAll(_ query: Query, _ then: @escaping () -> Void) {
        enqueue(Job(query: query, signal: SIGKILL, sparesMain: false)) { [unowned self] found in
            self.wait(found, query, signal: SIGKILL, then)
        }
    }

    /// Ends what a process that died left behind: the signal now, SIGKILL after `grace`.
    func sweep(_ query: Query, _ signal: Int32, grace: Milliseconds) {
        self.signal(query, signal, sparingMain: true) { [unowned self] count in
            guard count > 0 else { return }
            var isDone = false
            self.whenGone(query) { isDone = true }
            self.services.loop.schedule(after: grace) { [unowned self] in
                if !isDone { self.killAll(query) {} }
            }
        }
    }

    private func wait(_ found: Found, _ query: Query, signal: Int32?, _ then: @escaping () -> Void) {
        if found.members.isEmpty, found.isComplete { return then() }
        var query = query
        query.remembered = found.members
        var left = found.pidfds.count
        let rescan = { [unowned self] in
            self.enqueue(Job(query: query, signal: signal, sparesMain: false)) { [unowned self] found in
                self.wait(found, query, signal: signal, then)
            }
        }
        if left == 0 {
            // No pidfd could be opened (they just ended, or the descriptor limit is reached): look again shortly.
            services.loop.schedule(after: Milliseconds(20), rescan)
            return
        }
        for pidfd in found.pidfds {
            do throws(SystemError) {
                try services.loop.watch(pidfd, .readable) { [unowned self] _ in
                    self.services.loop.unwatch(pidfd)
                    close(pidfd)
                    left -= 1
                    if left == 0 { rescan() }
                }
            } catch {
                close(pidfd)
                left -= 1
            }
        }
        if left == 0 { services.loop.schedule(after: Milliseconds(20), rescan) }
    }

    private func enqueue(_ job: Job, _ then: @escaping (Found) -> Void) {
        var job = job
        job.cgroup = services.cgroup(of: job.query.tag.instance, job.query.tag.generation)
        queue.append((job, then))
        if !isScanning { scan() }
    }

    private func scan() {
        guard !queue.isEmpty else { return }
        isScanning = true
        let batch = queue
        queue = []
        let jobs = batch.map(\.job)
        let (keeper, daemon) = (services.vault.keeperPid, getpid())
        services.loop.offload(to: services.inspectionThread) {
            Self.perform(jobs, keeper: keeper, daemon: daemon)
        } then: { [unowned self] results in
            self.isScanning = false
            for (entry, found) in zip(batch, results) { entry.then(found) }
            self.scan()
        }
    }

    private static func perform(_ jobs: [Job], keeper: Int32?, daemon: Int32) -> [Found] {
        let table = ProcessTable.read()
        let scan = MembershipScan(table, keeper: keeper, daemon: daemon)
        return jobs.map { job in
            var found = Found(members: [], pidfds: [], isComplete: table.isComplete)
            var query = job.query
            if let cgroup = job.cgroup {
                query.remembered += Cgroups.pids(in: cgroup).compactMap { ProcessIdentity.current(of: $0) }
                if job.signal == SIGKILL, !job.sparesMain { Cgroups.kill(cgroup) }
            }
            for member in scan.members(of: query) {
                if job.sparesMain, member == job.query.main { continue }
                let pidfd = clinux_pidfd_open(member.pid)
                guard pidfd >= 0 else {
                    if pidfd != -ESRCH { found.members.append(member) }
                    continue
                }
                // From here on the number cannot change hands unnoticed: what is checked now is what is signalled.
                guard ProcessIdentity.current(of: member.pid) == member else {
                    close(pidfd)
                    continue
                }
                if let signal = job.signal { _ = clinux_pidfd_send_signal(pidfd, signal) }
                found.members.append(member)
                found.pidfds.append(pidfd)
            }
            if found.members.isEmpty, found.isComplete, let cgroup = job.cgroup { Cgroups.remove(cgroup) }
            return found
        }
    }
}
