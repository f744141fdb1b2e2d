package import Model

// The parameters and replies of the control interface, one pair a method. Field names and types are those of the
// interface text in Interface.swift (a test holds the two together). Times are milliseconds.

package struct NoParameters: Codable, Sendable {
    package init() {}
}

package struct HelloReply: Codable, Sendable, Equatable {
    package var version: String
    package var `protocol`: Int
    package var pid: Int32
    package var keeperPid: Int32?
    package var home: String
    /// False while a new daemon is still adopting what runs.
    package var ready: Bool
    package var uptimeMs: Int64
    /// The service that the daemon belongs to; nil: none.
    package var unit: String?

    package init(
        version: String, protocol: Int, pid: Int32, keeperPid: Int32?, home: String, ready: Bool, uptimeMs: Int64,
        unit: String? = nil
    ) {
        self.version = version
        self.protocol = `protocol`
        self.pid = pid
        self.keeperPid = keeperPid
        self.home = home
        self.ready = ready
        self.uptimeMs = uptimeMs
        self.unit = unit
    }
}

package struct SelectorParameters: Codable, Sendable {
    package var selectors: [String]

    package init(selectors: [String]) { self.selectors = selectors }
}

package struct ListReply: Codable, Sendable {
    package var instances: [InstanceView]
    /// Sentences a person should read: degraded state, a corrupt file that was set aside.
    package var notes: [String]

    package init(instances: [InstanceView], notes: [String]) {
        self.instances = instances
        self.notes = notes
    }
}

package struct ShowReply: Codable, Sendable {
    package var details: [InstanceDetail]
    package init(details: [InstanceDetail]) { self.details = details }
}

package struct WhyReply: Codable, Sendable {
    package var explanations: [Explanation]
    package init(explanations: [Explanation]) { self.explanations = explanations }
}

package struct StartParameters: Codable, Sendable {
    package var apps: [AppSpec]
    package var environment: [String: String]
    package var token: String?
    package var origin: String?
    /// The apps ran before, and come back: what they need and is missing is not a reason to refuse them.
    package var restores: Bool?

    package init(
        apps: [AppSpec], environment: [String: String], token: String?, origin: String?, restores: Bool? = nil
    ) {
        self.apps = apps
        self.environment = environment
        self.token = token
        self.origin = origin
        self.restores = restores
    }
}

package struct InstancesReply: Codable, Sendable {
    package var instances: [InstanceView]
    package var durable: Bool
    package var notDurableReason: String?

    package init(instances: [InstanceView], durable: Bool, notDurableReason: String?) {
        self.instances = instances
        self.durable = durable
        self.notDurableReason = notDurableReason
    }
}

package enum Action: String, Codable, Sendable, CaseIterable {
    case start, stop, restart, reload, delete, reset, flush
}

package struct ActParameters: Codable, Sendable {
    package var action: Action
    package var selectors: [String]
    package var environment: [String: String]?
    package var token: String?
    package var origin: String?
    /// Of `reload`: how many instances of an app are replaced at the same time; nil: as the app says, else one.
    package var parallel: Int?
    /// Jobs are not run, also when they are named; nil: those are that are named.
    package var sparesJobs: Bool?

    package init(
        action: Action, selectors: [String], environment: [String: String]? = nil, token: String?, origin: String?,
        parallel: Int? = nil, sparesJobs: Bool? = nil
    ) {
        self.sparesJobs = sparesJobs
        self.parallel = parallel
        self.action = action
        self.selectors = selectors
        self.environment = environment
        self.token = token
        self.origin = origin
    }
}

/// What became of one instance that a command acted on.
package struct ActionResult: Codable, Sendable, Equatable {
    /// Nil for a selector that matched nothing.
    package var id: InstanceID?
    package var name: String
    package var ok: Bool
    package var message: String

    package init(id: InstanceID?, name: String, ok: Bool, message: String) {
        self.id = id
        self.name = name
        self.ok = ok
        self.message = message
    }
}

package struct ActReply: Codable, Sendable {
    package var results: [ActionResult]
    package var instances: [InstanceView]
    package var durable: Bool
    package var notDurableReason: String?

    package init(results: [ActionResult], instances: [InstanceView], durable: Bool, notDurableReason: String?) {
        self.results = results
        self.instances = instances
        self.durable = durable
        self.notDurableReason = notDurableReason
    }
}

/// A new specification for an entry of the list.
package struct SpecChange: Codable, Sendable {
    package var id: InstanceID
    package var spec: AppSpec
    /// A new caller's environment; nil keeps the stored one.
    package var environment: [String: String]?

    package init(id: InstanceID, spec: AppSpec, environment: [String: String]? = nil) {
        self.id = id
        self.spec = spec
        self.environment = environment
    }
}

package struct ConfigureParameters: Codable, Sendable {
    /// What follows for each entry that got a new specification.
    package enum Then: String, Codable, Sendable, CaseIterable {
        /// Stop and start; start what is stopped.
        case restart
        /// Replace side by side what can be; the specification is taken back when the new process fails.
        case reload
        /// The specification counts from the next start on.
        case nothing
    }

    package var changes: [SpecChange]
    package var then: Then
    package var token: String?
    package var origin: String?
    /// Of `reload`: see `ActParameters`.
    package var parallel: Int?
    /// Of `reload`: the new specification stays although its process failed.
    package var keep: Bool?

    package init(
        changes: [SpecChange], then: Then, token: String?, origin: String?, parallel: Int? = nil, keep: Bool? = nil
    ) {
        self.parallel = parallel
        self.keep = keep
        self.changes = changes
        self.then = then
        self.token = token
        self.origin = origin
    }
}

/// An entry of the list with all that is known of it.
package struct InventoryEntry: Codable, Sendable {
    package var instance: InstanceView
    package var spec: AppSpec
    /// Key of the reply's environments; nil: the caller had none.
    package var environment: String?
    package var uniqueId: String?
    /// Whom the processes run as.
    package var user: String
    /// What the app tells of itself; nil: nothing.
    package var report: AppReport?

    package init(
        instance: InstanceView, spec: AppSpec, environment: String?, uniqueId: String?, user: String,
        report: AppReport? = nil
    ) {
        self.instance = instance
        self.spec = spec
        self.environment = environment
        self.uniqueId = uniqueId
        self.user = user
        self.report = report
    }
}

package struct InventoryReply: Codable, Sendable {
    package var entries: [InventoryEntry]
    /// Environments of callers, each once.
    package var environments: [String: [String: String]]
    package var notes: [String]

    package init(entries: [InventoryEntry], environments: [String: [String: String]], notes: [String]) {
        self.entries = entries
        self.environments = environments
        self.notes = notes
    }
}

package struct SignalParameters: Codable, Sendable {
    package var signal: String
    package var selectors: [String]
    package var origin: String?

    package init(signal: String, selectors: [String], origin: String?) {
        self.signal = signal
        self.selectors = selectors
        self.origin = origin
    }
}

package struct SignalReply: Codable, Sendable {
    package var results: [ActionResult]
    package init(results: [ActionResult]) { self.results = results }
}

package struct ScaleParameters: Codable, Sendable {
    package var name: String
    package var count: Int?
    package var change: Int?
    package var origin: String?

    package init(name: String, count: Int?, change: Int?, origin: String?) {
        self.name = name
        self.count = count
        self.change = change
        self.origin = origin
    }
}

package struct EnvironmentReply: Codable, Sendable {
    package struct Variable: Codable, Sendable, Equatable {
        package var name: String
        package var value: String
        /// `shell` (the caller's at start), the path of an environment file, `app` (app file or option) or `hearth` (set at
        /// each spawn).
        package var origin: String

        package init(name: String, value: String, origin: String) {
            self.name = name
            self.value = value
            self.origin = origin
        }
    }

    package var id: InstanceID
    package var name: String
    package var variables: [Variable]

    package init(id: InstanceID, name: String, variables: [Variable]) {
        self.id = id
        self.name = name
        self.variables = variables
    }
}

package struct SaveParameters: Codable, Sendable {
    package var name: String?
    package var force: Bool
    package var origin: String?

    package init(name: String?, force: Bool, origin: String?) {
        self.name = name
        self.force = force
        self.origin = origin
    }
}

package struct SnapshotView: Codable, Sendable, Equatable {
    package var name: String
    /// Wall clock, milliseconds since 1970.
    package var at: Int64
    package var apps: Int
    package var instances: Int
    /// `saved` by a person, or `automatic` before a change.
    package var kind: String

    package init(name: String, at: Int64, apps: Int, instances: Int, kind: String) {
        self.name = name
        self.at = at
        self.apps = apps
        self.instances = instances
        self.kind = kind
    }
}

package struct SaveReply: Codable, Sendable {
    package var snapshot: SnapshotView
    package init(snapshot: SnapshotView) { self.snapshot = snapshot }
}

package struct SnapshotsReply: Codable, Sendable {
    package var snapshots: [SnapshotView]
    package init(snapshots: [SnapshotView]) { self.snapshots = snapshots }
}

package struct CompareParameters: Codable, Sendable {
    package var from: String
    package var to: String?

    package init(from: String, to: String?) {
        self.from = from
        self.to = to
    }
}

/// One app that differs between two lists.
package struct Difference: Codable, Sendable, Equatable {
    package var name: String
    /// `added`, `removed` or `changed`.
    package var change: String
    /// `key: old → new`, one a line.
    package var details: [String]

    package init(name: String, change: String, details: [String]) {
        self.name = name
        self.change = change
        self.details = details
    }
}

package struct CompareReply: Codable, Sendable {
    package var differences: [Difference]
    package init(differences: [Difference]) { self.differences = differences }
}

/// Parameters of Undo and Resurrect.
package struct SnapshotParameters: Codable, Sendable {
    package var name: String?
    package var origin: String?
    /// Of `Resurrect`: only what `Kill` ended.
    package var killedOnly: Bool?

    package init(name: String?, origin: String?, killedOnly: Bool? = nil) {
        self.name = name
        self.origin = origin
        self.killedOnly = killedOnly
    }
}

package struct UndoReply: Codable, Sendable {
    package var differences: [Difference]
    package var instances: [InstanceView]
    package var durable: Bool
    package var notDurableReason: String?

    package init(differences: [Difference], instances: [InstanceView], durable: Bool, notDurableReason: String?) {
        self.differences = differences
        self.instances = instances
        self.durable = durable
        self.notDurableReason = notDurableReason
    }
}

package struct ResurrectReply: Codable, Sendable {
    package var instances: [InstanceView]
    package var notes: [String]
    package var durable: Bool
    package var notDurableReason: String?

    package init(instances: [InstanceView], notes: [String], durable: Bool, notDurableReason: String?) {
        self.instances = instances
        self.notes = notes
        self.durable = durable
        self.notDurableReason = notDurableReason
    }
}

package struct EventsParameters: Codable, Sendable {
    package var replay: Int?
    package var selectors: [String]

    package init(replay: Int?, selectors: [String]) {
        self.replay = replay
        self.selectors = selectors
    }
}

package struct EventView: Codable, Sendable, Equatable {
    /// Wall clock, milliseconds since 1970.
    package var at: Int64
    package var kind: String
    package var id: InstanceID?
    package var name: String?
    package var pid: Int32?
    package var message: String

    package init(at: Int64, kind: String, id: InstanceID?, name: String?, pid: Int32?, message: String) {
        self.at = at
        self.kind = kind
        self.id = id
        self.name = name
        self.pid = pid
        self.message = message
    }
}

package struct EventReply: Codable, Sendable {
    package var event: EventView
    package init(event: EventView) { self.event = event }
}

package struct OriginParameters: Codable, Sendable {
    package var origin: String?
    package init(origin: String?) { self.origin = origin }
}

package struct KillReply: Codable, Sendable {
    package var stopped: Int
    package init(stopped: Int) { self.stopped = stopped }
}

package struct DetachReply: Codable, Sendable {
    package var running: Int
    package init(running: Int) { self.running = running }
}

package struct UpgradeParameters: Codable, Sendable {
    package var path: String?
    package var origin: String?

    package init(path: String?, origin: String?) {
        self.path = path
        self.origin = origin
    }
}

package struct UpgradeReply: Codable, Sendable {
    package var version: String
    package var pid: Int32

    package init(version: String, pid: Int32) {
        self.version = version
        self.pid = pid
    }
}
