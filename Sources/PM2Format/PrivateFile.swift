import Glibc
import Platform

/// Files of PM2's home that hold environments, and with them secrets: replaced whole, readable to their owner only.
enum PrivateFile {
    /// Writes beside the file, waits until it is on the disk, renames: readers see the old or the new content.
    ///
    /// The owner of a file that is there stays its owner, also when root writes. A link is followed only where link
    /// and file belong to the writer: root must not be led to write where somebody's link points. Every other link is
    /// replaced by a file.
    static func replace(_ path: String, with bytes: [UInt8]) throws(SystemError) {
        let target = resolved(path)
        // A name of its own: two writers at a time must not write into one file.
        let temporary = "\(target).\(getpid()).new"
        // Left behind by a writer of the same number that was killed.
        unlink(temporary)
        do throws(SystemError) {
            let fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            if fd < 0 { throw SystemError(errno, "write '\(temporary)'") }
            let file = Descriptor(adopting: fd)
            try write(bytes, to: file.rawValue, path: temporary, owner: owner(of: target))
            if rename(temporary, target) != 0 { throw SystemError(errno, "rename '\(temporary)' to '\(target)'") }
        } catch {
            unlink(temporary)
            throw error
        }
        try FileSystem.syncDirectory(of: target)
    }

    private static func write(
        _ bytes: [UInt8], to fd: Int32, path: String, owner: (uid: uid_t, gid: gid_t)?
    ) throws(SystemError) {
        if let owner, geteuid() == 0, fchown(fd, owner.uid, owner.gid) != 0 {
            throw SystemError(errno, "give '\(path)' to user \(owner.uid)")
        }
        let outcome = bytes.withUnsafeBytes { raw -> Result<Void, SystemError> in
            do throws(SystemError) { return .success(try FileSystem.writeAll(fd, raw, path: path)) } catch {
                return .failure(error)
            }
        }
        try outcome.get()
        if fsync(fd) != 0 { throw SystemError(errno, "sync '\(path)'") }
    }

    /// Of the file, or of the directory in which it is made.
    private static func owner(of path: String) -> (uid: uid_t, gid: gid_t)? {
        var status = stat()
        guard
            lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
                || stat(FileSystem.parent(of: path), &status) == 0
        else { return nil }
        return (status.st_uid, status.st_gid)
    }

    private static func resolved(_ path: String) -> String {
        var link = stat()
        guard lstat(path, &link) == 0, link.st_mode & S_IFMT == S_IFLNK, link.st_uid == geteuid() else { return path }
        var file = stat()
        guard stat(path, &file) == 0, file.st_mode & S_IFMT == S_IFREG, file.st_uid == geteuid(),
            let real = realpath(path, nil)
        else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    /// Moves a file that cannot be understood out of the way, under a name that tells when. Nil: it could not be moved.
    static func setAside(_ path: String) -> String? {
        let base = "\(path).corrupt-\(SystemClock.wallClock())"
        for attempt in 0..<100 {
            let aside = attempt == 0 ? base : "\(base)-\(attempt)"
            var status = stat()
            // Nothing that was set aside before is lost.
            if lstat(aside, &status) == 0 { continue }
            return rename(path, aside) == 0 ? aside : nil
        }
        return nil
    }
}
