import CLinux
import Control
import Glibc
import Model
import Platform
import Records

/// One drill: what it works with, and what it has seen so far.
final class Drill {
    /// An instance as it was before the blow.
    struct Subject {
        var entry: InventoryEntry
        /// nil: it did not run.
        var process: ProcessIdentity?
        /// Its place among the entries of its name: ids change when a list of PM2's comes back.
        var key: Key

        struct Key: Hashable {
            var name: String
            var place: Int
        }

        var id: InstanceID { entry.instance.id }
        var name: String { entry.instance.name }
    }

    let session: Session
    /// How long the whole may take to recover, in milliseconds.
    let patience: Int64
    /// Asked besides what the apps' own descriptions name.
    let givenChecks: [HealthCheck]
    var outcome: DrillOutcome
    private(set) var subjects: [Subject] = []
    private(set) var checks: [HealthCheck] = []
    /// What was done and seen, with milliseconds since 1970: the evidence of a report.
    private(set) var steps: [(at: Int64, text: String)] = []
    private let begun = clinux_boottime_ns()
    private var blow: Int64?

    init(_ session: Session, _ level: DrillOutcome.Level, checks: [HealthCheck], patience: Int64) {
        self.session = session
        self.patience = patience
        givenChecks = checks
        outcome = DrillOutcome(level: level)
    }

    // MARK: - Time

    func note(_ text: String) { steps.append((SystemClock.wallClock(), text)) }

    /// From here on time counts.
    func strike(_ text: String) {
        blow = clinux_boottime_ns()
        note(text)
    }

    /// Since the blow.
    var elapsed: Int64 { blow.map { (clinux_boottime_ns() - $0) / 1_000_000 } ?? 0 }

    var isOverdue: Bool { elapsed > patience }

    func finish() { outcome.tookMs = (clinux_boottime_ns() - begun) / 1_000_000 }

    // MARK: - Before

    /// Looks at all apps; those that `takesPart` says are asked for their health.
    func look(takesPart: (InventoryEntry) -> Bool = { _ in true }) throws {
        let inventory: InventoryReply = try session.read(.inventory, SelectorParameters(selectors: []))
        let keys = Self.keys(of: inventory.entries.map(\.instance))
        subjects = inventory.entries.compactMap { entry in
            keys[entry.instance.id].map { key in
                Subject(
                    entry: entry, process: entry.instance.pid.flatMap { ProcessIdentity.current(of: $0) }, key: key)
            }
        }
        let own = inventory.entries.filter(takesPart).flatMap { $0.spec.checks ?? [] }
        // Instances of one app name the same: each is asked once.
        for check in own.compactMap({ try? HealthCheck(parsing: $0) }) + givenChecks where !checks.contains(check) {
            checks.append(check)
        }
        let running = subjects.filter { $0.process != nil }.count
        note("\(Reporting.count(subjects.count, "app")) in the list, \(running) running")
    }

    func askBefore() {
        guard !checks.isEmpty else { return }
        let answers = HealthProbe().ask(checks)
        outcome.checks = zip(checks, answers).map { check, answer in
            DrillOutcome.Check(
                url: check.url, expected: check.expected, before: answer.status, after: nil, failure: answer.failure)
        }
        note("health asked: \(goodAnswers(\.before)) of \(checks.count) as expected")
    }

    // MARK: - After

    /// - Parameter waits: an app that was ended may take its time to listen; one that was not has none.
    func askAfter(waits: Bool) {
        guard !checks.isEmpty else { return }
        while true {
            let open = outcome.checks.indices.filter { outcome.checks[$0].after != outcome.checks[$0].expected }
            for (index, answer) in zip(open, HealthProbe().ask(open.map { checks[$0] })) {
                outcome.checks[index].after = answer.status
                outcome.checks[index].failure = answer.failure
            }
            guard waits, !isOverdue, goodAnswers(\.after) < checks.count else { break }
            usleep(50_000)
        }
        note("health asked again: \(goodAnswers(\.after)) of \(checks.count) as expected")
    }

    private func goodAnswers(_ when: KeyPath<DrillOutcome.Check, Int?>) -> Int {
        outcome.checks.filter { $0[keyPath: when] == $0.expected }.count
    }

    private static func keys(of instances: [InstanceView]) -> [InstanceID: Subject.Key] {
        var counts: [String: Int] = [:]
        var keys: [InstanceID: Subject.Key] = [:]
        for instance in instances.sorted(by: { $0.id < $1.id }) {
            keys[instance.id] = Subject.Key(name: instance.name, place: counts[instance.name, default: 0])
            counts[instance.name, default: 0] += 1
        }
        return keys
    }

    /// Asks the daemon for all apps again and again, until each is settled by `judge` or time is over.
    ///
    /// - Parameter judge: an outcome, or nil: look again.
    func follow(
        _ judge: (Subject, InstanceView) -> DrillOutcome.App?, late: (Subject, InstanceView?) -> DrillOutcome.App
    )
        throws
    {
        var done: [InstanceID: DrillOutcome.App] = [:]
        var last: [Subject.Key: InstanceView] = [:]
        while done.count < subjects.count {
            let list = try session.read(.list, SelectorParameters(selectors: []), as: ListReply.self).instances
            let keys = Self.keys(of: list)
            last = Dictionary(list.compactMap { view in keys[view.id].map { ($0, view) } }) { first, _ in first }
            for subject in subjects where done[subject.id] == nil {
                guard let view = last[subject.key] else { continue }
                done[subject.id] = judge(subject, view)
            }
            guard done.count < subjects.count, !isOverdue else { break }
            usleep(10_000)
        }
        outcome.apps = subjects.map { done[$0.id] ?? late($0, last[$0.key]) }
    }
}

extension Drill.Subject {
    /// What becomes of it, so far without a fault.
    func result(_ view: InstanceView?, recoveredMs: Int64?, problem: String? = nil) -> DrillOutcome.App {
        DrillOutcome.App(
            id: id, name: name, pidBefore: process?.pid, pidAfter: view?.pid, recoveredMs: recoveredMs,
            status: view?.status ?? .stopped, problem: problem)
    }
}
