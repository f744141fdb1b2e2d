import Glibc

/// Standard output and error of a foreground run: whoever reads slowly must not keep the run from its signals.
final class ForegroundOutput {
    /// The reader has gone, or was waited for long enough.
    struct Broken: Error {}

    /// Told when a signal has come while a reader is waited for.
    var receiveSignals: () -> Void = {}
    /// Readable when a signal has come.
    private let signals: Int32
    /// Milliseconds that a reader may take for a piece; nil: it is waited for however long it takes.
    var patience: Int64? { didSet { progress = Self.now() } }
    /// When something was written last.
    private var progress: Int64 = 0
    /// Nothing is written any more.
    private var isClosed = false

    /// What a pipe that is ready takes without blocking (PIPE_BUF).
    private static let chunk = 4096

    init(signals: Int32) { self.signals = signals }

    func write(_ bytes: [UInt8], _ fd: Int32) throws {
        var done = 0
        progress = Self.now()
        while done < bytes.count {
            if isClosed { throw Broken() }
            var entries = [
                pollfd(fd: fd, events: Int16(POLLOUT), revents: 0),
                pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
            ]
            var pause: Int32 = -1
            if let patience {
                let left = progress + patience - Self.now()
                guard left > 0 else {
                    isClosed = true
                    throw Broken()
                }
                pause = Int32(clamping: left)
            }
            guard poll(&entries, 2, pause) > 0 else { continue }
            if entries[1].revents != 0 { receiveSignals() }
            guard entries[0].revents != 0 else { continue }
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(fd, buffer.baseAddress.map { $0 + done }, min(Self.chunk, bytes.count - done))
            }
            if count >= 0 {
                done += count
                progress = Self.now()
            } else if errno != EINTR, errno != EAGAIN {
                isClosed = true
                throw Broken()
            }
        }
    }

    func close() { isClosed = true }

    /// Milliseconds.
    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
