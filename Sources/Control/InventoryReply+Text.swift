import Model

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

// `pm2 list`, `pm2 jlist` and `plan` ask for it each time. A specification changes seldom: the daemon keeps its text.

extension InventoryReply {
    /// The whole reply, NUL-terminated, as `Varlink.reply` would make it.
    ///
    /// - Parameter text: a specification as JSON.
    package func message(specification text: (InventoryEntry) -> Data) -> Data {
        var writer = JSONWriter()
        writer.bytes.reserveCapacity(entries.count * 1600 + 4096)
        writer.raw("{\"parameters\":{\"entries\":[")
        for (index, entry) in entries.enumerated() {
            if index > 0 { writer.raw(",") }
            writer.raw("{\"instance\":")
            writer.write(entry.instance)
            writer.raw(",\"spec\":")
            writer.bytes.append(contentsOf: text(entry))
            writer.raw(",\"environment\":")
            writer.string(entry.environment)
            writer.raw(",\"uniqueId\":")
            writer.string(entry.uniqueId)
            writer.raw(",\"user\":")
            writer.string(entry.user)
            writer.raw(",\"report\":")
            // Few apps have one: it is left to JSONEncoder.
            let report = entry.report.flatMap { try? Varlink.encoder().encode($0) }
            writer.bytes.append(contentsOf: report ?? Data("null".utf8))
            writer.raw("}")
        }
        writer.raw("],\"environments\":{")
        for (index, environment) in environments.enumerated() {
            if index > 0 { writer.raw(",") }
            writer.string(environment.key)
            writer.raw(":{")
            for (index, variable) in environment.value.enumerated() {
                if index > 0 { writer.raw(",") }
                writer.string(variable.key)
                writer.raw(":")
                writer.string(variable.value)
            }
            writer.raw("}")
        }
        writer.raw("},\"notes\":[")
        for (index, note) in notes.enumerated() {
            if index > 0 { writer.raw(",") }
            writer.string(note)
        }
        writer.raw("]}}\0")
        return Data(writer.bytes)
    }
}
