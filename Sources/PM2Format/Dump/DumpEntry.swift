package import Model

/// One app of a dump.
package struct DumpEntry: Hashable, Sendable {
    /// PM2's counters, as they were when the dump was written.
    package struct Counters: Hashable, Sendable {
        package var restarts: Int?
        package var unstableRestarts: Int?
        /// Wall clock, milliseconds since 1970.
        package var createdAt: Int64?
        package var startedAt: Int64?
        package var exitCode: Int?
    }

    /// Place in the dump.
    package var index: Int
    package var spec: AppSpec
    /// All variables that the app had: a dump does not tell which of them its file gave.
    package var environment: [String: String]
    /// False for one that was stopped: it comes back, and is not started.
    package var isWantedRunning: Bool
    /// `status` as it stands in the dump.
    package var status: String
    /// Its number among the entries of the same name.
    package var number: Int?
    package var counters: Counters
    package var uniqueID: String?
}

/// Something in a dump that cannot be used.
package struct DumpProblem: Hashable, Sendable, CustomStringConvertible {
    package var index: Int
    /// The app, when that much could be read.
    package var name: String?
    package var key: String?
    package var message: String
    /// The app is left out; otherwise it comes back without this setting.
    package var skipsRecord: Bool

    package var description: String {
        let app = name.map { " (\(OrderedJSON.string($0).quoted))" } ?? ""
        let place = key.map { ".\($0)" } ?? ""
        return "record \(index)\(app)\(place): \(message)"
            + (skipsRecord ? "; this app is left out" : "; the setting is left out")
    }
}

/// What a dump holds.
package struct DumpContent: Hashable, Sendable {
    package var entries: [DumpEntry]
    package var problems: [DumpProblem]
}
