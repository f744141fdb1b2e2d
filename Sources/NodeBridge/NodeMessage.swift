/// What an app says on its channel: one JSON value on each line.
package enum NodeMessage: Hashable, Sendable {
    /// `"ready"`
    case ready
    /// `{"node_version": "22.1.0"}`
    case nodeVersion(String)
    /// `{"type": …, "data": …}`, both truthy: one of PM2's. `data` is JSON text.
    case packet(type: String, data: String)
    /// From a worker of Node's cluster to its primary.
    case cluster(ClusterMessage)
    /// Comes with a descriptor: Node sends no further one until it is acknowledged.
    case handle
    /// A descriptor of ours has arrived, or has not.
    case handleAcknowledged, handleRefused
    /// Another of Node's own: `cmd` begins with `NODE_`.
    case `internal`
    /// Anything else, as JSON text.
    case other(String)

    /// Nil: the line is no JSON.
    package init?(line: UnsafeRawBufferPointer) {
        var head = Head()
        let isObject = JSONScanner.members(line) { name, value in head.note(name, value) }
        guard isObject else {
            guard let value = JSONScanner.value(line) else { return nil }
            self = value.isString("ready") ? .ready : .other(value.text)
            return
        }
        switch head.command {
        case "NODE_CLUSTER": self = .cluster(ClusterMessage(line) ?? .other)
        case "NODE_HANDLE": self = .handle
        case "NODE_HANDLE_ACK": self = .handleAcknowledged
        case "NODE_HANDLE_NACK": self = .handleRefused
        case .some(let command) where command.hasPrefix("NODE_") && command != "NODE_": self = .internal
        default:
            if let type = head.type, let data = head.data?.text {
                self = .packet(type: type, data: data)
            } else if let version = head.version {
                self = .nodeVersion(version)
            } else {
                self = .other(String(decoding: line, as: UTF8.self))
            }
        }
    }

    /// What decides which message it is.
    private struct Head {
        var command: String?
        var type: String?
        var data: JSONSlice?
        var version: String?

        mutating func note(_ name: JSONSlice, _ value: JSONSlice) {
            if name.isString("cmd") {
                command = value.string
            } else if name.isString("type") {
                type = value.isTruthy ? value.string : nil
            } else if name.isString("data") {
                data = value.isTruthy ? value : nil
            } else if name.isString("node_version") {
                version = value.isTruthy ? value.string : nil
            }
        }
    }
}
