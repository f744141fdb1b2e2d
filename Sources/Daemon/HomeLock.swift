import CLinux
import Platform
import Records

#if canImport(Glibc)
    import Glibc
#endif

/// One daemon per home: an exclusive flock on the home directory itself.
///
/// A lock file could be deleted, and the next daemon would lock another file of the same name; a directory that is in
/// use cannot be replaced unnoticed. The kernel releases the lock with the holder's death, so a stale lock cannot be.
struct HomeLock: ~Copyable {
    let descriptor: Int32

    enum Outcome: ~Copyable {
        case locked(HomeLock)
        /// Another daemon holds it; its pid as its pid file tells.
        case held(by: Int32?)
        case failed(SystemError)
    }

    static func acquire(_ paths: HomePaths) -> Outcome {
        let fd = clinux_open(paths.base, O_RDONLY | O_DIRECTORY, 0)
        guard fd >= 0 else { return .failed(SystemError(-fd, "open '\(paths.base)'")) }
        // A child of a killed daemon that has not reached its first instruction may hold the lock a moment longer:
        // a dead holder is waited for, a living one is not.
        var holder: Int32?
        for attempt in 0..<100 {
            let result = clinux_flock(fd, 1)
            if result == 0 { return .locked(HomeLock(descriptor: fd)) }
            guard result == -EWOULDBLOCK else {
                close(fd)
                return .failed(SystemError(-result, "lock '\(paths.base)'"))
            }
            holder = recordedHolder(paths)
            // A starting keeper probes the lock for a moment: three tries before a holder is believed.
            if attempt < 3 {
                usleep(5000)
                continue
            }
            if let holder, kill(holder, 0) == 0 || errno == EPERM { break }
            if holder == nil, attempt >= 8 { break }
            usleep(20_000)
        }
        close(fd)
        return .held(by: holder)
    }

    /// Whether `descriptor` is the directory that has the home's path now.
    static func isInPlace(_ descriptor: Int32, _ paths: HomePaths) -> Bool {
        var locked = stat()
        var present = stat()
        return fstat(descriptor, &locked) == 0 && stat(paths.base, &present) == 0
            && locked.st_ino == present.st_ino && locked.st_dev == present.st_dev
    }

    /// Locks a home that was deleted and made anew: the lock that we have is on a directory which nobody can find.
    /// The descriptor keeps its number.
    static func renew(_ descriptor: Int32, _ paths: HomePaths) throws(SystemError) {
        let fd = try checked(clinux_open(paths.base, O_RDONLY | O_DIRECTORY, 0), "open '\(paths.base)'")
        defer { close(fd) }
        try checked(clinux_flock(fd, 1), "lock '\(paths.base)'")
        if dup2(fd, descriptor) < 0 { throw SystemError(errno, "lock '\(paths.base)'") }
        _ = clinux_set_cloexec(descriptor, 1)
    }

    /// A lock that came along through an exec.
    init(inherited descriptor: Int32) { self.descriptor = descriptor }

    private init(descriptor: Int32) { self.descriptor = descriptor }

    private static func recordedHolder(_ paths: HomePaths) -> Int32? {
        guard let bytes = try? FileSystem.read(paths.pidFile, limit: 64) else { return nil }
        return Int32(String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self))
    }
}
