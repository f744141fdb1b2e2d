import ArgumentParser
import Control

struct EnvironmentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "env", abstract: "Print the environment that an app is started with.")

    @Argument(help: "Id or name.")
    var app: String

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let reply: EnvironmentReply = try Session(common).read(.environment, SelectorParameters(selectors: [app]))
        if format.json { return try JSONOutput.write(reply) }
        let terminal = Terminal.detect()
        for variable in reply.variables {
            try Output.line(
                "\(terminal.paint(terminal.escape(variable.name), .cyan))=\(terminal.escape(variable.value))")
        }
    }
}
