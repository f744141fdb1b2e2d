/// The environment of a caller, ready to be written: apps started from one shell share it, so it is escaped once, and
/// copied into every record in a few long pieces.
package struct EnvironmentBlock: Sendable {
    /// Sorted by name: the order of a shell is not kept anywhere.
    let variables: [(name: String, value: String)]
    private let places: [String: Int]
    /// Places of variables that are called like something which a record holds beside the variables.
    private let recordKeys: [Int]
    /// `"NAME":"value",` for each variable.
    private let members: [UInt8]
    /// Where each variable begins in `members`, and where the last one ends.
    private let starts: [Int]

    package init(_ environment: [String: String]) {
        let variables = environment.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
        var places: [String: Int] = [:]
        var recordKeys: [Int] = []
        var members: [UInt8] = []
        var starts: [Int] = []
        for (place, variable) in variables.enumerated() {
            places[variable.name] = place
            if RecordKeys.isKnown(variable.name) { recordKeys.append(place) }
            starts.append(members.count)
            OrderedJSON.write(variable.name, to: &members)
            members.append(UInt8(ascii: ":"))
            OrderedJSON.write(variable.value, to: &members)
            members.append(UInt8(ascii: ","))
        }
        self.variables = variables
        self.places = places
        self.recordKeys = recordKeys
        self.members = members
        self.starts = starts + [members.count]
    }

    /// Places of the variables with these names, in order.
    func places(of names: [String], orRecordKeys: Bool = false) -> [Int] {
        let found = names.compactMap { places[$0] }
        return Set(orRecordKeys ? found + recordKeys : found).sorted()
    }

    /// Writes every variable but those at `hidden`, each with a comma after it.
    func write(without hidden: [Int], to bytes: inout [UInt8]) {
        var first = 0
        for place in hidden {
            bytes.append(contentsOf: members[starts[first]..<starts[place]])
            first = place + 1
        }
        bytes.append(contentsOf: members[starts[first]...])
    }

    /// The variables but those at `hidden`.
    func variables(without hidden: [Int]) -> [OrderedObject.Member] {
        let hidden = Set(hidden)
        return variables.enumerated().compactMap { place, variable in
            hidden.contains(place) ? nil : OrderedObject.Member(variable.name, .string(variable.value))
        }
    }

    func has(_ name: String) -> Bool { places[name] != nil }
}
