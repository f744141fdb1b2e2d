import Model
import Platform

/// Waits for the next sign of life of one app.
///
/// The time runs while this daemon reads. A daemon that was stopped itself, or a machine that slept, is no reason to
/// blame the app: it looks twice in each period, and whoever notices that it comes late begins the period anew.
final class WatchdogTimer {
    private let loop: EventLoop
    private(set) var period: Milliseconds?
    private var token: EventLoop.TimerToken?
    private var deadline = Instant(milliseconds: 0)
    private var isStarted = false

    var onMissed: (() -> Void)?
    /// Takes note of signs that have come and were not seen yet.
    var beforeVerdict: (() -> Void)?
    /// Whether there is a reason not to count the time.
    var isHeld: (() -> Bool)?

    /// - Parameter period: nil or 0: nothing is waited for.
    init(_ loop: EventLoop, period: Milliseconds?) {
        self.loop = loop
        self.period = period
    }

    func start() {
        isStarted = true
        heard()
    }

    func stop() {
        isStarted = false
        if let token { loop.cancel(token) }
        token = nil
    }

    /// The sign has come. The timer is left as it is: it looks at the deadline when it is due.
    func heard() {
        guard isStarted, let period, period > Milliseconds(0) else { return }
        deadline = SystemClock.now().advanced(by: period)
        if token == nil { look() }
    }

    func change(to period: Milliseconds) {
        self.period = period
        if let token { loop.cancel(token) }
        token = nil
        heard()
    }

    private var half: Milliseconds { Milliseconds(max(1, (period?.rawValue ?? 0) / 2)) }

    private func look() {
        let next = min(deadline, SystemClock.now().advanced(by: half))
        token = loop.schedule(at: next) { [weak self] in self?.due(at: next) }
    }

    private func due(at time: Instant) {
        token = nil
        let lateness = SystemClock.now().since(time)
        beforeVerdict?()
        // What was heard may have stopped it, or begun a new round.
        guard isStarted, token == nil else { return }
        if lateness.rawValue > half.rawValue / 2 || isHeld?() == true { return heard() }
        if SystemClock.now() < deadline { return look() }
        isStarted = false
        onMissed?()
    }
}
