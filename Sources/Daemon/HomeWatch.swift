import CLinux
import Model
import Platform
import Records

#if canImport(Glibc)
    import Glibc
#endif

/// Puts back what somebody removes from the home while the daemon runs: sockets, pid file, directories.
///
/// The kernel tells (inotify); nothing polls. The lock cannot be removed: it is on the directory's inode.
final class HomeWatch {
    private let services: Services
    private let server: ControlServer
    private let keeperLink: KeeperLink
    private var inotify: Int32 = -1
    private var repairTimer: EventLoop.TimerToken?

    init(_ services: Services, _ server: ControlServer, _ keeperLink: KeeperLink) {
        self.services = services
        self.server = server
        self.keeperLink = keeperLink
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

    private func watchAll() {
        // Watching again what is watched already changes nothing; a directory that was made anew is a new one.
        for directory in [services.paths.home, services.paths.run, services.paths.state] {
            _ = clinux_inotify_watch_removals(inotify, directory)
        }
    }

    /// Our own writes rename and unlink too: they are looked at together, 20 ms later.
    private func repairSoon() {
        guard repairTimer == nil else { return }
        repairTimer = services.loop.schedule(after: Milliseconds(20)) { [unowned self] in
            self.repairTimer = nil
            self.repair()
        }
    }

    private func repair() {
        let paths = services.paths
        var mended: [String] = []
        do throws(SystemError) {
            for directory in [paths.home, paths.run, paths.state, paths.logs, paths.runtime(of: services.machine)]
            where !FileSystem.isDirectory(directory) {
                try FileSystem.makeDirectory(directory)
                mended.append(directory)
            }
            if !mended.isEmpty { services.tableChanged() }
            if mended.contains(paths.state) || !FileSystem.exists(paths.desiredState),
                !services.state.desired.instances.isEmpty
            {
                services.state.change { _ in }
                mended.append(paths.desiredState)
            }
            if !server.isReachable {
                try server.bindAgain()
                mended.append(paths.controlSocket)
            }
            if !FileSystem.exists(paths.vaultSocket) {
                try keeperLink.bindAgain()
                mended.append(paths.vaultSocket)
            }
            if !FileSystem.exists(paths.pidFile) {
                try PidFile.write(paths)
                mended.append(paths.pidFile)
            }
        } catch {
            services.log.note("the home cannot be put in order: \(error)")
            services.loop.schedule(after: Milliseconds(1000)) { [unowned self] in self.repair() }
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
        try FileSystem.replace(paths.pidFile, with: Array("\(getpid())\n".utf8), mode: 0o644, sync: false)
    }
}
