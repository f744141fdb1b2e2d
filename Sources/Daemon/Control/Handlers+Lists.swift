import Control
import Model
import Platform
import Records
import Supervision

#if canImport(Glibc)
    import Glibc
#endif

extension Dispatcher {
    // MARK: save

    func save(_ call: Call, _ parameters: SaveParameters) {
        let now = SystemClock.wallClock()
        let name = parameters.name ?? "saved-\(SnapshotStore.stamp(now))"
        guard SnapshotStore.isValid(name: name) else {
            return call.fail(
                ControlError(
                    .badRequest, "'\(name)' cannot be the name of a snapshot",
                    hint: "use letters, digits, '.', '_' and '-'"))
        }
        if !parameters.force, let why = reasonNotToSave() {
            return call.fail(ControlError(.refused, why, hint: "`hearth save --force` saves it as it is"))
        }
        let snapshot = Snapshot(
            name: name, at: now, kind: .saved, by: call.actor(parameters.origin), state: services.state.desired)
        let paths = services.paths
        services.loop.offload(to: services.stateThread) { () -> SnapshotStore.Failure? in
            do throws(SnapshotStore.Failure) {
                try SnapshotStore.write(snapshot, paths, sync: true)
                return nil
            } catch { return error }
        } then: { [self] failure in
            if let failure { return call.fail(ControlError(.failed, "not saved: \(failure)")) }
            self.services.journal.add(
                "saved", "\(snapshot.state.instances.count) instances saved as '\(name)' by \(snapshot.by)")
            call.reply(SaveReply(snapshot: SnapshotView(snapshot)))
        }
    }

    /// An empty list, or one that is not complete, does not quietly become the last good one.
    private func reasonNotToSave() -> String? {
        if services.state.desired.instances.isEmpty { return "the list is empty" }
        if !isReady { return "the daemon is still taking over what runs" }
        if let note = notes.first { return "the list may not be complete: \(note)" }
        return nil
    }

    // MARK: undo, resurrect

    func undo(_ call: Call, _ parameters: SnapshotParameters) {
        readSnapshot(parameters.name, kind: .automatic) { [self] result in
            switch result {
            case .failure(let error): call.fail(error)
            case .success(nil):
                call.fail(
                    ControlError(
                        .notFound, "there is nothing to go back to", hint: "`hearth snapshots` lists what there is"))
            case .success(let snapshot?):
                let differences = ListDifference.between(self.services.state.desired, snapshot.state)
                let actor = call.actor(parameters.origin)
                let changed = self.becomeLike(snapshot.state, removingOthers: true, by: actor)
                self.answer(changed) { [self] failure in
                    call.reply(
                        UndoReply(
                            differences: differences.map(Difference.init), instances: self.views(self.fleet.ids),
                            durable: failure == nil, notDurableReason: failure))
                }
            }
        }
    }

    func resurrect(_ call: Call, _ parameters: SnapshotParameters) {
        if parameters.killedOnly == true {
            let changed = startKilled(by: call.actor(parameters.origin))
            return answer(changed) { [self] failure in
                call.reply(
                    ResurrectReply(
                        instances: self.views(changed), notes: [], durable: failure == nil, notDurableReason: failure))
            }
        }
        readSnapshot(parameters.name, kind: .saved) { [self] result in
            switch result {
            case .failure(let error): call.fail(error)
            case .success(let snapshot):
                let actor = call.actor(parameters.origin)
                var changed = self.startKilled(by: actor)
                var notes: [String] = []
                if let snapshot {
                    changed += self.becomeLike(snapshot.state, removingOthers: false, by: actor)
                    notes.append("restored from the snapshot '\(snapshot.name)'")
                }
                if changed.isEmpty { notes.append("nothing was missing") }
                self.answer(changed) { [self] failure in
                    call.reply(
                        ResurrectReply(
                            instances: self.views(changed), notes: notes, durable: failure == nil,
                            notDurableReason: failure))
                }
            }
        }
    }

    private func answer(_ changed: [InstanceID], _ reply: @escaping (_ failure: String?) -> Void) {
        services.state.whenWritten { [self] _ in
            self.waiting.untilBegunAndSettled(changed, within: self.waiting.stopBound(changed)) { [self] _ in
                self.services.state.whenDurable { reply($0) }
            }
        }
    }

    /// The named snapshot, or the last one of a kind (nil: there is none).
    private func readSnapshot(
        _ name: String?, kind: Snapshot.Kind, _ done: @escaping (Result<Snapshot?, ControlError>) -> Void
    ) {
        let paths = services.paths
        services.loop.offload(to: services.stateThread) { () -> Result<Snapshot?, ControlError> in
            guard let name else {
                return .success(SnapshotStore.list(paths).snapshots.last { $0.kind == kind })
            }
            do throws(SnapshotStore.Failure) { return .success(try SnapshotStore.read(name, paths)) } catch {
                return .failure(
                    ControlError(.notFound, error.description, hint: "`hearth snapshots` lists what there is"))
            }
        } then: {
            done($0)
        }
    }

    /// Starts what is wanted and does not run because everything was killed.
    private func startKilled(by actor: Actor) -> [InstanceID] {
        let ids = fleet.ids.filter { id in
            guard let machine = fleet[id]?.machine, machine.wanted == .running else { return false }
            return machine.status == .stopped && machine.reason.kind != .notRestarted
        }
        if services.state.desired.killed != nil { services.state.change { $0.killed = nil } }
        bePatient(ids)
        for id in fleet.dependencies.startOrder(ids) { fleet.bringBack(id, by: actor, endedBy: "`hearth kill`") }
        return ids
    }

    /// Makes the list like another one, app by app. Instances whose app is the same in both go on undisturbed.
    private func becomeLike(
        _ target: DesiredState, removingOthers: Bool, by actor: Actor
    ) -> [InstanceID] {
        let present = services.state.desired
        var changed: [InstanceID] = []
        services.state.change(keepingSnapshotFor: actor) { _ in }
        for difference in ListDifference.between(present, target) {
            let old = present.instances.filter { $0.spec.name == difference.name }
            let new = target.instances.filter { $0.spec.name == difference.name }
            switch difference.change {
            case .added: changed += enter(new, environments: target.environments, by: actor)
            case .removed where removingOthers, .changed where removingOthers:
                for entry in old {
                    fleet.send(.delete(actor), to: entry.id)
                    changed.append(entry.id)
                }
                if difference.change == .changed {
                    changed += enter(new, environments: target.environments, by: actor)
                }
            case .removed, .changed: break
            }
        }
        return changed
    }

    /// Enters copies of entries under new ids, and starts those that were wanted.
    private func enter(
        _ entries: [DesiredInstance], environments: [String: [String: String]], by actor: Actor
    ) -> [InstanceID] {
        var ids: [InstanceID] = []
        // What ran once is not done again because a list is put back.
        for entry in entries where entry.spec.job?.isOnce != true {
            var spec = entry.spec
            spec.instances = 1
            spec.autostart = entry.wanted == .running
            let environment = entry.environment.flatMap { environments[$0] } ?? [:]
            ids += register([spec], environment: environment, token: nil, by: actor, keepsSnapshot: false)
        }
        startWhenWritten(ids, by: actor)
        return ids
    }

    // MARK: The daemon itself

    func kill(_ call: Call, _ parameters: OriginParameters) {
        let actor = call.actor(parameters.origin)
        let running = fleet.ids.filter { fleet[$0]?.machine.isSettled == false || fleet[$0]?.machine.process != nil }
        stopEverything(by: actor) { [self] failure in
            if let failure { return call.fail(failure) }
            self.lifecycle?.end(because: "killed by \(actor)") {
                call.reply(KillReply(stopped: running.count))
            }
        }
    }

    /// Stops every app, before the daemon ends on purpose. A home of PM2's forgets its list with that: its dump has it.
    func stopEverything(by actor: Actor, _ done: @escaping (ControlError?) -> Void) {
        if services.paths.isPM2 {
            services.state.change(keepingSnapshotFor: actor) { _ in }
        } else {
            services.state.change { $0.killed = DesiredState.Killed(by: actor, at: SystemClock.wallClock()) }
        }
        let forgets = services.paths.isPM2
        stopInOrder(fleet.ids) { [self] id in
            self.fleet.send(forgets ? .delete(actor) : .killWithDaemon(actor), to: id)
        } then: { [self] in
            self.whenStopped(done)
        }
    }

    private func whenStopped(_ done: @escaping (ControlError?) -> Void) {
        waiting.untilSettled(fleet.ids, within: waiting.stopBound(fleet.ids)) { [self] unsettled in
            guard unsettled.isEmpty else {
                let names = unsettled.sorted().compactMap { self.fleet[$0]?.desired.spec.name }
                return done(
                    ControlError(
                        .timedOut, "still not ended: \(names.joined(separator: ", "))",
                        hint: "the daemon goes on; `hearth why NAME` tells more"))
            }
            self.services.state.whenDurable { _ in done(nil) }
        }
    }

    func detach(_ call: Call, _ parameters: OriginParameters) {
        let actor = call.actor(parameters.origin)
        let running = fleet.ids.filter { fleet[$0]?.machine.process != nil }.count
        services.state.whenDurable { [self] _ in
            self.lifecycle?.end(because: "detached by \(actor)") {
                call.reply(DetachReply(running: running))
            }
        }
    }

    func upgrade(_ call: Call, _ parameters: UpgradeParameters) {
        guard let lifecycle else { return call.fail(ControlError(.failed, "the daemon is not ready")) }
        services.journal.add("daemon", "upgrade asked by \(call.actor(parameters.origin))")
        lifecycle.upgrade(to: parameters.path, for: call.connection) { call.fail($0) }
    }
}
