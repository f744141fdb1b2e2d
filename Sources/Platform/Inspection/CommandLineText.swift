import Glibc

/// The command line of a process, fit to be shown.
package enum CommandLineText {
    /// Arguments joined by blanks, at most `limit` characters, nothing unprintable. The name in the process table
    /// where there are no arguments (a zombie, a kernel thread); empty when the process is gone. May block on a process
    /// that is stuck in the kernel.
    package static func read(of pid: Int32, limit: Int = 200, reader: ProcReader = ProcReader()) -> String {
        var text: [UInt8] = []
        _ = reader.forEachString(pid, "cmdline") { argument in
            if !text.isEmpty { text.append(0x20) }
            text.append(contentsOf: argument.prefix(limit &* 4))
            return text.count < limit &* 4
        }
        let line = text.printable(limit: limit)
        if !line.isEmpty { return line }
        guard let entry = ProcessTable.entry(of: pid, reader: reader) else { return "" }
        return Array(entry.name.utf8).printable(limit: limit)
    }
}
