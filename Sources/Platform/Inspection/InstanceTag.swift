package import Model

/// The mark in the environment of every process of an instance: `HEARTH_INSTANCE=<home id>:<id>:<generation>`.
///
/// A hint for finding, never a right to signal: it is inherited by whatever is started below an app, can be forged,
/// and is lost when a process overwrites its environment with a title.
package struct InstanceTag: Hashable, Sendable {
    package static let variable: StaticString = "HEARTH_INSTANCE="

    // Declared in the order in which two tags most likely differ: a scan compares very many.
    package var instance: InstanceID
    package var generation: Generation
    package var homeID: String

    package init(homeID: String, instance: InstanceID, generation: Generation) {
        self.homeID = homeID
        self.instance = instance
        self.generation = generation
    }

    /// From what follows the `=`. The home's id may hold colons.
    package init?(value: some BidirectionalCollection<UInt8>) {
        let colon = UInt8(ascii: ":")
        guard let last = value.lastIndex(of: colon), let first = value[..<last].lastIndex(of: colon),
            let instance = UInt32(String(decoding: value[value.index(after: first)..<last], as: UTF8.self)),
            let generation = UInt32(String(decoding: value[value.index(after: last)...], as: UTF8.self))
        else { return nil }
        homeID = String(decoding: value[..<first], as: UTF8.self)
        self.instance = InstanceID(instance)
        self.generation = Generation(generation)
    }

    /// The whole environment entry.
    package var environmentEntry: String { "\(Self.variable)\(homeID):\(instance):\(generation)" }

    /// What the environment of a process says of its instance.
    enum Finding {
        case tag(InstanceTag)
        /// It begins like an environment, and has no tag (or a malformed one).
        case none
        /// Empty, overwritten, or not ours to read.
        case unreadable
    }

    /// Looks into /proc/PID/environ. May block on a process that is stuck in the kernel.
    static func find(in pid: Int32, reader: ProcReader) -> Finding {
        var found: InstanceTag?
        var looksIntact = false
        var isFirst = true
        let result = reader.forEachString(pid, "environ") { string in
            if isFirst {
                looksIntact = isAssignment(string)
                isFirst = false
            }
            guard string.has(variable, at: 0) else { return true }
            found = InstanceTag(value: string.part(variable.utf8CodeUnitCount, string.count))
            return false
        }
        if let found { return .tag(found) }
        return result == 0 && looksIntact ? .none : .unreadable
    }

    private static func isAssignment(_ string: UnsafeRawBufferPointer) -> Bool {
        guard let sign = string.firstIndex(of: UInt8(ascii: "="), from: 0), sign > 0 else { return false }
        return string.part(0, sign).allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }
}
