import ArgumentParser
import Control

struct DeleteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Stop apps and remove them from the list. Log files stay.", aliases: ["del"])

    @OptionGroup var targets: SelectorArguments
    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        try ActionRunner(common: common, format: format)
            .run(.delete, try targets.resolved(), verb: "delete", table: false)
    }
}
