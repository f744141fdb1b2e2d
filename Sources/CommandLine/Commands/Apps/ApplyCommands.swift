import ArgumentParser
import Configuration
import Control
import Model

/// What `plan`, `apply` and `validate` are given.
struct AppFileArguments: ParsableArguments {
    @Argument(help: "An app file, or '-' for standard input.", completion: .file())
    var file: String

    @Option(help: ArgumentHelp("Lay env_NAME of each app over its env.", valueName: "name"))
    var env: String?

    @Option(help: ArgumentHelp("Only these apps of the file: names, separated by commas.", valueName: "names"))
    var only: [String] = []

    func load() throws -> LoadedAppFile {
        try LoadedAppFile(path: file, environmentName: env, only: only)
    }
}

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show what 'apply' would change.",
        discussion: "Exit code 0: nothing would change. 10: something would.")

    @OptionGroup var arguments: AppFileArguments
    @Flag(help: "Also remove apps that this file had before and no longer has.") var prune = false
    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let file = try arguments.load()
        let plan = try ApplyRunner(session: try Session(common), file: file, prune: prune).plan()
        if format.json {
            try JSONOutput.write(plan.differences)
        } else {
            try ApplyRunner.show(plan)
        }
        ApplyRunner.complain(of: plan.leftOver)
        if !plan.isEmpty { throw Failure(.changes, lines: []) }
    }
}

struct ApplyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Make the list as an app file says, and do no more than that.",
        discussion: """
            Apps that are not in the list are started, those that differ are changed, the others are left alone. Instances
            of one app are replaced one after the other, each after the one before has shown that it runs; when it does not,
            the others stay as they are. Settings that a running process need not know of (restart policy, limits,
            schedules, watching) change without a restart. 'plan' shows it beforehand.

            Where 'reload' replaces processes without an interruption, so does this, and the change is taken back when the
            new process fails.
            """)

    @OptionGroup var arguments: AppFileArguments
    @Flag(help: "Also remove apps that this file had before and no longer has.") var prune = false
    @Flag(help: "Do not take a change back when a new process fails at a reload.") var keep = false
    @OptionGroup var parallel: ParallelOption
    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let file = try arguments.load()
        let runner = ApplyRunner(
            session: try Session(common), file: file, prune: prune, keep: keep, parallel: try parallel.checked())
        try runner.apply(json: format.json)
    }
}
