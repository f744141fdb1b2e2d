import Control
import Model
import Platform
import Records
import Supervision

#if canImport(Glibc)
    import Glibc
#endif

extension Dispatcher {
    /// Instances from which on an answer is encoded on a thread.
    static let manyInstances = 150

    func hello(_ call: Call) {
        call.reply(
            HelloReply(
                version: Interface.productVersion, protocol: Interface.protocolVersion, pid: getpid(),
                keeperPid: services.vault.keeperPid, home: services.paths.home, ready: isReady,
                uptimeMs: SystemClock.now().since(startedAt).rawValue, unit: services.unit))
    }

    func list(_ call: Call, _ parameters: SelectorParameters) {
        guard let resolution = resolve(parameters.selectors, call, emptyMeansAll: true) else { return }
        inspector.refresh { [self] in
            let views = self.views(resolution.ids)
            var notes = self.notes + self.notesOfRules() + resolution.failures.map(\.message)
            if let failure = self.services.state.lastFailure { notes.append("not saved: \(failure)") }
            if let killed = self.services.state.desired.killed {
                notes.append("stopped by \(killed.by) with `hearth kill`; `hearth resurrect` starts everything again")
            }
            call.answer(ListReply(instances: views, notes: notes).message())
        }
    }

    func show(_ call: Call, _ parameters: SelectorParameters) {
        guard let resolution = resolve(parameters.selectors, call, emptyMeansAll: true) else { return }
        inspector.refresh { [self] in
            self.inspector.details(of: resolution.ids) { [self] details in
                let (now, offset) = (SystemClock.now(), SystemClock.wallClockOffset())
                let answers = resolution.ids.compactMap { id -> InstanceDetail? in
                    guard let member = self.fleet[id], let view = self.view(id, now: now, offset: offset) else {
                        return nil
                    }
                    var detail = Self.detail(member, view, details[id], self.services)
                    detail.report = self.fleet.reports.report(id, member.machine.generation)
                    detail.job = self.jobs?.view(id)
                    return detail
                }
                call.reply(ShowReply(details: answers), isLarge: answers.count > Self.manyInstances)
            }
        }
    }

    private static func detail(
        _ member: Fleet.Member, _ view: InstanceView, _ measured: Inspector.Detail?, _ services: Services
    ) -> InstanceDetail {
        let spec = member.desired.spec
        let isMeasured = !(measured?.members.isEmpty ?? true)
        return InstanceDetail(
            instance: view, script: spec.script, interpreter: spec.interpreter,
            interpreterArguments: spec.interpreterArguments, arguments: spec.arguments,
            user: spec.uid ?? services.userName(geteuid()), memoryPeakBytes: measured?.usage.memoryPeakBytes,
            cpuSeconds: isMeasured ? measured?.usage.cpuSeconds : nil,
            tasks: isMeasured ? measured?.usage.tasks : nil, fds: measured?.usage.fds,
            // The deepest come first in a scan; people look for the main process first.
            processes: (measured?.members ?? []).reversed().map(\.pid), restart: spec.restart, stop: spec.stop,
            autostart: spec.autostart)
    }

    func why(_ call: Call, _ parameters: SelectorParameters) {
        guard let resolution = resolve(parameters.selectors, call, emptyMeansAll: true) else { return }
        var explanations: [InstanceID: Explanation] = [:]
        var left = resolution.ids.count
        guard left > 0 else { return call.reply(WhyReply(explanations: [])) }
        for id in resolution.ids {
            explainer.findings(on: id) { [self] findings in
                let (now, offset) = (SystemClock.now(), SystemClock.wallClockOffset())
                if let view = self.view(id, now: now, offset: offset) {
                    explanations[id] = self.explainer.explanation(view, findings, job: self.jobs?.view(id))
                }
                left -= 1
                guard left == 0 else { return }
                call.reply(WhyReply(explanations: resolution.ids.compactMap { explanations[$0] }))
            }
        }
    }

    func environment(_ call: Call, _ parameters: SelectorParameters) {
        guard let resolution = resolve(parameters.selectors, call), let id = resolution.ids.first,
            let name = fleet[id]?.desired.spec.name, let environment = fleet.environment(of: id)
        else { return }
        services.loop.offload(to: services.files) { () -> Result<[AppEnvironment.Variable], SpawnFailure> in
            do throws(SpawnFailure) { return .success(try environment.compose()) } catch { return .failure(error) }
        } then: { result in
            switch result {
            case .success(let variables):
                call.reply(
                    EnvironmentReply(
                        id: id, name: name,
                        variables: variables.map {
                            EnvironmentReply.Variable(name: $0.name, value: $0.value, origin: $0.origin)
                        }))
            case .failure(let failure): call.fail(ControlError(.failed, failure.message))
            }
        }
    }

    func events(_ call: Call, _ parameters: EventsParameters) {
        let replay = services.journal.last(parameters.replay ?? 0)
        let wanted: Set<InstanceID>?
        if parameters.selectors.isEmpty {
            wanted = nil
        } else {
            guard let resolution = resolve(parameters.selectors, call) else { return }
            wanted = Set(resolution.ids)
        }
        func matches(_ event: EventView) -> Bool {
            guard let wanted else { return true }
            return event.id.map { wanted.contains($0) } ?? false
        }
        let past = replay.filter(matches)
        guard call.header.more == true else {
            // Without `more` there is one answer: the last event.
            guard let last = past.last ?? services.journal.last(1).last else {
                return call.fail(ControlError(.notFound, "nothing has happened yet"))
            }
            return call.reply(EventReply(event: last))
        }
        let connection = call.connection
        for event in past {
            guard let data = try? Varlink.reply(EventReply(event: event), continues: true),
                connection.stream(data)
            else { return }
        }
        let token = services.journal.listen { event in
            guard matches(event), let data = try? Varlink.reply(EventReply(event: event), continues: true) else {
                return
            }
            connection.stream(data)
        }
        keepStream(connection, token)
    }

    func snapshots(_ call: Call) {
        let paths = services.paths
        services.loop.offload(to: services.codec) {
            SnapshotStore.list(paths)
        } then: { listing in
            call.reply(SnapshotsReply(snapshots: listing.snapshots.map(SnapshotView.init)))
        }
    }

    func compare(_ call: Call, _ parameters: CompareParameters) {
        let (paths, present) = (services.paths, services.state.desired)
        services.loop.offload(to: services.codec) { () -> Result<[ListDifference], SnapshotStore.Failure> in
            do throws(SnapshotStore.Failure) {
                let from = try SnapshotStore.read(parameters.from, paths).state
                let to = try parameters.to.map { name throws(SnapshotStore.Failure) in
                    try SnapshotStore.read(name, paths).state
                }
                return .success(ListDifference.between(from, to ?? present))
            } catch { return .failure(error) }
        } then: { result in
            switch result {
            case .success(let differences):
                call.reply(CompareReply(differences: differences.map(Difference.init)))
            case .failure(let failure):
                call.fail(ControlError(.notFound, failure.description, hint: "`hearth snapshots` lists them"))
            }
        }
    }
}

extension SnapshotView {
    init(_ snapshot: Snapshot) {
        self.init(
            name: snapshot.name, at: snapshot.at, apps: Set(snapshot.state.instances.map(\.spec.name)).count,
            instances: snapshot.state.instances.count, kind: snapshot.kind.rawValue)
    }
}

extension Difference {
    init(_ difference: ListDifference) {
        self.init(name: difference.name, change: difference.change.rawValue, details: difference.details)
    }
}
