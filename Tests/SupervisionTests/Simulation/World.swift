import Foundation
import Model

@testable import Supervision

/// A home with a few instances, an operator and a daemon that may die between any two effects. All is drawn from one
/// seed. What a daemon knows is lost with it, but for the records written by the effect `record`.
struct World {
    private enum Happening {
        // The kernel's: they happen whether a daemon runs or not.
        case ends(ProcessIdentity, ExitStatus)
        case forks(ProcessIdentity)
        case says(ModelKernel.Tag)
        // The daemon's: lost with it.
        case deliver(InstanceID, Event)
        case fires(InstanceID, TimerKind, Generation, Int)
        case polls(ModelKernel.Tag)
        case sweeps(ModelKernel.Tag)
        // The world's.
        case command(InstanceID?)
        case daemonDies
        case daemonStarts
        case faultsEnd
    }

    /// What an operator may expect of an instance.
    private struct Expectation {
        /// Nil: a daemon died with the command, so either is right.
        var wanted: Wanted?
        /// An acknowledged stop, delete or kill forbids it.
        var mayStart = false
        var isDeleted = false
        var mayBeRemoved = false
        var restarts = 0
    }

    private struct Slot {
        var spec: AppSpec
        var machine: InstanceMachine?
        var record: InstanceRecord
        var expectation = Expectation()
        var timers: [TimerKind: Int] = [:]
        /// Generations whose processes are being killed until none is left.
        var killing: Set<Generation> = []
        var answeredAt: Int64 = 0
        /// Since when something is under way.
        var unsettledSince: Int64?

        /// A stop takes the time to SIGKILL, and the time for which SIGKILL is believed in.
        /// Then it counts as ready, whatever it says. Each process that ends before begins anew.
        var longestStart: Int64 { spec.readyTimeout == nil ? 0 : 120_000 }
        var longestStop: Int64 { spec.stop.killTimeout.rawValue + max(5000, spec.stop.killTimeout.rawValue) }
    }

    private var random: SeededGenerator
    private var kernel = ModelKernel()
    private var slots: [InstanceID: Slot] = [:]
    /// What was said and not read yet.
    private var said: [ModelKernel.Tag: ProcessIdentity] = [:]
    private var happenings: [(at: Int64, order: Int, what: Happening, daemon: Int?)] = []
    private var now: Int64 = 10_000_000
    private var order = 0
    private var daemon = 1
    private var isDaemonAlive = true
    private var hasFaults = true
    private let daemonDies: Bool
    private var daemonDeaths = 0
    private let faultsEndAt: Int64
    private let isTraced: Bool

    private(set) var violations: [String] = []
    private(set) var trace: [String] = []
    private(set) var spawns = 0

    init(seed: UInt64, isTraced: Bool = false) {
        random = SeededGenerator(seed: seed)
        self.isTraced = isTraced
        daemonDies = random.chance(70)
        faultsEndAt = now + 20_000 + random.milliseconds(60_000)
        for number in 0..<(1 + random.below(4)) { register(InstanceID(UInt32(number))) }
        for _ in 0..<(5 + random.below(40)) { schedule(.command(nil), in: random.milliseconds(faultsEndAt - now)) }
        if daemonDies {
            for _ in 0..<random.below(12) { schedule(.daemonDies, in: random.milliseconds(faultsEndAt - now)) }
        }
        schedule(.faultsEnd, in: faultsEndAt - now)
    }

    /// Lives through everything, then through three quarters of an hour without faults and commands.
    mutating func run() {
        let end = faultsEndAt + 2_700_000
        while violations.isEmpty, let next = happenings.popLast(), next.at <= end {
            now = next.at
            if let daemon = next.daemon, daemon != self.daemon || !isDaemonAlive { continue }
            happen(next.what)
        }
        now = end
        if violations.isEmpty { checkEnd() }
    }

    // MARK: Making things happen

    private mutating func schedule(_ what: Happening, in delay: Int64, daemon: Int? = nil) {
        order += 1
        let entry = (at: now + max(0, delay), order: order, what: what, daemon: daemon)
        // Latest first: the next one is taken from the end.
        let index = happenings.partitioningIndex { ($0.at, $0.order) < (entry.at, entry.order) }
        happenings.insert(entry, at: index)
    }

    private mutating func note(_ text: @autoclosure () -> String) {
        if isTraced { trace.append("\(now) \(text())") }
    }

    private mutating func violate(_ text: String) {
        note("VIOLATION \(text)")
        violations.append("at \(now): \(text)")
    }

    private mutating func register(_ id: InstanceID) {
        var policy = RestartPolicy(
            maxRestarts: [0, 3, 16][random.below(3)], stopExitCodes: random.chance(20) ? [7] : [],
            slowRetry: random.chance(80))
        switch random.below(10) {
        case 0: policy.mode = .never
        case 1: policy.mode = .onFailure
        case 2, 3: policy.restartDelay = Milliseconds(random.milliseconds(2000))
        case 4, 5: policy.exponentialBackoff = Milliseconds(1 + random.milliseconds(400))
        default: break
        }
        let stop = StopPolicy(
            killTimeout: Milliseconds(random.chance(10) ? 0 : 100 + random.milliseconds(2000)),
            wholeTree: random.chance(80))
        var spec = spec(policy, stop: stop)
        if random.chance(30) {
            spec.readiness = ReadinessPolicy(waitReady: true, timeout: Milliseconds(random.milliseconds(4000)))
        }
        if random.chance(30) { spec.stop.withMessage = true }
        let machine = InstanceMachine(id: id, spec: spec, wanted: .stopped, by: alice, at: instant(now))
        slots[id] = Slot(spec: spec, machine: machine, record: machine.record)
        slots[id]?.expectation.wanted = .stopped
    }

    private mutating func happen(_ what: Happening) {
        switch what {
        case .ends(let identity, let status): ends(identity, status)
        case .forks(let parent): forks(parent)
        case .says(let tag):
            guard let main = kernel.main(of: tag) else { return }
            said[tag] = main.identity
            if isDaemonAlive { hears(tag) }
        case .deliver(let id, let event):
            if case .exited(let generation, _) = event { kernel.reap(.init(instance: id, generation: generation)) }
            send(event, to: id)
        case .fires(let id, let kind, let generation, let number):
            guard slots[id]?.timers[kind] == number else { return }
            slots[id]?.timers[kind] = nil
            send(.timer(kind, generation), to: id)
        case .polls(let tag):
            if kernel.members(of: tag).isEmpty {
                send(.treeGone(tag.generation), to: tag.instance)
            } else {
                schedule(.polls(tag), in: 50, daemon: daemon)
            }
        case .sweeps(let tag):
            for process in kernel.members(of: tag) { kill(process) }
        case .command(let id): command(id)
        case .daemonDies: dies()
        case .daemonStarts: starts()
        case .faultsEnd:
            note("faults end")
            hasFaults = false
            if !isDaemonAlive { starts() }
        }
    }

    /// The daemon reads what an instance wrote on its channel.
    private mutating func hears(_ tag: ModelKernel.Tag) {
        guard said.removeValue(forKey: tag) != nil else { return }
        send(.ready(tag.generation, .message), to: tag.instance)
        // A process that said so is not waited for any more.
        let machine = slots[tag.instance]?.machine
        if isDaemonAlive, let machine, machine.generation == tag.generation, machine.status == .launching,
            machine.process != nil
        {
            violate("\(tag.instance) said that it is ready, and is launching")
        }
    }

    private mutating func ends(_ identity: ProcessIdentity, _ status: ExitStatus) {
        guard let process = kernel.process(identity), kernel.end(identity, status) else { return }
        note("\(process.tag.instance) pid \(identity) \(process.isMain ? "main" : "child") ends: \(status)")
        guard process.isMain, isDaemonAlive else {
            if !isDaemonAlive { kernel.reapAll(random: &random) }
            return
        }
        tell(of: process.tag, status)
    }

    private mutating func tell(of tag: ModelKernel.Tag, _ status: ExitStatus) {
        // Never before the answer to the spawn: the executor has no pidfd until then.
        let answered = max(0, (slots[tag.instance]?.answeredAt ?? 0) - now)
        let event = Event.exited(tag.generation, status)
        let delay = answered + 1 + random.milliseconds(20)
        schedule(.deliver(tag.instance, event), in: delay, daemon: daemon)
        // The keeper may tell the same end once more, much later.
        if random.chance(20) {
            schedule(.deliver(tag.instance, event), in: delay + random.milliseconds(3000), daemon: daemon)
        }
    }

    private mutating func forks(_ parent: ProcessIdentity) {
        guard let process = kernel.process(parent), !process.isZombie else { return }
        let hang = hasFaults && random.chance(3) ? now + random.milliseconds(20_000) : 0
        let child = kernel.create(
            process.tag, isMain: false, ignoresSignals: random.chance(20), hangsUntil: hang, random: &random)
        guard let child, let created = kernel.process(child) else { return }
        if slots[process.tag.instance]?.killing.contains(process.tag.generation) == true { kill(created) }
        if random.chance(50) { schedule(.ends(child, .exited(code: 0)), in: random.milliseconds(30_000)) }
    }

    private mutating func kill(_ process: ModelKernel.Process) {
        schedule(.ends(process.identity, .killed(by: 9)), in: max(1, process.hangsUntil - now))
    }

    private mutating func terminate(_ process: ModelKernel.Process) {
        guard !process.ignoresSignals else { return }
        let status: ExitStatus = random.chance(50) ? .killed(by: 15) : .exited(code: 0)
        schedule(.ends(process.identity, status), in: max(random.milliseconds(300), process.hangsUntil - now))
    }

    // MARK: The daemon

    private mutating func dies() {
        guard isDaemonAlive, hasFaults else { return }
        note("daemon dies")
        isDaemonAlive = false
        daemon += 1
        daemonDeaths += 1
        kernel.reapAll(random: &random)
        for id in slots.keys {
            slots[id]?.machine = nil
            slots[id]?.timers = [:]
            slots[id]?.killing = []
        }
        schedule(.daemonStarts, in: random.chance(80) ? random.milliseconds(400) : random.milliseconds(8000))
    }

    private mutating func starts() {
        guard !isDaemonAlive else { return }
        isDaemonAlive = true
        for id in slots.keys.sorted() where isDaemonAlive { restore(id) }
    }

    private mutating func restore(_ id: InstanceID) {
        guard let slot = slots[id] else { return }
        let record: InstanceRecord
        do {
            record = try JSONDecoder().decode(InstanceRecord.self, from: JSONEncoder().encode(slot.record))
        } catch {
            violate("record of \(id) cannot be read back: \(error)")
            return
        }
        let observation = observe(record)
        note("\(id) restored from \(record.phase) \(record.purpose?.rawValue ?? ""): \(observation)")
        var effects: [Effect] = []
        let machine = InstanceMachine(
            restoring: record, spec: slot.spec, observation: observation, at: instant(now), effects: &effects)
        slots[id]?.machine = machine
        slots[id]?.unsettledSince = machine.isSettled ? nil : now
        if machine.restarts < record.restarts { violate("restarts of \(id) fell in adoption") }
        slots[id]?.expectation.restarts = machine.restarts
        checkWanted(of: id)
        if slot.expectation.wanted == nil { slots[id]?.expectation.wanted = machine.wanted }
        perform(effects, of: id)
        if isDaemonAlive { hears(.init(instance: id, generation: record.generation)) }
    }

    private mutating func observe(_ record: InstanceRecord) -> Observation {
        let tag = ModelKernel.Tag(instance: record.id, generation: record.generation)
        if record.phase == .starting {
            if let main = kernel.main(of: tag) { return .running(main.identity) }
            return kernel.spawned.contains(tag) ? .gone(kernel.exits[tag] ?? .unknown) : .neverSpawned
        }
        if let identity = record.process {
            if let process = kernel.process(identity), !process.isZombie { return .running(identity) }
            return .gone(kernel.exits[tag] ?? .unknown)
        }
        return random.chance(50) ? .neverSpawned : .gone(.unknown)
    }

    private mutating func send(_ event: Event, to id: InstanceID) {
        guard let before = slots[id]?.machine else { return }
        guard let effects = slots[id]?.machine?.handle(event, at: instant(now)), let after = slots[id]?.machine else {
            return
        }
        note(
            "\(id) \(before.status.rawValue) \(event) → \(after.status.rawValue) "
                + (after.record.purpose?.rawValue ?? "")
        )
        if after.isSettled || before.isSettled || isCommand(event) {
            slots[id]?.unsettledSince = after.isSettled ? nil : now
        } else if let slot = slots[id], now - (slot.unsettledSince ?? now) > slot.longestStop + slot.longestStart + 1000
        {
            violate("\(id) is \(after.status.rawValue) for too long")
        }
        if case .reset = event { slots[id]?.expectation.restarts = 0 }
        if after.restarts < (slots[id]?.expectation.restarts ?? 0) { violate("restarts of \(id) fell") }
        slots[id]?.expectation.restarts = after.restarts
        if !effects.contains(.record), after.record != before.record { violate("\(id) changed unrecorded: \(event)") }
        perform(effects, of: id)
        // A short moment that chance alone would rarely hit: a command waits for the answer to a spawn.
        if daemonDies, after.status == .launching, after.record.purpose != nil, random.chance(15) { dies() }
    }

    private func isCommand(_ event: Event) -> Bool {
        switch event {
        case .start, .stop, .restart, .delete, .killWithDaemon: true
        default: false
        }
    }

    private mutating func perform(_ effects: [Effect], of id: InstanceID) {
        for effect in effects {
            if daemonDies, hasFaults, random.below(250) == 0 { dies() }
            guard isDaemonAlive, let machine = slots[id]?.machine else { return }
            perform(effect, machine)
        }
    }

    private mutating func perform(_ effect: Effect, _ machine: InstanceMachine) {
        let id = machine.id
        switch effect {
        case .record: slots[id]?.record = machine.record
        case .spawn(let generation): spawn(generation, machine)
        case .terminate(let generation, _, let wholeTree):
            for process in targets(generation, wholeTree: wholeTree, machine) { terminate(process) }
        case .drain, .watchSocket: break
        case .askToEnd(let generation, _, _):
            // Only the main process hears of it.
            for process in targets(generation, wholeTree: false, machine) { terminate(process) }
        case .kill(let generation, let wholeTree):
            slots[id]?.killing.insert(generation)
            for process in targets(generation, wholeTree: wholeTree, machine) { kill(process) }
        case .watchTree(let generation):
            schedule(.polls(.init(instance: id, generation: generation)), in: 0, daemon: daemon)
        case .sweep(let generation, _, let grace):
            let tag = ModelKernel.Tag(instance: id, generation: generation)
            if kernel.main(of: tag) != nil { violate("a sweep of \(id) reaches a living main process") }
            for process in kernel.members(of: tag) { terminate(process) }
            schedule(.sweeps(tag), in: grace.rawValue, daemon: daemon)
        case .arm(let kind, let generation, let at):
            order += 1
            slots[id]?.timers[kind] = order
            schedule(.fires(id, kind, generation, order), in: at.milliseconds - now, daemon: daemon)
        case .disarm(let kind): slots[id]?.timers[kind] = nil
        case .remove:
            guard slots[id]?.expectation.mayBeRemoved == true else {
                violate("\(id) was removed without a delete")
                return
            }
            if machine.spec.stop.wholeTree, let left = kernel.processes.values.first(where: { $0.tag.instance == id }),
                daemonDeaths == 0, left.tag.generation == machine.generation
            {
                violate("\(id) was removed, but pid \(left.identity) is left")
            }
            note("\(id) removed")
            slots[id] = nil
        case .explain(let generation, _):
            if random.chance(50) {
                let event = Event.explained(generation, .oom, detail: "memory")
                schedule(.deliver(id, event), in: random.milliseconds(500), daemon: daemon)
            }
        case .persist, .report: break
        }
    }

    /// The processes that a signal to a generation reaches. The main one is the one the machine knows.
    private mutating func targets(
        _ generation: Generation, wholeTree: Bool, _ machine: InstanceMachine
    ) -> [ModelKernel.Process] {
        let tag = ModelKernel.Tag(instance: machine.id, generation: generation)
        if generation != machine.generation { violate("\(machine.id) signals generation \(generation)") }
        if let identity = machine.process {
            let found = kernel.process(identity)
            if found?.tag != tag || found?.isMain != true { violate("\(machine.id) signals a foreign pid \(identity)") }
        } else if let main = kernel.main(of: tag) {
            violate("\(machine.id) does not know its main process \(main.identity)")
        }
        return kernel.members(of: tag).filter { wholeTree || $0.isMain }
    }

    private mutating func spawn(_ generation: Generation, _ machine: InstanceMachine) {
        let id = machine.id
        let tag = ModelKernel.Tag(instance: id, generation: generation)
        spawns += 1
        if let living = kernel.mains(of: id).first { violate("\(id) is started beside its pid \(living.identity)") }
        if slots[id]?.expectation.mayStart == false { violate("\(id) is started, but an operator stopped it") }
        let record = slots[id]?.record
        if record?.phase != .starting || record?.generation != generation { violate("\(id) spawns without a record") }
        if kernel.spawned.contains(tag) { violate("\(id) spawns generation \(generation) twice") }

        let delay = random.chance(60) ? 0 : random.milliseconds(40)
        slots[id]?.answeredAt = now + delay
        let hangs = hasFaults && random.chance(4)
        let identity =
            hasFaults && random.chance(10)
            ? nil
            : kernel.create(
                tag, isMain: true, ignoresSignals: random.chance(15),
                hangsUntil: hangs ? now + random.milliseconds(30_000) : 0, random: &random)
        guard let identity else {
            schedule(.deliver(id, .spawnFailed(generation, spawnFailure)), in: delay, daemon: daemon)
            return
        }
        schedule(.deliver(id, .spawned(generation, identity)), in: delay, daemon: daemon)
        if machine.spec.readyTimeout != nil, random.chance(60) {
            // Some say it twice, or too late. What is said while no daemon lives waits for the next.
            let after = delay + 1 + random.milliseconds(5000)
            schedule(.says(tag), in: after)
            if random.chance(20) { schedule(.says(tag), in: after + 10) }
        }
        if hasFaults, random.chance(60) {
            let statuses: [ExitStatus] = [
                .exited(code: 0), .exited(code: 1), .exited(code: 7), .killed(by: 9), .killed(by: 11),
            ]
            let life = random.chance(70) ? random.milliseconds(1500) : random.milliseconds(20_000)
            schedule(.ends(identity, statuses[random.below(statuses.count)]), in: life)
        }
        for _ in 0..<random.below(3) { schedule(.forks(identity), in: random.milliseconds(3000)) }
    }

    // MARK: The operator

    private mutating func command(_ same: InstanceID?) {
        guard isDaemonAlive, hasFaults else { return }
        var id = same ?? InstanceID(UInt32(random.below(5)))
        if slots[id] == nil {
            // A new entry never takes the number of a deleted one.
            id = slots.keys.min() ?? InstanceID(100 + UInt32(order))
            if slots[id] == nil { register(id) }
        }
        // People are impatient, and commands cross with what they began.
        if random.chance(40) { schedule(.command(id), in: random.milliseconds(50)) }
        if daemonDies, random.chance(8) { schedule(.daemonDies, in: random.milliseconds(50)) }
        let actor = random.chance(50) ? alice : bob
        let number = daemon
        switch random.below(100) {
        case 0..<35, 35..<55:
            let isStart = random.chance(60)
            if slots[id]?.expectation.isDeleted == false { slots[id]?.expectation.mayStart = true }
            send(isStart ? .start(actor) : .restart(actor), to: id)
            if slots[id]?.expectation.isDeleted == false { acknowledge(id, .running, number) }
        case 55..<75:
            send(.stop(actor), to: id)
            acknowledge(id, .stopped, number)
        case 75..<83:
            slots[id]?.expectation.mayBeRemoved = true
            send(.delete(actor), to: id)
            acknowledge(id, .stopped, number)
            if number == daemon { slots[id]?.expectation.isDeleted = true }
        case 83..<88:
            send(.killWithDaemon(actor), to: id)
            if number == daemon { slots[id]?.expectation.mayStart = false }
        case 88..<92: send(.reset(actor), to: id)
        case 92..<96:
            guard let machine = slots[id]?.machine, let identity = machine.process else { return }
            guard let process = kernel.process(identity), process.tag.instance == id else {
                violate("\(id) signals a foreign pid \(identity)")
                return
            }
            send(.signalSent(.usr2, actor), to: id)
            schedule(.ends(identity, .killed(by: 12)), in: max(1, process.hangsUntil - now))
        default:
            // Somebody else kills it.
            guard let identity = slots[id]?.machine?.process, let process = kernel.process(identity) else { return }
            kill(process)
        }
    }

    /// The command was carried out as far as the operator can know, unless the daemon died with it.
    private mutating func acknowledge(_ id: InstanceID, _ wanted: Wanted, _ number: Int) {
        guard slots[id] != nil else { return }
        guard number == daemon, isDaemonAlive else {
            // Either is right. A delete may be in the record, so that later starts are in vain.
            slots[id]?.expectation.wanted = nil
            return
        }
        if let expectation = slots[id]?.expectation, expectation.mayBeRemoved, wanted == .running {
            // A start is in vain after a delete. Whether there was one is not known when a daemon died with it.
            if !expectation.isDeleted { slots[id]?.expectation.wanted = nil }
            return
        }
        slots[id]?.expectation.wanted = wanted
        if wanted == .stopped { slots[id]?.expectation.mayStart = false }
        checkWanted(of: id)
    }

    private mutating func checkWanted(of id: InstanceID) {
        guard let slot = slots[id], let machine = slot.machine, let expected = slot.expectation.wanted else { return }
        if machine.wanted != expected { violate("\(id): wanted is \(machine.wanted), the operator said \(expected)") }
    }

    // MARK: The end

    private mutating func checkEnd() {
        for id in slots.keys.sorted() {
            guard let slot = slots[id], let machine = slot.machine else {
                violate("\(id) has no machine")
                continue
            }
            checkWanted(of: id)
            let mains = kernel.mains(of: id)
            if !machine.isSettled { violate("\(id) is still \(machine.status.rawValue)") }
            if slot.expectation.isDeleted { violate("\(id) was deleted and is \(machine.status.rawValue)") }
            if mains.count > 1 { violate("\(id) has \(mains.count) main processes") }
            if machine.process != mains.first?.identity { violate("\(id): pid \(mains) and \(machine.record)") }
            if machine.record != slot.record { violate("\(id) changed unrecorded") }
            switch (machine.wanted, machine.status, machine.reason.kind) {
            case (.running, .online, _), (.stopped, .stopped, _): break
            case (.running, .stopped, .notRestarted): break
            case (.running, .stopped, .killedWithDaemon): break
            case (.running, .errored, .gaveUp), (.running, .errored, .spawnFailed):
                let policy = slot.spec.restart
                // With max_restarts 0 every end is a reason to give up, but here nothing ends any more.
                if policy.slowRetry, policy.mode != .never { violate("\(id) stays errored: \(machine.reason.text)") }
            default:
                violate("\(id) is \(machine.status.rawValue), wanted \(machine.wanted): \(machine.reason.text)")
            }
        }
        guard daemonDeaths == 0 else { return }
        // What was left behind is ended; the rest of a sweep is lost with a daemon.
        for process in kernel.processes.values {
            let machine = slots[process.tag.instance]?.machine
            guard let machine else {
                if !process.isMain { continue }
                violate("pid \(process.identity) of a deleted instance is left")
                continue
            }
            let isExcused = !machine.spec.stop.wholeTree || machine.reason.kind == .notRestarted
            if isExcused || (machine.status == .online && machine.generation == process.tag.generation) { continue }
            violate("pid \(process.identity) of \(process.tag) is left behind: \(machine.status.rawValue)")
        }
    }
}

extension Array {
    /// First index whose element matches; all matching ones are at the end.
    fileprivate func partitioningIndex(where belongsToEnd: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if belongsToEnd(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
