/// Decides when there is nothing left to be in the foreground for.
struct AutoExit: Hashable {
    enum Verdict: Hashable {
        case goOn
        /// Nothing runs; it is looked again, so many times.
        case warn(retries: Int)
        /// Nothing runs, and this was the last look.
        case end
    }

    static let retries = 3
    private var left = Self.retries

    /// - Parameter alive: apps that are online or launching.
    mutating func look(alive: Int) -> Verdict {
        guard alive == 0 else {
            left = Self.retries
            return .goOn
        }
        guard left > 0 else { return .end }
        defer { left -= 1 }
        return .warn(retries: left)
    }
}
