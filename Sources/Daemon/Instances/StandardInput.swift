import Model
import Platform

#if canImport(Glibc)
    import Glibc
#endif

/// The standard input of an app: a pipe whose ends the app alone holds, opened through /proc for a moment.
enum StandardInput {
    /// What is written in one piece or not at all is PIPE_BUF; more than a pipe holds never gets in.
    static let longest = 60 << 10

    /// Writes a line. Opening may block: not for the loop.
    ///
    /// - Returns: what went wrong; nil: nothing.
    static func write(_ line: String, to process: ProcessIdentity) -> String? {
        let path = "/proc/\(process.pid)/fd/0"
        var status = stat()
        guard stat(path, &status) == 0 else { return "its standard input cannot be seen: \(errorText(errno))" }
        guard isPipe(status) else { return "its standard input is no pipe" }
        let descriptor = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { return "its standard input cannot be opened: \(errorText(errno))" }
        defer { _ = close(descriptor) }
        // Looked at again: it may have changed between the two, and the number may be another process's.
        guard fstat(descriptor, &status) == 0, isPipe(status), process.isAlive() else {
            return "it does not run any more"
        }
        let bytes = Array((line + "\n").utf8)
        let count = Glibc.write(descriptor, bytes, bytes.count)
        if count == bytes.count { return nil }
        if count < 0, errno != EAGAIN { return "its standard input cannot be written: \(errorText(errno))" }
        return "its standard input is full, as it does not read it: \(max(0, count)) of \(bytes.count) bytes were taken"
    }

    private static func isPipe(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFIFO }
}
