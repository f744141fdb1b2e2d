import CLinux
import Glibc
import Model
import Platform
import Records

/// Stops what the records of a home name, without a daemon: each whole tree, first kindly, then by SIGKILL. A process
/// is only signalled through a pidfd that was opened before its start time was checked.
struct OfflineStop {
    let home: OfflineHome

    /// What is being stopped of one instance.
    private struct Target {
        let instance: DesiredInstance
        /// CLOCK_BOOTTIME in nanoseconds: when SIGKILL is due.
        let deadline: Int64
        /// Processes that got the stop signal.
        var asked: Set<ProcessIdentity> = []
    }

    /// How long a process may take to die of SIGKILL before it is told that one does not.
    private static let patience: Int64 = 5_000_000_000

    /// Number of instances that ran. Blocks until nothing of them is left.
    func run() throws -> Int {
        let lock = try lockHome()
        defer { close(lock) }
        let start = clinux_boottime_ns()
        var targets = home.desired.filter { !home.members(of: $0).isEmpty }.map {
            Target(instance: $0, deadline: start &+ max(0, $0.spec.stop.killTimeout.rawValue) &* 1_000_000)
        }
        let stopped = targets.map(\.instance)
        // A process may fork while it is being stopped: looked at anew until nobody is left.
        while !targets.isEmpty {
            let processes = ProcessTable.read()
            let now = clinux_boottime_ns()
            var waiting: [Int32] = []
            defer { for pidfd in waiting { close(pidfd) } }
            for index in targets.indices {
                waiting += signal(
                    home.members(of: targets[index].instance, in: processes), of: &targets[index], now: now)
            }
            targets.removeAll { home.members(of: $0.instance, in: processes).isEmpty }
            if let last = targets.map(\.deadline).max(), now > last &+ Self.patience {
                let names = targets.map(\.instance.spec.name).joined(separator: ", ")
                throw Failure(.failed, "some processes do not even react to SIGKILL: \(names)")
            }
            let nextKill = targets.map(\.deadline).filter { $0 > now }.min()
            Self.wait(for: waiting, milliseconds: min(50, nextKill.map { ($0 - now) / 1_000_000 + 1 } ?? 50))
        }
        try markKilled(stopped)
        return stopped.count
    }

    /// Sends what is due. Returns descriptors of the living.
    private func signal(_ members: [ProcessIdentity], of target: inout Target, now: Int64) -> [Int32] {
        let policy = target.instance.spec.stop
        let mains = home.mainProcesses(of: target.instance.id).map(\.process)
        var pidfds: [Int32] = []
        for member in members {
            guard let pidfd = Self.open(member) else { continue }
            pidfds.append(pidfd)
            if now >= target.deadline {
                _ = clinux_pidfd_send_signal(pidfd, SIGKILL)
            } else if policy.wholeTree || mains.contains(member), target.asked.insert(member).inserted {
                _ = clinux_pidfd_send_signal(pidfd, policy.signal.rawValue)
            }
        }
        return pidfds
    }

    /// Until one of them ends.
    private static func wait(for pidfds: [Int32], milliseconds: Int64) {
        guard !pidfds.isEmpty else { return }
        var entries = pidfds.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        _ = poll(&entries, nfds_t(entries.count), Int32(clamping: milliseconds))
    }

    /// A daemon that starts meanwhile would bring everything back: it waits for this lock, or ends.
    private func lockHome() throws -> Int32 {
        let fd = clinux_open(home.paths.base, O_RDONLY | O_DIRECTORY, 0)
        guard fd >= 0 else { throw SystemError(-fd, "open '\(home.paths.base)'") }
        let result = clinux_flock(fd, 1)
        guard result == 0 else {
            close(fd)
            throw Failure(.failed, "a daemon has just started in '\(home.paths.base)'; run the command again")
        }
        return fd
    }

    private static func open(_ process: ProcessIdentity) -> Int32? {
        let pidfd = clinux_pidfd_open(process.pid)
        guard pidfd >= 0 else { return nil }
        guard process.isAlive() else {
            close(pidfd)
            return nil
        }
        return pidfd
    }

    /// As `Kill` of the daemon does: nothing is started again until `resurrect` or the next boot. The next daemon would
    /// take what it finds gone for a crash: the records say that it was not one.
    private func markKilled(_ stopped: [DesiredInstance]) throws {
        let actor = Model.Actor("\(UserNames.name(of: Caller.userID)) (hearth kill)")
        let machine = MachineIdentity.current()
        if let records = InstanceTable.read(home.paths, machine) {
            let ids = Set(stopped.map(\.id))
            let table = try InstanceTable(descriptor: nil, machine: machine)
            table.load(records.map { ids.contains($0.id) ? Self.stopped($0, by: actor) : $0 })
            try table.reader.save(to: home.paths.instanceTable(of: machine))
        }
        guard var state = DesiredStateFile.read(home.paths).state else { return }
        state.killed = DesiredState.Killed(by: actor, at: SystemClock.wallClock())
        try DesiredStateFile.write(state, to: home.paths, sync: true)
    }

    private static func stopped(_ record: InstanceRecord, by actor: Model.Actor) -> InstanceRecord {
        let now = SystemClock.now()
        var record = record
        if let process = record.process {
            record.lastExit = LastExit(
                status: .unknown, cause: .ours, at: now,
                uptime: record.startedAt.map { now.since($0) } ?? Milliseconds(0), pid: process.pid,
                detail: "stopped while no daemon was running")
        }
        record.phase = .stopped
        record.purpose = nil
        record.process = nil
        record.due = nil
        record.successor = nil
        record.leaving = nil
        record.reload = nil
        record.reason = Reason(.killedWithDaemon, by: actor, at: now)
        return record
    }
}
