import Foundation
import Model
import Records
import TestSupport

// What lies on disk, read and forged by tests while no daemon runs.

extension Home {
    var tablePath: String { paths.instanceTable(of: .current()) }

    /// The records in the disk copy of the instance table.
    func storedRecords() throws -> [InstanceRecord] {
        guard let records = InstanceTable.read(paths, .current()) else {
            throw Unexpected("there is no table on disk", in: self)
        }
        return records
    }

    /// Writes a table that says what `change` makes of the records.
    func forgeTable(
        as machine: MachineIdentity = .current(), _ change: (inout InstanceRecord) -> Void
    ) throws {
        var records = try storedRecords()
        for index in records.indices { change(&records[index]) }
        let table = try InstanceTable(descriptor: nil, machine: machine)
        table.load(records)
        try table.reader.save(to: tablePath)
    }

    /// Rewrites the list.
    func forgeList(_ change: (inout DesiredState) -> Void) throws {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: paths.desiredState)))
        var state = try RecordCoding.decode(DesiredState.self, from: bytes)
        change(&state)
        try Data(RecordCoding.encode(state)).write(to: URL(fileURLWithPath: paths.desiredState))
    }
}
