import CLinux
import Glibc
import Platform
import Synchronization

/// Looks that may hang (a dead network disk, a process that is stuck in the kernel), each on a thread of its own, all
/// within one deadline. One that does not come back is left behind; the process ends without it.
enum BoundedLooks {
    private final class Results<Value: Sendable>: Sendable {
        let values: Mutex<[Int: Value]> = Mutex([:])
    }

    /// What each gave, in their order; nil: not within the time.
    static func all<Value: Sendable>(
        within milliseconds: Int, _ looks: [@Sendable () -> Value]
    ) -> [Value?] {
        let results = Results<Value>()
        let done = clinux_eventfd()
        guard done >= 0 else { return looks.map { $0() } }
        let pool = WorkerPool(name: "doctor", limit: looks.count)
        for (index, look) in looks.enumerated() {
            pool.submit {
                let value = look()
                results.values.withLock { $0[index] = value }
                var one: UInt64 = 1
                // Not closed below: a late one must not write into another descriptor of this number.
                _ = write(done, &one, 8)
            }
        }
        let deadline = clinux_boottime_ns() + Int64(milliseconds) * 1_000_000
        while true {
            let count = results.values.withLock { $0.count }
            let left = (deadline - clinux_boottime_ns()) / 1_000_000
            guard count < looks.count, left > 0 else { break }
            var entry = pollfd(fd: done, events: Int16(POLLIN), revents: 0)
            if poll(&entry, 1, Int32(clamping: left)) > 0 {
                var sum: UInt64 = 0
                _ = read(done, &sum, 8)
            }
        }
        return results.values.withLock { values in looks.indices.map { values[$0] } }
    }

    static func one<Value: Sendable>(within milliseconds: Int, _ look: @escaping @Sendable () -> Value) -> Value? {
        all(within: milliseconds, [look]).first.flatMap { $0 }
    }
}
