import Control
import Model

/// What a drill showed. As JSON it is part of the interface (docs/drill.md).
struct DrillOutcome: Codable {
    enum Level: String, Codable {
        case daemon, app, resurrect, boot
    }

    /// One instance.
    struct App: Codable {
        var id: InstanceID
        var name: String
        var pidBefore: Int32?
        var pidAfter: Int32?
        /// From the blow until it ran (or was known) again.
        var recoveredMs: Int64?
        var status: Status
        /// What is wrong with it; nil: nothing.
        var problem: String?
        /// What will be otherwise after a boot, where that is no fault.
        var differences: [String] = []

        // Written by hand below: what is not known is null, and never missing.
        enum CodingKeys: String, CodingKey {
            case id, name, pidBefore, pidAfter, recoveredMs, status, problem, differences
        }
    }

    struct Check: Codable {
        var url: String
        var expected: Int
        /// Status; nil: no answer.
        var before: Int?
        var after: Int?
        /// Why there is no status, of the later question.
        var failure: String?

        enum CodingKeys: String, CodingKey {
            case url, expected, before, after, failure
        }
    }

    var level: Level
    var apps: [App] = []
    var checks: [Check] = []
    /// What is wrong and no single app's.
    var problems: [String] = []
    /// What a person should know; nothing is wrong with it.
    var notes: [String] = []
    var tookMs: Int64 = 0

    enum CodingKeys: String, CodingKey {
        case level, apps, checks, problems, notes, tookMs
    }

    var ok: Bool {
        problems.isEmpty && apps.allSatisfy { $0.problem == nil } && checks.allSatisfy(isGood)
    }

    /// In a rehearsal nothing happens between two questions: one is enough.
    func isGood(_ check: Check) -> Bool {
        check.before == check.expected && (level == .boot || check.after == check.expected)
    }
}

extension DrillOutcome {
    private enum Verdict: String, CodingKey {
        case ok
    }

    func encode(to encoder: any Encoder) throws {
        var verdict = encoder.container(keyedBy: Verdict.self)
        try verdict.encode(ok, forKey: .ok)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(level, forKey: .level)
        try container.encode(apps, forKey: .apps)
        try container.encode(checks, forKey: .checks)
        try container.encode(problems, forKey: .problems)
        try container.encode(notes, forKey: .notes)
        try container.encode(tookMs, forKey: .tookMs)
    }
}

extension DrillOutcome.App {
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(name, forKey: .name)
        try container.encode(pidBefore, forKey: .pidBefore)
        try container.encode(pidAfter, forKey: .pidAfter)
        try container.encode(recoveredMs, forKey: .recoveredMs)
        try container.encode(status, forKey: .status)
        try container.encode(problem, forKey: .problem)
        try container.encode(differences, forKey: .differences)
    }
}

extension DrillOutcome.Check {
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(url, forKey: .url)
        try container.encode(expected, forKey: .expected)
        try container.encode(before, forKey: .before)
        try container.encode(after, forKey: .after)
        try container.encode(failure, forKey: .failure)
    }
}
