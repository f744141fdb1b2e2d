internal import CLinux
import Model

/// One timer on the wall clock, for what is due at a time of day. When somebody sets the clock it fires, too.
///
/// A timer of the loop counts elapsed time: after the clock was set it would fire at the wrong hour.
package final class WallTimer {
    package enum Firing: Sendable {
        case due
        /// The clock was set: what is due when has to be computed again.
        case clockWasSet
    }

    private let loop: EventLoop
    private let descriptor: Int32
    private let fired: (Firing) -> Void
    private var armedFor: Int64 = 0

    /// - Parameter fired: called on the loop. The timer is disarmed then.
    package init(_ loop: EventLoop, fired: @escaping (Firing) -> Void) throws(SystemError) {
        self.loop = loop
        self.fired = fired
        descriptor = try checked(clinux_wall_timerfd(), "create a timer descriptor")
        try loop.watch(descriptor, .readable) { [unowned self] _ in
            let outcome = clinux_wall_timerfd_read(self.descriptor)
            guard outcome != 0 else { return }
            self.armedFor = 0
            fired(outcome < 0 ? .clockWasSet : .due)
        }
    }

    /// - Parameter moment: milliseconds since 1970; nil: never. A moment that has passed is due at once.
    package func arm(for moment: Int64?) {
        let due = moment.map { moment -> Int64 in
            let (product, overflow) = moment.multipliedReportingOverflow(by: 1_000_000)
            return overflow ? .max : max(1, product)
        }
        guard (due ?? 0) != armedFor else { return }
        armedFor = due ?? 0
        if clinux_wall_timerfd_set(descriptor, armedFor) == 1 {
            loop.schedule(after: Milliseconds(0)) { [weak self] in
                self?.armedFor = 0
                self?.fired(.clockWasSet)
            }
        }
    }
}
