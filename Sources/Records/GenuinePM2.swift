internal import CLinux
import Platform

#if canImport(Glibc)
    import Glibc
#endif

/// PM2's own daemon, where it runs on a home that Hearth is to use. Recognised by who listens on its sockets and which
/// program that is; a title can be anything.
package enum GenuinePM2 {
    /// Pid of the daemon that answers on PM2's sockets in this home and is not ours; nil: there is none.
    package static func daemon(of paths: HomePaths) -> Int32? {
        for path in paths.pm2Sockets where FileSystem.exists(path) {
            let socket = clinux_unix_connect(path, Int32(SOCK_STREAM.rawValue), 500)
            guard socket >= 0 else { continue }
            defer { close(socket) }
            var pid: pid_t = 0
            guard clinux_peer_credentials(socket, &pid, nil, nil) == 0, pid > 0, pid != getpid() else { continue }
            if program(of: pid) != "hearthd" { return pid }
        }
        return nil
    }

    /// Name of the file that a process runs; where that may not be read, the name the kernel has for it.
    private static func program(of pid: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/\(pid)/exe", &buffer, buffer.count - 1)
        if count > 0 {
            let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let name = path.split(separator: "/").last.map(String.init) ?? path
            // The file may have been replaced by a newer one.
            return name.hasSuffix(" (deleted)") ? String(name.dropLast(10)) : name
        }
        let name = (try? FileSystem.read("/proc/\(pid)/comm", limit: 64)) ?? []
        return String(decoding: name.prefix { $0 != 10 }, as: UTF8.self)
    }
}
