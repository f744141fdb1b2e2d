import Glibc

/// What /proc tells of one process beyond its `stat`, for a question that a person asked. Nil or empty: the process is
/// gone, or we may not look. Each of them may block on a process that is stuck in the kernel.
package enum ProcessFacts {
    package static func arguments(of pid: Int32) -> [String] { strings("/proc/\(pid)/cmdline") }

    /// As the process was started; what it set itself since then is not in it.
    package static func environment(of pid: Int32) -> [String: String] {
        var variables: [String: String] = [:]
        for entry in strings("/proc/\(pid)/environ") {
            guard let sign = entry.firstIndex(of: "="), sign != entry.startIndex else { continue }
            variables[String(entry[..<sign])] = String(entry[entry.index(after: sign)...])
        }
        return variables
    }

    private static func strings(_ path: String) -> [String] {
        guard let bytes = try? FileSystem.read(path, limit: 4 << 20) else { return [] }
        return bytes.split(separator: 0, omittingEmptySubsequences: true).map { String(decoding: $0, as: UTF8.self) }
    }

    package static func workingDirectory(of pid: Int32) -> String? { FileSystem.linkTarget("/proc/\(pid)/cwd") }

    package struct Executable: Hashable, Sendable {
        package var path: String
        /// Another file has its name by now, or none.
        package var isDeleted: Bool

        package init(path: String, isDeleted: Bool) {
            self.path = path
            self.isDeleted = isDeleted
        }
    }

    package static func executable(of pid: Int32) -> Executable? {
        guard let target = FileSystem.linkTarget("/proc/\(pid)/exe") else { return nil }
        let mark = " (deleted)"
        return target.hasSuffix(mark)
            ? Executable(path: String(target.dropLast(mark.count)), isDeleted: true)
            : Executable(path: target, isDeleted: false)
    }

    /// The file behind a descriptor as the kernel names it; ` (deleted)` at its end when it has no name any more.
    package static func file(behind fd: Int32, of pid: Int32) -> String? {
        FileSystem.linkTarget("/proc/\(pid)/fd/\(fd)")
    }

    /// What the process waits for in the kernel.
    package static func kernelFunction(of pid: Int32) -> String? {
        guard let bytes = try? FileSystem.read("/proc/\(pid)/wchan", limit: 256) else { return nil }
        let name = String(decoding: bytes, as: UTF8.self)
        return name.isEmpty || name == "0" ? nil : name
    }

    /// Its cgroup in the hierarchy that systemd keeps: version 2's, else the named one.
    package static func cgroup(of pid: Int32) -> String? {
        guard let bytes = try? FileSystem.read("/proc/\(pid)/cgroup", limit: 64 << 10) else { return nil }
        return systemdCgroup(in: String(decoding: bytes, as: UTF8.self))
    }

    /// Both exist on a machine with a hybrid hierarchy: then both have the units, and only version 2's has our apps. The
    /// one that is not used has everything at its root.
    package static func systemdCgroup(in text: String) -> String? {
        var (unified, named): (String?, String?)
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            if fields[1] == "name=systemd" { named = String(fields[2]) }
            if fields[0] == "0" { unified = String(fields[2]) }
        }
        return unified == "/" ? named ?? unified : unified ?? named
    }

    /// The unit to which a cgroup belongs: `nginx.service`, `session-3.scope`.
    package static func unit(ofCgroup path: String) -> String? {
        path.split(separator: "/").last { $0.hasSuffix(".service") || $0.hasSuffix(".scope") }.map(String.init)
    }

    /// Soft and hard limit by its name in /proc/PID/limits (`Max open files`); nil for no limit.
    package static func limit(_ name: String, of pid: Int32) -> (soft: UInt64?, hard: UInt64?)? {
        guard let bytes = try? FileSystem.read("/proc/\(pid)/limits", limit: 64 << 10) else { return nil }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix(name) {
            let values = line.dropFirst(name.count).split(separator: " ")
            guard values.count >= 2 else { return nil }
            return (UInt64(values[0]), UInt64(values[1]))
        }
        return nil
    }

    package static func openFiles(of pid: Int32) -> Int? { (try? FileSystem.names(in: "/proc/\(pid)/fd"))?.count }

    /// Who holds the `flock` on a file or directory; nil: nobody, or a process that we cannot see.
    package static func lockHolder(of path: String) -> Int32? {
        var status = stat()
        guard stat(path, &status) == 0, let bytes = try? FileSystem.read("/proc/locks", limit: 16 << 20) else {
            return nil
        }
        return lockHolder(in: String(decoding: bytes, as: UTF8.self), inode: UInt64(status.st_ino))
    }

    // The device stands there, too, but not always as stat tells it (btrfs, overlayfs): the caller looks at who it is.
    package static func lockHolder(in text: String, inode: UInt64) -> Int32? {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            // "1: FLOCK  ADVISORY  WRITE 3639 fe:00:16351381 0 EOF"; a waiter has "->" behind its number.
            guard fields.count >= 6, fields[1] == "FLOCK", let pid = Int32(fields[4]), pid > 0,
                fields[5].split(separator: ":").last.flatMap({ UInt64($0) }) == inode
            else { continue }
            return pid
        }
        return nil
    }
}
