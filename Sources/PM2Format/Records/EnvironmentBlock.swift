/// The environment of a caller, ready to be written: apps started from one shell share it, so each variable is escaped
/// once and copied into every record.
package struct EnvironmentBlock: Sendable {
    struct Variable: Sendable {
        var name: String
        var value: String
        /// `"NAME":"value"`.
        var member: [UInt8]
        /// Also the name of something that a record holds beside the variables.
        var isRecordKey: Bool
    }

    /// Sorted by name: the order of a shell is not kept anywhere.
    let variables: [Variable]

    package init(_ environment: [String: String]) {
        variables = environment.sorted { $0.key < $1.key }.map { name, value in
            var member: [UInt8] = []
            OrderedJSON.write(name, to: &member)
            member.append(UInt8(ascii: ":"))
            OrderedJSON.write(value, to: &member)
            return Variable(name: name, value: value, member: member, isRecordKey: RecordKeys.isKnown(name))
        }
    }
}
