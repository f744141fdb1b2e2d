import ArgumentParser
import Control

struct RestartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Stop apps and start them again; start those that are stopped.")

    @OptionGroup var targets: SelectorArguments

    @Flag(name: [.customShort("a"), .long], help: "Lay the caller's environment over the stored one.")
    var updateEnv = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let selectors = try targets.resolved()
        var runner = ActionRunner(common: common, format: format)
        runner.sparesJobs = selectors != targets.selectors
        try runner.run(.restart, selectors, verb: "restart", updatesEnvironment: updateEnv)
    }
}
