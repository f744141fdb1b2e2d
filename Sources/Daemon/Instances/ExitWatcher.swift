import CLinux
import Model
import Platform

#if canImport(Glibc)
    import Glibc
#endif

/// Learns how processes end: our children by waiting, adopted ones from the keeper or the kernel.
///
/// A pidfd tells that a process is gone. Its status comes from waitpid for a child; else from the keeper, which reaps
/// what a former daemon started; else from the pidfd itself (Linux 6.15) or from the zombie's stat; else it is unknown,
/// and that is said.
final class ExitWatcher {
    private let services: Services
    private var waiting: [ProcessIdentity: (ExitStatus) -> Void] = [:]

    init(_ services: Services) {
        self.services = services
        services.vault.onExit = { [unowned self] process, status in
            guard let then = self.waiting.removeValue(forKey: process) else { return }
            _ = services.vault.recordedExit(of: process)
            then(ExitStatus(waitStatus: status))
        }
    }

    /// Calls back once when the process has ended. Takes over the pidfd.
    func watch(_ process: ProcessIdentity, pidfd: Int32, then: @escaping (ExitStatus) -> Void) throws(SystemError) {
        try services.loop.watch(pidfd, .readable) { [unowned self] _ in
            self.services.loop.unwatch(pidfd)
            var status: Int32 = 0
            if clinux_reap(process.pid, &status) == 1 {
                close(pidfd)
                then(ExitStatus(waitStatus: status))
            } else {
                self.ask(process, pidfd, then)
            }
        }
    }

    /// The status of a process that ended while no daemon ran.
    func statusOfUnseen(_ process: ProcessIdentity) -> ExitStatus {
        var status: Int32 = 0
        if clinux_reap(process.pid, &status) == 1 { return ExitStatus(waitStatus: status) }
        if let status = services.vault.recordedExit(of: process) { return ExitStatus(waitStatus: status) }
        if let status = process.zombieWaitStatus() { return ExitStatus(waitStatus: status) }
        return .unknown
    }

    /// Delays between the looks at a process that somebody else has to reap: pid 1 may take its time.
    private static let patience: [Int64] = [0, 5, 20, 75, 200, 700]

    private func ask(_ process: ProcessIdentity, _ pidfd: Int32, _ then: @escaping (ExitStatus) -> Void) {
        waiting[process] = { status in
            close(pidfd)
            then(status)
        }
        look(process, pidfd, attempt: 0)
    }

    private func look(_ process: ProcessIdentity, _ pidfd: Int32, attempt: Int) {
        guard waiting[process] != nil else { return }
        func finish(_ status: ExitStatus) { waiting.removeValue(forKey: process)?(status) }
        if let status = services.vault.recordedExit(of: process) { return finish(ExitStatus(waitStatus: status)) }
        var status: Int32 = 0
        if clinux_pidfd_exit_status(pidfd, &status) == 1 { return finish(ExitStatus(waitStatus: status)) }
        if let status = process.zombieWaitStatus() { return finish(ExitStatus(waitStatus: status)) }
        guard attempt + 1 < Self.patience.count else { return finish(.unknown) }
        services.loop.schedule(after: Milliseconds(Self.patience[attempt + 1])) { [weak self] in
            self?.look(process, pidfd, attempt: attempt + 1)
        }
    }
}
