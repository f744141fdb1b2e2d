import Control
import Glibc
import Model
import Platform
import Records

/// A drill as a document for a colleague: what was done, when, what was seen, and what it means.
struct DrillReport {
    let outcome: DrillOutcome
    let steps: [(at: Int64, text: String)]
    let paths: HomePaths
    /// The command, as it was typed.
    let command: String

    func render() -> String {
        var lines = [
            "# \(Self.title(outcome.level)): \(outcome.ok ? "passed" : "FAILED")", "",
            DrillText(outcome: outcome, terminal: Terminal(columns: 300, color: false, unicode: true)).verdict + ".",
            "",
            "| | |", "|---|---|",
            row("Date", Quantities.timestamp(milliseconds: SystemClock.wallClock())),
            row("Machine", Self.machine()), row("User", UserNames.name(of: geteuid())), row("Home", paths.home),
            row("Command", "`\(command)`"), row("Hearth", Interface.productVersion), "",
            "## What was proved", "", Self.claim(outcome.level), "", "## What was done", "",
        ]
        lines += steps.map { "- \(Self.time($0.at)): \(Self.cell($0.text))" }
        lines += ["", "## Apps", ""] + apps
        if !outcome.checks.isEmpty { lines += ["", "## Health", ""] + checks }
        let problems = outcome.problems + outcome.apps.compactMap { app in app.problem.map { "\(app.name): \($0)" } }
        if !problems.isEmpty { lines += ["", "## Problems", ""] + problems.map { "- " + Self.cell($0) } }
        let differences = outcome.apps.flatMap { app in app.differences.map { "\(app.name): \($0)" } }
        if !differences.isEmpty {
            lines += ["", "## What a boot would make otherwise", ""] + differences.map { "- " + Self.cell($0) }
        }
        if !outcome.notes.isEmpty { lines += ["", "## Notes", ""] + outcome.notes.map { "- " + Self.cell($0) } }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func title(_ level: DrillOutcome.Level) -> String {
        switch level {
        case .daemon: "Death of the process manager"
        case .app: "Death of an app"
        case .resurrect: "Everything stopped and brought back"
        case .boot: "Rehearsal of a boot"
        }
    }

    private static func claim(_ level: DrillOutcome.Level) -> String {
        switch level {
        case .daemon:
            "hearthd and its keeper were killed with SIGKILL at the same moment. An app passes when the same process "
                + "(pid and start time) runs on and the new daemon knows it."
        case .app:
            "One process of an app was killed with SIGKILL. It passes when another one is online in its place; every other "
                + "app passes when it runs on untouched."
        case .resurrect:
            "All apps and the daemon were stopped, and started again from what is stored on disk. An app that ran passes when "
                + "a new process of it is online."
        case .boot:
            "Nothing was stopped or started. Everything that a start after a boot needs was looked up in the environment that "
                + "the start will have: user, working directory, program, interpreter, env files, log directory. An app passes "
                + "when all of it is there."
        }
    }

    private var apps: [String] {
        let isBoot = outcome.level == .boot
        var lines =
            isBoot
            ? ["| id | app | pid | status | |", "|--:|---|--:|---|---|"]
            : ["| id | app | pid before | pid after | recovered | status | |", "|--:|---|--:|--:|--:|---|---|"]
        for app in outcome.apps {
            let after = isBoot ? "" : " \(Self.number(app.pidAfter)) | \(app.recoveredMs.map { "\($0) ms" } ?? "") |"
            lines.append(
                "| \(app.id) | \(Self.cell(app.name)) | \(Self.number(app.pidBefore)) |\(after) \(app.status.rawValue) | "
                    + "\(app.problem == nil ? "ok" : "**failed**") |")
        }
        return lines
    }

    private var checks: [String] {
        ["| URL | expected | before | after | |", "|---|--:|--:|--:|---|"]
            + outcome.checks.map { check in
                "| \(Self.cell(check.url)) | \(check.expected) | \(Self.number(check.before)) | "
                    + "\(outcome.level == .boot ? "not asked" : Self.number(check.after)) | "
                    + "\(outcome.isGood(check) ? "ok" : "**failed** \(Self.cell(check.failure ?? ""))") |"
            }
    }

    private func row(_ name: String, _ value: String) -> String { "| \(name) | \(Self.cell(value)) |" }

    private static func number<Number: BinaryInteger>(_ value: Number?) -> String { value.map { "\($0)" } ?? "none" }

    /// What stands in a table and a list must not end it.
    private static func cell(_ text: String) -> String {
        let line = String(text.map { $0.isNewline || $0.asciiValue.map { $0 < 0x20 } ?? false ? " " : $0 })
        return line.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }

    /// `18:22:31.045`
    private static func time(_ milliseconds: Int64) -> String {
        let (_, time, fraction) = SystemClock.local(milliseconds)
        return "\(time).\(fraction)"
    }

    private static func machine() -> String {
        var names = utsname()
        guard uname(&names) == 0 else { return "unknown" }
        func text<Field>(_ field: Field) -> String {
            withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        return "\(text(names.nodename)), Linux \(text(names.release))"
    }
}
