import Control
import Model
import Records

/// Compares an app file with the list, and makes the list like it.
///
/// Every call either sets a state or carries a token, so a daemon that dies in the middle does nothing twice. A command
/// that dies in the middle leaves a list that the next `apply` completes: it looks anew.
struct ApplyRunner {
    let session: Session
    let file: LoadedAppFile
    let prune: Bool
    /// What was changed stays although its new process failed.
    var keep = false
    var parallel: Int?

    /// Apps of which one instance each is replaced at the same time.
    private static let atOnce = 20
    /// Apps in one call: a message has a limit.
    private static let batch = 250

    func plan() throws -> ApplyPlan {
        let inventory: InventoryReply
        do {
            inventory = try session.read(.inventory, SelectorParameters(selectors: []))
        } catch ClientError.noDaemon {
            // What is on disk will be the list.
            let home = OfflineHome(paths: session.paths, absence: .noDaemon)
            let entries = home.desired.map {
                InventoryEntry(
                    instance: home.view(of: $0), spec: $0.spec, environment: $0.environment, uniqueId: $0.uniqueID,
                    user: "")
            }
            let environments = DesiredStateFile.read(session.paths).state?.environments ?? [:]
            inventory = InventoryReply(entries: entries, environments: environments, notes: [])
        }
        return ApplyPlan(
            file.apps, inventory.entries, environments: inventory.environments, source: file.source, prune: prune,
            isPartial: file.isPartial)
    }

    static func show(_ plan: ApplyPlan) throws {
        if plan.isEmpty {
            try Output.line("no changes")
        } else {
            try Output.write(SnapshotText.differences(plan.differences, Terminal.detect()))
        }
    }

    static func complain(of leftOver: [String]) {
        for name in leftOver {
            Output.complain("'\(name)' is in the list and no longer in the file; --prune removes it")
        }
    }

    func apply(json: Bool) throws {
        try session.connectStarting()
        let plan = try plan()
        if json { try JSONOutput.write(plan.differences) } else { try Self.show(plan) }
        Self.complain(of: plan.leftOver)
        let failures = try perform(plan)
        if !json, !plan.isEmpty {
            let names = Set(plan.steps.filter { $0.kind != .removed }.map(\.name))
            let list = try session.read(.list, SelectorParameters(selectors: []), as: ListReply.self)
            try Reporting.table(list.instances.filter { names.contains($0.name) })
        }
        try Reporting.finish(failures)
    }

    private var origin: String { Session.origin("apply", [file.name]) }

    // MARK: - In order

    /// - Returns: What failed.
    private func perform(_ plan: ApplyPlan) throws -> [ActionResult] {
        // What goes makes room first: a new app may want the port of an old one.
        var failures = try remove(plan.steps.filter { $0.kind == .removed }.flatMap(\.removals))
        failures += try configure(plan.steps.flatMap(\.changes), then: .nothing).failures
        let (broken, complaints) = try roll(plan.steps)
        failures += complaints
        // A version that does not run gets no further instances, and no instance of the old one goes for it.
        let whole = plan.steps.filter { $0.kind != .removed && !broken.contains($0.name) }
        failures += try remove(whole.flatMap(\.removals))
        failures += try add(whole.compactMap(\.additions))
        return failures
    }

    /// Replaces instances, one after the other: while one of an app is replaced, its others serve.
    ///
    /// - Returns: Apps whose new version does not run, and why.
    private func roll(_ steps: [ApplyPlan.Step]) throws -> (broken: Set<String>, failures: [ActionResult]) {
        let overlapping = steps.filter { !$0.replacements.isEmpty && $0.replacements.allSatisfy(\.isReload) }
        var queues = steps.filter { step in
            !step.replacements.isEmpty && !overlapping.contains { $0.name == step.name }
        }.map { (name: $0.name, rest: $0.replacements[...]) }
        // The daemon takes all instances of an app, and takes the change back when the first one fails.
        var failures = try configure(overlapping.flatMap(\.replacements), then: .reload).failures
        var broken = Set(failures.map(\.name))
        while !queues.isEmpty {
            for start in stride(from: 0, to: queues.count, by: Self.atOnce) {
                let range = start..<min(start + Self.atOnce, queues.count)
                let wave = queues[range].compactMap(\.rest.first)
                let outcome = try configure(wave, then: .restart)
                let failed = try outcome.failures + Proof(session, wave.map(\.spec)).failures(of: outcome.instances)
                failures += failed
                broken.formUnion(failed.map(\.name))
                for index in range { queues[index].rest.removeFirst() }
            }
            for queue in queues where broken.contains(queue.name) && !queue.rest.isEmpty {
                // A version that does not run is not given to the rest.
                let count = Reporting.count(queue.rest.count, "instance")
                Output.complain("'\(queue.name)': \(count) left as before, because the new version does not run")
            }
            queues.removeAll { $0.rest.isEmpty || broken.contains($0.name) }
        }
        return (broken, failures)
    }

    // MARK: - Calls

    /// All are started, then all are looked at together: a thousand apps prove themselves in the time of one.
    private func add(_ specs: [AppSpec]) throws -> [ActionResult] {
        var failures: [ActionResult] = []
        var started: [InstanceView] = []
        for start in stride(from: 0, to: specs.count, by: Self.batch) {
            let batch = Array(specs[start..<min(start + Self.batch, specs.count)])
            let (instances, refused) = try eachAlone(batch, name: \.name) { specs in
                let reply: InstancesReply = try session.change(
                    .start,
                    StartParameters(
                        apps: specs, environment: file.environment, token: Session.makeToken(), origin: origin),
                    repeats: true, deadline: Session.Deadline.stopping)
                Reporting.warnUnlessDurable(reply.durable, reply.notDurableReason)
                return reply.instances
            }
            failures += refused
            started += instances
        }
        let unspawned = started.filter { $0.reasonKind == Reason.Kind.spawnFailed.rawValue }
        failures += unspawned.map { ActionResult(id: $0.id, name: $0.name, ok: false, message: $0.reason) }
        let spawned = started.filter { $0.reasonKind != Reason.Kind.spawnFailed.rawValue }
        return try failures + Proof(session, specs).failures(of: spawned)
    }

    private func remove(_ ids: [InstanceID]) throws -> [ActionResult] {
        guard !ids.isEmpty else { return [] }
        let reply: ActReply = try session.change(
            .act,
            ActParameters(
                action: .delete, selectors: ids.map(SelectorMatching.exactly), token: Session.makeToken(),
                origin: origin),
            repeats: true, deadline: Session.Deadline.stopping)
        Reporting.warnUnlessDurable(reply.durable, reply.notDurableReason)
        return reply.results.filter { !$0.ok }
    }

    private func configure(
        _ changes: [ApplyPlan.Change], then: ConfigureParameters.Then
    ) throws -> (instances: [InstanceView], failures: [ActionResult]) {
        guard !changes.isEmpty else { return ([], []) }
        var failures: [ActionResult] = []
        var instances: [InstanceView] = []
        for start in stride(from: 0, to: changes.count, by: Self.batch) {
            let batch = Array(changes[start..<min(start + Self.batch, changes.count)])
            let (views, refused) = try eachAlone(batch, name: \.spec.name) { changes in
                let reply: ActReply = try session.change(
                    .configure,
                    ConfigureParameters(
                        changes: changes.map { SpecChange(id: $0.id, spec: $0.spec) }, then: then,
                        token: Session.makeToken(), origin: origin, parallel: parallel, keep: keep),
                    repeats: true, deadline: Session.Deadline.stopping)
                Reporting.warnUnlessDurable(reply.durable, reply.notDurableReason)
                let failed = reply.results.filter { !$0.ok }
                failures += failed
                return reply.instances.filter { view in !failed.contains { $0.id == view.id } }
            }
            failures += refused
            instances += views
        }
        return (instances, failures)
    }

    /// A call takes all or nothing; when it is refused because of one, the others are not to suffer.
    private func eachAlone<Item, Result>(
        _ items: [Item], name: (Item) -> String, _ call: ([Item]) throws -> [Result]
    ) throws -> (results: [Result], refused: [ActionResult]) {
        do {
            return (try call(items), [])
        } catch ClientError.remote(let error) {
            guard items.count > 1 else {
                let refused = items.map { ActionResult(id: nil, name: name($0), ok: false, message: "\(error)") }
                return ([], refused)
            }
            var results: [Result] = []
            var refused: [ActionResult] = []
            for item in items {
                let outcome = try eachAlone([item], name: name, call)
                results += outcome.results
                refused += outcome.refused
            }
            return (results, refused)
        }
    }
}
