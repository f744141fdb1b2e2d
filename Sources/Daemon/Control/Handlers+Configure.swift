import Control
import Model
import Platform
import Records
import Supervision

#if canImport(Glibc)
    import Glibc
#endif

/// Looking at specifications, and changing them.
extension Dispatcher {
    // MARK: Configure

    func configure(_ call: Call, _ parameters: ConfigureParameters) {
        let ids = parameters.changes.map(\.id)
        do throws(ControlError) { try check(parameters) } catch { return call.fail(error) }
        let apps = parameters.changes.map(\.spec)
        guard apps.contains(where: { $0.uid != nil || $0.gid != nil }) else {
            return apply(call, parameters, ids)
        }
        services.loop.offload(to: services.codec) { () -> ControlError? in
            do throws(ControlError) { try SpecValidation.validateAccounts(apps) } catch { return error }
            return nil
        } then: { [self] failure in
            if let failure { return call.fail(failure) }
            // Somebody may have deleted an entry while accounts were looked up.
            do throws(ControlError) { try self.check(parameters) } catch { return call.fail(error) }
            self.apply(call, parameters, ids)
        }
    }

    /// Every change can be made, or none is.
    private func check(_ parameters: ConfigureParameters) throws(ControlError) {
        let specs = parameters.changes.map(\.spec)
        try SpecValidation.validate(specs, alreadyThere: 0, countsInstances: false)
        try SpecValidation.validateOrder(
            fleet.dependencies.cycle(with: specs, insteadOf: Set(parameters.changes.map(\.id))))
        var seen: Set<InstanceID> = []
        for change in parameters.changes {
            guard fleet[change.id] != nil else {
                throw ControlError(
                    .notFound, "there is no instance \(change.id)", hint: "`hearth list` shows what there is")
            }
            guard seen.insert(change.id).inserted else {
                throw ControlError(.badRequest, "instance \(change.id) is given twice")
            }
        }
    }

    private func apply(_ call: Call, _ parameters: ConfigureParameters, _ ids: [InstanceID]) {
        let actor = call.actor(parameters.origin)
        // The same command again, after its client lost us in the middle.
        let wereJobs = Set(ids.filter { fleet[$0]?.desired.spec.job != nil })
        let isNew = parameters.token == nil || ids.contains { fleet[$0]?.machine.token != parameters.token }
        if isNew {
            enter(parameters.changes, by: actor, isTrial: parameters.then == .reload && parameters.keep != true)
        }
        let jobs = ids.filter { fleet[$0]?.desired.spec.job != nil }
        let apps = ids.filter { !jobs.contains($0) }
        switch parameters.then {
        case .restart:
            services.state.whenWritten { [self] _ in
                let done = self.reschedule(jobs, wereJobs: wereJobs, by: actor)
                self.perform(
                    .restart, apps, names: self.names(of: apps), call, by: actor, token: parameters.token,
                    failures: done)
            }
        case .reload:
            services.state.whenWritten { [self] _ in
                let done = self.reschedule(jobs, wereJobs: wereJobs, by: actor)
                self.reload(
                    apps, failures: done, call, by: actor, token: parameters.token, parallel: parameters.parallel)
            }
        case .nothing:
            for id in ids { fleet.setToken(parameters.token, of: id) }
            let results = ids.map {
                ActionResult(id: $0, name: fleet[$0]?.desired.spec.name ?? "", ok: true, message: "changed")
            }
            services.state.whenDurable { [self] failure in
                call.reply(
                    ActReply(
                        results: results, instances: self.views(ids), durable: failure == nil,
                        notDurableReason: failure), isLarge: ids.count > Self.manyInstances)
            }
        }
    }

    /// - Parameter isTrial: what an entry had before is kept until its new process has shown that it can serve.
    private func enter(_ changes: [SpecChange], by actor: Actor, isTrial: Bool) {
        services.state.change(keepingSnapshotFor: actor) { state in
            for change in changes {
                guard let index = state.instances.firstIndex(where: { $0.id == change.id }) else { continue }
                let present = state.instances[index]
                let isReplaced = isTrial && canOverlap(change.id, with: change.spec)
                if isReplaced, present.former == nil {
                    state.instances[index].former = .init(spec: present.spec, environment: present.environment)
                } else if !isTrial {
                    state.instances[index].former = nil
                }
                state.instances[index].spec = change.spec
                if let environment = change.environment {
                    let key = environment.isEmpty ? nil : EnvironmentKey.of(environment)
                    if let key { state.environments[key] = environment }
                    state.instances[index].environment = key
                }
            }
        }
        for change in changes {
            guard let desired = services.state.desired.instances.first(where: { $0.id == change.id }) else { continue }
            fleet.configure(desired)
        }
        fleet.dependencies.reviewSoon()
    }

    // MARK: Inventory

    func inventory(_ call: Call, _ parameters: SelectorParameters) {
        guard let resolution = resolve(parameters.selectors, call, emptyMeansAll: true) else { return }
        inspector.refresh { [self] in
            let reply = self.inventory(of: resolution.ids)
            self.specTexts.update(for: reply, on: self.services) { [self] in
                call.answer(reply.message { self.specTexts.text(of: $0) })
            }
        }
    }

    func inventory(of ids: [InstanceID]) -> InventoryReply {
        let (now, offset) = (SystemClock.now(), SystemClock.wallClockOffset())
        let own = services.userName(geteuid())
        var environments: [String: [String: String]] = [:]
        let entries = ids.compactMap { id -> InventoryEntry? in
            guard let member = fleet[id], let view = view(id, now: now, offset: offset) else { return nil }
            let key = member.desired.environment
            if let key, environments[key] == nil { environments[key] = services.state.desired.environments[key] }
            return InventoryEntry(
                instance: view, spec: member.desired.spec, environment: key, uniqueId: member.desired.uniqueID,
                user: member.desired.spec.uid ?? own,
                report: fleet.reports.report(id, member.machine.generation))
        }
        return InventoryReply(entries: entries, environments: environments, notes: notes)
    }
}
