import CLinux
import Control
import Model
import NodeBridge
import PM2Format
import Platform
import Records
import Supervision

#if canImport(Glibc)
    import Glibc
#endif

/// The daemon, from its arguments to its end.
package enum Hearthd {
    /// Runs until the daemon ends; the exit code of the process.
    package static func main(arguments: [String]) -> Int32 {
        let options: Options
        switch Options.parse(arguments) {
        case .success(let parsed): options = parsed
        case .failure(let failure):
            say("hearthd: \(failure.message)\nusage: hearthd --home PATH\n")
            return 2
        }
        if options.showsVersion {
            print(Interface.productVersion)
            return 0
        }
        if options.showsPreload {
            print(DrainPreload.text, terminator: "")
            return 0
        }
        guard let home = options.home else {
            say("hearthd: --home is missing\nusage: hearthd --home PATH\n")
            return 2
        }
        let paths = options.isPM2 ? HomePaths(home: home, isPM2: true) : HomePaths.existing(at: home)
        if options.checksState { return StateCheck.run(paths) }
        do {
            let daemon = try Daemon(paths)
            return daemon.run()
        } catch let failure as StartFailure {
            say("hearthd: \(failure.message)\n")
            return failure.exitCode
        } catch {
            say("hearthd: \(error)\n")
            return 1
        }
    }

    private static func say(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(2, bytes, bytes.count)
    }

    private struct Options {
        var home: String?
        /// The home is PM2's, whatever lies there now.
        var isPM2 = false
        var checksState = false
        var showsVersion = false
        var showsPreload = false

        struct Invalid: Error {
            var message: String
        }

        static func parse(_ arguments: [String]) -> Result<Options, Invalid> {
            var options = Options()
            var rest = arguments.dropFirst()
            while let argument = rest.popFirst() {
                switch argument {
                case "--home":
                    guard let value = rest.popFirst(), value.hasPrefix("/") else {
                        return .failure(Invalid(message: "--home needs an absolute path"))
                    }
                    options.home = value
                case "--pm2": options.isPM2 = true
                case "--check-state": options.checksState = true
                case "--version": options.showsVersion = true
                case "--drain-preload": options.showsPreload = true
                default: return .failure(Invalid(message: "'\(argument)' is not an option"))
                }
            }
            return .success(options)
        }
    }
}

/// Why the daemon did not start, with the exit code that tells the keeper what to do about it.
struct StartFailure: Error {
    var exitCode: Int32
    var message: String

    static func locked(by pid: Int32?) -> StartFailure {
        let who = pid.map { " (pid \($0))" } ?? ""
        return StartFailure(
            exitCode: Int32(KEEPER_EXIT_LOCKED), message: "another hearthd\(who) has this home")
    }

    static func configuration(_ message: String) -> StartFailure {
        StartFailure(exitCode: Int32(KEEPER_EXIT_CONFIG), message: message)
    }
}

/// One running daemon: its parts, and how it starts and ends.
final class Daemon: Lifecycle {
    private let services: Services
    private let fleet: Fleet
    private let inspector: Inspector
    private let dispatcher: Dispatcher
    private let server: ControlServer
    private let keeperLink: KeeperLink
    private let homeWatch: HomeWatch
    private let pm2Sockets: PM2Sockets?
    private let upgrader: Upgrader
    private let policies: Policies
    private let memory: MemoryHousekeeping
    private let serviceStatus: ServiceStatus
    private let signals: Int32
    private let handOver: HandOver?
    private let deposits: [Vault.Deposit]
    private let isTableExact: Bool
    private var exitCode: Int32 = 0
    private var isEnding = false

    init(_ paths: HomePaths) throws {
        signal(SIGPIPE, SIG_IGN)
        clinux_limit_arenas()
        handOver = HandOver.fromEnvironment()
        try Self.prepare(paths)
        if paths.isPM2, let pid = GenuinePM2.daemon(of: paths) {
            throw StartFailure.configuration(
                "a genuine PM2 daemon (pid \(pid)) has '\(paths.home)'; save and end it first: its own 'pm2 save && pm2 kill'"
            )
        }

        var before: UInt64 = 0
        var after: UInt64 = 0
        _ = clinux_raise_nofile(&before, &after)
        let mask = Glibc.umask(0o022)
        _ = Glibc.umask(mask)
        let limits = ProcessLimits(
            openFiles: handOver?.openFilesSoft ?? before, openFilesRaised: after, umask: handOver?.umask ?? mask)
        // Ours: what the daemon itself writes is for its user only.
        _ = Glibc.umask(0o077)

        let lockDescriptor: Int32
        if let handOver {
            lockDescriptor = handOver.lockDescriptor
            _ = clinux_set_cloexec(lockDescriptor, 1)
        } else {
            switch HomeLock.acquire(paths) {
            case .locked(let lock): lockDescriptor = lock.descriptor
            case .held(let pid): throw StartFailure.locked(by: pid)
            case .failed(let failure): throw StartFailure.configuration(failure.description)
            }
        }

        let machine = MachineIdentity.current()
        let log = DaemonLog(paths)
        let loop = try EventLoop()
        let vault = Vault(loop)
        let reading = DesiredStateFile.read(paths)

        var deposits: [Vault.Deposit] = []
        if let socket = handOver?.vaultDescriptor ?? Self.inheritedVault() {
            _ = clinux_set_cloexec(socket, 1)
            do throws(SystemError) { deposits = try vault.takeOver(socket) } catch {
                log.note("the keeper's deposits could not be taken over: \(error)")
            }
        }
        var tableDescriptor = deposits.first { $0.kind == KEEPER_KIND_TABLE.rawValue }?.descriptor
        if let inherited = handOver?.tableDescriptor {
            if let deposited = tableDescriptor { close(deposited) }
            _ = clinux_set_cloexec(inherited, 1)
            tableDescriptor = inherited
        }
        let table = try InstanceTable(descriptor: tableDescriptor, machine: machine)
        isTableExact = tableDescriptor != nil
        if tableDescriptor == nil, let copy = InstanceTable.read(paths, machine) { table.load(copy) }
        self.deposits = deposits
        // The keeper has a list only while the disk did not take it: then it is the newer one.
        let kept = deposits.first { $0.kind == KEEPER_KIND_LIST.rawValue }
        let undurable = kept.flatMap { StateStore.kept($0.descriptor) }
        let desired = try undurable ?? Self.desiredState(reading, machine: machine, log: log)

        services = Services(
            paths: paths, machine: machine, loop: loop, log: log, vault: vault, desired: desired, table: table,
            limits: limits)
        fleet = Fleet(services)
        inspector = Inspector(services, fleet)
        let explainer = Explainer(services, fleet)
        dispatcher = Dispatcher(services, fleet, inspector, explainer)
        policies = Policies(services, fleet, inspector, dispatcher.reloads)
        memory = MemoryHousekeeping(loop)
        serviceStatus = ServiceStatus(services, fleet)
        server = ControlServer(services, dispatcher, memory)
        keeperLink = KeeperLink(services, server)
        pm2Sockets = paths.isPM2 ? PM2Sockets(services) : nil
        homeWatch = HomeWatch(services, server, keeperLink, pm2Sockets, lockDescriptor: lockDescriptor)
        upgrader = Upgrader(services, fleet, server, lockDescriptor: lockDescriptor)
        signals = try checked(Self.signalDescriptor(), "receive signals")
        if undurable != nil { services.state.isKept = true }
        dispatcher.notes = Self.setAsideCorrupt(reading, log: log)
        // What was set aside is replaced, what the disk did not take is tried again.
        if undurable != nil || (!reading.corrupt.isEmpty && reading.state != nil) { services.state.change { _ in } }
        fleet.explain = { id, generation, status in explainer.explainExit(id, generation, status) }
        keeperLink.attached = { [fleet, serviceStatus] in
            serviceStatus.tellSoon()
            fleet.channels.depositAgain()
            fleet.sockets.depositAgain()
            fleet.stored.depositAgain()
            fleet.reports.depositAgain()
        }
        keeperLink.claimed = { [unowned self] in self.makeRoom() }
        homeWatch.repaired = { [fleet] in fleet.sockets.saveAgain() }
        fleet.spawned = { [inspector] _ in inspector.lookSoon() }
    }

    private static func signalDescriptor() -> Int32 {
        let wanted: [Int32] = [SIGTERM, SIGINT, SIGHUP]
        return clinux_signalfd(wanted, Int32(wanted.count))
    }

    /// The home's directories, and whether they are ours.
    private static func prepare(_ paths: HomePaths) throws {
        do throws(SystemError) {
            try FileSystem.makeDirectory(paths.base)
            var status = stat()
            if stat(paths.base, &status) == 0, status.st_uid != geteuid() {
                throw SystemError(EPERM, "use '\(paths.base)', which belongs to \(UserNames.name(of: status.st_uid))")
            }
            for directory in [paths.logs, paths.run, paths.state] + (paths.isPM2 ? [paths.pm2Pids] : []) {
                try FileSystem.makeDirectory(directory)
            }
        } catch {
            throw StartFailure.configuration("\(error)")
        }
    }

    /// The vault socket, when a keeper started us.
    private static func inheritedVault() -> Int32? {
        guard getenv("HEARTH_KEEPER_PID") != nil else { return nil }
        unsetenv("HEARTH_KEEPER_PID")
        var status = stat()
        let fd = Int32(KEEPER_VAULT_FD)
        guard fstat(fd, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
        return fd
    }

    private static func desiredState(
        _ reading: DesiredStateFile.Reading, machine: MachineIdentity, log: DaemonLog
    ) throws -> DesiredState {
        guard let state = reading.state else {
            return DesiredState(machine: machine.machine, boot: machine.boot)
        }
        let takesOver = getenv("HEARTH_TAKE_OVER") != nil
        unsetenv("HEARTH_TAKE_OVER")
        guard state.machine == machine.machine || takesOver else {
            throw StartFailure.configuration(
                "this home was last run by another machine (\(state.machine)); if that one does not use it any more: hearth up --take-over"
            )
        }
        return state
    }

    private static func setAsideCorrupt(_ reading: DesiredStateFile.Reading, log: DaemonLog) -> [String] {
        let moved = DesiredStateFile.setAside(reading.corrupt, stamp: SystemClock.wallClock())
        let notes = reading.notes + moved.map { "it was set aside as '\($0)'" }
        for note in notes { log.note(note) }
        return notes
    }

    // MARK: Running

    func run() -> Int32 {
        dispatcher.lifecycle = self
        // A full disk does not keep the daemon from starting: nothing believes this file.
        do throws(SystemError) {
            try PidFile.write(services.paths)
        } catch {
            services.log.note("no pid file: \(error)")
        }
        do {
            let control = deposits.first { $0.kind == KEEPER_KIND_CONTROL.rawValue }
            if let handOver {
                if let control { close(control.descriptor) }
                _ = clinux_set_cloexec(handOver.controlDescriptor, 1)
                try server.open(inherited: handOver.controlDescriptor, inheritedInode: server.inodeOnDisk)
            } else {
                try server.open(inherited: control?.descriptor, inheritedInode: control?.id)
            }
            services.vault.deposit(KEEPER_KIND_TABLE, id: 0, services.table.descriptor)
            try services.loop.watch(signals, .readable) { [unowned self] _ in self.signalled() }
            try keeperLink.open()
        } catch {
            services.log.note("cannot start: \(error)")
            services.log.drain()
            return 1
        }
        pm2Sockets?.open()
        homeWatch.start()

        let begun = SystemClock.now()
        fleet.channels.take(deposits)
        fleet.sockets.take(deposits)
        fleet.stored.take(deposits)
        fleet.reports.take(deposits)
        let summary = Adoption(services: services, fleet: fleet, isTableExact: isTableExact).perform()
        fleet.channels.closeUnclaimed()
        fleet.settleSockets()
        fleet.reports.settle { [fleet] in fleet[$0.id]?.processes[$0.generation]?.pidfd != nil }
        dispatcher.reloads.resume()
        policies.begin()
        serviceStatus.begin()
        inspector.lookSoon()
        for sentence in summary.unlisted { services.log.note(sentence) }
        dispatcher.notes += summary.unlisted
        dispatcher.jobs = policies.jobs
        dispatcher.notesOfRules = { [policies] in policies.notes }
        dispatcher.isReady = true
        services.vault.ready()
        let took = SystemClock.now().since(begun)
        services.journal.add(
            "daemon",
            "hearthd \(Interface.productVersion) (pid \(getpid())) is ready: \(summary.adopted) adopted, \(summary.ended) had ended, \(summary.started) started, in \(took)"
        )
        services.tableChanged()
        answerUpgrade()
        memory.noteActivity()
        services.loop.run()
        services.log.drain()
        return exitCode
    }

    private func answerUpgrade() {
        for client in handOver?.idleClients ?? [] {
            _ = clinux_set_cloexec(client, 1)
            _ = server.adoptConnection(client)
        }
        guard let handOver, let client = handOver.clientDescriptor else { return }
        _ = clinux_set_cloexec(client, 1)
        guard let connection = server.adoptConnection(client) else { return }
        if let reply = try? Varlink.reply(UpgradeReply(version: Interface.productVersion, pid: getpid())) {
            connection.stream(reply)
        }
    }

    /// SIGTERM and SIGINT to the daemon detach: the apps go on. In a home of PM2's they do what PM2 does: the list is
    /// dumped and every app stopped. SIGHUP does nothing.
    private func signalled() {
        var sender: pid_t = 0
        var uid: uid_t = 0
        while true {
            let number = clinux_signalfd_read(signals, &sender, &uid)
            guard number > 0 else { return }
            guard number == SIGTERM || number == SIGINT else { continue }
            let name = Signal(rawValue: number)?.description ?? "signal \(number)"
            // The service's ExecStop has done what is to be done with the apps.
            if services.paths.isPM2, services.unit == nil {
                dumpAndEnd(by: Actor("\(name) from pid \(sender) of \(services.userName(uid))"))
                continue
            }
            end(because: "\(name) from pid \(sender) of \(services.userName(uid))") {}
        }
    }

    private func dumpAndEnd(by actor: Actor) {
        // A second signal, or one while the list is not whole: what is known of it must not replace the dump.
        guard !isDumping, !isEnding, dispatcher.isReady else { return }
        isDumping = true
        let reply = dispatcher.inventory(of: fleet.ids)
        let paths = services.paths
        services.loop.offload(to: services.stateThread) { () -> String? in
            guard !reply.entries.isEmpty else { return nil }
            let listing = ProcessListing(reply, paths: paths)
            do throws(SystemError) { try DumpStore.write(listing.records, paths) } catch { return error.description }
            return nil
        } then: { [self] failure in
            if let failure { self.services.log.note("the list could not be dumped: \(failure)") }
            self.dispatcher.stopEverything(by: actor) { [self] failure in
                if let failure { self.services.log.note(failure.message) }
                self.end(because: actor.description) {}
            }
        }
    }

    private var isDumping = false

    // MARK: Lifecycle

    func end(because reason: String, _ goodbye: @escaping () -> Void) {
        guard !isEnding else { return }
        isEnding = true
        services.journal.add("daemon", "ends: \(reason); the keeper stands down, what runs is left running")
        keeperLink.isStandingDown = true
        services.tableChanged()
        let deadline = SystemClock.now().advanced(by: Milliseconds(3000))
        services.vault.standDown { [self] in self.finish(goodbye, deadline) }
        // A keeper that does not answer does not keep us.
        services.loop.schedule(at: deadline) { [self] in self.finish(goodbye, deadline) }
    }

    /// Leaves when the last words are written and the client has its answer.
    private func finish(_ goodbye: @escaping () -> Void, _ deadline: Instant) {
        guard isEnding, !hasSaidGoodbye else { return }
        if !services.isTableQuiet || !services.state.isQuiet || !fleet.sockets.isQuiet
            || !policies.jobs.isQuiet, SystemClock.now() < deadline
        {
            services.loop.schedule(after: Milliseconds(5)) { [self] in self.finish(goodbye, deadline) }
            return
        }
        hasSaidGoodbye = true
        homeWatch.stop()
        server.unlinkSocket()
        pm2Sockets?.close()
        _ = unlink(services.paths.pidFile)
        _ = unlink(services.paths.vaultSocket)
        goodbye()
        // A turn of the loop for the answer to get out.
        services.loop.schedule(after: Milliseconds(5)) { [self] in self.services.loop.stop() }
    }

    private var hasSaidGoodbye = false

    /// Ends for the daemon that the keeper of a service starts next. That keeper has everything: to it and to the apps
    /// this is the death of a daemon.
    private func makeRoom() {
        guard !isEnding else { return }
        isEnding = true
        keeperLink.isStandingDown = true
        services.journal.add("daemon", "ends for the daemon of the service that has claimed this home")
        services.tableChanged()
        leave(by: SystemClock.now().advanced(by: Milliseconds(3000)))
    }

    private func leave(by deadline: Instant) {
        let isQuiet = services.isTableQuiet && services.state.isQuiet && services.vault.isQuiet
        guard !isQuiet, SystemClock.now() < deadline else { return services.loop.stop() }
        services.loop.schedule(after: Milliseconds(5)) { [self] in self.leave(by: deadline) }
    }

    func upgrade(to path: String?, for connection: Connection, _ failed: @escaping (ControlError) -> Void) {
        upgrader.upgrade(to: path, for: connection, failed)
    }
}
