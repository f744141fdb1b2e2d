/// Decides when to ask the daemon for a sign of life and when it counts as hung. Pure: time comes in.
///
/// The danger is the kill loop. Adopting 1,000 instances, a hung disk or a paused machine look like a hang, and every
/// successor would hang alike. Therefore: a long time for the start; only questions that were asked while the keeper
/// itself ran on time are counted; and each hang-kill doubles the patience with the next daemon.
struct Heartbeat {
    enum Action {
        case ask(serial: UInt64)
        case kill
    }

    /// First answer due 30 s after the start, at an interval of 5 s; the question goes out one interval before.
    private static let intervalsBeforeFirstQuestion: Int64 = 5
    private static let leastPatience = 3
    /// 10 min at an interval of 5 s.
    private static let mostPatience = 120
    /// An hour without a hang-kill brings the patience back to the least.
    private static let forgiveness: Int64 = 3_600_000

    /// Milliseconds.
    let interval: Int64
    /// When `tick` is to be called next.
    private(set) var due: Int64 = 0
    private var asked: UInt64 = 0
    private var answered: UInt64 = 0
    /// Questions in a row without an answer.
    private var missed = 0
    private var patience = leastPatience
    private var lastKill: Int64 = 0

    init(interval: Int64) { self.interval = interval }

    /// How long a starting daemon may be silent, also before its greeting.
    var startAllowance: Int64 { interval * (Self.intervalsBeforeFirstQuestion + 1) }

    /// Begins anew with a daemon that was started or attached just now.
    mutating func start(at now: Int64) {
        due = now + interval * Self.intervalsBeforeFirstQuestion
        answered = asked
        missed = 0
    }

    /// What the daemon answered. An answer that is late is a sign of life all the same.
    mutating func receiveAnswer(_ serial: UInt64) {
        guard serial <= asked, serial > answered else { return }
        answered = serial
        missed = 0
    }

    /// To be called when `due` has come, after all answers that wait were received.
    mutating func tick(at now: Int64) -> Action {
        let isLate = now - due >= 2 * interval
        due = now + interval
        if now - lastKill > Self.forgiveness { patience = Self.leastPatience }
        // A keeper that was stopped itself knows nothing about the time in between.
        missed = isLate || answered == asked ? 0 : missed + 1
        if missed >= patience {
            patience = min(patience * 2, Self.mostPatience)
            lastKill = now
            return .kill
        }
        asked += 1
        return .ask(serial: asked)
    }
}
