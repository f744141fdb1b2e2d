import CLinux
import Glibc
package import Model

/// Whether the kernel's log says that it killed a process for memory.
package enum OOMEvidence {
    /// As much of the log as is looked at, from its end.
    private static let window = 64 * 1024

    /// The kernel's sentence, without its time stamp. nil: no such line, or we may not read the log (most users may
    /// not, nor most containers; a pid inside a container is not the one that the log names).
    ///
    /// With a start time, lines older than the process are not taken for it: the log may name a former owner of its
    /// pid.
    package static func kernelKill(_ process: ProcessIdentity) -> String? {
        guard let log = readSyslog() ?? readKmsg(pid: process.pid) else { return nil }
        return log.withUnsafeBytes {
            sentence(in: $0, pid: process.pid, notBefore: kernelTime(ofStart: process.startTime))
        }
    }

    /// The last line that says that `pid` was killed. `notBefore`: seconds on the log's own clock.
    ///
    /// A line may begin with `<level>` and `[seconds]`. Lines that a program put into the log do not count.
    package static func sentence(in log: UnsafeRawBufferPointer, pid: Int32, notBefore: Double? = nil) -> String? {
        var end = log.count
        while end > 0 {
            var start = end
            while start > 0, log[start &- 1] != 0x0A { start &-= 1 }
            if let found = sentence(inLine: log.part(start, end), pid: pid, notBefore: notBefore) { return found }
            end = start &- 1
        }
        return nil
    }

    private static func sentence(inLine line: UnsafeRawBufferPointer, pid: Int32, notBefore: Double?) -> String? {
        var cursor = ByteCursor(line)
        if cursor.current == UInt8(ascii: "<") {
            _ = cursor.byte()
            // Level and facility; facility 0 is the kernel's own, what is written to /dev/kmsg gets another.
            guard let level = cursor.unsigned(), level < 8, cursor.byte() == UInt8(ascii: ">") else { return nil }
        }
        cursor.skipBlanks()
        if cursor.current == UInt8(ascii: "[") {
            guard let close = line.firstIndex(of: UInt8(ascii: "]"), from: cursor.position) else { return nil }
            _ = cursor.byte()
            if let seconds = cursor.unsigned(), let notBefore, Double(seconds) + 1 < notBefore { return nil }
            cursor = ByteCursor(line, at: close &+ 1)
            cursor.skipBlanks()
        }
        let message = line.part(cursor.position, line.count)
        var at = 0
        while let letter = message.firstIndex(of: UInt8(ascii: "K"), from: at) {
            at = letter &+ 1
            guard message.has("Killed process ", at: letter) else { continue }
            // What stands before is the kernel's: nothing, or "Out of memory: " and the like.
            guard letter == 0 || message.has(": ", at: letter &- 2) else { continue }
            var number = ByteCursor(message, at: letter &+ 15)
            guard number.unsigned() == UInt64(exactly: pid), message.has(" (", at: number.position) else { continue }
            return Array(message).printable(limit: 400)
        }
        return nil
    }

    /// The start of a process on the clock of the log, which stands still while the machine sleeps; less a margin, as
    /// that clock is not the one that is kept in step with the world.
    private static func kernelTime(ofStart ticks: UInt64) -> Double? {
        guard ticks > 0 else { return nil }
        var boottime = timespec()
        var monotonic = timespec()
        clock_gettime(CLOCK_BOOTTIME, &boottime)
        clock_gettime(CLOCK_MONOTONIC, &monotonic)
        let slept = Double(boottime.tv_sec &- monotonic.tv_sec)
        let started = Double(ticks) / Double(ResourceUsage.ticksPerSecond) - slept
        // 200 ppm is twice the worst that a clock may drift.
        return started - 5 - started * 0.0002
    }

    /// The end of the log by syslog(2), which Glibc's module does not show: looked up by name.
    private static func readSyslog() -> [UInt8]? {
        typealias Call = @convention(c) (Int32, UnsafeMutablePointer<CChar>?, Int32) -> Int32
        guard let symbol = dlsym(nil, "klogctl") else { return nil }
        // The signature is that of <sys/klog.h>.
        let klogctl = unsafeBitCast(symbol, to: Call.self)
        let readAll: Int32 = 3  // SYSLOG_ACTION_READ_ALL: the newest bytes that fit, without consuming them
        var log = [UInt8](repeating: 0, count: window)
        let count = log.withUnsafeMutableBytes {
            klogctl(readAll, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(window))
        }
        guard count >= 0, Int(count) <= log.count else { return nil }
        log.removeLast(log.count &- Int(count))
        return log
    }

    /// Lines about `pid` from /dev/kmsg, which hands out one record per read: `6,1234,5678901,-;message`.
    private static func readKmsg(pid: Int32) -> [UInt8]? {
        let fd = clinux_open("/dev/kmsg", O_RDONLY | O_NONBLOCK, 0)
        guard fd >= 0 else { return nil }
        defer { close(fd) }
        var lines: [UInt8] = []
        var record = [UInt8](repeating: 0, count: 8192)
        // More records than any log buffer holds: what a program writes meanwhile cannot keep us here.
        for _ in 0..<200_000 {
            let count = record.withUnsafeMutableBytes { read(fd, $0.baseAddress, $0.count) }
            if count < 0, errno == EPIPE || errno == EINTR { continue }  // EPIPE: overwritten while we read
            guard count > 0 else { break }
            let line = record.withUnsafeBytes { syslogLine(ofRecord: $0.part(0, count)) }
            guard let line, line.withUnsafeBytes({ sentence(in: $0, pid: pid) }) != nil else { continue }
            if lines.count > window { lines.removeAll() }
            lines += line
        }
        return lines
    }

    /// A record of /dev/kmsg as syslog(2) would show it, so that one parser does for both.
    static func syslogLine(ofRecord record: UnsafeRawBufferPointer) -> [UInt8]? {
        var cursor = ByteCursor(record)
        guard let level = cursor.unsigned(), cursor.byte() == UInt8(ascii: ","), cursor.unsigned() != nil,
            cursor.byte() == UInt8(ascii: ","), let microseconds = cursor.unsigned(),
            let semicolon = record.firstIndex(of: UInt8(ascii: ";"), from: cursor.position)
        else { return nil }
        let end = record.firstIndex(of: 0x0A, from: semicolon) ?? record.count
        return Array("<\(level)>[\(microseconds / 1_000_000).0] ".utf8) + record.part(semicolon &+ 1, end) + [0x0A]
    }
}
