package import Control
import Model
package import Records

/// The list as `jlist` and `prettylist` show it: every entry with its record.
package struct ProcessListing: Sendable {
    package let records: [PM2Record]

    /// - Parameter facts: what the daemon does not tell, for each entry.
    package init(
        _ reply: InventoryReply, paths: HomePaths, facts: (InventoryEntry) -> PM2Record.Facts = { _ in .init() }
    ) {
        let blocks = reply.environments.mapValues { EnvironmentBlock($0) }
        let none = EnvironmentBlock([:])
        records = reply.entries.sorted { $0.instance.id < $1.instance.id }.map { entry in
            let caller = entry.environment.flatMap { blocks[$0] } ?? none
            return PM2Record(entry, caller: caller, paths: paths, facts: facts(entry))
        }
    }

    /// `jlist`: one line, no newline at its end.
    package var jlist: [UInt8] {
        var bytes: [UInt8] = []
        // A record has its variables twice; a shell's take some 3 KiB.
        bytes.reserveCapacity(records.count * 8192 + 2)
        bytes.append(UInt8(ascii: "["))
        for (index, record) in records.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(contentsOf: "{\"pid\":\(record.entry.instance.pid ?? 0),\"name\":".utf8)
            OrderedJSON.write(record.entry.spec.name, to: &bytes)
            bytes.append(contentsOf: ",\"pm2_env\":".utf8)
            record.write(to: &bytes)
            bytes.append(contentsOf: ",\"pm_id\":\(record.entry.instance.id),\"monit\":".utf8)
            record.monitoring.write(to: &bytes)
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }

    /// The same as a value.
    package var json: OrderedJSON {
        .array(
            records.map { record in
                .object([
                    "pid": .integer(Int64(record.entry.instance.pid ?? 0)), "name": .string(record.entry.spec.name),
                    "pm2_env": record.json, "pm_id": .integer(Int64(record.entry.instance.id.rawValue)),
                    "monit": record.monitoring,
                ])
            })
    }

    /// `dump.pm2`: indented, as the command line of PM2 writes it.
    package var dump: [UInt8] {
        var bytes: [UInt8] = []
        OrderedJSON.array(records.map(\.saved)).write(to: &bytes, indent: 2)
        return bytes
    }
}

extension OrderedJSON {
    package static func object(_ pairs: KeyValuePairs<String, OrderedJSON>) -> OrderedJSON {
        .object(OrderedObject(pairs))
    }
}

extension PM2Record {
    /// Both are 0 for what is not online.
    var monitoring: OrderedJSON {
        let instance = entry.instance
        guard instance.status == .online else { return .object(["memory": .integer(0), "cpu": .integer(0)]) }
        return .object(["memory": .integer(instance.memoryBytes), "cpu": .number(Self.tenths(instance.cpuPercent))])
    }

    /// Rounded to 0.1; 0 when it is not known yet.
    static func tenths(_ percent: Double?) -> Double {
        guard let percent, percent.isFinite else { return 0 }
        return (max(0, percent) * 10).rounded() / 10
    }
}
