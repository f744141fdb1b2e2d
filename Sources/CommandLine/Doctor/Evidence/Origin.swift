import Configuration
import Model
import Platform

/// What started a process, and would start it again.
enum Origin: Hashable, Sendable {
    /// A unit of systemd's; `isUser`: of a user's own.
    case unit(String, isUser: Bool)
    /// PM2's daemon.
    case pm2(pid: Int32)
    case hearth(home: String)
    /// supervisord, runsv and the like.
    case supervisor(String, pid: Int32)
    case container(String)
    case session(String)
    case cron
    /// Its parent is gone, or says nothing.
    case unknown(parent: String)

    var text: String {
        switch self {
        case .unit(let name, let isUser): isUser ? "the user's unit \(name)" : "the unit \(name)"
        case .pm2(let pid): "PM2 (daemon \(pid))"
        case .hearth(let home): "Hearth in the home '\(home)'"
        case .supervisor(let name, let pid): "\(name) (pid \(pid))"
        case .container(let name): "a container (\(name))"
        case .session(let name): "a login session (\(name))"
        case .cron: "cron"
        case .unknown(let parent): "nobody that watches it (parent: \(parent))"
        }
    }

    /// It would come back after a plain `kill`.
    var isManager: Bool {
        switch self {
        case .unit, .pm2, .hearth, .supervisor, .container: true
        case .session, .cron, .unknown: false
        }
    }

    /// Ends it for good; nil: no single command does.
    func stopCommand(_ pid: Int32) -> String? {
        switch self {
        case .unit(let name, let isUser):
            isUser ? "systemctl --user disable --now \(name)" : "sudo systemctl disable --now \(name)"
        case .pm2(let daemon): "kill \(daemon)"
        case .hearth(let home): "hearth --home \(SimpleStartup.quoted(home)) list"
        case .supervisor, .container: nil
        case .session, .cron, .unknown: "kill \(pid)"
        }
    }
}

extension Origin {
    /// May block on a process that is stuck.
    static func of(_ pid: Int32, in table: ProcessTable) -> Origin {
        var parent: String?
        var current = table.entry(of: pid)?.parent
        // A table is no snapshot: it may hold a cycle.
        for _ in 0..<64 {
            guard let number = current, number > 1, let entry = table.entry(of: number) else { break }
            if parent == nil { parent = "\(entry.name), pid \(number)" }
            if let manager = manager(entry) { return manager }
            current = entry.parent
        }
        if let cgroup = ProcessFacts.cgroup(of: pid), let place = place(cgroup) { return place }
        return .unknown(parent: parent ?? "pid 1")
    }

    private static func manager(_ entry: ProcessTable.Entry) -> Origin? {
        switch entry.name {
        case "hearthd", "hearth-keeper":
            let words = ProcessFacts.arguments(of: entry.pid)
            let option = words.firstIndex(of: "--home").map { $0 + 1 } ?? words.endIndex
            return .hearth(home: option < words.count ? words[option] : "?")
        case "supervisord", "runsv", "s6-supervise", "circusd", "monit", "supervise", "god", "forever":
            return .supervisor(entry.name, pid: entry.pid)
        case "cron", "crond", "anacron": return .cron
        default: return isPM2(entry) ? .pm2(pid: entry.pid) : nil
        }
    }

    /// By its title, and by not being ours, which wears the same one in a home of PM2's.
    static func isPM2(_ entry: ProcessTable.Entry) -> Bool {
        guard entry.name.hasPrefix("PM2 v") || entry.name == "PM2" else { return false }
        return ProcessFacts.executable(of: entry.pid).map { Paths.baseName($0.path) != "hearthd" } ?? true
    }

    static func place(_ cgroup: String) -> Origin? {
        let parts = cgroup.split(separator: "/").map(String.init)
        if let container = parts.last(where: { part in
            ["docker-", "libpod-", "cri-containerd-", "lxc.payload."].contains { part.hasPrefix($0) }
        }) {
            return .container(container)
        }
        guard let unit = ProcessFacts.unit(ofCgroup: cgroup), unit != "init.scope" else { return nil }
        if unit.hasPrefix("session-") { return .session(unit) }
        guard unit.hasSuffix(".service"), !unit.hasPrefix("user@") else { return nil }
        return .unit(unit, isUser: parts.contains { $0.hasPrefix("user@") })
    }
}
