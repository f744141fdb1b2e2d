import CLinux
import Control
import Model
import NodeBridge
import Platform
import Records
import Supervision

#if canImport(Glibc)
    import Glibc
#endif

/// All instances: feeds events to their machines and performs what the machines decide.
final class Fleet {
    /// One instance with what the executor holds for it.
    struct Member {
        var desired: DesiredInstance
        var machine: InstanceMachine
        var timers: [TimerKind: EventLoop.TimerToken] = [:]
        /// What is held for each generation that runs, and for the one that ran last: it tells why it ended, and what it
        /// left behind is ended while its successor starts.
        var processes: [Generation: Process] = [:]

        var present: Process? { processes[machine.generation] }
        var pidfd: Int32? { present?.pidfd }
        var tree: Tree { present?.tree ?? Tree() }
        /// The latest generation before the present one that is still known.
        var former: Process? {
            processes.filter { $0.key < machine.generation }.max { $0.key < $1.key }?.value
        }

        /// A process runs beside which another one may run.
        var runsReplaceably: Bool { machine.status == .online && present?.canOverlap ?? true }

        /// The same, and the specification of the other one lets it.
        var canBeReloaded: Bool { desired.spec.canOverlap && runsReplaceably }

        /// Forgets generations that have ended, but for the last two.
        mutating func forgetEnded() {
            let ended = processes.filter { $0.value.pidfd == nil && $0.key != machine.generation }.keys.sorted()
            for generation in ended.dropLast(2) { processes[generation] = nil }
        }
    }

    /// What the executor holds for one process.
    struct Process {
        var tree: Tree
        var pidfd: Int32?
        /// Size of the error log when it started: what is before was said by an older one.
        var errorLogStart: Int64 = 0
        /// Whether another one can run beside it, by the specification that it was started with.
        var canOverlap = true
    }

    /// What is known of the processes of one generation.
    struct Tree {
        var generation = Generation(0)
        /// Its main process, also when it has ended: its number still names its session.
        var main: ProcessIdentity?
        /// Start time below which no process can belong to it, in clock ticks.
        var notBefore: UInt64 = 0
        /// Members as the last inspection found them.
        var remembered: [ProcessIdentity] = []
    }

    let services: Services
    let trees: ProcessTrees
    let exits: ExitWatcher
    let channels: Channels
    let notifications: Notifications
    let reports: AppReports
    let sockets: HeldSockets
    let stored: StoredDescriptors
    let cluster: ClusterPrimary
    private(set) lazy var dependencies = Dependencies(services, self)
    /// Keys of the held sockets that each living process was given.
    var socketUses: [InstanceID: [Generation: Set<String>]] = [:]
    /// All that ran is adopted: a socket that nobody needs now is let go.
    var knowsAllUses = false
    private(set) var members: [InstanceID: Member] = [:]
    private var pendingSpawns = 0
    private var observers: [Int: (InstanceID) -> Void] = [:]
    private var nextObserver = 0
    /// Set while an upgrade is under way: nothing new is spawned until it is over.
    var holdsSpawns = false {
        didSet { if !holdsSpawns { releaseHeldSpawns() } }
    }
    private var heldSpawns: [(InstanceID, Generation)] = []
    /// Asked to find out more about an exit.
    var explain: ((InstanceID, Generation, ExitStatus) -> Void)?
    /// Asked to look for a listening socket of a process's own.
    var watchSocket: ((InstanceID, Generation) -> Void)?
    /// Told of each new process.
    var spawned: ((InstanceID) -> Void)?
    /// Told of an entry that is new, has a new specification, or is gone: policies follow.
    var configured: ((InstanceID) -> Void)?

    init(_ services: Services) {
        self.services = services
        trees = ProcessTrees(services)
        exits = ExitWatcher(services)
        channels = Channels(services)
        notifications = Notifications(services)
        reports = AppReports(services)
        sockets = HeldSockets(services)
        stored = StoredDescriptors(services)
        cluster = ClusterPrimary(services, channels, sockets)
        cluster.specification = { [unowned self] id in self.members[id]?.desired.spec }
        cluster.isStaying = { [unowned self] key in
            guard let machine = self.members[key.id]?.machine else { return false }
            if machine.successor?.generation == key.generation { return true }
            return machine.generation == key.generation && [.launching, .online].contains(machine.status)
        }
        cluster.onListening = { [unowned self] key in self.send(.ready(key.generation, .listening), to: key.id) }
        hearMessages()
        hearNotifications()
        // It observes from the first entry on.
        _ = dependencies
    }

    var ids: [InstanceID] { members.keys.sorted() }
    var isSpawning: Bool { pendingSpawns > 0 }

    subscript(id: InstanceID) -> Member? { members[id] }

    // MARK: Observing

    func observe(_ body: @escaping (InstanceID) -> Void) -> Int {
        nextObserver += 1
        observers[nextObserver] = body
        return nextObserver
    }

    func stopObserving(_ token: Int) { observers.removeValue(forKey: token) }

    // MARK: Entries

    func add(_ desired: DesiredInstance, by actor: Actor) {
        var machine = InstanceMachine(
            id: desired.id, spec: desired.spec, wanted: desired.wanted, by: actor, at: SystemClock.now())
        machine.token = desired.token
        members[desired.id] = Member(desired: desired, machine: machine)
        record(desired.id)
        configured?(desired.id)
    }

    /// Puts an adopted machine in place, with the processes that run, and performs what it wants to go on with.
    func adopt(_ member: Member, effects: [Effect]) {
        let id = member.desired.id
        members[id] = member
        for (generation, held) in member.processes {
            guard let pidfd = held.pidfd, let process = held.tree.main else { continue }
            watch(id, generation, process, pidfd)
            if member.desired.spec.hasChannel { channels.recover(id, generation, from: pidfd) }
            recoverSockets(of: member, generation, held)
            cluster.enter(ProcessKey(id, generation), isNew: false)
        }
        perform(effects, on: id)
        // Before any timer: what it said while no daemon ran counts, however late it is.
        for (generation, held) in member.processes {
            guard held.pidfd != nil, let process = held.tree.main else { continue }
            channels.listen(id, generation)
            if member.desired.spec.hasNotificationSocket {
                notifications.adopt(id, generation, member.desired.spec, process)
            }
        }
    }

    func setToken(_ token: String?, of id: InstanceID) {
        guard let token, members[id] != nil else { return }
        members[id]?.machine.token = token
    }

    func setEnvironment(_ key: String, of id: InstanceID) {
        members[id]?.desired.environment = key
    }

    func forgetFormer(of id: InstanceID) { members[id]?.desired.former = nil }

    /// A new specification counts at once for decisions, and for the process from its next start on.
    func configure(_ desired: DesiredInstance) {
        guard var member = members[desired.id] else { return }
        let former = HeldSockets.group(of: member.desired.spec)
        defer { renameSockets(from: former, of: desired.id) }
        var desired = desired
        desired.wanted = member.desired.wanted
        member.desired = desired
        member.machine.spec = desired.spec
        members[desired.id] = member
        configured?(desired.id)
    }

    func remember(_ processes: [ProcessIdentity], of id: InstanceID, _ generation: Generation) {
        guard members[id]?.processes[generation] != nil else { return }
        members[id]?.processes[generation]?.tree.remembered = processes
    }

    // MARK: Events

    func send(_ event: Event, to id: InstanceID) {
        guard members[id] != nil else { return }
        if case .exited(let generation, _) = event {
            forget(id, generation)
        }
        let effects = members[id]?.machine.handle(event, at: SystemClock.now()) ?? []
        perform(effects, on: id)
        if stored.hasAny(id) { settleStored(id) }
    }

    /// Reports come last: an app that crashed is started again before anybody is told.
    private func perform(_ effects: [Effect], on id: InstanceID) {
        let spec = members[id]?.desired.spec
        let name = spec?.name
        for effect in effects { perform(effect, on: id) }
        // Before anybody is told: who has stopped an app finds nobody listening.
        if let spec { settleSockets(of: spec, id) }
        for case .report(let kind, let message) in effects {
            services.journal.add(
                kind.rawValue, id: id, name: name, pid: members[id]?.machine.process?.pid, message)
        }
        for observer in observers.values { observer(id) }
    }

    private func perform(_ effect: Effect, on id: InstanceID) {
        guard let member = members[id] else { return }
        switch effect {
        case .spawn(let generation): spawn(id, generation)
        case .terminate(let generation, let signal, let wholeTree):
            terminate(member, generation, signal, wholeTree: wholeTree)
        case .askToEnd(let generation, let signal, let wholeTree):
            if channels.askToEnd(id, generation) { break }
            terminate(member, generation, signal, wholeTree: wholeTree)
        case .watchSocket(let generation): watchSocket?(id, generation)
        case .drain(let generation): cluster.drain(ProcessKey(id, generation))
        case .kill(let generation, let wholeTree):
            if let pidfd = member.processes[generation]?.pidfd { _ = clinux_pidfd_send_signal(pidfd, SIGKILL) }
            if wholeTree {
                trees.killAll(query(member, generation)) { [unowned self] in
                    self.send(.treeGone(generation), to: id)
                }
            }
        case .watchTree(let generation):
            trees.whenGone(query(member, generation)) { [unowned self] in
                self.send(.treeGone(generation), to: id)
            }
        case .sweep(let generation, let signal, let grace):
            trees.sweep(query(member, generation), signal.rawValue, grace: grace)
        case .arm(let kind, let generation, let instant):
            disarm(kind, id)
            members[id]?.timers[kind] = services.loop.schedule(at: instant) { [unowned self] in
                self.members[id]?.timers.removeValue(forKey: kind)
                self.send(.timer(kind, generation), to: id)
            }
        case .disarm(let kind): disarm(kind, id)
        case .record: record(id)
        case .persist:
            let wanted = member.machine.wanted
            members[id]?.desired.wanted = wanted
            services.state.change { state in
                guard let index = state.instances.firstIndex(where: { $0.id == id }) else { return }
                state.instances[index].wanted = wanted
            }
        case .report: break
        case .explain(let generation, let status): explain?(id, generation, status)
        case .remove: remove(id)
        }
    }

    private func disarm(_ kind: TimerKind, _ id: InstanceID) {
        if let token = members[id]?.timers.removeValue(forKey: kind) { services.loop.cancel(token) }
    }

    private func record(_ id: InstanceID) {
        guard let member = members[id] else { return }
        if !services.table.write(member.machine.record) {
            services.log.note("the instance table is full: instance \(id) would not be adopted after a crash")
        }
        services.tableChanged()
    }

    private func terminate(_ member: Member, _ generation: Generation, _ signal: Signal, wholeTree: Bool) {
        guard wholeTree else {
            if let pidfd = member.processes[generation]?.pidfd {
                _ = clinux_pidfd_send_signal(pidfd, signal.rawValue)
            }
            return
        }
        var isDone = false
        trees.signal(query(member, generation), signal.rawValue) { _ in isDone = true }
        // A walk over /proc that hangs must not keep the main process from its signal.
        let id = member.desired.id
        services.loop.schedule(after: Milliseconds(500)) { [unowned self] in
            guard !isDone, let member = self.members[id] else { return }
            if let pidfd = member.processes[generation]?.pidfd { _ = clinux_pidfd_send_signal(pidfd, signal.rawValue) }
        }
    }

    private func query(_ member: Member, _ generation: Generation) -> ProcessTrees.Query {
        let tree = member.processes[generation]?.tree ?? Tree()
        return ProcessTrees.Query(
            main: tree.main, notBefore: tree.notBefore, uid: expectedUser(of: member),
            tag: InstanceTag(homeID: services.homeID, instance: member.desired.id, generation: generation),
            remembered: tree.remembered)
    }

    /// The same of one generation.
    func inspectionQuery(of id: InstanceID, _ generation: Generation) -> ProcessTrees.Query? {
        guard let member = members[id], member.machine.process(of: generation) != nil else { return nil }
        return query(member, generation)
    }

    /// What an inspection needs to know of an instance that runs.
    func inspectionQuery(of id: InstanceID) -> (generation: Generation, query: ProcessTrees.Query)? {
        guard let member = members[id], member.machine.process != nil else { return nil }
        return (member.machine.generation, query(member, member.machine.generation))
    }

    private func expectedUser(of member: Member) -> UInt32 {
        guard let name = member.desired.spec.uid else { return geteuid() }
        if let number = UInt32(name) { return number }
        // The main process tells what the name was resolved to.
        return member.tree.main.flatMap { ProcessTable.entry(of: $0.pid) }.map(\.uid) ?? geteuid()
    }

    private func remove(_ id: InstanceID) {
        guard let member = members.removeValue(forKey: id) else { return }
        for token in member.timers.values { services.loop.cancel(token) }
        channels.closeAll(id)
        notifications.closeAll(id)
        // A tombstone until the list on disk has forgotten the entry too: a daemon that dies in between must not take
        // the entry for one that was never started.
        var tombstone = member.machine.record
        tombstone.purpose = .delete
        services.table.write(tombstone)
        services.state.change { state in
            state.instances.removeAll { $0.id == id }
            // Like PM2's, the numbers begin again when nothing is left.
            if state.instances.isEmpty { state.nextID = 0 }
        }
        services.state.whenWritten(within: Milliseconds(3_600_000)) { [unowned self] failure in
            if failure == nil, self.members[id] == nil { self.services.table.remove(id) }
            self.services.tableChanged()
        }
    }

    // MARK: Spawning

    private func spawn(_ id: InstanceID, _ generation: Generation) {
        if holdsSpawns {
            heldSpawns.append((id, generation))
            return
        }
        guard let member = members[id] else { return }
        let ticks = UInt64(ResourceUsage.ticksPerSecond)
        // One tick back: the start time of a process is rounded down.
        let nowTicks = UInt64(max(0, SystemClock.bootNanoseconds())) / (1_000_000_000 / max(1, ticks))
        members[id]?.forgetEnded()
        members[id]?.processes[generation] = Process(
            tree: Tree(generation: generation, notBefore: nowTicks > 1 ? nowTicks - 1 : 0),
            canOverlap: member.desired.spec.canOverlap)

        pendingSpawns += 1
        acquireSockets(of: id, generation) { [unowned self] result in
            self.pendingSpawns -= 1
            switch result {
            case .success(let sockets): self.spawn(id, generation, DescriptorPlan(sockets + self.stored.copies(id)))
            case .failure(let failure): self.spawnFailed(id, generation, failure)
            }
        }
    }

    /// What belongs to one process goes with it.
    private func forget(_ id: InstanceID, _ generation: Generation) {
        channels.close(id, generation)
        notifications.close(id, generation)
        reports.close(id, generation)
        cluster.leave(ProcessKey(id, generation))
        closeSockets(of: id, generation)
    }

    private func spawnFailed(_ id: InstanceID, _ generation: Generation, _ failure: SpawnFailure) {
        forget(id, generation)
        send(.spawnFailed(generation, failure), to: id)
    }

    /// - Parameter plan: its descriptors are closed when the process has them.
    private func spawn(_ id: InstanceID, _ generation: Generation, _ plan: DescriptorPlan) {
        guard let member = members[id] else { return plan.close() }
        var (request, environment) = (request(for: member, generation), environment(of: member, generation))
        request.command.arguments = plan.substituting(in: request.command.arguments)
        request.descriptors = plan.placements
        request.hasSockets = !plan.sockets.isEmpty
        environment.sockets = plan.environment
        var appEnd: Int32?
        if member.desired.spec.hasChannel {
            do throws(SystemError) {
                let channel = try channels.open(id, generation)
                appEnd = channel.app
                environment.channel = Channels.environment(plan.channel.app)
                request.descriptors += [
                    (from: channel.app, to: plan.channel.app), (from: channel.own, to: plan.channel.own),
                ]
            } catch {
                plan.close()
                return failSoon(id, generation, "its channel cannot be made", error)
            }
        }
        if member.desired.spec.hasNotificationSocket {
            do throws(SystemError) {
                environment.channel += try notifications.open(id, generation, member.desired.spec)
            } catch {
                if let appEnd { close(appEnd) }
                plan.close()
                return failSoon(id, generation, "its notification socket cannot be made", error)
            }
        }
        var worker: WorkerCommand?
        if member.desired.spec.isCluster {
            cluster.enter(ProcessKey(id, generation), isNew: true)
            worker = WorkerCommand(desired: member.desired, generation: generation, home: services.paths.run)
        }
        pendingSpawns += 1
        services.loop.offload(to: services.spawners) {
            [request, environment, worker] () -> (Result<SpawnedProcess, SpawnFailure>, Int64) in
            let start = request.standardError.map(Self.size) ?? 0
            return (Self.spawn(request, in: environment, as: worker), start)
        } then: { [unowned self] result, errorLogStart in
            self.pendingSpawns -= 1
            if let appEnd { close(appEnd) }
            self.members[id]?.processes[generation]?.errorLogStart = errorLogStart
            plan.close()
            switch result {
            case .success(let child): self.started(id, generation, child)
            case .failure(let failure): self.spawnFailed(id, generation, failure)
            }
        }
    }

    /// Not from within the effect that asked for the process.
    private func failSoon(_ id: InstanceID, _ generation: Generation, _ what: String, _ error: SystemError) {
        let failure = SpawnFailure(
            stage: .descriptors, errno: error.errno, message: "\(what): \(errorText(error.errno))")
        services.loop.schedule(after: Milliseconds(0)) { [unowned self] in
            self.spawnFailed(id, generation, failure)
        }
    }

    private static func spawn(
        _ request: SpawnRequest, in environment: AppEnvironment, as worker: WorkerCommand?
    ) -> Result<SpawnedProcess, SpawnFailure> {
        var (request, environment) = (request, environment)
        worker?.apply(to: &request, &environment)
        do throws(SpawnFailure) {
            let variables = try environment.compose()
            request.environment = variables.map { "\($0.name)=\($0.value)" } + environment.channel + environment.sockets
            // What a file sets is the app's own, like what its specification sets.
            let files = Set(environment.desired.spec.environmentFiles ?? [])
            request.ownAccountVariables.formUnion(variables.lazy.filter { files.contains($0.origin) }.map(\.name))
        } catch { return .failure(error) }
        return Spawner.spawn(request)
    }

    private func started(_ id: InstanceID, _ generation: Generation, _ child: SpawnedProcess) {
        members[id]?.processes[generation]?.tree.main = child.process
        watch(id, generation, child.process, child.pidfd)
        send(.spawned(generation, child.process), to: id)
        channels.listen(id, generation)
        notifications.begin(id, generation, child.process)
        spawned?(id)
    }

    private func watch(_ id: InstanceID, _ generation: Generation, _ process: ProcessIdentity, _ pidfd: Int32) {
        members[id]?.processes[generation]?.pidfd = pidfd
        do throws(SystemError) {
            try exits.watch(process, pidfd: pidfd) { [unowned self] status in
                self.members[id]?.processes[generation]?.pidfd = nil
                self.send(.exited(generation, status), to: id)
            }
        } catch {
            services.log.note("instance \(id) runs unwatched: \(error)")
        }
    }

    private func releaseHeldSpawns() {
        let held = heldSpawns
        heldSpawns = []
        for (id, generation) in held where members[id]?.processes[generation] == nil { spawn(id, generation) }
    }

    private static func size(of path: String) -> Int64 {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// All but the environment, which is composed on the spawner's thread.
    private func request(for member: Member, _ generation: Generation) -> SpawnRequest {
        let desired = member.desired
        let spec = desired.spec
        let logs = services.paths.logFiles(of: spec, id: desired.id)
        let command: SpawnRequest.Command
        if let interpreter = spec.interpreter {
            command = SpawnRequest.Command(
                program: interpreter, arguments: spec.interpreterArguments + [spec.script] + spec.arguments)
        } else {
            command = SpawnRequest.Command(program: spec.script, arguments: spec.arguments)
        }
        var request = SpawnRequest(
            command: command, environment: [], cwd: spec.cwd,
            standardOutput: logs.out, standardError: logs.error, stdin: spec.stdin, uid: spec.uid, gid: spec.gid,
            ownAccountVariables: Set(spec.environment.keys), cgroup: services.cgroup(of: desired.id, generation),
            openFilesLimit: services.limits.openFiles,
            umask: services.limits.umask, pidSlot: services.table.pidSlot(of: desired.id))
        if services.limitsMemory { request.memoryMax = spec.memoryMax }
        return request
    }

    private func environment(of member: Member, _ generation: Generation) -> AppEnvironment {
        AppEnvironment(
            desired: member.desired,
            caller: member.desired.environment.flatMap { services.state.desired.environments[$0] },
            tag: InstanceTag(homeID: services.homeID, instance: member.desired.id, generation: generation),
            manager: pm2Variables(of: member))
    }

    private func pm2Variables(of member: Member) -> [String: String] {
        guard services.paths.isPM2 else { return [:] }
        return PM2Variables.make(
            member.desired, member.machine.record, paths: services.paths, user: services.userName(geteuid()),
            startedAt: SystemClock.wallClock(), wallClockOffset: SystemClock.wallClockOffset())
    }

    /// The environment an instance would get now, for `env`. Composing it reads files.
    func environment(of id: InstanceID) -> AppEnvironment? {
        members[id].map { environment(of: $0, $0.machine.generation) }
    }
}
