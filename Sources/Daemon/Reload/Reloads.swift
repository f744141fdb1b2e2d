import Model
import Platform
import Supervision

/// Takes the instances of an app through a reload: so many at a time, and not on when one has failed.
///
/// What has to be known is in the machines' records (whose turn has not come, who is being replaced, who failed) and in
/// the list (the specification that an app had before): a daemon that takes over in the middle goes on.
final class Reloads {
    /// Instances of one app.
    private struct Group: Hashable {
        var name: String
        var namespace: String
    }

    private let services: Services
    private let fleet: Fleet
    private let inspector: Inspector
    /// How many of an app are replaced at the same time, while that is under way.
    private var active: [Group: Int] = [:]
    private var due: Set<Group> = []
    private var waiting: [(groups: Set<Group>, done: () -> Void)] = []

    init(_ services: Services, _ fleet: Fleet, _ inspector: Inspector) {
        self.services = services
        self.fleet = fleet
        self.inspector = inspector
        fleet.watchSocket = { [unowned self] id, generation in self.watchSocket(id, generation) }
        _ = fleet.observe { [unowned self] id in
            guard !self.active.isEmpty else { return }
            if let group = self.group(of: id), self.active[group] != nil { return self.advanceSoon(group) }
            // One that was deleted, or has another name now.
            for group in self.active.keys { self.advanceSoon(group) }
        }
    }

    /// Goes on with what a former daemon had begun.
    func resume() {
        for id in fleet.ids {
            guard let member = fleet[id], let group = group(of: id) else { continue }
            guard member.machine.reload?.isUnderWay == true || member.desired.former != nil else { continue }
            active[group] = active[group] ?? parallel(member.desired.spec, nil)
            advanceSoon(group)
        }
    }

    /// Queues instances that run and whose processes can overlap.
    func begin(_ ids: [InstanceID], by actor: Actor, parallel count: Int? = nil) {
        let begun = Set(ids)
        for group in Set(ids.compactMap(group)) {
            for id in members(group) where !begun.contains(id) { fleet.send(.forgetReload, to: id) }
        }
        for id in ids {
            guard let group = group(of: id), let spec = fleet[id]?.desired.spec else { continue }
            active[group] = parallel(spec, count)
            fleet.send(.queueReload(actor, isRollback: false), to: id)
            advanceSoon(group)
        }
    }

    /// Calls back when nothing of the apps of `ids` is being reloaded.
    func whenDone(_ ids: [InstanceID], _ done: @escaping () -> Void) {
        let groups = Set(ids.compactMap(group)).filter { active[$0] != nil }
        if groups.isEmpty { done() } else { waiting.append((groups, done)) }
    }

    private func parallel(_ spec: AppSpec, _ count: Int?) -> Int {
        max(1, min(1024, count ?? spec.reload?.parallel ?? 1))
    }

    private func group(of id: InstanceID) -> Group? {
        fleet[id].map { Group(name: $0.desired.spec.name, namespace: $0.desired.spec.namespace) }
    }

    private func members(_ group: Group) -> [InstanceID] { fleet.ids.filter { self.group(of: $0) == group } }

    // MARK: Turns

    /// In a turn of its own: the events that lead here come from within other instances' effects.
    private func advanceSoon(_ group: Group) {
        guard due.insert(group).inserted else { return }
        services.loop.schedule(after: Milliseconds(0)) { [unowned self] in
            self.due.remove(group)
            self.advance(group)
        }
    }

    private func advance(_ group: Group) {
        guard let parallel = active[group] else { return }
        let all = members(group).compactMap { id in fleet[id].map { (id: id, machine: $0.machine) } }
        let queued = all.filter { $0.machine.reload?.phase == .queued }
        let running = all.filter {
            $0.machine.reload?.phase == .running || ($0.machine.reload != nil && !$0.machine.isSettled)
        }
        let hasFailed = all.contains { $0.machine.reload?.phase == .failed && $0.machine.reload?.isRollback != true }
        if hasFailed, queued.contains(where: { $0.machine.reload?.isRollback != true }) {
            // A version that does not run is not given to the rest.
            for (id, machine) in queued where machine.reload?.isRollback != true { fleet.send(.cancelReload, to: id) }
            return advanceSoon(group)
        }
        let free = max(0, parallel - running.filter { $0.machine.reload?.phase != .queued }.count)
        for (id, _) in queued.prefix(free) { start(id) }
        if queued.isEmpty, running.isEmpty { finish(group, hasFailed: hasFailed) }
    }

    private func start(_ id: InstanceID) {
        guard let member = fleet[id] else { return }
        let spec = member.desired.spec
        let generation = member.machine.generation
        guard spec.reload?.overlaps == true, !spec.isCluster, spec.listen?.isEmpty ?? true else {
            return fleet.send(.reload(hasOwnSocket: false), to: id)
        }
        inspector.hasOwnSocket(id, generation) { [unowned self] found in
            self.fleet.send(.reload(hasOwnSocket: found), to: id)
        }
    }

    // MARK: The end

    private func finish(_ group: Group, hasFailed: Bool) {
        let changed = members(group).filter { fleet[$0]?.desired.former != nil }
        if !changed.isEmpty {
            if hasFailed { takeBack(changed) } else { forget(changed) }
            // Whoever has the new version gets the old one again.
            let replaced = hasFailed ? changed.filter { fleet[$0]?.machine.reload?.phase == .done } : []
            for id in replaced {
                fleet.send(.queueReload(.hearth, isRollback: true), to: id)
                follow(id, from: group)
            }
            if !replaced.isEmpty { return advanceSoon(group) }
        }
        active[group] = nil
        for index in waiting.indices { waiting[index].groups.remove(group) }
        let done = waiting.filter(\.groups.isEmpty)
        waiting.removeAll(where: \.groups.isEmpty)
        for waiter in done { waiter.done() }
    }

    /// With its former specification an instance may have its former name: whoever waits for the one waits for the other.
    private func follow(_ id: InstanceID, from group: Group) {
        guard let other = self.group(of: id), other != group else { return }
        active[other] = active[other] ?? active[group]
        for index in waiting.indices where waiting[index].groups.contains(group) { waiting[index].groups.insert(other) }
        advanceSoon(other)
    }

    /// What cannot be replaced side by side after all is restarted: there is nothing to go back to then.
    func endTrial(of ids: [InstanceID]) {
        let changed = ids.filter { fleet[$0]?.desired.former != nil }
        if !changed.isEmpty { forget(changed) }
    }

    private func takeBack(_ ids: [InstanceID]) {
        services.state.change { state in
            for index in state.instances.indices where ids.contains(state.instances[index].id) {
                guard let former = state.instances[index].former else { continue }
                state.instances[index].spec = former.spec
                state.instances[index].environment = former.environment
                state.instances[index].former = nil
            }
        }
        for id in ids {
            guard let desired = services.state.desired.instances.first(where: { $0.id == id }) else { continue }
            fleet.configure(desired)
        }
        let name = ids.first.flatMap { fleet[$0]?.desired.spec.name }
        services.journal.add(
            "reload", id: nil, name: name, pid: nil, "the change was taken back: the new version does not run")
    }

    private func forget(_ ids: [InstanceID]) {
        services.state.change { state in
            for index in state.instances.indices where ids.contains(state.instances[index].id) {
                state.instances[index].former = nil
            }
        }
        for id in ids { fleet.forgetFormer(of: id) }
    }

    // MARK: A socket of its own

    /// Nobody tells when a process listens: it is looked at, less and less often.
    private func watchSocket(_ id: InstanceID, _ generation: Generation, wait: Int64 = 20) {
        guard let machine = fleet[id]?.machine, machine.successor?.generation == generation else { return }
        inspector.hasOwnSocket(id, generation) { [unowned self] found in
            if found { return self.fleet.send(.ready(generation, .ownSocket), to: id) }
            self.services.loop.schedule(after: Milliseconds(wait)) { [unowned self] in
                self.watchSocket(id, generation, wait: min(500, wait * 3 / 2))
            }
        }
    }
}
