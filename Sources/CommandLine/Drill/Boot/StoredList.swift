import Control
import Model
import PM2Format
import Platform
import Records

/// What lies on disk for the next boot: the list of a hearth home, the dump of a home of PM2's.
struct StoredList {
    private let isPM2: Bool
    private let place: String
    /// By name, in order.
    private let specs: [String: [AppSpec]]
    let problems: [String]

    init(_ paths: HomePaths) {
        isPM2 = paths.isPM2
        place = paths.isPM2 ? paths.pm2Dump : paths.desiredState
        guard FileSystem.exists(place) else {
            specs = [:]
            problems = ["'\(place)' does not exist" + (paths.isPM2 ? ": run 'pm2 save'" : ": nothing was ever started")]
            return
        }
        if paths.isPM2 {
            let entries = DumpStore.read(paths).content.entries
            specs = Dictionary(grouping: entries.filter(\.isWantedRunning), by: \.spec.name).mapValues {
                $0.map(\.spec)
            }
            problems = []
        } else {
            let reading = DesiredStateFile.read(paths)
            let entries = reading.state?.instances ?? []
            specs = Dictionary(grouping: entries, by: \.spec.name).mapValues { $0.map(\.spec) }
            problems =
                reading.state == nil ? ["'\(place)' cannot be read: \(reading.notes.joined(separator: "; "))"] : []
        }
    }

    /// Why an app would not come back from there.
    func problem(with entry: InventoryEntry) -> String? {
        guard entry.instance.wanted == .running, problems.isEmpty else { return nil }
        if specs[entry.spec.name] != nil { return nil }
        return "'\(place)' does not have it" + (isPM2 ? " as running; run 'pm2 save'" : "")
    }
}
