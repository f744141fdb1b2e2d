internal import CLinux

#if canImport(Glibc)
    import Glibc
#endif

/// Control groups of instances, where a part of the hierarchy was delegated to us.
///
/// A process cannot leave its cgroup unasked, so here membership is a fact and not a finding. Only what was delegated
/// is used: a cgroup that carries systemd's delegation mark, or one that an administrator names in `HEARTH_CGROUP`.
/// Controllers are enabled only in a cgroup that has no process itself: of one that has, systemd 252 could not start the
/// main process again.
package enum Cgroups {
    /// The directory under which instances get theirs; nil where nothing was delegated.
    package static func delegatedBase() -> String? {
        if let named = getenv("HEARTH_CGROUP").map({ String(cString: $0) }), !named.isEmpty {
            return isUsable(named) ? named : nil
        }
        guard let mount = unifiedMount(), let own = ownPath() else { return nil }
        var path = mount + own
        // The unit that `hearth startup` makes for apps: not every systemd marks what it delegates below a user's own.
        if path.hasSuffix("-apps.service/manager"), isUsable(FileSystem.parent(of: path)) {
            return FileSystem.parent(of: path)
        }
        // The mark is on the unit's cgroup; we may sit in a leaf below it.
        for _ in 0..<3 {
            if isDelegated(path), isUsable(path) { return path }
            path = FileSystem.parent(of: path)
            if path.count <= mount.count { return nil }
        }
        return nil
    }

    /// A writable cgroup v2 directory on a kernel with `cgroup.kill` (5.14).
    private static func isUsable(_ path: String) -> Bool {
        // systemd gives away the former, not the latter; in what we make below, both are ours.
        access(path + "/cgroup.procs", W_OK) == 0 && FileSystem.exists(path + "/cgroup.kill")
    }

    private static func isDelegated(_ path: String) -> Bool {
        for name in ["trusted.delegate", "user.delegate"] {
            var value = [UInt8](repeating: 0, count: 8)
            let count = clinux_get_xattr(path, name, &value, UInt(value.count))
            if count == 1, value[0] == UInt8(ascii: "1") { return true }
        }
        return false
    }

    private static func unifiedMount() -> String? {
        for path in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] where FileSystem.exists(path + "/cgroup.controllers") {
            return path
        }
        return nil
    }

    private static func ownPath() -> String? {
        guard let bytes = try? FileSystem.read("/proc/self/cgroup", limit: 64 << 10) else { return nil }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix("0::") }.map { String($0.dropFirst(3)) }
    }

    /// Has memory, processes and CPU time counted for each cgroup below `base`, where the kernel offers that and no
    /// process is in `base` itself. Without it membership and `cgroup.kill` work all the same.
    ///
    /// - Returns: Whether memory is counted, and can be limited.
    package static func enableControllers(of base: String) -> Bool {
        guard (try? FileSystem.read(base + "/cgroup.procs", limit: 4 << 20))?.isEmpty == true else { return false }
        for controller in ["memory", "pids", "cpu"] {
            // One at a time: one that is not there does not keep the others away.
            write("+\(controller)", to: base + "/cgroup.subtree_control")
        }
        let enabled = (try? FileSystem.read(base + "/cgroup.subtree_control", limit: 4096)) ?? []
        return String(decoding: enabled, as: UTF8.self).split { $0.isWhitespace }.contains("memory")
    }

    /// Limits the memory of a cgroup, in bytes: above it the kernel ends all processes in it.
    package static func limitMemory(of path: String, to bytes: Int64) {
        // What is swapped out would be counted apart.
        write("0", to: path + "/memory.swap.max")
        write("1", to: path + "/memory.oom.group")
        write("\(bytes)", to: path + "/memory.max")
    }

    @discardableResult
    private static func write(_ text: String, to path: String) -> Bool {
        let fd = clinux_open(path, O_WRONLY, 0)
        guard fd >= 0 else { return false }
        let file = Descriptor(adopting: fd)
        let bytes = Array(text.utf8)
        return Glibc.write(file.rawValue, bytes, bytes.count) == bytes.count
    }

    /// Makes the cgroup of an instance. The file to write a pid to.
    package static func make(_ path: String) throws(SystemError) -> String {
        if mkdir(path, 0o755) != 0, errno != EEXIST { throw SystemError(errno, "create cgroup '\(path)'") }
        return path + "/cgroup.procs"
    }

    /// Every process in the cgroup and below it.
    package static func pids(in path: String) -> [Int32] {
        guard let bytes = try? FileSystem.read(path + "/cgroup.procs", limit: 4 << 20) else { return [] }
        var pids = String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { Int32($0) }
        for name in (try? FileSystem.names(in: path)) ?? [] where FileSystem.isDirectory("\(path)/\(name)") {
            pids += Self.pids(in: "\(path)/\(name)")
        }
        return pids
    }

    /// What the processes in it use and the kernel could not simply drop: without pages of files that nobody used lately.
    /// nil: memory is not counted here (the controller is not enabled for it).
    package static func memory(of path: String) -> Int64? {
        guard let current = (try? FileSystem.read(path + "/memory.current", limit: 64)).flatMap({ number(in: $0[...]) })
        else { return nil }
        let statistics = (try? FileSystem.read(path + "/memory.stat", limit: 64 << 10)) ?? []
        let key = Array("inactive_file ".utf8)
        let line = statistics.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: key) }
        return max(0, current - (line.flatMap { number(in: $0.dropFirst(key.count)) } ?? 0))
    }

    /// A sentence about processes that the kernel ended in this cgroup for its memory; nil: it ended none, or does not
    /// tell. One small file that is never slow: allowed on the loop.
    package static func memoryKill(in path: String) -> String? {
        guard let events = try? FileSystem.read(path + "/memory.events", limit: 4096) else { return nil }
        let key = Array("oom_kill ".utf8)
        let line = events.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: key) }
        guard let count = line.flatMap({ number(in: $0.dropFirst(key.count)) }), count > 0 else { return nil }
        let limit = (try? FileSystem.read(path + "/memory.max", limit: 64)).flatMap { number(in: $0[...]) }
        let what =
            limit.map { "its limit of \($0 / 1_048_576) MiB (memory_max) was reached" } ?? "the machine had none left"
        return "the kernel ended it: \(what)"
    }

    private static func number(in bytes: ArraySlice<UInt8>) -> Int64? {
        let digits = bytes.prefix { (0x30...0x39).contains($0) }
        return Int64(String(decoding: digits, as: UTF8.self))
    }

    /// SIGKILL to all of them at once; nothing that forks meanwhile escapes.
    package static func kill(_ path: String) {
        write("1", to: path + "/cgroup.kill")
    }

    /// Removes an empty cgroup and empty ones below it. One that is not empty stays.
    package static func remove(_ path: String) {
        for name in (try? FileSystem.names(in: path)) ?? [] where FileSystem.isDirectory("\(path)/\(name)") {
            remove("\(path)/\(name)")
        }
        _ = rmdir(path)
    }
}
