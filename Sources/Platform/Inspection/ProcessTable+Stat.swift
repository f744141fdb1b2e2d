import Glibc
package import Model

extension ProcessTable.Entry {
    /// PF_KTHREAD of the kernel's include/linux/sched.h.
    private static let kernelThreadFlag: UInt64 = 0x0020_0000
    static let pageSize = Int64(sysconf(Int32(_SC_PAGESIZE)))

    /// Parses /proc/PID/stat. The name may hold blanks, parentheses and newlines: it ends at the last `)`.
    init?(stat bytes: UnsafeRawBufferPointer, uid: UInt32) {
        var cursor = ByteCursor(bytes)
        guard let pid = cursor.unsigned().flatMap(Int32.init(exactly:)), let fields = Self.endOfName(in: bytes) else {
            return nil
        }
        cursor.skipBlanks()
        guard cursor.current == UInt8(ascii: "("), fields > cursor.position else { return nil }
        let name = bytes.part(cursor.position &+ 1, fields)

        cursor = ByteCursor(bytes, at: fields &+ 1)
        guard let state = cursor.byte(),
            let parent = cursor.signed().flatMap(Int32.init(exactly:)),
            let group = cursor.signed().flatMap(Int32.init(exactly:)),
            let session = cursor.signed().flatMap(Int32.init(exactly:))
        else { return nil }
        cursor.skipFields(2)  // tty_nr, tpgid
        guard let flags = cursor.unsigned() else { return nil }
        cursor.skipFields(4)  // page faults
        guard let userTicks = cursor.unsigned(), let systemTicks = cursor.unsigned() else { return nil }
        cursor.skipFields(4)  // times of children that were waited for, priority, nice
        guard let threads = cursor.signed() else { return nil }
        cursor.skipFields(1)  // itrealvalue
        guard let startTime = cursor.unsigned() else { return nil }
        cursor.skipFields(1)  // vsize
        guard let pages = cursor.signed() else { return nil }

        let (resident, overflow) = max(0, pages).multipliedReportingOverflow(by: Self.pageSize)
        self.init(
            pid: pid, parent: parent, group: group, session: session, startTime: startTime, uid: uid, state: state,
            userTicks: userTicks, systemTicks: systemTicks, threads: Int(clamping: max(0, threads)),
            residentBytes: overflow ? Int64.max : resident, isKernelThread: flags & Self.kernelThreadFlag != 0,
            name: String(decoding: name, as: UTF8.self))
    }

    /// Field 52 of /proc/PID/stat.
    static func exitCode(in bytes: UnsafeRawBufferPointer) -> Int32? {
        guard let fields = endOfName(in: bytes) else { return nil }
        var cursor = ByteCursor(bytes, at: fields &+ 1)
        cursor.skipFields(49)
        return cursor.signed().flatMap(Int32.init(exactly:))
    }

    private static func endOfName(in bytes: UnsafeRawBufferPointer) -> Int? {
        bytes.lastIndex(of: UInt8(ascii: ")"))
    }
}

extension ProcessIdentity {
    /// The process that has this pid now; nil when there is none. To rely on it, open a pidfd first.
    package static func current(of pid: Int32, reader: ProcReader = ProcReader()) -> ProcessIdentity? {
        ProcessTable.entry(of: pid, reader: reader)?.identity
    }

    /// Whether this very process still runs: same start time, and more than a zombie.
    package func isAlive(reader: ProcReader = ProcReader()) -> Bool {
        guard let entry = ProcessTable.entry(of: pid, reader: reader) else { return false }
        return entry.startTime == startTime && entry.isAlive
    }

    /// Wait status of this process while it is a zombie that nobody has reaped. nil: it is none, or we may not know
    /// (the kernel then shows 0, which must not be taken for a clean exit).
    package func zombieWaitStatus(reader: ProcReader = ProcReader()) -> Int32? {
        let count = reader.readRecord(pid, "stat")
        guard count > 0, let entry = ProcessTable.Entry(stat: reader.bytes(count), uid: 0),
            entry.startTime == startTime, entry.state == UInt8(ascii: "Z"), entry.threads <= 1,
            let status = ProcessTable.Entry.exitCode(in: reader.bytes(count))
        else { return nil }
        guard status == 0 else { return status }
        let mayKnow = reader.owner(of: pid) == geteuid() || Capabilities.maySeeEveryProcess(reader)
        return mayKnow ? 0 : nil
    }
}

private enum Capabilities {
    /// CAP_SYS_PTRACE, which root in a container need not have.
    static func maySeeEveryProcess(_ reader: ProcReader) -> Bool {
        let count = reader.readRecord(getpid(), "status")
        guard count > 0, let value = StatusFile.value(of: "CapEff:", in: reader.bytes(count)) else { return false }
        var capabilities: UInt64 = 0
        for byte in value {
            switch byte {
            case 0x30...0x39: capabilities = capabilities &<< 4 | UInt64(byte &- 0x30)
            case 0x61...0x66: capabilities = capabilities &<< 4 | UInt64(byte &- 0x57)
            default: break
            }
        }
        return capabilities & (1 << 19) != 0
    }
}

/// Lines of /proc/PID/status.
enum StatusFile {
    /// What follows `key` (with its colon) on its line.
    static func value(of key: StaticString, in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var start = 0
        while start < bytes.count {
            let end = bytes.firstIndex(of: 0x0A, from: start) ?? bytes.count
            if bytes.has(key, at: start) { return bytes.part(start &+ key.utf8CodeUnitCount, end) }
            start = end &+ 1
        }
        return nil
    }
}
