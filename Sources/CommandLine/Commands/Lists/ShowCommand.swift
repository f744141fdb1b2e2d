import ArgumentParser
import Control
import Model

struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything about apps.", aliases: ["describe", "info", "desc"])

    @OptionGroup var targets: SelectorArguments
    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let session = try Session(common)
        let selectors = try targets.resolved()
        let (details, absence) = try Reading.run(session) {
            try session.read(.show, SelectorParameters(selectors: selectors), as: ShowReply.self).details
        } offline: { home in
            try home.selected(selectors).map(home.detail)
        }
        if format.json {
            try JSONOutput.write(details)
        } else {
            let terminal = Terminal.detect()
            let blocks = details.map { DetailBlock.make($0).render(terminal) }
            try Output.write(blocks.joined(separator: "\n"))
        }
        try Reading.finish(absence)
    }
}
