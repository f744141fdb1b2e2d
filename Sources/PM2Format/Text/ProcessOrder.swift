import Control
import Model

/// `--sort FIELD[:asc|desc]`.
package struct ProcessOrder: Hashable, Sendable {
    package enum Field: String, Sendable {
        case name, namespace, pid, id, cpu, memory, uptime, status
    }

    package var field: Field
    package var descends: Bool

    package static let byName = ProcessOrder(field: .name, descends: false)

    package init(field: Field, descends: Bool) {
        self.field = field
        self.descends = descends
    }

    /// An unknown field is `name`.
    package init(parsing text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        field = parts.first.flatMap { Field(rawValue: String($0)) } ?? .name
        descends = parts.count > 1 && parts[1] == "desc"
    }

    /// Entries that are equal stay in the order of their ids.
    package func sorted(_ records: [PM2Record]) -> [PM2Record] {
        records.sorted { left, right in
            if precedes(left, right) { return !descends }
            if precedes(right, left) { return descends }
            return left.entry.instance.id < right.entry.instance.id
        }
    }

    private func precedes(_ left: PM2Record, _ right: PM2Record) -> Bool {
        let (left, right) = (left.entry.instance, right.entry.instance)
        return switch field {
        case .name: left.name < right.name
        case .namespace: left.namespace < right.namespace
        case .pid: left.pid ?? 0 < right.pid ?? 0
        case .id: left.id < right.id
        case .cpu: left.cpuPercent ?? 0 < right.cpuPercent ?? 0
        case .memory: left.memoryBytes < right.memoryBytes
        case .uptime: left.startedAt ?? 0 < right.startedAt ?? 0
        case .status: left.status.pm2Name < right.status.pm2Name
        }
    }
}
