import ArgumentParser
import Configuration
import Control
import Glibc
import Model
import Records

struct DrillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drill", abstract: "Prove that apps survive: kill what may die, and look what becomes of them.",
        discussion: """
            hearth drill --daemon                       kill hearthd and keeper; the apps must not notice (safe)
            hearth drill --app api                      kill one process of an app; it must come back
            hearth drill --resurrect                    stop everything and bring it back (asks first)
            hearth drill --boot                         look whether everything would come back after a boot
            hearth drill --daemon --check http://127.0.0.1:3000/health --report drill.md
            """)

    @Flag(help: "SIGKILL to hearthd and its keeper: every app must keep its process.")
    var daemon = false

    @Option(help: ArgumentHelp("SIGKILL to one instance: it must come back.", valueName: "selector"))
    var app: String?

    @Flag(help: "Stop all apps and the daemon, and bring them back.")
    var resurrect = false

    @Flag(help: "Rehearse a boot without one: nothing is stopped or started.")
    var boot = false

    @Option(
        help: ArgumentHelp(
            "A URL that answers while all is well, before and after; with =301 another status than 200.",
            valueName: "url"))
    var check: [String] = []

    @Option(help: ArgumentHelp("Write the evidence into a Markdown file.", valueName: "file"), completion: .file())
    var report: String?

    @Flag(name: [.customShort("f"), .long], help: "Replace a report that is there.")
    var force = false

    @Option(help: ArgumentHelp("How long apps may take to come back (default: 60s).", valueName: "time"))
    var within: String?

    @Flag(name: [.customShort("y"), .long], help: "Do not ask before --resurrect.")
    var yes = false

    /// The rehearsal itself, in the environment and as the user of a start after a boot.
    @Flag(help: .hidden)
    var rehearsed = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let level = try level()
        let checks = try check.map { text throws -> HealthCheck in
            do throws(HealthCheck.Invalid) { return try HealthCheck(parsing: text) } catch {
                throw Failure.usage("--check: \(error.message)")
            }
        }
        let file = report.map { NewFile(path: $0, replaces: force) }
        try file?.check()
        let session = try Session(common)
        if level == .resurrect { try confirm(session) }

        let drill = Drill(session, level, checks: checks, patience: try patience())
        switch level {
        case .daemon: try DaemonDrill(drill: drill).run()
        case .app: try AppDrill(drill: drill, selector: app ?? "").run()
        case .resurrect: try ResurrectDrill(drill: drill).run()
        case .boot: try BootDrill(drill: drill, isRehearsed: rehearsed).run()
        }
        drill.finish()
        try show(drill, file, session)
        // Everything was said.
        if !drill.outcome.ok { throw Failure(.failed, lines: []) }
    }

    private func level() throws -> DrillOutcome.Level {
        var levels: [DrillOutcome.Level] = []
        if daemon { levels.append(.daemon) }
        if app != nil { levels.append(.app) }
        if resurrect { levels.append(.resurrect) }
        if boot { levels.append(.boot) }
        guard levels.count == 1, let level = levels.first else {
            throw Failure.usage(
                "give one of --daemon, --app NAME, --resurrect and --boot; 'hearth help drill' tells them")
        }
        return level
    }

    private func patience() throws -> Int64 {
        guard let within else { return 60_000 }
        // A day: more is a mistake.
        guard let time = TextValues.duration(within), (1...86_400_000).contains(time.rawValue) else {
            throw Failure.usage("'\(within)' is not a time for --within; write milliseconds, or 30s")
        }
        return time.rawValue
    }

    private func confirm(_ session: Session) throws {
        if yes { return }
        guard isatty(0) == 1, isatty(2) == 1 else {
            throw Failure.usage("--resurrect stops every app of '\(session.paths.home)'; give --yes when that is meant")
        }
        let question = "This stops every app of '\(session.paths.home)' and starts it again. Type yes to go on: "
        try Output.write(Array("hearth: \(question)".utf8), to: 2)
        guard readLine() == "yes" else { throw Failure(.failed, "nothing was done") }
    }

    private func show(_ drill: Drill, _ file: NewFile?, _ session: Session) throws {
        if format.json {
            try JSONOutput.write(drill.outcome)
        } else {
            try Output.write(DrillText(outcome: drill.outcome, terminal: Terminal.detect()).render())
        }
        guard let file else { return }
        let text = DrillReport(
            outcome: drill.outcome, steps: drill.steps, paths: session.paths, command: command(drill.outcome.level)
        ).render()
        try file.write(text, mode: 0o644)
        if !format.json { try Output.line("report: \(file.path)") }
    }

    private func command(_ level: DrillOutcome.Level) -> String {
        var words = ["hearth", "drill", "--\(level.rawValue)"]
        if let app { words.append(app) }
        for url in check { words += ["--check", url] }
        return words.joined(separator: " ")
    }
}
