import Control
import Model

/// What `env`, `id` and `pid` print.
package enum SmallReplies {
    /// `env ID`: one variable a line, the last one first; without what PM2 itself keeps in a record.
    package static func environment(_ record: PM2Record, _ screen: Screen) -> [String] {
        guard let object = record.json.object else { return [] }
        return object.members.reversed().compactMap { member in
            guard !RecordKeys.hiddenByEnvironment.contains(member.key), let text = member.value.scalarText else {
                return nil
            }
            return "\(member.key): \(screen.paint(text, .green))"
        }
    }

    /// `id NAME`: `[ 0, 1 ]`.
    package static func ids(_ records: [PM2Record], named name: String) -> String {
        let ids = records.filter { $0.entry.spec.name == name }.map { Int64($0.entry.instance.id.rawValue) }
        return Inspection.text(.array(ids.sorted().map { .integer($0) }))
    }

    /// `pid [NAME]`: one a line, 0 for what does not run; an empty line when nothing has the name.
    package static func pids(_ records: [PM2Record], named name: String? = nil) -> [String] {
        let found = records.filter { name == nil || $0.entry.spec.name == name }
        if found.isEmpty, name != nil { return [""] }
        return found.map { String($0.entry.instance.pid ?? 0) }
    }
}
