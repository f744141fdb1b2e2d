/// One entry of the list that comes back after a reboot: what the operator wants, apart from what runs.
package struct DesiredInstance: Hashable, Sendable, Codable {
    package var id: InstanceID
    package var spec: AppSpec
    /// Smallest number not used by an entry of the same name when this one was made (NODE_APP_INSTANCE).
    package var number: Int
    package var wanted: Wanted
    /// Key into `DesiredState.environments`: the caller's environment at `start`. Nil: none.
    package var environment: String?
    /// Wall clock, milliseconds since 1970.
    package var createdAt: Int64
    /// Token of the command that made the entry.
    package var token: String?
    /// A UUID that the entry keeps for its life (PM2's `unique_id`); nil in lists that an older Hearth wrote.
    package var uniqueID: String?
    /// What it had before, while a reload with a new specification is under way: if that fails, it is taken back.
    package var former: Former?

    package struct Former: Hashable, Sendable, Codable {
        package var spec: AppSpec
        package var environment: String?

        package init(spec: AppSpec, environment: String?) {
            self.spec = spec
            self.environment = environment
        }
    }

    package init(
        id: InstanceID, spec: AppSpec, number: Int, wanted: Wanted, environment: String?, createdAt: Int64,
        token: String?, uniqueID: String? = nil
    ) {
        self.id = id
        self.spec = spec
        self.number = number
        self.wanted = wanted
        self.environment = environment
        self.createdAt = createdAt
        self.token = token
        self.uniqueID = uniqueID
    }
}

/// The desired state of a home, as it is stored in `desired.json` and in snapshots.
package struct DesiredState: Hashable, Sendable, Codable {
    package static let currentVersion = 1

    package struct Killed: Hashable, Sendable, Codable {
        package var by: Actor
        /// Wall clock, milliseconds since 1970.
        package var at: Int64

        package init(by: Actor, at: Int64) {
            self.by = by
            self.at = at
        }
    }

    package var version: Int
    package var machine: String
    package var boot: String
    package var nextID: UInt32
    /// Set by `hearth kill`: nothing is started until `resurrect` or the next boot.
    package var killed: Killed?
    /// Environments of callers, stored once each.
    package var environments: [String: [String: String]]
    package var instances: [DesiredInstance]

    /// Forgets every entry; ids begin anew.
    package mutating func clear() {
        nextID = 0
        killed = nil
        environments = [:]
        instances = []
    }

    package init(machine: String, boot: String) {
        version = Self.currentVersion
        self.machine = machine
        self.boot = boot
        nextID = 0
        killed = nil
        environments = [:]
        instances = []
    }
}
