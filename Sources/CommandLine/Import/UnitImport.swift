import Configuration
import Platform
import Records

/// Reads a unit with which PM2 is started at boot.
struct UnitImport {
    /// `Key=value` of the section `[Service]`, in order.
    let settings: [(key: String, value: String)]
    let path: String

    init(path: String, text: String) {
        self.path = path
        var settings: [(key: String, value: String)] = []
        var section = ""
        var pending = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let trimmed = line.drop { $0.isWhitespace }
            if pending.isEmpty, trimmed.first == "#" || trimmed.first == ";" { continue }
            pending += trimmed
            if pending.hasSuffix("\\") {
                pending.removeLast()
                continue
            }
            defer { pending = "" }
            if pending.hasPrefix("[") {
                section = pending
            } else if section.hasPrefix("[Service]"), let equals = pending.firstIndex(of: "=") {
                let value = pending[pending.index(after: equals)...].drop { $0.isWhitespace }
                settings.append((String(pending[..<equals].filter { !$0.isWhitespace }), String(value)))
            }
        }
        self.settings = settings
    }

    /// `/etc/systemd/system/pm2-*.service`.
    static func installed() -> [String] {
        let directory = "/etc/systemd/system"
        let names = (try? FileSystem.names(in: directory)) ?? []
        return names.filter { $0.hasPrefix("pm2-") && $0.hasSuffix(".service") }.sorted().map { "\(directory)/\($0)" }
    }

    var user: String? { settings.last { $0.key == "User" }?.value }

    var pm2Home: String? {
        for (key, value) in settings where key == "Environment" {
            for word in TextValues.words(value) where word.hasPrefix("PM2_HOME=") { return String(word.dropFirst(9)) }
        }
        return nil
    }

    /// Whether it is about this home, as far as it says.
    func concerns(_ paths: HomePaths, user: String) -> Bool {
        if let pm2Home { return Paths.absolute(pm2Home, base: "/", home: nil) == paths.home }
        return self.user == nil || self.user == user
    }

    /// What becomes of it.
    func report(_ paths: HomePaths, user: String) -> ImportReport.Unit {
        var items: [ImportReport.Item] = []
        func add(_ text: String, _ outcome: ImportReport.Outcome, _ advice: String) {
            items.append(.init(text: text, outcome: outcome, advice: advice))
        }
        if let owner = self.user, owner != user {
            add("User=\(owner)", .attention, "this is not you: 'hearth apply' must be run as '\(owner)'")
        } else if let owner = self.user {
            add("User=\(owner)", .converted, "apps run as whoever runs 'hearth apply'")
        }
        if let home = pm2Home {
            let same = Paths.absolute(home, base: "/", home: nil) == paths.home
            add(
                "PM2_HOME=\(home)", same ? .notNeeded : .attention,
                same
                    ? "hearth has a home of its own, ~/.hearth, or shares this one after 'hearth pm2-shim install'"
                    : "this unit restores another home than '\(paths.home)'")
        }
        for (key, value) in settings where key.hasPrefix("Exec") {
            let words = CrontabLine.pm2Words(TextValues.words(value)) ?? []
            switch (key, words.first) {
            case ("ExecStart", "resurrect"):
                add(
                    "\(key)=\(value)", .attention,
                    "'hearth startup' writes a unit that brings hearth's list back at boot. Disable this one when you "
                        + "have moved: systemctl disable \(Paths.baseName(path))")
            case (_, nil):
                add("\(key)=\(value)", .keep, "this is not PM2's: the unit may be an app of its own")
            default:
                add("\(key)=\(value)", .notNeeded, "it goes with the unit")
            }
        }
        for (key, value) in settings where key.hasPrefix("Limit") {
            add("\(key)=\(value)", .attention, "apps have the limits of whoever starts hearth")
        }
        return ImportReport.Unit(path: path, items: items)
    }
}
