import CLinux
import Glibc
import Model
import Platform
import Records

/// Stops what the records of a home name, without a daemon: each whole tree, first kindly, then by SIGKILL. A process
/// is only signalled through a pidfd that was opened before its start time was checked.
struct OfflineStop {
    let home: OfflineHome

    private struct Victim {
        let pidfd: Int32
        /// CLOCK_BOOTTIME in nanoseconds.
        let deadline: Int64
    }

    /// Number of instances that ran. Blocks until nothing of them is left.
    func run() throws -> Int {
        let lock = try lockHome()
        defer { close(lock) }
        var victims: [Victim] = []
        var stopped = 0
        for instance in home.desired {
            let members = home.members(of: instance)
            guard !members.isEmpty else { continue }
            stopped += 1
            let policy = instance.spec.stop
            let deadline = clinux_boottime_ns() &+ max(0, policy.killTimeout.rawValue) &* 1_000_000
            for member in members {
                guard let pidfd = Self.open(member) else { continue }
                if policy.wholeTree || member == members.last {
                    _ = clinux_pidfd_send_signal(pidfd, policy.signal.rawValue)
                }
                victims.append(Victim(pidfd: pidfd, deadline: deadline))
            }
        }
        finish(victims)
        try markKilled()
        return stopped
    }

    /// A daemon that starts meanwhile would bring everything back: it waits for this lock, or ends.
    private func lockHome() throws -> Int32 {
        let fd = clinux_open(home.paths.home, O_RDONLY | O_DIRECTORY, 0)
        guard fd >= 0 else { throw SystemError(-fd, "open '\(home.paths.home)'") }
        let result = clinux_flock(fd, 1)
        guard result == 0 else {
            close(fd)
            throw Failure(.failed, "a daemon has just started in '\(home.paths.home)'; run the command again")
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

    private func finish(_ victims: [Victim]) {
        var left = victims
        var killed = false
        while !left.isEmpty {
            let now = clinux_boottime_ns()
            for victim in left where victim.deadline <= now {
                _ = clinux_pidfd_send_signal(victim.pidfd, SIGKILL)
                killed = true
            }
            let next = left.map(\.deadline).filter { $0 > now }.min()
            var entries = left.map { pollfd(fd: $0.pidfd, events: Int16(POLLIN), revents: 0) }
            // After SIGKILL only a process in the depths of the kernel is left: five seconds, then it is told.
            let wait = next.map { ($0 - now) / 1_000_000 + 1 } ?? 5000
            let ready = poll(&entries, nfds_t(entries.count), Int32(clamping: wait))
            let done = Set(entries.filter { $0.revents != 0 }.map(\.fd))
            for fd in done { close(fd) }
            left.removeAll { done.contains($0.pidfd) }
            if ready == 0, next == nil, killed { break }
        }
        for victim in left { close(victim.pidfd) }
        if !left.isEmpty { Output.complain("\(left.count) processes do not even react to SIGKILL") }
    }

    /// As `Kill` of the daemon does: nothing is started again until `resurrect` or the next boot.
    private func markKilled() throws {
        guard var state = DesiredStateFile.read(home.paths).state else { return }
        state.killed = DesiredState.Killed(
            by: Model.Actor("\(UserNames.name(of: Caller.userID)) (hearth kill)"), at: SystemClock.wallClock())
        try DesiredStateFile.write(state, to: home.paths, sync: true)
    }
}
