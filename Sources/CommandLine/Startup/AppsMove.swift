import Control
import Glibc
import Platform
import Records

/// Brings the processes of apps that were started outside into the cgroup of the apps unit.
///
/// The daemon finds them there by the names of the cgroups, as it would have made them itself. An ordinary user cannot
/// take a process out of a login session: it stays there until its next start.
struct AppsMove {
    let text: UnitText
    let target: StartupTarget

    /// What could not be moved, a sentence each.
    func move(_ client: Client, _ instances: [InstanceView]) -> [String] {
        guard FileSystem.isDirectory(text.cgroup) else {
            return instances.contains { $0.pid != nil }
                ? ["there is no cgroup '\(text.cgroup)': apps are not counted as the unit's"] : []
        }
        let selectors = instances.filter { $0.pid != nil }.map { "id:\($0.id)" }
        guard !selectors.isEmpty else { return [] }
        let details: ShowReply
        do {
            details = try client.call(
                .show, SelectorParameters(selectors: selectors), as: ShowReply.self, kind: .reading,
                deadline: Session.Deadline.ordinary)
        } catch {
            return ["the apps could not be asked for their processes: \(error)"]
        }
        return details.details.compactMap(move)
    }

    private func move(_ detail: InstanceDetail) -> String? {
        let instance = detail.instance
        guard let main = instance.pid, !isInside(main) else { return nil }
        let directory = "\(text.cgroup)/hearth-\(target.home.id)-\(instance.id)-\(instance.generation)"
        let made = target.user.acting { () -> Int32 in mkdir(directory, 0o755) == 0 || errno == EEXIST ? 0 : errno }
        guard made == 0 else { return "'\(instance.name)': \(SystemError(made, "make '\(directory)'"))" }
        // Twice: what was forked meanwhile is a child of what was there.
        for _ in 0..<2 {
            for pid in Set(detail.processes + [main]) where mayMove(pid) {
                guard let failure = Self.enter(directory, pid) else { continue }
                return "'\(instance.name)' (pid \(main)) stays where it was started until its next start: \(failure)"
            }
        }
        return nil
    }

    /// The pids are what a daemon of the user's says. Whoever is in a cgroup of the user's can be ended by the user: with
    /// root's rights only processes that are the user's anyway are brought there.
    private func mayMove(_ pid: Int32) -> Bool {
        guard target.user.uid != 0 else { return true }
        var status = stat()
        return pid > 1 && stat("/proc/\(pid)", &status) == 0 && status.st_uid == target.user.uid
    }

    private func isInside(_ pid: Int32) -> Bool {
        guard let bytes = try? FileSystem.read("/proc/\(pid)/cgroup", limit: 64 << 10) else { return true }
        let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("0::") } ?? ""
        return line.contains("/\(text.units.apps)/")
    }

    /// Nil: done, or the process is gone.
    private static func enter(_ directory: String, _ pid: Int32) -> String? {
        let path = directory + "/cgroup.procs"
        let fd = open(path, O_WRONLY | O_CLOEXEC)
        guard fd >= 0 else { return SystemError(errno, "open '\(path)'").description }
        defer { close(fd) }
        let bytes = Array("\(pid)".utf8)
        if write(fd, bytes, bytes.count) == bytes.count || errno == ESRCH { return nil }
        return SystemError(errno, "write to '\(path)'").description
    }
}
