import Control
import Model
import Records

/// What must be done so that the list is as an app file says: nothing twice, nothing that need not be.
struct ApplyPlan: Equatable {
    /// What happens to one app.
    struct Step: Equatable {
        enum Kind: String {
            case added, changed, removed
        }

        var kind: Kind
        var name: String
        /// One line each.
        var details: [String]
        /// Entries that get a new specification.
        var changes: [(id: InstanceID, spec: AppSpec)] = []
        /// Their processes are replaced; otherwise the change takes effect as they run.
        var restarts = false
        /// New entries.
        var additions: AppSpec?
        /// Entries that go.
        var removals: [InstanceID] = []

        static func == (left: Step, right: Step) -> Bool {
            left.kind == right.kind && left.name == right.name && left.details == right.details
        }
    }

    var steps: [Step] = []
    /// Apps of the list that an earlier version of the file had, and that stay for want of `--prune`.
    var leftOver: [String] = []

    /// - Parameters:
    ///   - source: absolute path of the file, as entries that came from it have it.
    ///   - isPartial: only some apps of the file were asked for: what it no longer has cannot be told.
    init(
        _ specs: [AppSpec], _ entries: [InventoryEntry], source: String?, prune: Bool, isPartial: Bool
    ) {
        let present = Dictionary(grouping: entries, by: \.instance.name)
        for spec in specs {
            if let entries = present[spec.name] {
                if let step = Self.step(for: spec, entries) { steps.append(step) }
            } else {
                steps.append(
                    Step(
                        kind: .added, name: spec.name,
                        details: ["command: \(spec.command)", "instances: \(spec.instances)"], additions: spec))
            }
        }
        guard !isPartial, let source else { return }
        let wanted = Set(specs.map(\.name))
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

    private static func step(for spec: AppSpec, _ entries: [InventoryEntry]) -> Step? {
        let sorted = entries.sorted { $0.instance.number < $1.instance.number }
        var step = Step(kind: .changed, name: spec.name, details: [])
        let kept = sorted.prefix(spec.instances)
        for entry in kept {
            var new = spec
            // Each entry of an app that counts a variable up has its own value.
            if let variable = spec.incrementVariable, let own = entry.spec.environment[variable] {
                new.environment[variable] = own
            }
            new.instances = entry.spec.instances
            let differences = SpecDifference.between(entry.spec, new)
            guard !differences.isEmpty || entry.spec.source != new.source else { continue }
            step.changes.append((entry.instance.id, new))
            if differences.contains(where: \.needsRestart) { step.restarts = true }
            for text in differences.map(\.description) where !step.details.contains(text) { step.details.append(text) }
        }
        if sorted.count != spec.instances {
            step.details.append("instances: \(sorted.count) → \(spec.instances)")
            if sorted.count < spec.instances {
                var addition = spec
                addition.instances = spec.instances - sorted.count
                step.additions = addition
            } else {
                step.removals = sorted.dropFirst(spec.instances).map(\.instance.id)
            }
        }
        // That the file moved is no change to anybody.
        return step.details.isEmpty && step.changes.isEmpty ? nil : step
    }

    /// Nothing would happen to any app.
    var isEmpty: Bool { steps.allSatisfy { $0.details.isEmpty } }

    var differences: [Difference] {
        steps.filter { !$0.details.isEmpty }.map { step in
            var details = step.details
            if step.kind == .changed, !step.changes.isEmpty {
                details.append(step.restarts ? "restarted, one after the other" : "takes effect without a restart")
            }
            return Difference(name: step.name, change: step.kind.rawValue, details: details)
        }
    }
}
