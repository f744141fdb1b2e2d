import CLinux
import Control
import Model
import Platform
import Records
import Supervision

#if canImport(Glibc)
    import Glibc
#endif

extension Dispatcher {
    /// A start is one exec; 30 s is a disk that hangs.
    private static let startBound = Milliseconds(30_000)

    // MARK: start

    func start(_ call: Call, _ parameters: StartParameters) {
        if let known = instances(startedWith: parameters.token) { return answerWhenSettled(call, known) }
        do throws(ControlError) {
            try SpecValidation.validate(parameters.apps, alreadyThere: fleet.ids.count)
            try SpecValidation.validateOrder(fleet.dependencies.cycle(with: parameters.apps))
        } catch { return call.fail(error) }
        // What is restored is entered whatever is missing: that is the app's state then.
        guard parameters.restores != true, parameters.apps.contains(where: { $0.uid != nil || $0.gid != nil }) else {
            return enter(call, parameters)
        }
        let apps = parameters.apps
        services.loop.offload(to: services.codec) { () -> ControlError? in
            do throws(ControlError) { try SpecValidation.validateAccounts(apps) } catch { return error }
            return nil
        } then: { [self] failure in
            if let failure { call.fail(failure) } else { self.enter(call, parameters) }
        }
    }

    private func enter(_ call: Call, _ parameters: StartParameters) {
        // Again: the same command may have come a second time while its accounts were looked up.
        if let known = instances(startedWith: parameters.token) { return answerWhenSettled(call, known) }
        let actor = call.actor(parameters.origin)
        let ids = register(parameters.apps, environment: parameters.environment, token: parameters.token, by: actor)
        if parameters.restores == true { bePatient(ids) }
        startWhenWritten(ids, by: actor)
        answerWhenSettled(call, ids)
    }

    /// What was restored may need what comes later than the daemon.
    func bePatient(_ ids: [InstanceID]) {
        let until = SystemClock.now().advanced(by: RestartCounters.patience)
        for id in ids { fleet.send(.bePatient(until: until), to: id) }
    }

    /// What a command with this token has started already.
    private func instances(startedWith token: String?) -> [InstanceID]? {
        guard let token else { return nil }
        let known = fleet.ids.filter { fleet[$0]?.desired.token == token }
        return known.isEmpty ? nil : known
    }

    /// Enters apps into the list. Nothing is started yet.
    func register(
        _ apps: [AppSpec], environment: [String: String], token: String?, by actor: Actor, keepsSnapshot: Bool = true
    ) -> [InstanceID] {
        let key = environment.isEmpty ? nil : EnvironmentKey.of(environment)
        let now = SystemClock.wallClock()
        var added: [DesiredInstance] = []
        services.state.change(keepingSnapshotFor: keepsSnapshot ? actor : nil) { state in
            if let key { state.environments[key] = environment }
            // From here on the list is in use again; what was killed stays down for a reason of its own.
            state.killed = nil
            for app in apps {
                for _ in 0..<max(1, app.instances) {
                    var spec = app
                    if let variable = app.incrementVariable {
                        spec.environment[variable] = Self.nextValue(of: variable, app, state.instances)
                    }
                    let instance = DesiredInstance(
                        id: InstanceID(state.nextID), spec: spec,
                        number: Self.freeNumber(app.name, state.instances),
                        wanted: app.autostart ? .running : .stopped, environment: key, createdAt: now, token: token,
                        uniqueID: UniqueID.make())
                    state.nextID &+= 1
                    state.instances.append(instance)
                    added.append(instance)
                }
            }
        }
        for desired in added { fleet.add(desired, by: actor) }
        return added.map(\.id)
    }

    /// Smallest number that no entry of this name has.
    static func freeNumber(_ name: String, _ instances: [DesiredInstance]) -> Int {
        let used = Set(instances.lazy.filter { $0.spec.name == name }.map(\.number))
        var number = 0
        while used.contains(number) { number += 1 }
        return number
    }

    /// `increment_var`: the first instance has the app's own value (or 0), each further one the highest plus one.
    private static func nextValue(of variable: String, _ app: AppSpec, _ instances: [DesiredInstance]) -> String {
        let used = instances.lazy.filter { $0.spec.name == app.name }
            .compactMap { $0.spec.environment[variable].flatMap { Int($0) } }
        guard let highest = used.max() else { return app.environment[variable] ?? "0" }
        return String(highest &+ 1)
    }

    /// Starts entries when the list that has them survives our death: what runs is then always known to the next
    /// daemon. A disk that does not answer is not waited for.
    func startWhenWritten(_ ids: [InstanceID], by actor: Actor) {
        let starting = fleet.dependencies.startOrder(ids.filter { fleet[$0]?.desired.wanted == .running })
        services.state.whenWritten { [self] _ in
            let inTurn = starting.filter { self.fleet[$0]?.machine.spec.readyTimeout != nil }
            self.inBatches(starting.filter { !inTurn.contains($0) }[...]) { id in self.begin(id, by: actor) }
            // The instances of one app one after another; apps do not wait for each other.
            for (_, ids) in Dictionary(grouping: inTurn, by: { self.fleet[$0]?.desired.spec.name ?? "" }) {
                self.startInTurn(ids[...], by: actor)
            }
        }
    }

    private func begin(_ id: InstanceID, by actor: Actor) {
        // What was stopped or deleted in between stays so.
        guard fleet[id]?.machine.reason.kind == .registered else { return }
        fleet.setGoing(id, by: actor)
    }

    /// What says when it is ready is started when the one before it has said so.
    private func startInTurn(_ ids: ArraySlice<InstanceID>, by actor: Actor) {
        guard let id = ids.first else { return }
        begin(id, by: actor)
        waiting.untilSettled([id], within: waiting.readyBound([id], inTurn: false)) { [self] _ in
            // In a turn of its own: an instance that settles at once must not make this call itself a thousand times.
            self.services.loop.schedule(after: Milliseconds(0)) { [self] in self.startInTurn(ids.dropFirst(), by: actor)
            }
        }
    }

    /// Does something to many instances, 32 a turn of the loop: a thousand starts must not hold another app's restart.
    func inBatches(
        _ ids: ArraySlice<InstanceID>, _ body: @escaping (InstanceID) -> Void, then done: @escaping () -> Void = {}
    ) {
        for id in ids.prefix(32) { body(id) }
        let rest = ids.dropFirst(32)
        guard !rest.isEmpty else { return done() }
        services.loop.schedule(after: Milliseconds(0)) { [self] in self.inBatches(rest, body, then: done) }
    }

    private func answerWhenSettled(_ call: Call, _ ids: [InstanceID]) {
        whenStarted(ids) { [self] in
            self.services.state.whenDurable { [self] failure in
                call.reply(
                    InstancesReply(
                        instances: self.views(ids), durable: failure == nil, notDurableReason: failure),
                    isLarge: ids.count > Self.manyInstances)
            }
        }
    }

    /// Calls back when all of `ids` were started (or could not be).
    func whenStarted(_ ids: [InstanceID], _ done: @escaping () -> Void) {
        services.state.whenWritten { [self] _ in
            let ready = self.waiting.readyBound(ids, inTurn: true)
            self.waiting.untilBegunAndSettled(ids, within: Milliseconds(Self.startBound.rawValue + ready.rawValue)) {
                _ in
                done()
            }
        }
    }

    // MARK: stop, restart, delete, reset, flush

    func act(_ call: Call, _ parameters: ActParameters) {
        guard var resolution = resolve(parameters.selectors, call) else { return }
        let actor = call.actor(parameters.origin)
        var failures = resolution.failures.map {
            ActionResult(id: nil, name: $0.selector, ok: false, message: $0.message)
        }
        let names = names(of: resolution.ids)
        failures += leaveJobs(parameters, &resolution.ids, by: actor)
        if parameters.action == .flush { return flush(call, resolution.ids, names, failures) }
        if let environment = parameters.environment { merge(environment, into: resolution.ids) }
        if parameters.action == .reload {
            return reload(
                resolution.ids, failures: failures, call, by: actor, token: parameters.token,
                parallel: parameters.parallel)
        }
        if parameters.action == .delete { services.state.change(keepingSnapshotFor: actor) { _ in } }
        perform(
            parameters.action, resolution.ids, names: names, call, by: actor, token: parameters.token,
            failures: failures)
    }

    /// Does something to many instances, stage by stage; the next one begins when the one before has settled.
    private func inStages(
        _ stages: ArraySlice<[InstanceID]>, _ body: @escaping (InstanceID) -> Void, then done: @escaping () -> Void
    ) {
        guard let stage = stages.first else { return done() }
        inBatches(stage[...], body) { [self] in
            let rest = stages.dropFirst()
            guard !rest.isEmpty else { return done() }
            self.waiting.untilSettled(stage, within: self.waiting.stopBound(stage)) { [self] _ in
                self.inStages(rest, body, then: done)
            }
        }
    }

    /// What depends on others ends before them.
    func stopInOrder(
        _ ids: [InstanceID], _ body: @escaping (InstanceID) -> Void, then done: @escaping () -> Void = {}
    ) {
        inStages(fleet.dependencies.stopStages(ids)[...], body, then: done)
    }

    private func inOrder(
        _ action: Action, _ ids: [InstanceID], _ body: @escaping (InstanceID) -> Void, then done: @escaping () -> Void
    ) {
        switch action {
        case .stop, .delete: stopInOrder(ids, body, then: done)
        case .start, .restart: inBatches(fleet.dependencies.startOrder(ids)[...], body, then: done)
        case .reload, .reset, .flush: inBatches(ids[...], body, then: done)
        }
    }

    func names(of ids: [InstanceID]) -> [InstanceID: String] {
        Dictionary(uniqueKeysWithValues: ids.map { ($0, fleet[$0]?.desired.spec.name ?? "") })
    }

    /// Does one thing to all of `ids`, and answers when they have settled.
    func perform(
        _ action: Action, _ ids: [InstanceID], names: [InstanceID: String], _ call: Call, by actor: Actor,
        token: String?, failures: [ActionResult]
    ) {
        var messages: [InstanceID: String] = [:]
        inOrder(action, ids) { [self] id in
            messages[id] = self.begin(action, id, by: actor, token: token)
        } then: { [self] in
            let bound = self.waiting.stopBound(ids)
            self.waiting.untilSettled(ids, within: bound) { [self] unsettled in
                let results = ids.map { id in
                    self.result(action, id, names[id] ?? "", messages[id], unsettled: unsettled.contains(id), bound)
                }
                self.services.state.whenDurable { [self] failure in
                    call.reply(
                        ActReply(
                            results: results + failures, instances: self.views(ids), durable: failure == nil,
                            notDurableReason: failure),
                        isLarge: results.count > Self.manyInstances)
                }
            }
        }
    }

    /// Sends the event of an action. A message when there is nothing to do.
    private func begin(_ action: Action, _ id: InstanceID, by actor: Actor, token: String?) -> String? {
        guard let member = fleet[id] else { return nil }
        // The same command again, after its client lost us in the middle: it was begun already.
        if let token, member.machine.token == token { return nil }
        let status = member.machine.status
        fleet.setToken(token, of: id)
        if action == .start || action == .restart, services.state.desired.killed != nil {
            services.state.change { $0.killed = nil }
        }
        switch action {
        case .start:
            if status == .online { return "already running" }
            fleet.dependencies.start(id, by: actor)
        case .stop:
            fleet.send(.stop(actor), to: id)
            if status == .stopped { return "already stopped" }
        // What runs is restarted whatever it depends on; what waits is started by it at once.
        case .restart where status == .stopped || status == .errored: fleet.dependencies.start(id, by: actor)
        case .restart, .reload: fleet.send(.restart(actor), to: id)
        case .delete: fleet.send(.delete(actor), to: id)
        case .reset: fleet.send(.reset(actor), to: id)
        case .flush: break
        }
        return nil
    }

    private func result(
        _ action: Action, _ id: InstanceID, _ name: String, _ message: String?, unsettled: Bool,
        _ bound: Milliseconds
    ) -> ActionResult {
        guard let machine = fleet[id]?.machine else {
            return ActionResult(id: id, name: name, ok: true, message: "deleted")
        }
        if unsettled {
            return ActionResult(
                id: id, name: name, ok: false, message: "is still \(machine.status.rawValue) after \(bound)")
        }
        if let message { return ActionResult(id: id, name: name, ok: true, message: message) }
        switch (action, machine.status) {
        case (.start, .online), (.restart, .online), (.start, .waitingRestart), (.restart, .waitingRestart),
            (.start, .waiting), (.restart, .waiting):
            return ActionResult(id: id, name: name, ok: true, message: machine.reason.text)
        case (.start, .stopped) where machine.reason.kind == .notRestarted,
            (.restart, .stopped) where machine.reason.kind == .notRestarted:
            return ActionResult(id: id, name: name, ok: true, message: machine.reason.text)
        // A run may be over by now.
        case (.start, .stopped) where machine.reason.kind == .runEnded,
            (.restart, .stopped) where machine.reason.kind == .runEnded,
            (.start, .scheduled), (.restart, .scheduled):
            return ActionResult(id: id, name: name, ok: true, message: machine.reason.text)
        case (.stop, .stopped), (.reset, _):
            return ActionResult(id: id, name: name, ok: true, message: machine.reason.text)
        default:
            return ActionResult(
                id: id, name: name, ok: false, message: "\(machine.status.rawValue): \(machine.reason.text)")
        }
    }

    /// `--update-env`: the caller's variables over the stored ones.
    private func merge(_ environment: [String: String], into ids: [InstanceID]) {
        services.state.change { state in
            for id in ids {
                guard let index = state.instances.firstIndex(where: { $0.id == id }) else { continue }
                let former = state.instances[index].environment.flatMap { state.environments[$0] } ?? [:]
                let merged = former.merging(environment) { _, new in new }
                let key = EnvironmentKey.of(merged)
                state.environments[key] = merged
                state.instances[index].environment = key
                fleet.setEnvironment(key, of: id)
            }
        }
    }

    private func flush(
        _ call: Call, _ ids: [InstanceID], _ names: [InstanceID: String], _ failures: [ActionResult]
    ) {
        let files = ids.map { id -> (InstanceID, [String]) in
            guard let spec = fleet[id]?.desired.spec else { return (id, []) }
            let logs = services.paths.logFiles(of: spec, id: id)
            return (id, [logs.out, logs.error].compactMap { $0 })
        }
        services.loop.offload(to: services.stateThread) { () -> [(InstanceID, String?)] in
            files.map { id, paths in
                for path in paths {
                    let fd = clinux_open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK, 0)
                    if fd == -ENOENT { continue }
                    guard fd >= 0 else { return (id, "'\(path)' cannot be emptied: \(errorText(-fd))") }
                    let file = Descriptor(adopting: fd)
                    // The app's own descriptor appends, so it goes on at the new end.
                    if ftruncate(file.rawValue, 0) != 0, errno != EINVAL {
                        return (id, "'\(path)' cannot be emptied: \(errorText(errno))")
                    }
                }
                return (id, nil)
            }
        } then: { [self] outcomes in
            let results = outcomes.map { id, failure in
                ActionResult(id: id, name: names[id] ?? "", ok: failure == nil, message: failure ?? "logs emptied")
            }
            call.reply(
                ActReply(
                    results: results + failures, instances: self.views(ids), durable: true, notDurableReason: nil),
                isLarge: ids.count > Self.manyInstances)
        }
    }

    // MARK: signal, scale

    func signal(_ call: Call, _ parameters: SignalParameters) {
        guard let signal = Signal(parsing: parameters.signal) else {
            return call.fail(
                ControlError(
                    .badRequest, "'\(parameters.signal)' is not a signal",
                    hint: "use a name such as SIGUSR2, or a number"))
        }
        guard let resolution = resolve(parameters.selectors, call) else { return }
        let actor = call.actor(parameters.origin)
        var results = resolution.failures.map {
            ActionResult(id: nil, name: $0.selector, ok: false, message: $0.message)
        }
        for id in resolution.ids {
            guard let member = fleet[id] else { continue }
            let name = member.desired.spec.name
            guard let pidfd = member.pidfd, let process = member.machine.process else {
                results.append(ActionResult(id: id, name: name, ok: false, message: "it does not run"))
                continue
            }
            fleet.send(.signalSent(signal, actor), to: id)
            let outcome = clinux_pidfd_send_signal(pidfd, signal.rawValue)
            results.append(
                ActionResult(
                    id: id, name: name, ok: outcome == 0,
                    message: outcome == 0 ? "\(signal) sent to pid \(process.pid)" : errorText(-outcome)))
        }
        call.reply(SignalReply(results: results))
    }

    func scale(_ call: Call, _ parameters: ScaleParameters) {
        let present = fleet.ids.filter { fleet[$0]?.desired.spec.name == parameters.name }
        guard let first = present.first, let model = fleet[first] else {
            return call.fail(
                ControlError(
                    .notFound, "no app is called '\(parameters.name)'", hint: "`hearth list` shows what there is"))
        }
        let target: Int
        switch (parameters.count, parameters.change) {
        case (let count?, nil): target = count
        case (nil, let change?):
            let (sum, overflow) = present.count.addingReportingOverflow(change)
            target = overflow ? -1 : sum
        default:
            return call.fail(ControlError(.badRequest, "give either a count or a change"))
        }
        guard target >= 0, target <= 1024 else {
            return call.fail(
                ControlError(.badRequest, "'\(target)' instances are not possible", hint: "0 to 1024 are"))
        }
        let actor = call.actor(parameters.origin)
        if target > present.count {
            var spec = model.desired.spec
            spec.instances = target - present.count
            let environment = model.desired.environment.flatMap { services.state.desired.environments[$0] } ?? [:]
            let added = register([spec], environment: environment, token: nil, by: actor)
            startWhenWritten(added, by: actor)
            answerScale(call, parameters.name, added)
        } else {
            // The newest go first.
            let surplus = present.sorted {
                (fleet[$0]?.desired.number ?? 0, $0) > (fleet[$1]?.desired.number ?? 0, $1)
            }.prefix(present.count - target)
            if !surplus.isEmpty { services.state.change(keepingSnapshotFor: actor) { _ in } }
            for id in surplus { fleet.send(.delete(actor), to: id) }
            answerScale(call, parameters.name, Array(surplus))
        }
    }

    private func answerScale(_ call: Call, _ name: String, _ changed: [InstanceID]) {
        services.state.whenWritten { [self] _ in
            self.waiting.untilBegunAndSettled(changed, within: self.waiting.stopBound(changed)) { [self] _ in
                self.services.state.whenDurable { [self] failure in
                    let present = self.fleet.ids.filter { self.fleet[$0]?.desired.spec.name == name }
                    call.reply(
                        InstancesReply(
                            instances: self.views(present), durable: failure == nil, notDurableReason: failure),
                        isLarge: present.count > Self.manyInstances)
                }
            }
        }
    }
}

/// Names environments by their content, so that equal ones are stored once.
enum EnvironmentKey {
    static func of(_ environment: [String: String]) -> String {
        // FNV-1a, 64 bits, over the sorted pairs; a collision would need two of a handful to meet in 2^64.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) {
            for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            hash = (hash ^ 0x3d) &* 0x100_0000_01b3
            for byte in value.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            hash = (hash ^ 0) &* 0x100_0000_01b3
        }
        return "e" + String(hash, radix: 16)
    }
}
