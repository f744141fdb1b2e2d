import ArgumentParser
import Configuration
import Control

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
