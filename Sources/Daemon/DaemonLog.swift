import CLinux
import Model
import Platform
import Records

#if canImport(Glibc)
    import Glibc
#endif

/// The daemon's own log: `hearthd.log` in the home, and stderr when that is a journal.
///
/// Lines are handed to a thread: a disk that hangs must not hold the loop.
final class DaemonLog: Sendable {
    private let pool = WorkerPool(name: "hearthd-log")
    private let path: String
    private let alsoStandardError: Bool

    init(_ paths: HomePaths) {
        path = paths.daemonLog
        alsoStandardError = Self.isJournal(2)
    }

    /// systemd tells a service which device and inode the journal's stream is; where stderr went since is another matter.
    private static func isJournal(_ fd: Int32) -> Bool {
        var status = stat()
        guard let stream = getenv("JOURNAL_STREAM"), fstat(fd, &status) == 0 else { return false }
        return String(cString: stream) == "\(status.st_dev):\(status.st_ino)"
    }

    func note(_ message: String) {
        let line = "\(Self.timestamp()) hearthd[\(getpid())]: \(message)\n"
        let (path, alsoStandardError) = (path, alsoStandardError)
        pool.submit {
            var line = line
            line.withUTF8 { text in
                let bytes = UnsafeRawBufferPointer(text)
                if alsoStandardError { try? FileSystem.writeAll(2, bytes, path: "stderr") }
                let fd = clinux_open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600)
                guard fd >= 0 else { return }
                let file = Descriptor(adopting: fd)
                // A full disk loses a line of the daemon's own log; there is nobody to tell.
                try? FileSystem.writeAll(file.rawValue, bytes, path: path)
            }
        }
    }

    /// Waits (2 s at most) until what was noted is written: for the last words before an exit or exec.
    func drain() {
        for _ in 0..<400 where !pool.isQuiet { usleep(5000) }
    }

    private static func timestamp() -> String {
        let (date, time, fraction) = SystemClock.local(SystemClock.wallClock())
        return "\(date) \(time).\(fraction)"
    }
}
