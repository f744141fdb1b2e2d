import CLinux
import Model
import Platform

/// Gives memory back when the daemon has become quiet: a start, or a list of a thousand apps, touches much that is not
/// needed again for hours.
final class MemoryHousekeeping {
    private static let quiet = Milliseconds(1000)

    private let loop: EventLoop
    private var isArmed = false
    private var hadActivity = false

    init(_ loop: EventLoop) { self.loop = loop }

    /// Something was done; a second after the last time, memory is given back, once.
    func noteActivity() {
        hadActivity = true
        guard !isArmed else { return }
        isArmed = true
        arm()
    }

    private func arm() {
        hadActivity = false
        loop.schedule(after: Self.quiet) { [unowned self] in
            if self.hadActivity { return self.arm() }
            self.isArmed = false
            clinux_release_memory()
        }
    }
}
