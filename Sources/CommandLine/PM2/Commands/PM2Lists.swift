import Control
import Glibc
import Model
import PM2Format
import Records

/// Commands that look: the table, JSON, one app in detail.
struct PM2Lists {
    let face: PM2Session
    private var console: PM2Console { face.console }

    // MARK: - Machine-readable

    func json() throws {
        face.startsSilently = true
        try Output.write(try listing().jlist, to: 1)
    }

    func pretty() throws {
        face.startsSilently = true
        console.output(try listing().prettylist)
    }

    private func listing() throws -> ProcessListing {
        ProcessListing(try face.inventory(), paths: face.paths) { Self.facts(of: $0, in: face.paths) }
    }

    static func facts(of entry: InventoryEntry, in paths: HomePaths) -> PM2Record.Facts {
        PM2Record.Facts(version: PackageVersion.find(above: entry.spec.script))
    }

    /// Ids as Node shows them: `[ 0, 1 ]`.
    static func inspected(_ ids: [InstanceID]) -> String {
        Inspection.text(.array(ids.map { .integer(Int64($0.rawValue)) }))
    }

    func ids(_ name: String) throws {
        let ids = try face.inventory().entries.filter { $0.instance.name == name }.map(\.instance.id)
        console.show(Self.inspected(ids) + "\n")
    }

    func pids(_ name: String?) throws {
        face.startsSilently = true
        let all = try face.inventory().entries.map(\.instance)
        let chosen = all.filter { name == nil || $0.name == name }
        console.show(chosen.map { "\($0.pid ?? 0)" }.joined(separator: "\n") + "\n")
    }

    // MARK: - For people

    /// The table that ends most commands.
    func table() throws {
        guard face.showsTables else { return }
        // A daemon is started also when nothing is shown.
        guard !console.isSilent else { return try face.connect() }
        console.show(try tableText())
    }

    func tableText() throws -> String {
        let reply = try face.inventory()
        for note in reply.notes { console.say(note, .warning, to: 2) }
        let records = ProcessListing(reply, paths: face.paths) { Self.facts(of: $0, in: face.paths) }.records
        let order = face.options["sort"].map { ProcessOrder(parsing: $0) } ?? .byName
        let lines =
            face.options.has("mini-list")
            ? MiniList.lines(records, order: order) : ProcessTable.lines(records, console.screen, order: order)
        return lines.map { $0 + "\n" }.joined()
    }

    func describe(_ target: String) throws {
        let records = try listing().records.filter {
            $0.entry.instance.name == target || $0.entry.instance.id.description == target
        }
        guard !records.isEmpty else {
            console.say("\(target) doesn't exist", .warning, to: 2)
            throw PM2Exit.failed
        }
        let local = PM2Environment.caller()
        for record in records {
            console.show(Description.lines(record, local: local, console.screen).map { $0 + "\n" }.joined())
        }
    }

    func environment(_ target: String) throws {
        guard let record = try listing().records.first(where: { $0.entry.instance.id.description == target }) else {
            console.error("Modules with id \(target) not found")
            throw PM2Exit.failed
        }
        console.show(SmallReplies.environment(record, console.screen).map { $0 + "\n" }.joined())
    }

    /// The table, drawn again and again until somebody has seen enough. Without a terminal: once.
    func refreshing() throws {
        guard isatty(1) == 1 else { return try table() }
        while true {
            let text = try tableText()
            // Home, the text, and nothing below it: no flicker.
            console.output("\u{1b}[H\u{1b}[J" + text + "Last refresh: \(Self.clock())\n")
            usleep(900_000)
        }
    }

    private static func clock() -> String {
        var now = time(nil)
        var parts = tm()
        localtime_r(&now, &parts)
        return [parts.tm_hour, parts.tm_min, parts.tm_sec].map { ($0 < 10 ? "0" : "") + String($0) }.joined(
            separator: ":")
    }
}
