/// A socket that Hearth holds for an app, so that it outlives every process of it.
package struct ListenSpec: Codable, Hashable, Sendable {
    /// Unique within the app: LISTEN_FDNAMES, `{fd:NAME}`.
    package var name: String
    package var address: ListenAddress
    /// Connections that may wait; nil: 511.
    package var backlog: Int?
    /// Bound with SO_REUSEPORT from the start, for programs that bind to the same port themselves.
    package var reusePort: Bool?
    /// Permissions of a unix socket's file; nil: 0660.
    package var mode: UInt32?

    package init(
        name: String, address: ListenAddress, backlog: Int? = nil, reusePort: Bool? = nil, mode: UInt32? = nil
    ) {
        self.name = name
        self.address = address
        self.backlog = backlog
        self.reusePort = reusePort
        self.mode = mode
    }
}

/// Where a held socket listens.
package enum ListenAddress: Codable, Hashable, Sendable {
    /// `host`: an address, or nil for every one of the machine (IPv6 and IPv4). `port` 0: any free one.
    case tcp(host: String?, port: Int)
    /// An absolute path.
    case unix(path: String)
}

/// How a Node worker that is to end gives up its keep-alive connections.
package struct DrainPolicy: Codable, Hashable, Sendable {
    /// Hearth's preload is loaded into the app (`node -r`).
    package var isOn: Bool
    /// How long idle connections stay open so that a request under way to them is still answered; nil: 300 ms.
    package var grace: Milliseconds?

    package static let usualGrace = Milliseconds(300)

    package init(isOn: Bool = true, grace: Milliseconds? = nil) {
        self.isOn = isOn
        self.grace = grace
    }
}

/// How `reload` replaces the processes of an app.
package struct ReloadPolicy: Codable, Hashable, Sendable {
    /// The new process may run beside the old one although Hearth does not hold its sockets: the app binds with
    /// SO_REUSEPORT, or listens to nothing.
    package var overlaps: Bool
    /// Instances that are replaced at the same time; nil: 1.
    package var parallel: Int?

    package init(overlaps: Bool = false, parallel: Int? = nil) {
        self.overlaps = overlaps
        self.parallel = parallel
    }
}
