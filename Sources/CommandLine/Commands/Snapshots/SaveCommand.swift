import ArgumentParser
import Control
import DisplayText

struct SaveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "save", abstract: "Save the list of apps under a name; 'resurrect' brings it back.",
        aliases: ["dump"])

    @Argument(help: "Name of the snapshot (default: the time).")
    var name: String?

    @Flag(name: [.customShort("f"), .long], help: "Save although the list is empty or incomplete.")
    var force = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let origin = Session.origin("save", [name].compactMap { $0 })
        let reply: SaveReply = try Session(common).change(
            .save, SaveParameters(name: name, force: force, origin: origin), repeats: true)
        if format.json { return try JSONOutput.write(reply.snapshot) }
        let snapshot = reply.snapshot
        try Output.line(
            "saved \(Reporting.count(snapshot.apps, "app")) as '\(DisplayText.escape(snapshot.name, unicode: true))'")
    }
}
