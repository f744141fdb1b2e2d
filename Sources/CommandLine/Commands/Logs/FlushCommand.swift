import ArgumentParser
import Control

struct FlushCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "flush", abstract: "Empty the log files of apps.")

    @OptionGroup var targets: OptionalSelectorArguments
    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let selectors = try targets.resolved()
        try ActionRunner(common: common, format: format)
            .run(.flush, selectors.isEmpty ? ["all"] : selectors, verb: "flush", table: false)
    }
}
