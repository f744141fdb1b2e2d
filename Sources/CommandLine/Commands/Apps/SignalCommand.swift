import ArgumentParser
import Control
import Model

struct SignalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signal", abstract: "Send a signal to the main process of apps.", aliases: ["sendSignal"])

    @Argument(help: "A name or number: SIGHUP, hup, 1.")
    var signal: String

    @OptionGroup var targets: SelectorArguments
    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        guard let number = Signal(parsing: signal) else {
            throw Failure.usage("'\(signal)' is not a signal; write a name such as SIGHUP, or a number")
        }
        let selectors = try targets.resolved()
        let reply: SignalReply = try Session(common).change(
            .signal,
            SignalParameters(
                signal: number.description, selectors: selectors,
                origin: Session.origin("signal", [number.description] + selectors)),
            // Twice is not once: the daemon may have sent it before it went away.
            repeats: false)
        if format.json { try JSONOutput.write(reply) } else { try Reporting.lines(reply.results) }
        try Reporting.finish(reply.results)
    }
}
