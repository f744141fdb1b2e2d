import Configuration
import Glibc
import Platform

/// A file that a command makes for a person: whole or not at all, and never over one that is there by accident.
struct NewFile {
    let path: String
    var replaces = false

    /// Before work is done: what is in the way.
    func check() throws(Failure) {
        guard !replaces, FileProbe.kind(of: path) != .missing else { return }
        throw Failure(.failed, "'\(path)' exists; name another file with --output, or give --force to replace it")
    }

    func write(_ text: String, mode: UInt32 = 0o600) throws {
        try check()
        let temporary = "\(path).\(getpid()).new"
        unlink(temporary)
        let fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard fd >= 0 else { throw Failure(.failed, "'\(path)' cannot be written: \(FileProbe.describe(errno))") }
        defer { unlink(temporary) }
        defer { close(fd) }
        try Self.writeAll(fd, Array(text.utf8), temporary)
        guard fdatasync(fd) == 0 else {
            throw Failure(.failed, "'\(path)' cannot be written: \(FileProbe.describe(errno))")
        }
        // A link, unlike a rename, fails where somebody else made the file meanwhile.
        let code = replaces ? rename(temporary, path) : link(temporary, path)
        guard code == 0 else {
            throw Failure(.failed, "'\(path)' cannot be made: \(FileProbe.describe(errno))")
        }
    }

    private static func writeAll(_ fd: Int32, _ bytes: [UInt8], _ path: String) throws(SystemError) {
        let outcome = bytes.withUnsafeBytes { raw -> Result<Void, SystemError> in
            do throws(SystemError) { return .success(try FileSystem.writeAll(fd, raw, path: path)) } catch {
                return .failure(error)
            }
        }
        try outcome.get()
    }
}
