import Platform

#if canImport(Glibc)
    import Glibc
#endif

/// What a former boot left in a home, and means nothing in this one. Its own pid namespace's files are written anew; cgroups
/// and abstract sockets ended with it.
package enum FormerBoot {
    /// Removes it. Blocks: it is the disk's.
    ///
    /// - Returns: What was removed.
    package static func clean(_ paths: HomePaths, _ machine: MachineIdentity) -> [String] {
        runtimes(paths, machine) + (paths.isPM2 ? pidFiles(paths) : [])
    }

    /// Run-time directories of this machine whose boot is over: a container that is started anew has a pid namespace, and
    /// so a directory, of its own.
    private static func runtimes(_ paths: HomePaths, _ machine: MachineIdentity) -> [String] {
        let names = (try? FileSystem.names(in: paths.run)) ?? []
        return names.map { "\(paths.run)/\($0)" }.filter { path in
            guard path != paths.runtime(of: machine), FileSystem.isDirectory(path),
                let origin = InstanceTable.origin(ofCopy: path + "/instances.table")
            else { return false }
            return origin.machine == machine.machine && origin.boot != machine.boot
        }.filter { path in
            for name in (try? FileSystem.names(in: path)) ?? [] { _ = unlink("\(path)/\(name)") }
            return rmdir(path) == 0
        }
    }

    /// Scripts of others read these, and would take a process of this boot for an app.
    private static func pidFiles(_ paths: HomePaths) -> [String] {
        let names = (try? FileSystem.names(in: paths.pm2Pids)) ?? []
        return names.map { "\(paths.pm2Pids)/\($0)" }.filter { path in
            guard path.hasSuffix(".pid"), let text = try? FileSystem.read(path, limit: 64),
                Int32(String(decoding: text, as: UTF8.self).filter { $0 != "\n" }) != nil
            else { return false }
            return unlink(path) == 0
        }
    }
}
