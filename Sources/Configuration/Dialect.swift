package import Model

/// Whose habits an app file and its defaults follow. It is data of the reader and the resolver: nothing else branches
/// on it.
package enum Dialect: Hashable, Sendable {
    case hearth
    case pm2
}

/// What an app gets that its description does not say.
package struct Defaults: Hashable, Sendable {
    package var stopSignal: Signal
    package var killTimeout: Milliseconds
    /// For an app that says when it is ready; nil: the usual time.
    package var readyTimeout: Milliseconds?
    /// After giving up: try again slowly.
    package var slowRetry: Bool
    /// A schedule starts a stopped app, too.
    package var scheduleStartsStopped: Bool

    /// - Parameter environment: where PM2's defaults can be changed (`PM2_KILL_SIGNAL`, `PM2_KILL_TIMEOUT`,
    ///   `PM2_GRACEFUL_LISTEN_TIMEOUT`).
    package init(_ dialect: Dialect, environment: [String: String] = [:]) {
        switch dialect {
        case .hearth:
            let stop = StopPolicy()
            stopSignal = stop.signal
            killTimeout = stop.killTimeout
            slowRetry = true
            scheduleStartsStopped = false
        case .pm2:
            stopSignal = environment["PM2_KILL_SIGNAL"].flatMap { Signal(parsing: $0) } ?? .int
            func time(_ name: String) -> Milliseconds? {
                environment[name].flatMap { Int64($0) }.flatMap { $0 > 0 ? Milliseconds($0) : nil }
            }
            killTimeout = time("PM2_KILL_TIMEOUT") ?? Milliseconds(1600)
            readyTimeout = time("PM2_GRACEFUL_LISTEN_TIMEOUT")
            slowRetry = false
            scheduleStartsStopped = true
        }
    }
}
