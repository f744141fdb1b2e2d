import CLinux
import Glibc

/// An open file or directory below the root.
final class SiteFile {
    enum Failure: Error, Hashable {
        case missing
        /// A link leads out of the root.
        case outside
        case isDirectory
        case failed(code: Int32)
    }

    /// Closed with this, unless it was handed on.
    private(set) var descriptor: Int32
    /// Where it really is.
    let path: String
    let isDirectory: Bool
    let size: Int64
    let modified: timespec

    /// Opens `path` (absolute within the root) and then looks where that has led: nobody can put a link in between.
    init(root: String, path: String) throws(Failure) {
        // Not waiting for a FIFO's writer, and not becoming a terminal's owner.
        let fd = clinux_open(root + path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0)
        guard fd >= 0 else {
            switch -fd {
            case ENOENT, ENOTDIR, ENAMETOOLONG: throw .missing
            default: throw .failed(code: -fd)
            }
        }
        descriptor = fd
        var status = stat()
        guard fstat(fd, &status) == 0, let real = Self.realPath(of: fd), let top = Self.realPath(root) else {
            self.path = ""
            isDirectory = false
            size = 0
            modified = timespec()
            throw .failed(code: EIO)
        }
        self.path = real
        isDirectory = status.st_mode & S_IFMT == S_IFDIR
        size = Int64(status.st_size)
        modified = status.st_mtim
        guard real == top || top == "/" || real.hasPrefix(top + "/") else { throw .outside }
        // A FIFO or a device would never end.
        guard isDirectory || status.st_mode & S_IFMT == S_IFREG else { throw .missing }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// The caller closes it from now on.
    func release() -> Int32 {
        defer { descriptor = -1 }
        return descriptor
    }

    /// Changes whenever the file does.
    var tag: String {
        let time = UInt64(bitPattern: Int64(modified.tv_sec)) &* 1_000_000_000 &+ UInt64(modified.tv_nsec)
        return "\"\(String(time, radix: 16))-\(String(size, radix: 16))\""
    }

    /// The root may be a link that is switched to another directory at each deployment: looked up each time.
    private static func realPath(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    private static func realPath(of descriptor: Int32) -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { readlink("/proc/self/fd/\(descriptor)", $0, bytes.count) } ?? 0
        }
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    // MARK: - Directories

    struct Entry: Hashable {
        var name: String
        var isDirectory: Bool
        var size: Int64
        var modified: Int64
    }

    /// What is in a directory, without dotfiles: directories first, by name.
    func entries() -> [Entry] {
        let copy = dup(descriptor)
        guard copy >= 0, let stream = fdopendir(copy) else {
            if copy >= 0 { close(copy) }
            return []
        }
        defer { closedir(stream) }
        var entries: [Entry] = []
        while let item = readdir(stream) {
            let name = withUnsafeBytes(of: &item.pointee.d_name) { bytes in
                String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            var status = stat()
            guard let name, !name.hasPrefix("."), fstatat(descriptor, name, &status, 0) == 0 else { continue }
            entries.append(
                Entry(
                    name: name, isDirectory: status.st_mode & S_IFMT == S_IFDIR, size: Int64(status.st_size),
                    modified: Int64(status.st_mtim.tv_sec)))
        }
        return entries.sorted { ($0.isDirectory ? 0 : 1, $0.name) < ($1.isDirectory ? 0 : 1, $1.name) }
    }
}
