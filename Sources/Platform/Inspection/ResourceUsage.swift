import Glibc
package import Model

/// What the processes of an instance use together.
package struct ResourceUsage: Hashable, Sendable {
    /// How much to find out: a list needs little, and asks often.
    package enum Detail: Sendable {
        /// What the process table holds already: nothing is read.
        case summary
        /// Also the peak of memory and the number of open files: two more reads per process.
        case full
    }

    /// Clock ticks per second, in which the kernel counts CPU time and start times.
    package static let ticksPerSecond = UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))

    /// Resident memory, summed: pages that processes share count for each.
    package var memoryBytes: Int64 = 0
    /// The sum of each living process's peak. nil: not asked for, or none could be read.
    package var memoryPeakBytes: Int64?
    /// User and system time of the living processes.
    package var cpuTicks: UInt64 = 0
    /// Threads.
    package var tasks = 0
    /// Open descriptors. nil: not asked for, or not readable for one of the processes.
    package var fds: Int?

    package var cpuSeconds: Double { Double(cpuTicks) / Double(Self.ticksPerSecond) }

    package init() {}

    /// Sums up `members`; those that are not in `table` any more count nothing.
    package static func measure(
        _ members: [ProcessIdentity], in table: ProcessTable, detail: Detail = .summary,
        reader: ProcReader = ProcReader()
    ) -> ResourceUsage {
        var usage = ResourceUsage()
        var allFDs: Int? = 0
        for member in members {
            guard let entry = table.entry(of: member) else { continue }
            usage.memoryBytes = saturating(usage.memoryBytes, entry.residentBytes)
            usage.cpuTicks = saturating(usage.cpuTicks, saturating(entry.userTicks, entry.systemTicks))
            usage.tasks = saturating(usage.tasks, entry.threads)
            guard detail == .full else { continue }
            if let peak = peakBytes(of: member.pid, reader) {
                usage.memoryPeakBytes = saturating(usage.memoryPeakBytes ?? 0, peak)
            }
            switch openFiles(of: member.pid, reader) {
            case .count(let count): allFDs = allFDs.map { saturating($0, count) }
            case .gone: break
            case .notPermitted: allFDs = nil
            }
        }
        if detail == .full { usage.fds = allFDs }
        return usage
    }

    private static func saturating<Number: FixedWidthInteger>(_ left: Number, _ right: Number) -> Number {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? Number.max : sum
    }

    private static func peakBytes(of pid: Int32, _ reader: ProcReader) -> Int64? {
        let count = reader.readRecord(pid, "status")
        guard count > 0, let line = StatusFile.value(of: "VmHWM:", in: reader.bytes(count)) else { return nil }
        var cursor = ByteCursor(line)
        guard let kilobytes = cursor.unsigned() else { return nil }
        let (bytes, overflow) = kilobytes.multipliedReportingOverflow(by: 1024)
        return overflow ? Int64.max : Int64(clamping: bytes)
    }

    private enum OpenFiles {
        case count(Int)
        case gone
        case notPermitted
    }

    private static func openFiles(of pid: Int32, _ reader: ProcReader) -> OpenFiles {
        let fd = reader.open(pid, "fd", flags: O_RDONLY | O_DIRECTORY)
        guard fd >= 0 else { return fd == -ENOENT || fd == -ESRCH ? .gone : .notPermitted }
        var information = stat()
        // Since Linux 6.2 the size of this directory is the number of descriptors.
        if fstat(fd, &information) == 0, information.st_size > 0 {
            close(fd)
            return .count(Int(clamping: information.st_size))
        }
        var count = 0
        return forEachName(
            inDirectory: fd,
            { _ in
                count &+= 1
                return true
            }) ? .count(count) : .notPermitted
    }
}
