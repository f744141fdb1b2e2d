import ArgumentParser
import Control

struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Replace the processes of apps without an interruption.",
        discussion: """
            A new process is started beside the old one. When it has shown that it can serve (it listens, says that it is
            ready, or has lived for min_uptime), the old one is drained and stopped; when it fails, the old one goes on
            and the exit code is 1. This is possible for Node apps in cluster mode, for apps whose sockets Hearth holds
            ('listen'), and for those with 'reload: overlap'. Others are stopped and started.
            """)

    @OptionGroup var targets: SelectorArguments

    @Flag(name: [.customShort("a"), .long], help: "Lay the caller's environment over the stored one.")
    var updateEnv = false

    @OptionGroup var parallel: ParallelOption
    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        var runner = ActionRunner(common: common, format: format)
        runner.parallel = try parallel.checked()
        try runner.run(.reload, try targets.resolved(), verb: "reload", updatesEnvironment: updateEnv)
    }
}

struct ParallelOption: ParsableArguments {
    @Option(
        help: ArgumentHelp("Replace so many instances of an app at the same time (default: 1).", valueName: "n"))
    var parallel: Int?

    /// - Throws: `Failure` for a number that makes no sense.
    func checked() throws -> Int? {
        guard let parallel, !(1...1024).contains(parallel) else { return parallel }
        throw Failure.usage("'\(parallel)' instances at the same time are not possible; write 1 to 1024")
    }
}
