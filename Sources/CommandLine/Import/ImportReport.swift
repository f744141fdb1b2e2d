/// What became of everything that was read, for a person and as JSON.
struct ImportReport: Encodable {
    enum Outcome: String, Encodable {
        /// It is in the file.
        case converted
        /// Hearth does it without being told.
        case notNeeded = "not needed"
        /// It stays where it is.
        case keep
        /// A person must decide.
        case attention
    }

    /// A line of a crontab, or a statement about a unit or a dump.
    struct Item: Encodable, Equatable {
        var text: String
        var outcome: Outcome
        var advice: String
    }

    struct App: Encodable {
        var name: String
        var script: String
        var instances: Int
        /// Names of variables that stand under `env`.
        var env: [String]
        /// Those of them whose values look secret.
        var secrets: [String]
        /// Of the session in which PM2 was started.
        var session: [String]
        /// Given to every app anyway, with the same value.
        var usual: [String]
        /// PM2's own.
        var pm2: [String]
        var notes: [String]
    }

    struct Unit: Encodable {
        var path: String
        var items: [Item]
    }

    /// Null: standard output.
    var output: String?
    /// What the apps were read from.
    var dump: String
    var notes: [Item] = []
    var apps: [App] = []
    var units: [Unit] = []
    var crontab: [Item] = []

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(output, forKey: .output)
        try container.encode(dump, forKey: .dump)
        try container.encode(notes, forKey: .notes)
        try container.encode(apps, forKey: .apps)
        try container.encode(units, forKey: .units)
        try container.encode(crontab, forKey: .crontab)
    }

    private enum CodingKeys: String, CodingKey { case output, dump, notes, apps, units, crontab }
}

extension ImportReport {
    /// Lines for a person.
    var text: String {
        var text = "\(dump)\n"
        for note in notes { text += Self.text(note) }
        let common = common
        if let common {
            text += "  every app\n" + Self.variables(of: common)
        }
        for app in apps { text += Self.text(app, without: common) }
        for unit in units {
            text += "\n\(unit.path)\n"
            for item in unit.items { text += Self.text(item) }
        }
        if !crontab.isEmpty {
            text += "\ncrontab\n"
            for item in crontab { text += Self.text(item) }
        }
        return text
    }

    private static func text(_ item: Item) -> String {
        "  \(item.text)\n    \(item.outcome.rawValue): \(item.advice)\n"
    }

    private static func text(_ app: App, without common: App?) -> String {
        let count = app.instances == 1 ? "" : ", instances: \(app.instances)"
        var own = app
        for group in groups where common != nil {
            let known = Set(common?[keyPath: group.names] ?? [])
            own[keyPath: group.names].removeAll { known.contains($0) }
        }
        var text = "  \(app.name): \(app.script)\(count)\n" + variables(of: own)
        for note in app.notes { text += "    note: \(note)\n" }
        return text
    }

    private static func variables(of app: App) -> String {
        groups.map { ($0.title, app[keyPath: $0.names]) }.filter { !$0.1.isEmpty }
            .map { "    \($0): \($1.joined(separator: ", "))\n" }.joined()
    }

    private static var groups: [(title: String, names: WritableKeyPath<App, [String]>)] {
        [
            ("env", \.env), ("secret, so keep the file private", \.secrets),
            ("left out, of the session that started PM2", \.session),
            ("left out, the same for every app", \.usual), ("left out, PM2's own", \.pm2),
        ]
    }

    /// Names that all apps have: a shell exports the same to each. Nil: there is only one app, or nothing in common.
    private var common: App? {
        guard apps.count > 1, var common = apps.first else { return nil }
        for app in apps.dropFirst() {
            for group in Self.groups {
                let names = Set(app[keyPath: group.names])
                common[keyPath: group.names].removeAll { !names.contains($0) }
            }
        }
        return Self.variables(of: common).isEmpty ? nil : common
    }
}
