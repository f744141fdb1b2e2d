import Foundation
import Synchronization
import Testing

/// Runs the tests of a suite on threads of their own.
///
/// They spend their time waiting for processes, and Swift Testing has no more threads than the machine has processors:
/// on two of them everything would wait one after the other.
struct WaitingTests: SuiteTrait, TestTrait, TestScoping {
    let isRecursive = true

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        try await withTaskExecutorPreference(WaitingThreads.shared) { try await function() }
    }
}

extension Trait where Self == WaitingTests {
    /// The tests wait more than they work.
    static var waiting: Self { Self() }
}

/// A few threads for work that blocks.
final class WaitingThreads: TaskExecutor {
    /// More would only make each other late.
    private static let count = 6

    static let shared = WaitingThreads()
    private let jobs = Mutex<[UnownedJob]>([])
    private let waiting = DispatchSemaphore(value: 0)

    private init() {
        for _ in 0..<Self.count { Thread { self.run() }.start() }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        waiting.signal()
    }

    private func run() {
        while true {
            waiting.wait()
            let job = jobs.withLock { $0.removeFirst() }
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}
