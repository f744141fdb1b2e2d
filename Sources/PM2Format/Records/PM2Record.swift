package import Control
import Model
package import Records

/// What PM2 keeps of one process: its `pm2_env`.
///
/// PM2 keeps settings, state and variables in one object; here they are apart, and laid together only when shown:
///
/// - a variable of the app's own (from a file, `--env`) that is called like a setting hides it, as with PM2;
/// - a variable of the caller's shell that is called like a setting does not: PM2 lets `name` or `watch` of a shell
///   change what an app is, which nobody can want;
/// - state (`status`, `pm_id`, paths, counters) is never hidden;
/// - in a dump no variable hides anything, so that every setting comes back. They all stand in `env`.
package struct PM2Record: Sendable {
    /// What the daemon does not tell.
    package struct Facts: Sendable {
        /// Of the app, from its package.json.
        package var version: String
        /// Of Node, for apps that it runs; nil: not known.
        package var nodeVersion: String?
        /// The app's section of PM2's configuration store.
        package var configuration: OrderedJSON?

        package init(version: String = "N/A", nodeVersion: String? = nil, configuration: OrderedJSON? = nil) {
            self.version = version
            self.nodeVersion = nodeVersion
            self.configuration = configuration
        }
    }

    package let entry: InventoryEntry
    /// Settings and state in the order in which they are shown; `env` is a member without a value.
    package let settings: OrderedObject
    private let caller: EnvironmentBlock
    /// Places of the caller's variables that `env` does not show: the app has its own.
    private let hiddenInEnvironment: [Int]
    /// And of those that do not stand beside the settings.
    private let hiddenBeside: [Int]
    /// Variables over the caller's, in the order in which they are shown.
    private let own: [OrderedObject.Member]
    /// Keys of settings that are not always the same.
    private let namedSettings: Set<String>

    /// - Parameter caller: the environment that the entry names.
    package init(
        _ entry: InventoryEntry, caller: EnvironmentBlock, paths: HomePaths, facts: Facts = Facts()
    ) {
        self.entry = entry
        settings = Self.settings(of: entry, paths: paths, facts: facts)
        if let filter = entry.spec.environmentFilter {
            let kept = caller.variables.filter { filter.keeps($0.name) }
            self.caller = EnvironmentBlock(Dictionary(kept.map { ($0.name, $0.value) }) { _, last in last })
        } else {
            self.caller = caller
        }
        own = Self.variables(of: entry, caller: self.caller, paths: paths, facts: facts)
        namedSettings = Set([entry.spec.instanceVariable ?? "NODE_APP_INSTANCE"] + (entry.spec.kept ?? [:]).keys)
        let ownNames = own.map(\.key)
        hiddenInEnvironment = self.caller.places(of: ownNames)
        hiddenBeside = self.caller.places(of: ownNames + namedSettings, orRecordKeys: true)
    }

    package init(
        _ entry: InventoryEntry, environment: [String: String], paths: HomePaths, facts: Facts = Facts()
    ) {
        self.init(entry, caller: EnvironmentBlock(environment), paths: paths, facts: facts)
    }

    /// What PM2 itself puts among an app's variables is last.
    private static func variables(
        of entry: InventoryEntry, caller: EnvironmentBlock, paths: HomePaths, facts: Facts
    ) -> [OrderedObject.Member] {
        let app = entry.spec.environment
        var members = app.sorted { $0.key < $1.key }.map { OrderedObject.Member($0.key, .string($0.value)) }
        func add(_ name: String, _ value: OrderedJSON) {
            if app[name] == nil { members.append(OrderedObject.Member(name, value)) }
        }
        add("PM2_USAGE", .string("CLI"))
        add("PM2_HOME", .string(paths.home))
        // An app called like a variable must not hide it.
        let name = entry.spec.name
        if !RecordKeys.isKnown(name), !caller.has(name) {
            add(name, facts.configuration ?? .emptyObject)
        }
        if let unique = entry.uniqueId { add("unique_id", .string(unique)) }
        return members
    }

    // MARK: - As shown

    /// The variables, as the key `env` has them.
    package var environment: OrderedObject {
        OrderedObject(caller.variables(without: hiddenInEnvironment) + own)
    }

    /// Whether a variable of the app's own stands beside the settings, and not in the place of one.
    private func isBeside(_ member: OrderedObject.Member) -> Bool {
        !RecordKeys.state.contains(member.key) && !namedSettings.contains(member.key)
            && (!RecordKeys.isKnown(member.key) || settings[member.key] == nil)
    }

    /// An app's variable in the place of a setting.
    private func shown(_ member: OrderedObject.Member) -> OrderedJSON {
        guard let value = entry.spec.environment[member.key], !RecordKeys.state.contains(member.key) else {
            return member.value
        }
        return .string(value)
    }

    private func json(variablesHideSettings: Bool, without hidden: Set<String> = []) -> OrderedObject {
        var members: [OrderedObject.Member] = []
        for member in settings.members where !hidden.contains(member.key) {
            if member.key == "env" {
                members.append(.init("env", .object(environment)))
            } else {
                members.append(.init(member.key, variablesHideSettings ? shown(member) : member.value))
            }
        }
        members += caller.variables(without: hiddenBeside)
        members += own.filter(isBeside)
        return OrderedObject(members)
    }

    /// The whole record, as `jlist` shows it.
    package var json: OrderedJSON { .object(json(variablesHideSettings: true)) }

    /// The record as it is saved: without what belongs to this run of the daemon.
    package var saved: OrderedJSON {
        .object(
            json(variablesHideSettings: false, without: ["instances", "pm_id", "prev_restart_delay"]))
    }

    /// Writes `json` on one line. The variables of the caller are copied as they were escaped once.
    func write(to bytes: inout [UInt8]) {
        let hidesNothing = entry.spec.environment.isEmpty
        bytes.append(UInt8(ascii: "{"))
        for member in settings.members {
            if member.key == "env" {
                bytes.append(contentsOf: "\"env\":{".utf8)
                caller.write(without: hiddenInEnvironment, to: &bytes)
                for member in own { Self.write(member.key, member.value, to: &bytes) }
                Self.close(&bytes)
                bytes.append(UInt8(ascii: ","))
            } else {
                Self.write(member.key, hidesNothing ? member.value : shown(member), to: &bytes)
            }
        }
        caller.write(without: hiddenBeside, to: &bytes)
        for member in own where isBeside(member) { Self.write(member.key, member.value, to: &bytes) }
        Self.close(&bytes)
    }

    /// With a comma after it.
    private static func write(_ key: String, _ value: OrderedJSON, to bytes: inout [UInt8]) {
        OrderedJSON.write(key, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        value.write(to: &bytes)
        bytes.append(UInt8(ascii: ","))
    }

    /// In the place of the last comma.
    private static func close(_ bytes: inout [UInt8]) {
        if bytes.last == UInt8(ascii: ",") { bytes.removeLast() }
        bytes.append(UInt8(ascii: "}"))
    }
}
