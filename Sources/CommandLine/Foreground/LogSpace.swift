import CLinux
import Glibc

/// Keeps the disk of a container from filling up with what went to its output long ago.
///
/// The beginning of a log file that was shown becomes a hole: its blocks are free, the file keeps its length, and who
/// writes to it or reads its end takes no notice. Nothing can get lost by it, as nothing moves.
struct LogSpace {
    private var freed: [String: Int64] = [:]

    /// What stays of each file, for `hearth logs` and `why`: a mebibyte.
    private static let kept: Int64 = 1 << 20
    /// It is not worth while for less.
    private static let step: Int64 = 1 << 20
    /// Blocks of a file system are no larger.
    private static let alignment: Int64 = 1 << 16

    /// - Parameters:
    ///   - places: how far each file was shown.
    ///   - directory: only files in it; where an app was told to log to, it may want to keep that.
    mutating func free(_ places: [String: Int64], below directory: String) {
        for (path, place) in places where path.hasPrefix(directory + "/") {
            let end = (place - Self.kept) / Self.alignment * Self.alignment
            var done = freed[path] ?? 0
            // Another file by now, or an emptied one.
            if done > place { done = 0 }
            guard end - done >= Self.step else {
                freed[path] = done
                continue
            }
            let fd = clinux_open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY, 0)
            guard fd >= 0 else { continue }
            // A file system that has no holes keeps its blocks.
            _ = clinux_free_beginning(fd, end)
            close(fd)
            freed[path] = end
        }
    }
}
