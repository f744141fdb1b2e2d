import ArgumentParser
import Configuration
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

struct ScaleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale", abstract: "Set or change the number of instances of an app.",
        discussion: "hearth scale api 4, hearth scale api +2, hearth scale api -1")

    @Argument(help: "Name of the app.")
    var name: String

    @Argument(help: ArgumentHelp("Number of instances, +N or -N.", valueName: "count"))
    var count: String?

    /// `-1` looks like an option to the parser: the entry point rewrites it to this.
    @Option(help: .hidden)
    var by: String?

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        guard let text = by ?? count else {
            throw Failure.usage("the number of instances is missing; write N, +N or -N")
        }
        guard let number = Int(text), abs(number) <= InstanceCount.limit else {
            throw Failure.usage("'\(text)' is not a number of instances; write N, +N or -N")
        }
        let isRelative = text.hasPrefix("+") || text.hasPrefix("-")
        let reply: InstancesReply = try Session(common).change(
            .scale,
            ScaleParameters(
                name: name, count: isRelative ? nil : number, change: isRelative ? number : nil,
                origin: Session.origin("scale", [name, text])),
            repeats: !isRelative, deadline: Session.Deadline.stopping)
        if format.json { try JSONOutput.write(reply) } else { try Reporting.table(reply.instances) }
        Reporting.warnUnlessDurable(reply.durable, reply.notDurableReason)
    }
}
