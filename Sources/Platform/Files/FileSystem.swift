internal import CLinux

#if canImport(Glibc)
    import Glibc
#endif

/// The few file operations that Hearth needs, with errors that name the path.
package enum FileSystem {
    /// The whole content. At most `limit` bytes: a larger file is an error, not a surprise.
    package static func read(_ path: String, limit: Int = 64 << 20) throws(SystemError) -> [UInt8] {
        let file = Descriptor(adopting: try checked(clinux_open(path, O_RDONLY, 0), "read '\(path)'"))
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(file.rawValue, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError(errno, "read '\(path)'")
            }
            bytes.append(contentsOf: chunk[..<count])
            if bytes.count > limit { throw SystemError(EFBIG, "read '\(path)' (over \(limit) bytes)") }
        }
    }

    /// Writes beside the path and renames: readers see the old or the new content, whole.
    ///
    /// - Parameter sync: also waits until file and directory are on the disk.
    package static func replace(
        _ path: String, with bytes: UnsafeRawBufferPointer, mode: UInt32 = 0o600, sync: Bool
    ) throws(SystemError) {
        let temporary = path + ".new"
        do {
            let file = Descriptor(
                adopting: try checked(
                    clinux_open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode), "write '\(temporary)'"))
            try writeAll(file.rawValue, bytes, path: temporary)
            if sync, fdatasync(file.rawValue) != 0 { throw SystemError(errno, "sync '\(temporary)'") }
        }
        if rename(temporary, path) != 0 { throw SystemError(errno, "rename '\(temporary)' to '\(path)'") }
        if sync { try syncDirectory(of: path) }
    }

    /// The same for an array.
    package static func replace(
        _ path: String, with bytes: [UInt8], mode: UInt32 = 0o600, sync: Bool
    ) throws(SystemError) {
        let outcome = bytes.withUnsafeBytes { raw -> Result<Void, SystemError> in
            do throws(SystemError) {
                try replace(path, with: raw, mode: mode, sync: sync)
                return .success(())
            } catch { return .failure(error) }
        }
        try outcome.get()
    }

    package static func writeAll(
        _ fd: Int32, _ bytes: UnsafeRawBufferPointer, path: @autoclosure () -> String
    ) throws(SystemError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(fd, rest.baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError(errno, "write '\(path())'")
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    package static func syncDirectory(of path: String) throws(SystemError) {
        let directory = parent(of: path)
        let file = Descriptor(
            adopting: try checked(clinux_open(directory, O_RDONLY | O_DIRECTORY, 0), "open '\(directory)'"))
        if fsync(file.rawValue) != 0 { throw SystemError(errno, "sync '\(directory)'") }
    }

    /// Makes a directory and its parents. One that is there already is fine.
    package static func makeDirectory(_ path: String, mode: UInt32 = 0o700) throws(SystemError) {
        if mkdir(path, mode) == 0 || errno == EEXIST { return }
        let failure = errno
        guard failure == ENOENT, path != "/", !path.isEmpty else {
            throw SystemError(failure, "create directory '\(path)'")
        }
        try makeDirectory(parent(of: path), mode: 0o755)
        if mkdir(path, mode) != 0, errno != EEXIST { throw SystemError(errno, "create directory '\(path)'") }
    }

    package static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    package static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// A regular file that this process may execute.
    package static func isExecutable(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }

    /// What a symbolic link says; nil: it is none, or it cannot be read.
    package static func linkTarget(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count - 1)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Names in a directory, without `.` and `..`, sorted.
    package static func names(in path: String) throws(SystemError) -> [String] {
        guard let directory = opendir(path) else { throw SystemError(errno, "list '\(path)'") }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
