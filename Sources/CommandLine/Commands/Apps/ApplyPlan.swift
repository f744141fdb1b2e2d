import Control
import Model
import Records

/// What must be done so that the list is as an app file says: nothing twice, nothing that need not be.
struct ApplyPlan {
    /// A new specification for an entry.
    struct Change: Equatable {
        var id: InstanceID
        var spec: AppSpec
        /// The new process can run beside the old one: the daemon replaces all instances of the app in its order.
        var isReload = false
    }

    /// What happens to one app.
    struct Step: Equatable {
        enum Kind: String {
            case added, changed, removed
        }

        var kind: Kind
        var name: String
        /// One line each; none: nothing that the app would notice.
        var details: [String]
        /// Take effect as the entry runs, or at its next start.
        var changes: [Change] = []
        /// Their processes are replaced, one after the other.
        var replacements: [Change] = []
        /// New entries.
        var additions: AppSpec?
        /// Entries that go.
        var removals: [InstanceID] = []
    }

    var steps: [Step] = []
    /// Apps of the list that an earlier version of the file had, and that stay for want of `--prune`.
    var leftOver: [String] = []

    /// - Parameters:
    ///   - environments: the callers' layers that entries of the list refer to.
    ///   - source: absolute path of the file, as entries that came from it have it.
    ///   - isPartial: only some apps of the file were asked for: what it no longer has cannot be told.
    init(
        _ apps: [LoadedAppFile.App], _ entries: [InventoryEntry], environments: [String: [String: String]] = [:],
        source: String?, prune: Bool, isPartial: Bool
    ) {
        let present = Dictionary(grouping: entries, by: \.instance.name)
        for app in apps {
            if let entries = present[app.spec.name] {
                if let step = Self.step(for: app, entries, environments) { steps.append(step) }
            } else {
                let count = app.spec.instances
                steps.append(
                    Step(
                        kind: .added, name: app.spec.name,
                        details: ["command: \(app.spec.command)"] + (count == 1 ? [] : ["instances: \(count)"]),
                        additions: app.spec))
            }
        }
        guard !isPartial, let source else { return }
        let wanted = Set(apps.map(\.spec.name))
        for name in present.keys.sorted() where !wanted.contains(name) {
            let gone = present[name, default: []].filter { $0.spec.source == source }
            guard let first = gone.first else { continue }
            guard prune else {
                leftOver.append(name)
                continue
            }
            steps.append(
                Step(
                    kind: .removed, name: name, details: ["command: \(first.spec.command)"],
                    removals: gone.map(\.instance.id)))
        }
    }

    private static func step(
        for app: LoadedAppFile.App, _ entries: [InventoryEntry], _ environments: [String: [String: String]]
    ) -> Step? {
        let sorted = entries.sorted { $0.instance.number < $1.instance.number }
        let wanted = app.spec.instances
        var step = Step(kind: .changed, name: app.spec.name, details: [])
        var sleepers = 0
        var ailing: [Change] = []
        for entry in sorted.prefix(wanted) {
            let new = specification(of: app, for: entry)
            let stored = entry.environment.flatMap { environments[$0] } ?? [:]
            let differences = differences(entry.spec, new, stored)
            guard
                !differences.isEmpty || entry.spec.source != new.source
                    || entry.spec.environment != new.environment
            else {
                if entry.instance.ails { ailing.append(Change(id: entry.instance.id, spec: new)) }
                continue
            }
            for text in differences.map(\.description) where !step.details.contains(text) { step.details.append(text) }
            let change = Change(
                id: entry.instance.id, spec: new,
                isReload: entry.spec.canOverlap && new.canOverlap && entry.instance.status == .online)
            guard differences.contains(where: \.needsRestart) else {
                step.changes.append(change)
                continue
            }
            // Who stopped it had a reason: it stays down.
            if entry.instance.wanted == .stopped {
                sleepers += 1
                step.changes.append(change)
            } else {
                step.replacements.append(change)
            }
        }
        order(&step, ailing, sorted)
        if !step.details.isEmpty { step.details.append(effect(of: step, sleepers)) }
        if sorted.count != wanted { resize(&step, app, sorted) }
        // That the file moved is no change to anybody, but the list must know.
        return step.details.isEmpty && step.changes.isEmpty ? nil : step
    }

    /// First whoever does not serve anyway: least is lost by it. That includes instances that have the new version already
    /// and don't run with it, from an attempt that failed: it must prove itself before anybody else gets it.
    private static func order(_ step: inout Step, _ ailing: [Change], _ entries: [InventoryEntry]) {
        guard !step.replacements.isEmpty else { return }
        let idle = Set(entries.filter(\.instance.ails).map(\.instance.id))
        let first = step.replacements.filter { idle.contains($0.id) }
        step.replacements = ailing + first + step.replacements.filter { !idle.contains($0.id) }
    }

    private static func effect(of step: Step, _ sleepers: Int) -> String {
        switch (step.replacements.count, sleepers) {
        case (0, 0): "takes effect without a restart"
        case (0, _): "takes effect at the next start: it is stopped"
        case (1, 0): step.replacements.allSatisfy(\.isReload) ? "reloaded" : "restarted"
        case (_, 0) where step.replacements.allSatisfy(\.isReload): "reloaded, one after the other"
        case (_, 0): "restarted, one after the other"
        default: "restarted, one after the other; what is stopped stays so"
        }
    }

    private static func resize(_ step: inout Step, _ app: LoadedAppFile.App, _ sorted: [InventoryEntry]) {
        let wanted = app.spec.instances
        step.details.append("instances: \(sorted.count) → \(wanted)")
        guard sorted.count < wanted else {
            step.removals = sorted.dropFirst(wanted).map(\.instance.id)
            return
        }
        var addition = sorted.first.map { specification(of: app, for: $0) } ?? app.spec
        if let variable = app.spec.incrementVariable { addition.environment[variable] = app.spec.environment[variable] }
        addition.instances = wanted - sorted.count
        step.additions = addition
    }

    /// What the file wants of an app, as far as it leaves an entry its own.
    private static func specification(of app: LoadedAppFile.App, for entry: InventoryEntry) -> AppSpec {
        var new = app.spec
        // Each entry of an app that counts a variable up has its own value.
        if let variable = new.incrementVariable, let own = entry.spec.environment[variable] {
            new.environment[variable] = own
        }
        for name in app.unset where new.environment[name] == nil {
            new.environment[name] = entry.spec.environment[name]
        }
        // One more instance is no reason to give those that run other log files.
        if !app.choosesMerging { new.output.merge = entry.spec.output.merge }
        if entry.spec.schedule?.pattern == new.schedule?.pattern { new.schedule = entry.spec.schedule }
        new.instances = entry.spec.instances
        return new
    }

    /// Without those that the app would not notice: a variable that moves from its caller's layer into its own, with the
    /// same value.
    private static func differences(
        _ old: AppSpec, _ new: AppSpec, _ stored: [String: String]
    ) -> [SpecDifference] {
        // What files and filters do in between is too much to foresee.
        let isPlain = [old, new].allSatisfy { $0.environmentFiles == nil && $0.environmentFilter == nil }
        return SpecDifference.between(old, new).filter { difference in
            guard isPlain, difference.key.hasPrefix("env ") else { return true }
            let name = String(difference.key.dropFirst(4))
            return (old.environment[name] ?? stored[name]) != (new.environment[name] ?? stored[name])
        }
    }

    /// Nothing would happen to any app.
    var isEmpty: Bool { steps.allSatisfy(\.details.isEmpty) }

    var differences: [Difference] {
        steps.filter { !$0.details.isEmpty }.map { step in
            Difference(name: step.name, change: step.kind.rawValue, details: step.details)
        }
    }
}

extension InstanceView {
    /// It ought to run and does not, or keeps dying.
    fileprivate var ails: Bool {
        guard wanted == .running, status != .scheduled else { return false }
        return status != .online || (unstableRestarts > 0 && uptimeMs < Proof.longest)
    }
}
