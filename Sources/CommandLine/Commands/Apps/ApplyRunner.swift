import Control
import Model

/// Compares an app file with the list, and makes the list like it.
struct ApplyRunner {
    let session: Session
    let file: LoadedAppFile
    let prune: Bool

    func plan() throws -> ApplyPlan {
        let entries: [InventoryEntry]
        do {
            entries = try session.read(.inventory, SelectorParameters(selectors: []), as: InventoryReply.self).entries
        } catch ClientError.noDaemon {
            // What is on disk will be the list.
            let home = OfflineHome(paths: session.paths, absence: .noDaemon)
            entries = home.desired.map {
                InventoryEntry(
                    instance: home.view(of: $0), spec: $0.spec, environment: $0.environment, uniqueId: $0.uniqueID,
                    user: "")
            }
        }
        return ApplyPlan(
            file.specs, entries, source: file.source, prune: prune, isPartial: file.isPartial)
    }

    static func show(_ plan: ApplyPlan) throws {
        let terminal = Terminal.detect()
        if plan.isEmpty {
            try Output.line("no changes")
        } else {
            try Output.write(SnapshotText.differences(plan.differences, terminal))
        }
        for name in plan.leftOver {
            Output.complain("'\(name)' is in the list and no longer in the file; --prune removes it")
        }
    }

    func apply(json: Bool) throws {
        try session.connectStarting()
        let plan = try plan()
        if json { try JSONOutput.write(plan.differences) } else { try Self.show(plan) }
        var failures: [ActionResult] = []
        for step in plan.steps { failures += try perform(step) }
        try Reporting.finish(failures)
        guard !json, !plan.isEmpty else { return }
        let names = Set(plan.steps.filter { $0.kind != .removed }.map(\.name))
        let list = try session.read(.list, SelectorParameters(selectors: []), as: ListReply.self)
        try Reporting.table(list.instances.filter { names.contains($0.name) })
    }

    private var origin: String { Session.origin("apply", [file.name]) }

    /// - Returns: What failed.
    private func perform(_ step: ApplyPlan.Step) throws -> [ActionResult] {
        var results: [ActionResult] = []
        if step.restarts {
            // One after the other: while one is replaced, the others serve.
            for change in step.changes {
                let outcome = try configure([change], then: .restart)
                results += outcome
                // A version that does not start is not given to the rest.
                if outcome.contains(where: { !$0.ok }) { return results }
            }
        } else if !step.changes.isEmpty {
            results += try configure(step.changes, then: .nothing)
        }
        if let spec = step.additions {
            let reply: InstancesReply = try session.change(
                .start,
                StartParameters(
                    apps: [spec], environment: file.environment, token: Session.makeToken(), origin: origin),
                repeats: true)
            Reporting.warnUnlessDurable(reply.durable, reply.notDurableReason)
            results += reply.instances.filter { $0.reasonKind == Reason.Kind.spawnFailed.rawValue }
                .map { ActionResult(id: $0.id, name: $0.name, ok: false, message: $0.reason) }
        }
        if !step.removals.isEmpty {
            let reply: ActReply = try session.change(
                .act,
                ActParameters(
                    action: .delete, selectors: step.removals.map(SelectorMatching.exactly),
                    token: Session.makeToken(), origin: origin),
                repeats: true, deadline: Session.Deadline.stopping)
            results += reply.results
        }
        return results.filter { !$0.ok }
    }

    private func configure(
        _ changes: [(id: InstanceID, spec: AppSpec)], then: ConfigureParameters.Then
    ) throws -> [ActionResult] {
        let reply: ActReply = try session.change(
            .configure,
            ConfigureParameters(
                changes: changes.map { SpecChange(id: $0.id, spec: $0.spec) }, then: then,
                token: Session.makeToken(), origin: origin),
            repeats: true, deadline: Session.Deadline.stopping)
        Reporting.warnUnlessDurable(reply.durable, reply.notDurableReason)
        return reply.results
    }
}
