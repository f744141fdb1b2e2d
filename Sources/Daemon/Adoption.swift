import CLinux
import Model
import Platform
import Records
import Supervision

#if canImport(Glibc)
    import Glibc
#endif

// Taking over what runs.
//
// A new daemon finds: the desired state on disk; the instance table, from the keeper's vault (exact) or from its disk
// copy (when daemon and keeper died together; it may be a few milliseconds old); and the processes themselves.
//
// For each entry: the recorded process is believed only if a process of that pid has the recorded start time. A pid
// that a spawn child wrote into its slot has no start time yet: it is believed if the process started after the
// intent was recorded and still carries our tag, or is our un-exec'ed child. When the table came from disk, or an
// intent has no pid, every process with our tag is looked for: the oldest session leader of an id and generation is
// its main process.
//
// What is wanted and has no record was never spawned (the record is always written first): it is started now. After a
// reboot (another boot id) nothing of the former boot is believed, and everything that is wanted is started.

struct Adoption {
    let services: Services
    let fleet: Fleet
    /// The table came with the keeper and is exact; otherwise processes are looked for by their tag.
    let isTableExact: Bool

    struct Summary {
        var adopted = 0
        var ended = 0
        var started = 0
        /// Sentences about processes of ours that are in no list.
        var unlisted: [String] = []
    }

    func perform() -> Summary {
        var records: [InstanceID: InstanceRecord] = [:]
        for record in services.table.records() { records[record.id] = record }
        // A table is of this boot, or it was not read. A list may be an old one that was put back, by us or by a person.
        let isSameBoot = services.state.desired.boot == services.machine.boot || !records.isEmpty
        // A home of PM2's comes back by `resurrect` alone, from the dump as it lies there.
        if !isSameBoot, services.paths.isPM2 {
            services.state.change(keepingSnapshotFor: Actor("hearth after a reboot")) { $0.clear() }
        }
        // Before anything is started: a new pid file is not to be taken for an old one.
        if !isSameBoot {
            let removed = FormerBoot.clean(services.paths, services.machine)
            if !removed.isEmpty {
                services.log.note("left over from a former boot, removed: \(removed.joined(separator: ", "))")
            }
        }
        let state = services.state.desired
        let wasKilled = state.killed != nil && isSameBoot
        if state.boot != services.machine.boot || state.machine != services.machine.machine {
            services.state.change { state in
                state.boot = services.machine.boot
                state.machine = services.machine.machine
                if !isSameBoot { state.killed = nil }
            }
        }

        var tagged = isSameBoot ? search() : [:]
        var toStart: [InstanceID] = []

        var summary = Summary()
        for desired in state.instances {
            if let record = records.removeValue(forKey: desired.id) {
                adopt(desired, record, tagged[desired.id] ?? [], wasKilled: wasKilled, &summary)
            } else {
                let mayStart = enter(
                    desired, tagged[desired.id] ?? [], isSameBoot: isSameBoot, wasKilled: wasKilled, &summary)
                if mayStart { toStart.append(desired.id) }
            }
            tagged[desired.id] = nil
        }
        start(toStart, isSameBoot: isSameBoot, &summary)
        for leftover in records.values { forget(leftover, tagged.removeValue(forKey: leftover.id) ?? [], &summary) }
        for (id, processes) in tagged {
            if let main = processes.first(where: \.isMain) { note(main.identity, id, &summary) }
        }
        return summary
    }

    /// The copy of the table on disk may be older than the list: what was commanded counts.
    private func believeList(
        over record: inout InstanceRecord, _ desired: DesiredInstance, _ observation: Observation
    ) {
        if record.wanted != desired.wanted, record.purpose != .delete {
            // One of the two is older. A command that was answered is in the list; one that was not is repeated by its
            // client, and then done.
            record.wanted = desired.wanted
            record.token = nil
            if record.purpose == .stop, desired.wanted == .running { record.purpose = .restart }
        }
        // A delete that was begun goes on.
        guard desired.wanted == .stopped, record.phase != .stopped, record.purpose != .delete else { return }
        if case .running = observation { return }
        record.phase = .stopped
        // Whoever repeats the command gets it done: what of it had been done is not known.
        record.token = nil
        record.purpose = nil
        record.due = nil
        record.reason = Reason(
            .stopped, by: .hearth, detail: "as commanded before hearthd and keeper died", at: SystemClock.now())
    }

    /// Goes on with a stop or a start that the list knows of and the old copy of the table does not.
    private func followList(_ desired: DesiredInstance, _ record: InstanceRecord, _ observation: Observation) {
        if desired.wanted == .stopped, record.purpose != .delete {
            if case .running = observation {
                fleet.setToken("", of: desired.id)
                fleet.send(.stop(.hearth), to: desired.id)
            }
        } else if desired.wanted == .running, record.phase == .stopped, record.reason.kind == .stopped {
            fleet.setGoing(desired.id, by: .hearth)
        }
    }

    /// Who asked for everything to be stopped.
    private var killer: Actor { services.state.desired.killed?.by ?? .hearth }

    private func search() -> [InstanceID: [MembershipScan.TaggedProcess]] {
        let scan = MembershipScan(
            ProcessTable.read(), keeper: services.vault.keeperPid, daemon: getpid())
        let own = geteuid()
        let found = scan.taggedProcesses(homeID: services.homeID).filter { $0.uid == own || own == 0 }
        return Dictionary(grouping: found) { $0.instance }
    }

    private func adopt(
        _ desired: DesiredInstance, _ record: InstanceRecord, _ tagged: [MembershipScan.TaggedProcess],
        wasKilled: Bool, _ summary: inout Summary
    ) {
        if record.phase == .stopped, record.purpose == .delete {
            // Deleted, and the daemon died before the list on disk had forgotten it.
            services.table.remove(desired.id)
            services.state.change { state in state.instances.removeAll { $0.id == desired.id } }
            return
        }
        var desired = desired
        if isTableExact, desired.wanted != record.wanted {
            // The table is written at once and the list behind it: a command that the death of its daemon cut off stands
            // in the table alone. Whoever repeats it is answered when it is on the disk; so it must get there.
            desired.wanted = record.wanted
            services.state.change { state in
                guard let index = state.instances.firstIndex(where: { $0.id == record.id }) else { return }
                state.instances[index].wanted = record.wanted
            }
        }
        var record = record
        // A disk copy may be older than the process: the latest generation that runs counts.
        let newest = tagged.filter(\.isMain).max { $0.generation < $1.generation }
        if !isTableExact, let newest, newest.generation > record.generation, desired.spec.canOverlap,
            case .running = observe(record, tagged)
        {
            // A reload that the copy does not know of was under way.
            if record.successor?.generation != newest.generation {
                record.successor = Successor(
                    generation: newest.generation, awaited: nil,
                    due: SystemClock.now().advanced(by: desired.spec.restart.minUptime))
                record.successor?.process = newest.identity
            }
        } else if !isTableExact, let main = newest, main.generation > record.generation {
            record.generation = main.generation
            record.phase = .online
            record.process = main.identity
            record.purpose = nil
        }
        let observation = observe(record, tagged)
        if case .running(let process) = observation { record.process = process }

        if !isTableExact { believeList(over: &record, desired, observation) }
        if wasKilled, record.phase != .stopped {
            // The daemon died in the middle of `hearth kill`: what is down stays down until `resurrect`.
            if case .running = observation {
            } else {
                record.phase = .stopped
                record.purpose = nil
                record.due = nil
                record.reason = Reason(.killedWithDaemon, by: killer, at: SystemClock.now())
            }
        }

        var effects: [Effect] = []
        let now = SystemClock.now()
        let machine = InstanceMachine(
            restoring: record, spec: desired.spec, observation: observation, at: now, effects: &effects,
            find: { generation, process in self.find(generation, process, tagged) })
        switch observation {
        case .running: summary.adopted += 1
        case .gone: summary.ended += 1
        case .neverSpawned: break
        }
        var member = Fleet.Member(desired: desired, machine: machine)
        let generations = [record.generation, machine.generation] + [machine.successor?.generation].compactMap { $0 }
        var ended: [(Generation, ProcessIdentity)] = []
        for generation in Set(generations + machine.leaving.map(\.generation)) {
            let process = machine.process(of: generation) ?? (generation == record.generation ? record.process : nil)
            var held = Fleet.Process(
                tree: Fleet.Tree(
                    generation: generation, main: process, notBefore: process?.startTime ?? 0,
                    remembered: tagged.filter { $0.generation == generation }.map(\.identity)))
            if let running = machine.process(of: generation) {
                held.pidfd = Self.open(running)
                if held.pidfd == nil { ended.append((generation, running)) }
            }
            member.processes[generation] = held
        }
        fleet.adopt(member, effects: effects)
        for (generation, process) in ended {
            // It ended between the two looks.
            fleet.send(.exited(generation, fleet.exits.statusOfUnseen(process)), to: desired.id)
        }
        if wasKilled, case .running = observation {
            fleet.send(.killWithDaemon(killer), to: desired.id)
        }
        if !isTableExact, !wasKilled { followList(desired, record, observation) }
        sweepOlder(tagged, than: record)
        if record.phase == .stopped, record.reason.kind == .registered, desired.wanted == .running, !wasKilled {
            // Entered into the list, and the daemon died before the start.
            fleet.setGoing(desired.id, by: record.reason.actor)
            summary.started += 1
        }
    }

    /// Processes of former generations that a daemon died before ending.
    private func sweepOlder(_ tagged: [MembershipScan.TaggedProcess], than record: InstanceRecord) {
        guard let stop = fleet[record.id]?.machine.spec.stop, stop.wholeTree else { return }
        let leaving = Set(fleet[record.id]?.machine.leaving.map(\.generation) ?? [])
        for (generation, processes) in Dictionary(grouping: tagged, by: \.generation)
        where generation < record.generation && !leaving.contains(generation) {
            let query = ProcessTrees.Query(
                main: processes.first { $0.isMain }?.identity,
                notBefore: processes.map(\.identity.startTime).min() ?? 0, uid: processes.first?.uid ?? geteuid(),
                tag: InstanceTag(homeID: services.homeID, instance: record.id, generation: generation),
                remembered: processes.map(\.identity))
            fleet.trees.signal(query, stop.signal.rawValue) { [fleet] count in
                guard count > 0 else { return }
                fleet.services.loop.schedule(after: stop.killTimeout) { fleet.trees.killAll(query) {} }
            }
        }
    }

    /// A pidfd, if the process is still the one that is meant.
    private static func open(_ process: ProcessIdentity) -> Int32? {
        let opened = clinux_pidfd_open(process.pid)
        guard opened >= 0 else { return nil }
        // Opened first, checked then: from here on the number cannot be another process's.
        if ProcessIdentity.current(of: process.pid) == process { return opened }
        close(opened)
        return nil
    }

    private func observe(_ record: InstanceRecord, _ tagged: [MembershipScan.TaggedProcess]) -> Observation {
        switch record.phase {
        case .stopped, .waiting: return .neverSpawned
        // With a process: a stop that SIGKILL could not finish.
        case .errored where record.process == nil: return .neverSpawned
        // Its main process had ended before.
        case .online where record.process == nil, .stopping where record.process == nil: return .neverSpawned
        case .errored, .starting, .online, .stopping: break
        }
        return find(record.generation, record.process, tagged)
    }

    /// What became of the process of a generation.
    private func find(
        _ generation: Generation, _ recorded: ProcessIdentity?, _ tagged: [MembershipScan.TaggedProcess]
    ) -> Observation {
        let main = tagged.first { $0.isMain && $0.generation == generation }
        guard let process = recorded, process.pid > 0 else {
            return main.map { .running($0.identity) } ?? .neverSpawned
        }
        if process.startTime != 0 {
            return process.isAlive() ? .running(process) : .gone(fleet.exits.statusOfUnseen(process))
        }
        // The child wrote its pid; its start time was never recorded.
        if let main, main.identity.pid == process.pid { return .running(main.identity) }
        if let child = unexecedChild(process.pid) { return .running(child) }
        if let (_, status) = services.vault.anyRecordedExit(of: process.pid) {
            return .gone(ExitStatus(waitStatus: status))
        }
        return .gone(.unknown)
    }

    /// A child of the former daemon on its way to exec: same program as ours, child of the keeper.
    private func unexecedChild(_ pid: Int32) -> ProcessIdentity? {
        guard let entry = ProcessTable.entry(of: pid), entry.isAlive else { return nil }
        let isOurs = entry.parent == services.vault.keeperPid || entry.parent == getpid()
        return isOurs ? entry.identity : nil
    }

    /// When all entries are there: who depends on another finds it, wherever it stands in the list.
    private func start(_ ids: [InstanceID], isSameBoot: Bool, _ summary: inout Summary) {
        let until = SystemClock.now().advanced(by: RestartCounters.patience)
        for id in fleet.dependencies.startOrder(ids) {
            let actor = fleet[id]?.machine.reason.actor ?? .hearth
            if isSameBoot {
                fleet.setGoing(id, by: actor)
            } else {
                fleet.send(.bePatient(until: until), to: id)
                fleet.bringBack(id, by: actor, endedBy: "a restart of the machine")
            }
            summary.started += 1
        }
    }

    /// An entry without a record.
    ///
    /// - Returns: Whether it is to be started.
    private func enter(
        _ desired: DesiredInstance, _ tagged: [MembershipScan.TaggedProcess], isSameBoot: Bool, wasKilled: Bool,
        _ summary: inout Summary
    ) -> Bool {
        if let main = tagged.filter(\.isMain).max(by: { $0.generation < $1.generation }) {
            // It runs, and only its tag tells of it: the records were lost.
            let record = InstanceRecord(
                id: desired.id, generation: main.generation, phase: .online, process: main.identity,
                wanted: desired.wanted, reason: Reason(.adopted, by: .hearth, at: SystemClock.now()),
                createdAt: SystemClock.now())
            adopt(desired, record, tagged, wasKilled: wasKilled, &summary)
            return false
        }
        let actor = isSameBoot ? Actor.hearth : Actor("hearth after a reboot")
        fleet.add(desired, by: actor)
        return desired.wanted == .running && !wasKilled
    }

    /// A record whose entry is not in the list: a delete takes the entry away last, so the list was damaged, or is an
    /// old one that was put back. The app did nothing wrong: it goes on, and a person is told.
    private func forget(
        _ record: InstanceRecord, _ tagged: [MembershipScan.TaggedProcess], _ summary: inout Summary
    ) {
        services.table.remove(record.id)
        if let process = record.process, process.startTime != 0, process.isAlive() {
            note(process, record.id, &summary)
        } else if let main = tagged.first(where: \.isMain) {
            note(main.identity, record.id, &summary)
        }
    }

    private func note(_ process: ProcessIdentity, _ id: InstanceID, _ summary: inout Summary) {
        summary.unlisted.append(
            "pid \(process.pid) was started as instance \(id), which is not in the list: it is left alone, nobody restarts it"
        )
        // Its tag must not be taken for that of another instance.
        services.state.change { state in
            if state.nextID <= id.rawValue { state.nextID = id.rawValue &+ 1 }
        }
    }
}
