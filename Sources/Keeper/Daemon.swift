import CLinux

/// The hearthd that lives now: our child, or one that we found alive and attached to.
struct Daemon {
    let pid: pid_t
    let handle: Int32
    /// Its exit status comes to us, through SIGCHLD; an attached one is only seen to be gone.
    let isChild: Bool
    /// It has taken over its apps. An attached daemon was at work before we came.
    var isReady: Bool
    /// It said that it ends on purpose.
    var standsDown = false
    /// It was asked by our SIGTERM to end.
    var wasAskedToEnd = false
    /// When we killed it because it hung.
    var killedAt: Int64?
    var wasReportedStuck = false

    /// Never reaches another process: the handle pins the number.
    func signal(_ number: Int32) {
        let result = clinux_pidfd_send_signal(handle, number)
        if result < 0 { log("hearthd cannot be signalled", error: result) }
    }
}

/// A wait status taken apart.
struct WaitStatus {
    let rawValue: Int32

    /// Exit code, or nil after a death by signal.
    var exitCode: Int32? { rawValue & 0x7f == 0 ? (rawValue >> 8) & 0xff : nil }
    var signal: Int32 { rawValue & 0x7f }
}
