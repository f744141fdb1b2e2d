import CLinux
import Model
import Platform
import Records

#if canImport(Glibc)
    import Glibc
#endif

/// Puts back what somebody removes from the home while the daemon runs: sockets, pid file, directories.
///
/// The kernel tells (inotify); nothing polls. The lock is on the directory's inode: it outlives everything in the
/// directory, and a home that was deleted as a whole is made again and locked again.
final class HomeWatch {
    private let services: Services
    private let server: ControlServer
    private let keeperLink: KeeperLink
    private let pm2Sockets: PM2Sockets?
    private let lockDescriptor: Int32
    private var inotify: Int32 = -1
    private var repairTimer: EventLoop.TimerToken?
    private var isStopped = false
    /// Told after a repair: what else lies in the directories may be gone, too.
    var repaired: (() -> Void)?

    init(
        _ services: Services, _ server: ControlServer, _ keeperLink: KeeperLink, _ pm2Sockets: PM2Sockets?,
        lockDescriptor: Int32
    ) {
        self.pm2Sockets = pm2Sockets
        self.services = services
        self.server = server
        self.keeperLink = keeperLink
        self.lockDescriptor = lockDescriptor
    }

    func start() {
        inotify = clinux_inotify()
        guard inotify >= 0 else {
            return services.log.note("the home is not watched: \(errorText(-inotify))")
        }
        watchAll()
        try? services.loop.watch(inotify, .readable) { [unowned self] _ in
            guard clinux_inotify_drain(self.inotify) == 1 else { return }
            self.repairSoon()
        }
    }

    /// From here on the daemon itself removes what is to go.
    func stop() {
        guard inotify >= 0 else { return }
        services.loop.unwatch(inotify)
        if let repairTimer { services.loop.cancel(repairTimer) }
        isStopped = true
    }

    private func watchAll() {
        // Watching again what is watched already changes nothing; a directory that was made anew is a new one.
        for directory in [services.paths.home, services.paths.base, services.paths.run, services.paths.state] {
            _ = clinux_inotify_watch_removals(inotify, directory)
        }
    }

    /// Our own writes rename and unlink too: they are looked at together, 20 ms later, on the thread that does them.
    private func repairSoon() {
        guard repairTimer == nil else { return }
        repairTimer = services.loop.schedule(after: Milliseconds(20)) { [unowned self] in
            self.repairTimer = nil
            let (paths, runtime) = (self.services.paths, self.services.paths.runtime(of: self.services.machine))
            let lock = self.lockDescriptor
            self.services.loop.offload(to: self.services.stateThread) {
                Self.missing(paths, runtime, lock)
            } then: { [unowned self] missing in
                if !missing.isEmpty, !self.isStopped { self.repair(missing) }
            }
        }
    }

    /// What should be there and is not, directories first.
    private static func missing(_ paths: HomePaths, _ runtime: String, _ lock: Int32) -> [String] {
        let home = HomeLock.isInPlace(lock, paths) ? [] : [paths.base]
        let directories = [paths.run, paths.state, paths.logs, runtime] + (paths.isPM2 ? [paths.pm2Pids] : [])
        let files =
            [paths.desiredState, paths.controlSocket, paths.vaultSocket, paths.pidFile]
            + (paths.isPM2 ? paths.pm2Sockets : [])
        return home + directories.filter { !FileSystem.isDirectory($0) } + files.filter { !FileSystem.exists($0) }
    }

    private func repair(_ missing: [String]) {
        let paths = services.paths
        var mended: [String] = []
        do throws(SystemError) {
            for path in missing {
                switch path {
                case paths.base:
                    try FileSystem.makeDirectory(path)
                    try HomeLock.renew(lockDescriptor, paths)
                case paths.controlSocket: try server.bindAgain()
                case paths.vaultSocket: try keeperLink.bindAgain()
                case paths.pidFile: try PidFile.write(paths)
                case paths.desiredState:
                    // A home where nothing was ever started has none.
                    guard !services.state.desired.instances.isEmpty else { continue }
                    services.state.change { _ in }
                case _ where paths.pm2Sockets.contains(path): try pm2Sockets?.listen(path)
                default: try FileSystem.makeDirectory(path)
                }
                mended.append(path)
            }
            services.tableChanged()
            repaired?()
        } catch {
            services.log.note("the home cannot be put in order: \(error)")
            services.loop.schedule(after: Milliseconds(1000)) { [unowned self] in self.repairSoon() }
        }
        watchAll()
        if !mended.isEmpty {
            services.journal.add("daemon", "removed by somebody, put back: \(mended.joined(separator: ", "))")
        }
    }
}

/// `hearthd.pid`: for people and scripts. Never believed: the lock is.
enum PidFile {
    static func write(_ paths: HomePaths) throws(SystemError) {
        // PM2's has no newline.
        let text = paths.isPM2 ? "\(getpid())" : "\(getpid())\n"
        try FileSystem.replace(paths.pidFile, with: Array(text.utf8), mode: 0o644, sync: false)
    }
}
