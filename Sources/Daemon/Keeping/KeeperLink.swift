import CLinux
import Model
import Platform
import Records

#if canImport(Glibc)
    import Glibc
#endif

/// Sees to it that there is one keeper: lets a new one attach, and starts one when none is there.
///
/// A keeper that was started beside a living daemon connects to `run/vault.sock`; it is greeted and gets everything
/// that is deposited. A second one is refused, unless a service manager started it: then it takes the place of the
/// first, and a daemon that runs outside the service ends for one that the new keeper starts within it.
final class KeeperLink {
    /// How long a keeper too many may take to say that it belongs to a service.
    private static let hearing = Milliseconds(1000)

    private let services: Services
    private let server: ControlServer
    private var listener: Int32?
    private var isStarting = false
    private var failures = 0
    /// Connected while there is a keeper, and not heard yet.
    private var candidate: Int32?
    /// Told of a keeper that has nothing yet.
    var attached: (() -> Void)?
    /// Told when a keeper of a service has everything, and this daemon is outside that service.
    var claimed: (() -> Void)?
    /// No keeper is started any more: the daemon ends.
    var isStandingDown = false

    init(_ services: Services, _ server: ControlServer) {
        self.services = services
        self.server = server
        services.vault.onLost = { [unowned self] in
            guard !self.isStandingDown else { return }
            services.journal.add("daemon", "the keeper is gone; the daemon goes on and starts another")
            self.startKeeper()
        }
        services.vault.onClaim = { [unowned self] in self.claimedByService() }
    }

    func open() throws(SystemError) {
        try bindAgain()
        if !services.vault.isConnected { startKeeper() }
    }

    func bindAgain() throws(SystemError) {
        if let listener {
            services.loop.unwatch(listener)
            close(listener)
            self.listener = nil
        }
        try FileSystem.makeDirectory(services.paths.run)
        let path = services.paths.vaultSocket
        let fd = try checked(
            clinux_unix_listen(path, Int32(SOCK_SEQPACKET.rawValue), 0o600, 16), "listen on '\(path)'")
        listener = fd
        try services.loop.watch(fd, .readable) { [unowned self] _ in self.accept() }
    }

    private func accept() {
        guard let listener else { return }
        let fd = clinux_accept(listener)
        guard fd >= 0 else { return }
        var pid: pid_t = 0
        var uid: uid_t = 0
        var gid: gid_t = 0
        guard clinux_peer_credentials(fd, &pid, &uid, &gid) == 0, uid == geteuid() || uid == 0 else {
            close(fd)
            return
        }
        if isStandingDown || candidate != nil { return refuse(fd) }
        if services.vault.isConnected { return hear(fd) }
        greet(fd, pid)
    }

    private func refuse(_ fd: Int32) {
        var packet = keeper_packet()
        packet.type = KEEPER_REFUSED.rawValue
        _ = clinux_send_packet(fd, &packet, MemoryLayout<keeper_packet>.size, -1)
        close(fd)
    }

    /// One keeper too many. One of a service says so at once.
    private func hear(_ fd: Int32) {
        _ = clinux_set_nonblocking(fd, 1)
        candidate = fd
        do throws(SystemError) {
            try services.loop.watch(fd, .readable) { [unowned self] _ in self.decide(fd) }
        } catch { return decide(fd) }
        services.loop.schedule(after: Self.hearing) { [weak self] in self?.decide(fd) }
    }

    private func decide(_ fd: Int32) {
        guard candidate == fd else { return }
        candidate = nil
        services.loop.unwatch(fd)
        var packet = keeper_packet()
        var descriptor: Int32 = -1
        var truncated: Int32 = 0
        let count = clinux_receive_packet(fd, &packet, MemoryLayout<keeper_packet>.size, &descriptor, &truncated)
        if descriptor >= 0 { close(descriptor) }
        var pid: pid_t = 0
        var uid: uid_t = 0
        guard count == MemoryLayout<keeper_packet>.size, packet.type == KEEPER_CLAIM.rawValue, !isStandingDown,
            clinux_peer_credentials(fd, &pid, &uid, nil) == 0
        else { return refuse(fd) }
        services.vault.dismiss()
        greet(fd, pid)
        claimedByService()
    }

    private func claimedByService() {
        guard services.unit == nil else { return }
        claimed?()
    }

    private func greet(_ fd: Int32, _ pid: Int32) {
        do throws(SystemError) {
            try services.vault.welcome(fd)
            services.vault.deposit(KEEPER_KIND_TABLE, id: 0, services.table.descriptor)
            server.deposit()
            services.state.keepAgain()
            attached?()
            services.vault.ready()
            failures = 0
            services.journal.add("daemon", "a keeper (pid \(pid)) is attached")
        } catch {
            close(fd)
        }
    }

    /// Starts a keeper beside this daemon; tries again with growing delays until one is attached.
    private func startKeeper() {
        guard !isStarting, !isStandingDown else { return }
        isStarting = true
        // In a service its manager starts the next one: only when that does not come, we do.
        let first = services.unit == nil ? Milliseconds(0) : Milliseconds(5000)
        let delay = failures == 0 ? first : Milliseconds(min(30_000, 100 << Int64(min(failures, 8))))
        failures += 1
        services.loop.schedule(after: delay) { [unowned self] in
            guard !self.services.vault.isConnected, !self.isStandingDown else {
                self.isStarting = false
                return
            }
            let (paths, limits) = (self.services.paths, self.services.limits)
            self.services.loop.offload(to: self.services.spawners) {
                Self.spawn(paths, limits)
            } then: { [unowned self] result in
                self.keeperStarted(result)
            }
        }
    }

    private func keeperStarted(_ result: Result<SpawnedProcess, SpawnFailure>) {
        switch result {
        case .success(let keeper):
            // It is our child until we die: reap it when it ends before.
            do throws(SystemError) {
                try services.loop.watch(keeper.pidfd, .readable) { [unowned self] _ in
                    self.services.loop.unwatch(keeper.pidfd)
                    close(keeper.pidfd)
                    var status: Int32 = 0
                    _ = clinux_reap(keeper.process.pid, &status)
                }
            } catch { close(keeper.pidfd) }
            // 5 s: what an attaching keeper may need on a loaded machine.
            services.loop.schedule(after: Milliseconds(5000)) { [unowned self] in
                self.isStarting = false
                if !self.services.vault.isConnected { self.startKeeper() }
            }
        case .failure(let failure):
            isStarting = false
            services.log.note("no keeper: \(failure.message)")
            startKeeper()
        }
    }

    private static func spawn(_ paths: HomePaths, _ limits: ProcessLimits) -> Result<SpawnedProcess, SpawnFailure> {
        let own = Executable.path
        let keeper = FileSystem.parent(of: own) + "/hearth-keeper"
        let passed = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "HEARTH_HEARTBEAT_MS"]
        let environment = passed.compactMap { name in getenv(name).map { "\(name)=\(String(cString: $0))" } }
        return Spawner.spawn(
            SpawnRequest(
                command: SpawnRequest.Command(
                    program: keeper, arguments: ["--home", paths.home, "--daemon", own]),
                environment: environment, cwd: "/", standardOutput: paths.daemonLog,
                standardError: paths.daemonLog, stdin: .null, uid: nil, gid: nil,
                openFilesLimit: limits.openFiles, umask: limits.umask, pidSlot: nil))
    }
}

/// The file of this program.
enum Executable {
    static var path: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return "/usr/lib/hearth/hearthd" }
        let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // A replaced file keeps its name with this at its end.
        let deleted = " (deleted)"
        return path.hasSuffix(deleted) ? String(path.dropLast(deleted.count)) : path
    }
}
