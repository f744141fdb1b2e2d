import ArgumentParser
import Control

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show all apps.", aliases: ["ls", "l", "ps", "status"])

    @OptionGroup var targets: OptionalSelectorArguments
    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        try ListRunner(session: try Session(common), json: format.json).run(try targets.resolved())
    }
}
