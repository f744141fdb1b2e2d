import Model
import Platform

#if canImport(Glibc)
    import Glibc
#endif

/// Decides who may speak for an instance: its main process and what belongs to its session or descends from it.
struct NotificationSender {
    private let main: ProcessIdentity
    private let uid: UInt32?
    private let processes: ProcReader

    init(main: ProcessIdentity, _ processes: ProcReader) {
        self.main = main
        self.processes = processes
        uid = ProcessTable.entry(of: main.pid, reader: processes)?.uid
    }

    /// - Parameters:
    ///   - pid: as the kernel tells it; 0: not to be seen from here.
    ///   - uid: whom it ran as when it sent.
    func includes(_ pid: Int32, _ uid: UInt32) -> Bool {
        guard pid > 0 else { return false }
        if pid == main.pid { return true }
        // The main process leads a session of its own.
        let session = getsid(pid)
        if session == main.pid { return true }
        // A helper that said its word and ended (`systemd-notify`): its user is all that is known of it.
        if session < 0, errno == ESRCH { return uid == self.uid }
        return descends(pid)
    }

    private func descends(_ pid: Int32) -> Bool {
        var next = pid
        // Deeper trees are none of an app's; and a number that is reused meanwhile must not lead in circles.
        for _ in 0..<64 {
            guard let parent = ProcessTable.entry(of: next, reader: processes)?.parent, parent > 1 else { return false }
            if parent == main.pid { return true }
            next = parent
        }
        return false
    }
}
