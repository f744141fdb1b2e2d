import Model
import Platform
import Supervision

/// `depends_on`: holds back what is to be started until that is ready which it names, and says in which order apps stop.
///
/// Ready is an app when each of its instances is online, or will not be without a person: what was stopped, ended on its
/// own terms, was given up for good or deleted holds nobody. A restart after a crash waits for nothing: its app ran
/// beside the others before.
final class Dependencies {
    private let services: Services
    private unowned let fleet: Fleet
    private var held: Set<InstanceID> = []
    /// Names that the held ones wait for.
    private var awaited: Set<String> = []
    private var isReviewDue = false

    init(_ services: Services, _ fleet: Fleet) {
        self.services = services
        self.fleet = fleet
        _ = fleet.observe { [unowned self] id in self.changed(id) }
    }

    // MARK: Starting

    /// Starts an instance now, or when it may.
    func start(_ id: InstanceID, by actor: Actor) {
        guard let machine = fleet[id]?.machine else { return }
        guard !(machine.spec.dependsOn ?? []).isEmpty, machine.process == nil else {
            return fleet.send(.start(actor), to: id)
        }
        advance(id, by: actor, index())
    }

    /// What a start of all of these is to be done in: what others wait for comes first.
    func startOrder(_ ids: [InstanceID]) -> [InstanceID] {
        order(of: ids).startOrder(ids) { self.name($0) }
    }

    private func advance(_ id: InstanceID, by actor: Actor, _ index: [String: [InstanceID]]) {
        guard let spec = fleet[id]?.machine.spec else { return }
        let dependencies = (spec.dependsOn ?? []).map { ($0, state(of: $0, index)) }
        let missing = dependencies.compactMap { name, state in state.story.map { (name, state.holds, $0) } }
        let waits = missing.filter(\.1).map { "\($0.0) (\($0.2))" }
        if !waits.isEmpty {
            fleet.send(.hold(actor, detail: waits.joined(separator: ", ")), to: id)
        } else if missing.isEmpty {
            fleet.send(.start(actor), to: id)
        } else {
            let story = missing.map { "\($0.0) is \($0.2)" }.joined(separator: ", ")
            fleet.send(.startAnyway(actor, detail: "not waited for: \(story)"), to: id)
        }
    }

    /// What is to be told of an app that is not ready, and whether it holds others. story nil: it is ready.
    private func state(of name: String, _ index: [String: [InstanceID]]) -> (holds: Bool, story: String?) {
        let machines = (index[name] ?? []).compactMap { fleet[$0]?.machine }
        guard !machines.isEmpty else { return (false, "not in the list") }
        if let one = machines.first(where: \.isOnItsWay) {
            let isNew = one.reason.kind == .registered
            return (true, isNew ? "about to be started" : one.status.rawValue)
        }
        if machines.contains(where: { $0.status == .online }) { return (false, nil) }
        return (false, machines.first?.status.rawValue)
    }

    // MARK: Waiting

    /// Whether what holds this one is itself under way: a command that waits for it waits on.
    func isMoving(_ id: InstanceID) -> Bool {
        guard held.contains(id) else { return false }
        let index = index()
        var seen: Set<InstanceID> = []
        var open = [id]
        while let next = open.popLast() {
            guard seen.insert(next).inserted, let machine = fleet[next]?.machine else { continue }
            if machine.isHeld {
                open += (machine.spec.dependsOn ?? []).flatMap { index[$0] ?? [] }
            } else if !machine.isSettled || machine.reason.kind == .registered && machine.isOnItsWay {
                return true
            }
        }
        return false
    }

    private func changed(_ id: InstanceID) {
        guard let machine = fleet[id]?.machine else {
            held.remove(id)
            if !held.isEmpty { reviewSoon() }
            return
        }
        if machine.isHeld {
            if held.insert(id).inserted {
                awaited.formUnion(machine.spec.dependsOn ?? [])
                reviewSoon()
            }
        } else {
            held.remove(id)
        }
        if !held.isEmpty, awaited.contains(machine.spec.name) { reviewSoon() }
    }

    /// Once for all that happens in a turn of the loop.
    func reviewSoon() {
        guard !isReviewDue, !held.isEmpty else { return }
        isReviewDue = true
        services.loop.schedule(after: Milliseconds(0)) { [unowned self] in
            self.isReviewDue = false
            self.review()
        }
    }

    /// Starts what may start, and says of the others what they wait for.
    private func review() {
        let index = index()
        awaited = Set(held.flatMap { fleet[$0]?.machine.spec.dependsOn ?? [] })
        for id in held.sorted() {
            guard let machine = fleet[id]?.machine, machine.isHeld else { continue }
            advance(id, by: machine.reason.actor, index)
        }
    }

    // MARK: Stopping

    /// Groups of which each is stopped when those before it have ended.
    func stopStages(_ ids: [InstanceID]) -> [[InstanceID]] {
        order(of: ids).stopStages(ids) { self.name($0) }
    }

    // MARK: Checking

    /// Apps that would wait for each other if these specifications counted.
    func cycle(with specs: [AppSpec], insteadOf ids: Set<InstanceID> = []) -> [String]? {
        // Who names nobody closes no circle.
        guard specs.contains(where: { !($0.dependsOn ?? []).isEmpty }) else { return nil }
        let present = fleet.ids.filter { !ids.contains($0) }.compactMap { fleet[$0]?.desired.spec }
        return DependencyOrder(present + specs).cycle
    }

    private func order(of ids: [InstanceID]) -> DependencyOrder {
        DependencyOrder(ids.compactMap { fleet[$0]?.machine.spec })
    }

    private func name(_ id: InstanceID) -> String { fleet[id]?.machine.spec.name ?? "" }

    private func index() -> [String: [InstanceID]] {
        Dictionary(grouping: fleet.ids) { name($0) }
    }
}
