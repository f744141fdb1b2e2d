import ArgumentParser
import Control

struct ResurrectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resurrect", abstract: "Start what 'kill' ended, and what a snapshot has and the list has not.")

    @Argument(help: "Name of the snapshot (default: the last).")
    var name: String?

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let origin = Session.origin("resurrect", [name].compactMap { $0 })
        let reply: ResurrectReply = try Session(common).change(
            .resurrect, SnapshotParameters(name: name, origin: origin), repeats: true)
        if format.json { try JSONOutput.write(reply) } else { try Reporting.table(reply.instances) }
        for note in reply.notes { Output.complain(note) }
        Reporting.warnUnlessDurable(reply.durable, reply.notDurableReason)
    }
}
