import DisplayText
import Model

/// A drill's outcome for a person at a terminal.
struct DrillText {
    let outcome: DrillOutcome
    let terminal: Terminal

    /// More apps than this are told one by one only where something is wrong.
    private static let manyApps = 20

    func render() -> String {
        var text = ""
        if !shownApps.isEmpty { text += apps.render(terminal) }
        let hidden = outcome.apps.count - shownApps.count
        if hidden > 0 { text += "and \(Reporting.count(hidden, "app")) more, all as \(expected)\n" }
        if !outcome.checks.isEmpty { text += checks.render(terminal) }
        for problem in appProblems + outcome.problems { text += line("problem", .red, problem) }
        for app in outcome.apps {
            for difference in app.differences { text += line("differs", .yellow, "\(app.name): \(difference)") }
        }
        for note in outcome.notes { text += line("note", .dim, note) }
        return text + terminal.paint(verdict, outcome.ok ? .green : .red) + "\n"
    }

    /// One sentence for the whole.
    var verdict: String {
        let running = outcome.apps.filter { $0.pidBefore != nil }.count
        let good = outcome.apps.filter { $0.pidBefore != nil && $0.problem == nil }.count
        let asked =
            outcome.checks.isEmpty
            ? "" : ", \(outcome.checks.filter(outcome.isGood).count) of \(outcome.checks.count) health checks good"
        let slowest = outcome.apps.compactMap(\.recoveredMs).max()
        let time = slowest.map { ", all within \($0) ms" } ?? ""
        let what: String =
            switch outcome.level {
            case .daemon: "\(good) of \(running) running apps kept their process\(outcome.ok ? time : "")"
            case .app: slowest.map { "back after \($0) ms" } ?? "not back"
            case .resurrect: "\(good) of \(running) running apps came back\(outcome.ok ? time : "")"
            case .boot:
                "\(outcome.apps.filter { $0.problem == nil }.count) of \(outcome.apps.count) apps would come back after a boot"
            }
        return "drill \(outcome.level.rawValue): \(outcome.ok ? "passed" : "FAILED"): \(what)\(asked)"
    }

    private var expected: String {
        switch outcome.level {
        case .daemon: "before"
        case .app: "before"
        case .resurrect: "they should be"
        case .boot: "they should be"
        }
    }

    private var appProblems: [String] {
        outcome.apps.compactMap { app in app.problem.map { "\(app.name) (id \(app.id)): \($0)" } }
    }

    private func line(_ label: String, _ style: Terminal.Style, _ text: String) -> String {
        terminal.paint(label, style) + ": " + terminal.escape(text) + "\n"
    }

    private var shownApps: [DrillOutcome.App] {
        guard outcome.apps.count > Self.manyApps else { return outcome.apps }
        return outcome.apps.filter {
            $0.problem != nil || !$0.differences.isEmpty || outcome.level == .app && $0.recoveredMs != nil
        }
    }

    private var apps: Table {
        func cells(_ text: (DrillOutcome.App) -> String, _ style: (DrillOutcome.App) -> Terminal.Style? = { _ in nil })
            -> [Table.Cell]
        {
            shownApps.map { .init(text($0), style($0)) }
        }
        func number<Number: BinaryInteger>(_ value: Number?) -> String { value.map { "\($0)" } ?? "-" }
        var columns = [
            Table.Column("id", dropRank: 3, cells: cells { $0.id.description }),
            Table.Column("name", dropRank: 0, minimum: 12, cells: cells { $0.name }),
            Table.Column("pid before", dropRank: 0, alignsRight: true, cells: cells { number($0.pidBefore) }),
        ]
        if outcome.level != .boot {
            columns += [
                Table.Column("pid after", dropRank: 0, alignsRight: true, cells: cells { number($0.pidAfter) }),
                Table.Column("ms", dropRank: 1, alignsRight: true, cells: cells { number($0.recoveredMs) }),
            ]
        }
        columns.append(
            Table.Column(
                "", dropRank: 0,
                cells: cells {
                    $0.problem == nil ? "ok" : "FAILED"
                } _: {
                    $0.problem == nil ? .green : .red
                }))
        return Table(columns: columns)
    }

    private var checks: Table {
        func answer(_ status: Int?) -> String { status.map { "\($0)" } ?? "none" }
        func cells(_ text: (DrillOutcome.Check) -> String) -> [Table.Cell] {
            outcome.checks.map { .init(text($0), outcome.isGood($0) ? nil : .red) }
        }
        var columns = [
            Table.Column("url", dropRank: 0, minimum: 20, cells: cells { $0.url }),
            Table.Column("expected", dropRank: 2, alignsRight: true, cells: cells { "\($0.expected)" }),
            Table.Column(outcome.level == .boot ? "now" : "before", dropRank: 0, cells: cells { answer($0.before) }),
        ]
        if outcome.level != .boot {
            columns.append(Table.Column("after", dropRank: 0, cells: cells { answer($0.after) }))
        }
        columns.append(
            Table.Column("", dropRank: 1, minimum: 10, cells: cells { outcome.isGood($0) ? "" : $0.failure ?? "" }))
        return Table(columns: columns)
    }
}
