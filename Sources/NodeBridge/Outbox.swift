/// What goes to one process, in order. After a message with a descriptor nothing further goes out until the process has
/// said that it arrived: that is how Node does it.
///
/// Whoever adds a descriptor owns it through `Outgoing` until it comes back from `acknowledged`, `refused` or `removeAll`.
package struct Outbox: Sendable {
    package struct Outgoing: Hashable, Sendable {
        package var line: [UInt8]
        package var descriptor: Int32?

        package init(line: [UInt8], descriptor: Int32? = nil) {
            self.line = line
            self.descriptor = descriptor
        }
    }

    /// A process that does not take its answers gets no more: reading goes on, as what it says may be the acknowledgement
    /// that is waited for.
    private static let messageLimit = 4096
    private static let byteLimit = 1 << 20
    private static let descriptorLimit = 256
    private static let attempts = 4

    private var waiting: [Outgoing] = []
    /// Acknowledgements of what came from there: waiting for one must not wait for the other.
    private var urgent: [Outgoing] = []
    private var underWay: Outgoing?
    private var failures = 0
    private var bytes = 0
    private var descriptors = 0

    package init() {}

    package var isEmpty: Bool { waiting.isEmpty && urgent.isEmpty && underWay == nil }

    /// False: it is full, and the message was not added.
    package mutating func add(_ message: Outgoing, isUrgent: Bool = false) -> Bool {
        guard waiting.count + urgent.count < Self.messageLimit, bytes + message.line.count <= Self.byteLimit,
            message.descriptor == nil || descriptors < Self.descriptorLimit
        else { return false }
        bytes += message.line.count
        if message.descriptor != nil { descriptors += 1 }
        if isUrgent { urgent.append(message) } else { waiting.append(message) }
        return true
    }

    /// What is to be sent now; nil while there is nothing, or an acknowledgement is waited for.
    package var next: Outgoing? { urgent.first ?? (underWay == nil ? waiting.first : nil) }

    /// `next` went out.
    package mutating func sent() {
        guard let message = next else { return }
        if urgent.isEmpty { waiting.removeFirst() } else { urgent.removeFirst() }
        bytes -= message.line.count
        if message.descriptor != nil { underWay = message }
    }

    /// The descriptor arrived. Returns ours of it, to be closed; nil: none was under way.
    package mutating func acknowledged() -> Int32? {
        failures = 0
        guard let message = underWay else { return nil }
        underWay = nil
        descriptors -= 1
        return message.descriptor
    }

    /// The descriptor got lost. It is sent again, three times; then it is given back to be closed.
    package mutating func refused() -> Int32? {
        guard let message = underWay else { return nil }
        failures += 1
        if failures >= Self.attempts { return acknowledged() }
        underWay = nil
        bytes += message.line.count
        waiting.insert(message, at: 0)
        return nil
    }

    /// All descriptors, to be closed.
    package mutating func removeAll() -> [Int32] {
        let descriptors = (urgent + waiting + (underWay.map { [$0] } ?? [])).compactMap(\.descriptor)
        self = Outbox()
        return descriptors
    }
}
