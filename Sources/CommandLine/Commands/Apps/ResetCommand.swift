import ArgumentParser
import Control

struct ResetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Set the restart counters of apps to zero.")

    @OptionGroup var targets: SelectorArguments
    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        try ActionRunner(common: common, format: format).run(.reset, try targets.resolved(), verb: "reset")
    }
}
