import Configuration
import Control
import Model

/// What an operand of `stop`, `restart`, `reload` and `delete` means: PM2's order of trying.
enum PM2Targets {
    enum Found: Equatable {
        case instances([InstanceID])
        /// A number that is no name, no namespace and no id: the action is announced all the same.
        case unknownID(String)
        case nothing
        case unknownName(String)
    }

    /// - Parameter cwd: where a script's path starts; an app is also meant by the script that it runs.
    static func find(_ operand: String, in entries: [InventoryEntry], cwd: String) throws(ControlError) -> Found {
        let all = entries.map(\.instance)
        if operand == "all" { return all.isEmpty ? .nothing : .instances(all.map(\.id)) }
        if operand.count > 1, operand.hasPrefix("/"), operand.hasSuffix("/") {
            let pattern = try NamePattern(operand.replacing("/", with: ""))
            let ids = all.filter { pattern.matches($0.name) }.map(\.id)
            return ids.isEmpty ? .nothing : .instances(ids)
        }
        let script = Paths.absolute(operand, base: cwd, home: nil)
        let isNumber = !operand.isEmpty && operand.allSatisfy { $0.isASCII && $0.isNumber }
        let named = entries.filter { $0.instance.name == operand || (!isNumber && $0.spec.script == script) }
        if !named.isEmpty { return .instances(named.map(\.instance.id)) }
        let grouped = all.filter { $0.namespace == operand }
        if !grouped.isEmpty { return .instances(grouped.map(\.id)) }
        guard isNumber else { return .unknownName(operand) }
        guard let id = UInt32(operand).map({ InstanceID($0) }), all.contains(where: { $0.id == id }) else {
            return .unknownID(operand)
        }
        return .instances([id])
    }
}
