internal import CLinux
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Threads that do what may block, in order of arrival: disk, /proc, and waiting for exec.
///
/// Threads are started when there is work and none is idle, up to `limit`, and then stay. A job that hangs (a dead
/// network disk) occupies one thread; the others go on.
package final class WorkerPool: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var head = 0
        var idle = 0
        var threads = 0
        var running = 0
    }

    private let name: String
    private let limit: Int
    private let yieldsToOthers: Bool
    private let state = Mutex(State())
    private let wakeUp = Semaphore()

    /// - Parameter yieldsToOthers: what it does is never urgent: it runs at a lower priority.
    package init(name: String, limit: Int = 1, yieldsToOthers: Bool = false) {
        self.name = name
        self.yieldsToOthers = yieldsToOthers
        self.limit = limit
    }

    package func submit(_ job: @escaping @Sendable () -> Void) {
        let startThread = state.withLock { state in
            state.jobs.append(job)
            let waiting = state.jobs.count - state.head
            guard waiting > state.idle, state.threads < limit else { return false }
            state.threads += 1
            return true
        }
        if startThread { start() }
        wakeUp.signal()
    }

    /// No job is waiting or running.
    package var isQuiet: Bool {
        state.withLock { $0.running == 0 && $0.head == $0.jobs.count }
    }

    private func start() {
        let entry = Unmanaged.passRetained(Entry { self.work() })
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        // 256 KiB: JSON encoding recurses little; untouched pages cost nothing.
        pthread_attr_setstacksize(&attributes, 256 << 10)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, &attributes,
            { raw in
                guard let raw else { return nil }
                Unmanaged<Entry>.fromOpaque(raw).takeRetainedValue().body()
                return nil
            }, entry.toOpaque())
        pthread_attr_destroy(&attributes)
        if failure != 0 {
            entry.release()
            state.withLock { $0.threads -= 1 }
        }
    }

    private func work() {
        clinux_name_thread(name)
        if yieldsToOthers { clinux_lower_thread_priority() }
        while true {
            state.withLock { $0.idle += 1 }
            wakeUp.wait()
            let job = state.withLock { state -> (@Sendable () -> Void)? in
                state.idle -= 1
                guard state.head < state.jobs.count else { return nil }
                let job = state.jobs[state.head]
                state.head += 1
                if state.head == state.jobs.count {
                    state.jobs.removeAll(keepingCapacity: true)
                    state.head = 0
                }
                state.running += 1
                return job
            }
            if let job {
                job()
                state.withLock { $0.running -= 1 }
            }
        }
    }

    private final class Entry {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }
}

/// A counting semaphore on a futex, by way of glibc.
private final class Semaphore: Sendable {
    // The pointer never changes and sem_t is made for use by several threads.
    private nonisolated(unsafe) let raw: UnsafeMutablePointer<sem_t>

    init() {
        raw = .allocate(capacity: 1)
        sem_init(raw, 0, 0)
    }

    deinit {
        sem_destroy(raw)
        raw.deallocate()
    }

    func signal() { sem_post(raw) }

    func wait() {
        while sem_wait(raw) != 0 {}
    }
}
