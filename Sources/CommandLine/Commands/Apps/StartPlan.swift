import Configuration
import Control
import Model

/// What the operands of `start` come to: new apps, and existing ones that are started again.
struct StartPlan {
    /// An instance in the list, with what tells whether it is the same app.
    struct Existing: Equatable {
        var id: InstanceID
        var name: String
        var namespace: String
        var command: String
        /// It runs, or will by itself.
        var isRunning: Bool
        var isScheduled = false

        func runs(_ script: String) -> Bool { " \(command) ".contains(" \(script) ") }
    }

    var newApps: [AppSpec] = []
    /// Ids to start again.
    var again: [InstanceID] = []
    /// The same, but jobs among them are not run: nobody named them.
    var sparingJobs: [InstanceID] = []
    /// What a person should know.
    var notes: [String] = []
    var failures: [String] = []

    /// Plans a script or command: it may be there already.
    mutating func add(_ spec: AppSpec, existing: [Existing], force: Bool) {
        let same = existing.filter { $0.name == spec.name && $0.runs(spec.script) }
        guard !force, !same.isEmpty else {
            newApps.append(spec)
            return
        }
        let ids = same.map(\.id.description).joined(separator: ", ")
        if same.contains(where: \.isRunning) {
            failures.append(
                "the script '\(spec.script)' is already launched as '\(spec.name)' (id \(ids)); "
                    + "use 'hearth restart \(spec.name)', another --name, or --force for one more")
        } else {
            notes.append(
                "'\(spec.name)' (id \(ids)) is in the list: started again with its stored settings; "
                    + "to change them, delete it first")
            again += same.map(\.id)
        }
    }

    /// Plans the apps of a file: those that are in the list by name keep their settings.
    mutating func addFile(_ specs: [AppSpec], existing: [Existing], force: Bool) {
        var running: [String] = []
        var stopped: [String] = []
        for spec in specs {
            let same = existing.filter { $0.name == spec.name }
            if force || same.isEmpty {
                newApps.append(spec)
            } else if same.allSatisfy(\.isRunning) {
                running.append(spec.name)
            } else {
                stopped.append(spec.name)
                sparingJobs += same.filter { !$0.isRunning }.map(\.id)
            }
        }
        let advice = "; for changes in the file to take effect, delete them first"
        if !running.isEmpty {
            notes.append("already running and left as they are: \(Self.shortened(running))\(advice)")
        }
        if !stopped.isEmpty {
            notes.append("in the list and started again with stored settings: \(Self.shortened(stopped))\(advice)")
        }
    }

    /// `'a', 'b', 'c' and 97 more`
    private static func shortened(_ names: [String]) -> String {
        let shown = names.prefix(5).map { "'\($0)'" }.joined(separator: ", ")
        return names.count > 5 ? "\(shown) and \(names.count - 5) more" : shown
    }

    /// Plans names, ids, namespaces and patterns.
    ///
    /// - Parameter selector: what they were selected by: only its own name or id runs a job.
    mutating func addSelected(_ ids: [InstanceID], by selector: String, existing: [Existing]) {
        for instance in existing where ids.contains(instance.id) {
            let isNamed =
                [instance.name, instance.id.description, SelectorMatching.exactly(instance.id)].contains(selector)
            if !isNamed {
                if !instance.isRunning { sparingJobs.append(instance.id) }
                if instance.isScheduled { continue }
            }
            if instance.isRunning, !instance.isScheduled {
                notes.append(
                    "'\(instance.name)' (id \(instance.id)) is already running; "
                        + "'hearth restart \(instance.name)' starts it anew")
            } else if isNamed {
                again.append(instance.id)
            }
        }
    }
}
