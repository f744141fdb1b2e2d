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
