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
        console.output(Inspection.text(of: try listing().json))
    }

    private func listing() throws -> ProcessListing {
        ProcessListing(try face.inventory(), paths: face.paths) { Self.facts(of: $0, in: face.paths) }
    }

    static func facts(of entry: InventoryEntry, in paths: HomePaths) -> PM2Record.Facts {
        PM2Record.Facts(version: PackageVersion.find(above: entry.spec.script))
    }

    /// Ids as Node shows them: `[ 0, 1 ]`.
    static func inspected(_ ids: [InstanceID]) -> String {
        Inspection.text(of: .array(ids.map { .integer(Int64($0.rawValue)) }))
    }

    func ids(_ name: String) throws {
        let ids = try face.inventory().entries.filter { $0.instance.name == name }.map(\.instance.id)
        console.output(Self.inspected(ids) + "\n")
    }

    func pids(_ name: String?) throws {
        face.startsSilently = true
        let all = try face.inventory().entries.map(\.instance)
        let chosen = all.filter { name == nil || $0.name == name }
        console.output(chosen.map { "\($0.pid ?? 0)" }.joined(separator: "\n") + "\n")
    }

    // MARK: - For people

    /// The table that ends most commands.
    func table() throws {
        guard !console.isSilent else { return }
        console.output(try tableText())
    }

    func tableText() throws -> String {
        let reply = try face.inventory()
        for note in reply.notes { console.say(note, .warning, to: 2) }
        return ""
    }
}
