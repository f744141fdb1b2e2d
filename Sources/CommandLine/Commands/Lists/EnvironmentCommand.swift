import ArgumentParser
import Control
import Model

struct EnvironmentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "env", abstract: "Print the environment that an app is started with.",
        discussion: "Values that look secret (by name, or a password in a URL) are printed as ******.")

    @Argument(help: "Id or name.")
    var app: String

    @Flag(help: "Say of each variable where it comes from: shell, a file, app or hearth.")
    var origin = false

    @Flag(help: "Print secret values, too.")
    var reveal = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    /// As printed with `--json`.
    private struct Printed: Encodable {
        struct Variable: Encodable {
            var name: String
            var value: String
            var origin: String
            var redacted: Bool
        }

        var id: InstanceID
        var name: String
        var variables: [Variable]
    }

    func run() throws {
        let reply: EnvironmentReply = try Session(common).read(.environment, SelectorParameters(selectors: [app]))
        let variables = reply.variables.map { variable in
            let hidden = reveal ? nil : Secrets.redacted(variable.name, variable.value)
            return Printed.Variable(
                name: variable.name, value: hidden ?? variable.value, origin: variable.origin, redacted: hidden != nil)
        }
        if format.json {
            return try JSONOutput.write(Printed(id: reply.id, name: reply.name, variables: variables))
        }
        let terminal = Terminal.detect()
        for variable in variables {
            let source = origin ? "  \(terminal.paint("# " + terminal.escape(variable.origin), .dim))" : ""
            try Output.line(
                "\(terminal.paint(terminal.escape(variable.name), .cyan))=\(terminal.escape(variable.value))\(source)")
        }
    }
}
