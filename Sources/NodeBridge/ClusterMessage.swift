/// What a worker of Node's cluster says to its primary, as Node 18 to 24 do.
package enum ClusterMessage: Hashable, Sendable {
    case online
    /// It wants to listen, and waits for the socket.
    case query(ListenQuery)
    case listening
    /// It has closed the socket of that key.
    case close(key: String)
    /// The app let its worker disconnect; it waits for the answer.
    case exitedAfterDisconnect(sequence: Int)
    case other

    init?(_ line: UnsafeRawBufferPointer) {
        var query = ListenQuery()
        var act: String?
        var key: String?
        let isObject = JSONScanner.members(line) { name, value in
            if name.isString("act") {
                act = value.string
            } else if name.isString("key") {
                key = value.string
            } else {
                query.note(name, value)
            }
        }
        guard isObject else { return nil }
        switch act {
        case "online": self = .online
        case "queryServer": self = .query(query)
        case "listening": self = .listening
        case "close":
            guard let key else { return nil }
            self = .close(key: key)
        case "exitedAfterDisconnect": self = .exitedAfterDisconnect(sequence: query.sequence)
        default: self = .other
        }
    }
}

/// What a worker wants to listen on. The types of the fields vary from version to version: what is missing or of another
/// type is nil or zero.
package struct ListenQuery: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case tcp
        case udp
        /// `address` is a path.
        case pipe
        /// `descriptor` is the number of a descriptor.
        case descriptor
    }

    package var kind = Kind.descriptor
    package var address: String?
    package var port: Int?
    /// 4 or 6, as the address has it.
    package var family: Int?
    package var descriptor: Int?
    /// 1: IPv6 only; with UDP also 4: others may have the address.
    package var flags = 0
    package var backlog: Int?
    /// How many servers of the worker listened on the same address before.
    package var index = 0
    package var readableAll = false
    package var writableAll = false
    /// What the first worker says is said to all (the ticket keys of TLS); JSON text.
    package var data = "null"
    package var sequence = 0
    private var addressType = ""
    /// As it stands there: with UDP none is -1.
    private var statedDescriptor: Int?

    package init() {}

    /// Names the socket: the same for all workers that are to share it, unique within each.
    package var key: String {
        let place = [
            address ?? "null", port.map(String.init) ?? "null", addressType,
            statedDescriptor.map(String.init) ?? "",
        ]
        return place.joined(separator: ":") + ":\(index)"
    }

    fileprivate mutating func note(_ name: JSONSlice, _ value: JSONSlice) {
        if name.isString("address") {
            address = value.string
        } else if name.isString("port") {
            port = value.integer
        } else if name.isString("addressType") {
            note(addressType: value)
        } else if name.isString("fd") {
            statedDescriptor = value.integer
            descriptor = statedDescriptor.flatMap { $0 >= 0 ? $0 : nil }
        } else if name.isString("flags") {
            flags = value.integer ?? 0
        } else if name.isString("backlog") {
            backlog = value.integer.flatMap { $0 > 0 ? $0 : nil }
        } else if name.isString("index") {
            index = value.integer ?? 0
        } else if name.isString("readableAll") {
            readableAll = value.boolean ?? false
        } else if name.isString("writableAll") {
            writableAll = value.boolean ?? false
        } else if name.isString("data") {
            data = value.text
        } else if name.isString("seq") {
            sequence = value.integer ?? 0
        }
    }

    private mutating func note(addressType value: JSONSlice) {
        addressType = value.string ?? value.text
        switch addressType {
        case "4": (kind, family) = (.tcp, 4)
        case "6": (kind, family) = (.tcp, 6)
        case "udp4": (kind, family) = (.udp, 4)
        case "udp6": (kind, family) = (.udp, 6)
        case "-1": (kind, family) = (.pipe, nil)
        default: (kind, family) = (.descriptor, nil)
        }
    }
}
