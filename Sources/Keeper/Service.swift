import CLinux

/// What the service manager is told, when one started this keeper: that the daemon is ready, that the keeper lives, how
/// many apps are online. Nothing of it waits: what finds no room is sent again a little later.
struct Service {
    /// Milliseconds. The unit's WatchdogSec is six times this.
    private static let aliveInterval: Int64 = 10_000
    static let retryInterval: Int64 = 50

    /// When something is to be said next; nil: never, nobody listens.
    private(set) var due: Int64?
    private var aliveDue: Int64 = 0
    private var hasSaidReady = false
    private var online: UInt64 = 0
    private var wanted: UInt64 = 0
    private var errored: UInt64 = 0
    private var isCountNew = false

    init() { due = clinux_keeper_in_service() != 0 ? 0 : nil }

    mutating func counts(online: UInt64, wanted: UInt64, errored: UInt64) {
        self.online = online
        self.wanted = wanted
        self.errored = errored
        isCountNew = true
    }

    mutating func tell(isReady: Bool, at now: Int64) {
        guard due != nil else { return }
        var isComplete = true
        if aliveDue <= now {
            if clinux_keeper_notify_alive() != 0 { aliveDue = now + Self.aliveInterval } else { isComplete = false }
        }
        if isReady && !hasSaidReady {
            if clinux_keeper_notify_ready() != 0 { hasSaidReady = true } else { isComplete = false }
        }
        if isCountNew {
            if clinux_keeper_notify_counts(online, wanted, errored) != 0 {
                isCountNew = false
            } else {
                isComplete = false
            }
        }
        due = isComplete ? aliveDue : now + Self.retryInterval
    }
}
