import CLinux
import Model
import Platform
import Supervision

#if canImport(Glibc)
    import Glibc
#endif

// The sockets that an app's specification names: bound at its first start, given to each of its processes, let go when
// nothing of the app runs or is to run.

extension Fleet {
    /// Tells these from what workers of a cluster ask for themselves.
    private static let prefix = "listen:"

    /// By address, not by name: an app that is given another address has both for a while, each with the processes that
    /// know it.
    static func key(of listen: ListenSpec) -> String {
        // Any free port, twice, are two.
        if case .tcp(_, 0) = listen.address { return "\(prefix)\(listen.address)#\(listen.name)" }
        return "\(prefix)\(listen.address)"
    }

    // MARK: At a start

    /// The sockets for a process that is about to be started, in order, as descriptors of the receiver's own.
    func acquireSockets(
        of id: InstanceID, _ generation: Generation,
        then: @escaping (Result<[DescriptorPlan.Passed], SpawnFailure>) -> Void
    ) {
        guard let spec = self[id]?.desired.spec else { return then(.success([])) }
        let listen = spec.listen ?? []
        socketUses[id, default: [:]][generation] = Set(listen.map(Self.key))
        guard !listen.isEmpty else { return then(.success([])) }
        acquire(listen[...], spec, [], then)
    }

    private func acquire(
        _ rest: ArraySlice<ListenSpec>, _ spec: AppSpec, _ passed: [DescriptorPlan.Passed],
        _ then: @escaping (Result<[DescriptorPlan.Passed], SpawnFailure>) -> Void
    ) {
        guard let listen = rest.first else { return then(.success(passed)) }
        let request = SocketRequest(listen)
        sockets.acquire(HeldSockets.group(of: spec), key: Self.key(of: listen), request) { [unowned self] result in
            switch result.flatMap(Self.copy) {
            case .success(let descriptor):
                let more = DescriptorPlan.Passed(name: listen.name, descriptor: descriptor)
                self.acquire(rest.dropFirst(), spec, passed + [more], then)
            case .failure(let error):
                DescriptorPlan(passed).close()
                self.explain(error, listen, request) { then(.failure($0)) }
            }
        }
    }

    /// A start takes a while, and a socket may be released meanwhile.
    private static func copy(_ descriptor: Int32) -> Result<Int32, SystemError> {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        return copy >= 0 ? .success(copy) : .failure(SystemError(errno, "copy a socket"))
    }

    /// Who has the address is looked up on another thread: that walks over the descriptors of all processes.
    private func explain(
        _ error: SystemError, _ listen: ListenSpec, _ request: SocketRequest, _ then: @escaping (SpawnFailure) -> Void
    ) {
        let story = "it cannot listen on \(listen.address) (socket '\(listen.name)'): \(errorText(error.errno))"
        func fail(_ story: String) {
            then(SpawnFailure(stage: .descriptors, errno: error.errno, message: story))
        }
        if error.errno == EADDRINUSE, let other = sockets.holder(of: request)?.split(separator: "\0").first {
            // Not from within the effect that asked for the process.
            services.loop.schedule(after: Milliseconds(0)) { fail(story + "; app '\(other)' has it") }
            return
        }
        let (port, homeID) = (request.port, services.homeID)
        services.loop.offload(to: services.inspectionThread) { () -> String? in
            guard error.errno == EADDRINUSE, port > 0 else { return nil }
            return PortHolder.holders(of: port, homeID: homeID).first.map(Explainer.sentence)
        } then: { sentence in
            fail(sentence.map { "\(story); \($0)" } ?? story)
        }
    }

    // MARK: While it runs

    /// A process is gone.
    func closeSockets(of id: InstanceID, _ generation: Generation) {
        socketUses[id]?[generation] = nil
        if socketUses[id]?.isEmpty == true { socketUses[id] = nil }
    }

    /// Lets go of what nothing of the app needs any more. `spec`: before an event that may have ended the instance.
    func settleSockets(of spec: AppSpec, _ id: InstanceID) {
        guard knowsAllUses, !sockets.isEmpty else { return }
        let group = HeldSockets.group(of: spec)
        guard sockets.hasAny(group) else { return }
        let named = sockets.held(group).map(\.key).filter { $0.hasPrefix(Self.prefix) }
        if let member = self[id], needsSockets(member) {
            let own = Set((member.desired.spec.listen ?? []).map(Self.key))
            if own.isSuperset(of: named) { return }
        }
        let mates = members.values.filter {
            $0.desired.spec.name == spec.name && $0.desired.spec.namespace == spec.namespace
        }
        guard mates.contains(where: needsSockets) else { return sockets.releaseAll(group) }
        var needed: Set<String> = []
        for mate in mates {
            needed.formUnion((mate.desired.spec.listen ?? []).map(Self.key))
            for keys in (socketUses[mate.desired.id] ?? [:]).values { needed.formUnion(keys) }
        }
        for key in named where !needed.contains(key) { sockets.release(group, key: key) }
    }

    /// It runs, is about to, or waits for its next start.
    func needsSockets(_ member: Member) -> Bool {
        let machine = member.machine
        if machine.process != nil || !machine.isSettled || socketUses[member.desired.id] != nil { return true }
        let record = machine.record
        switch record.phase {
        case .stopped: return false
        case .errored: return record.due != nil
        case .starting, .online, .stopping, .waiting: return true
        }
    }

    /// An instance of an app may have been given another name.
    func renameSockets(from former: String, of id: InstanceID) {
        guard sockets.hasAny(former), let spec = self[id]?.desired.spec else { return }
        let group = HeldSockets.group(of: spec)
        guard group != former, !members.values.contains(where: { HeldSockets.group(of: $0.desired.spec) == former })
        else { return }
        sockets.move(former, to: group)
    }

    /// Lets go of what the instance stored, when it is not to run any more.
    func settleStored(_ id: InstanceID) {
        if let member = self[id], needsSockets(member) { return }
        stored.removeAll(id)
    }

    // MARK: Adoption

    /// What a process that runs has of its app's sockets.
    func recoverSockets(of member: Member, _ generation: Generation, _ held: Process) {
        let group = HeldSockets.group(of: member.desired.spec)
        guard let main = held.tree.main else { return }
        for process in [main] + held.tree.remembered { sockets.recover(group, from: process) }
        let keys = sockets.held(group).map(\.key).filter { $0.hasPrefix(Self.prefix) }
        socketUses[member.desired.id, default: [:]][generation] = Set(keys)
    }

    /// All is adopted.
    func settleSockets() {
        knowsAllUses = true
        stored.settle { id in self[id].map(self.needsSockets) ?? false }
        let inUse = members.values.filter(needsSockets).map { HeldSockets.group(of: $0.desired.spec) }
        for (group, descriptions) in sockets.settle(inUse: Set(inUse)) {
            let mates = members.values.filter { HeldSockets.group(of: $0.desired.spec) == group }
            guard let mate = mates.min(by: { $0.desired.id < $1.desired.id }) else { continue }
            let keys = descriptions.map(\.key).sorted().joined(separator: ", ")
            services.journal.add(
                "sockets", id: mate.desired.id, name: mate.desired.spec.name, pid: mate.machine.process?.pid,
                "could not be got back from the running app, which goes on serving: \(keys); its next process gets others beside them"
            )
        }
    }
}
