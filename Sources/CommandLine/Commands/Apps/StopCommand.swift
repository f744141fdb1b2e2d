import ArgumentParser
import Control

struct StopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop apps; they stay in the list.",
        discussion: "The whole process tree gets the app's kill signal, and SIGKILL after its kill timeout.")

    @OptionGroup var targets: SelectorArguments
    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        try ActionRunner(common: common, format: format).run(.stop, try targets.resolved(), verb: "stop")
    }
}
