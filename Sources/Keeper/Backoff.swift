/// Delays in milliseconds between tries, growing until a daemon is ready.
struct Backoff {
    private static let firstAttempt: Int64 = 20
    private static let lastAttempt: Int64 = 1_000
    private static let firstStart: Int64 = 50
    private static let lastStart: Int64 = 30_000

    private var attempt = firstAttempt
    private var start = firstStart

    /// Before another look at the lock and the vault socket. That costs nothing, so it is short.
    mutating func nextAttempt() -> Int64 {
        defer { attempt = min(attempt * 2, Self.lastAttempt) }
        return attempt
    }

    /// Before another daemon, after one that died without having been ready: its successor may die of the same.
    mutating func nextStart() -> Int64 {
        defer { start = min(start * 2, Self.lastStart) }
        return start
    }

    mutating func reset() { self = Backoff() }
}
