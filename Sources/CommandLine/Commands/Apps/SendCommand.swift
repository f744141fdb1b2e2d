import ArgumentParser
import Control
import Model

struct SendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Write a line to the standard input of apps, or a message to their channel.",
        aliases: ["sendLine"])

    @Argument(help: "An id, a name, a namespace, 'all' or '/regular expression/'.")
    var selector: String

    @Argument(help: "The line, without its newline.")
    var line: String?

    @Option(
        help: ArgumentHelp(
            "Instead of a line: a JSON value for the app's channel (process.on('message') in Node).", valueName: "json")
    )
    var message: String?

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        guard (line == nil) != (message == nil) else {
            throw Failure.usage("give either a line or --message, not \(line == nil ? "neither" : "both")")
        }
        let selectors = try Selection.expandFiles([selector])
        let reply: SendReply = try Session(common).change(
            .send,
            SendParameters(
                selectors: selectors, line: line, message: message, origin: Session.origin("send", selectors)),
            // Twice is not once: the app may have got it before the daemon went away.
            repeats: false)
        if format.json { try JSONOutput.write(reply) } else { try Reporting.lines(reply.results) }
        try Reporting.finish(reply.results)
    }
}
