internal import CLinux
package import Model
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// One epoll loop on one thread: descriptors, timers, and results that other threads hand over.
///
/// Nothing here blocks but `epoll_wait`, and nothing polls: with no event due the thread sleeps. Everything belongs to
/// the loop's own thread; what may block is given to `offload`.
package final class EventLoop {
    package struct Interest: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let readable = Interest(rawValue: UInt32(CLINUX_READABLE))
        package static let writable = Interest(rawValue: UInt32(CLINUX_WRITABLE))
        /// Told once of what is new; `change` tells of what is there again.
        package static let edge = Interest(rawValue: UInt32(CLINUX_EDGE))
        /// Set by the kernel in what a handler gets; never asked for.
        package static let hangUp = Interest(rawValue: UInt32(CLINUX_HANGUP))
    }

    private struct Source {
        /// Tells a descriptor number that was closed and reused within one turn apart.
        let serial: UInt32
        let handler: (Interest) -> Void
    }

    private struct Timer {
        let due: Int64
        let token: UInt64
    }

    private let epoll: Int32
    private let timerDescriptor: Int32
    private let mailbox: Mailbox
    private var sources: [Int32: Source] = [:]
    private var nextSerial: UInt32 = 1
    private var timers: [UInt64: (due: Int64, action: () -> Void)] = [:]
    /// Binary heap by due time; cancelled timers stay in it until they come up.
    private var heap: [Timer] = []
    private var nextTimer: UInt64 = 1
    private var armedFor: Int64 = 0
    private var isRunning = false
    private var completions: [UInt64: (any Sendable) -> Void] = [:]
    private var nextTicket: UInt64 = 1

    package init() throws(SystemError) {
        epoll = try checked(clinux_epoll(), "create an epoll descriptor")
        timerDescriptor = try checked(clinux_timerfd(), "create a timer descriptor")
        mailbox = try Mailbox()
        try watch(timerDescriptor, .readable) { [unowned self] _ in self.timerFired() }
        try watch(mailbox.descriptor, .readable) { [unowned self] _ in self.collectResults() }
    }

    // MARK: Descriptors

    /// Calls `handler` whenever the descriptor is ready (level-triggered). The caller keeps owning the descriptor and
    /// calls `unwatch` before it closes it.
    package func watch(
        _ fd: Int32, _ interest: Interest, handler: @escaping (Interest) -> Void
    ) throws(SystemError) {
        let serial = nextSerial
        nextSerial &+= 1
        try checked(
            clinux_epoll_control(epoll, Self.add, fd, interest.rawValue, Self.data(fd, serial)),
            "watch descriptor \(fd)")
        sources[fd] = Source(serial: serial, handler: handler)
    }

    package func change(_ fd: Int32, to interest: Interest) {
        guard let source = sources[fd] else { return }
        _ = clinux_epoll_control(epoll, Self.modify, fd, interest.rawValue, Self.data(fd, source.serial))
    }

    package func unwatch(_ fd: Int32) {
        guard sources.removeValue(forKey: fd) != nil else { return }
        _ = clinux_epoll_control(epoll, Self.remove, fd, 0, 0)
    }

    // EPOLL_CTL_ADD, _DEL and _MOD.
    private static let add: Int32 = 1
    private static let remove: Int32 = 2
    private static let modify: Int32 = 3

    private static func data(_ fd: Int32, _ serial: UInt32) -> UInt64 {
        UInt64(UInt32(bitPattern: fd)) | UInt64(serial) << 32
    }

    // MARK: Timers

    package struct TimerToken: Hashable, Sendable {
        fileprivate let rawValue: UInt64
    }

    /// Runs `action` once at `instant` (CLOCK_BOOTTIME) or right after it.
    @discardableResult
    package func schedule(at instant: Instant, _ action: @escaping () -> Void) -> TimerToken {
        let (product, overflow) = instant.milliseconds.multipliedReportingOverflow(by: 1_000_000)
        let due = overflow ? Int64.max : max(1, product)
        let token = nextTimer
        nextTimer &+= 1
        timers[token] = (due, action)
        push(Timer(due: due, token: token))
        rearm()
        return TimerToken(rawValue: token)
    }

    @discardableResult
    package func schedule(after delay: Milliseconds, _ action: @escaping () -> Void) -> TimerToken {
        schedule(at: SystemClock.now().advanced(by: delay), action)
    }

    package func cancel(_ token: TimerToken) {
        timers.removeValue(forKey: token.rawValue)
        if timers.isEmpty { heap.removeAll() }
        rearm()
    }

    private func timerFired() {
        var expirations: UInt64 = 0
        _ = read(timerDescriptor, &expirations, 8)
        armedFor = 0
        let now = clinux_boottime_ns()
        while let first = heap.first, first.due <= now {
            pop()
            if let timer = timers.removeValue(forKey: first.token) { timer.action() }
        }
        rearm()
    }

    private func rearm() {
        while let first = heap.first, timers[first.token] == nil { pop() }
        let due = heap.first?.due ?? 0
        if due != armedFor {
            armedFor = due
            _ = clinux_timerfd_set(timerDescriptor, due)
        }
    }

    private func push(_ timer: Timer) {
        heap.append(timer)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if heap[parent].due <= heap[child].due { break }
            heap.swapAt(parent, child)
            child = parent
        }
    }

    private func pop() {
        guard let last = heap.popLast() else { return }
        if heap.isEmpty { return }
        heap[0] = last
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].due < heap[smallest].due { smallest = child }
            }
            if smallest == parent { return }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }

    // MARK: Work on other threads

    /// Runs `work` on a thread of `pool`, then `completion` with its result on this loop.
    package func offload<Result: Sendable>(
        to pool: WorkerPool, _ work: @escaping @Sendable () -> Result, then completion: @escaping (Result) -> Void
    ) {
        let ticket = nextTicket
        nextTicket &+= 1
        completions[ticket] = { result in
            // The ticket was handed out for this type a few lines above.
            if let result = result as? Result { completion(result) }
        }
        let mailbox = mailbox
        pool.submit { mailbox.deliver(ticket, work()) }
    }

    private func collectResults() {
        for (ticket, result) in mailbox.drain() {
            completions.removeValue(forKey: ticket)?(result)
        }
    }

    /// Where worker threads leave results for the loop.
    private final class Mailbox: Sendable {
        let descriptor: Int32
        private let results = Mutex<[(UInt64, any Sendable)]>([])

        init() throws(SystemError) {
            descriptor = try checked(clinux_eventfd(), "create an event descriptor")
        }

        deinit { _ = close(descriptor) }

        func deliver(_ ticket: UInt64, _ result: any Sendable) {
            let wasEmpty = results.withLock { results in
                results.append((ticket, result))
                return results.count == 1
            }
            if wasEmpty {
                var one: UInt64 = 1
                _ = write(descriptor, &one, 8)
            }
        }

        func drain() -> [(UInt64, any Sendable)] {
            var count: UInt64 = 0
            _ = read(descriptor, &count, 8)
            return results.withLock { results in
                let batch = results
                results = []
                return batch
            }
        }
    }

    // MARK: Running

    /// Serves events until `stop` is called.
    package func run() {
        isRunning = true
        // 64 events a turn: keeps a turn short; what is left comes at once in the next.
        var events = [clinux_ready](repeating: clinux_ready(), count: 64)
        while isRunning {
            let count = clinux_epoll_wait(epoll, &events, Int32(events.count), -1)
            if count < 0 { continue }
            for event in events[..<Int(count)] {
                let fd = Int32(bitPattern: UInt32(truncatingIfNeeded: event.data))
                let serial = UInt32(truncatingIfNeeded: event.data >> 32)
                guard let source = sources[fd], source.serial == serial else { continue }
                source.handler(Interest(rawValue: event.events))
                if !isRunning { break }
            }
        }
    }

    package func stop() { isRunning = false }
}
