import ArgumentParser
import Control

struct SnapshotsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshots", abstract: "Saved lists of apps: show them, compare them, go back.",
        subcommands: [List.self, Diff.self, Undo.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Show all snapshots, the newest last.", aliases: ["ls"])

        @OptionGroup var format: FormatOptions
        @OptionGroup var common: CommonOptions

        func run() throws {
            let reply: SnapshotsReply = try Session(common).read(.snapshots, NoParameters())
            if format.json { return try JSONOutput.write(reply.snapshots) }
            guard !reply.snapshots.isEmpty else { return try Output.line("no snapshots; make one with 'hearth save'") }
            try Output.write(SnapshotText.table(reply.snapshots).render(Terminal.detect()))
        }
    }

    struct Diff: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "diff",
            abstract: "Show what differs between two snapshots, or a snapshot and the present list.")

        @Argument(help: "Name of the older snapshot.")
        var from: String

        @Argument(help: "Name of the newer one (default: the present list).")
        var to: String?

        @OptionGroup var format: FormatOptions
        @OptionGroup var common: CommonOptions

        func run() throws {
            let reply: CompareReply = try Session(common).read(.compare, CompareParameters(from: from, to: to))
            if format.json { return try JSONOutput.write(reply.differences) }
            try Output.write(SnapshotText.differences(reply.differences, Terminal.detect()))
        }
    }

    struct Undo: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "undo", abstract: "Go back to the list before the last change, or to a named snapshot.")

        @Argument(help: "Name of a snapshot (default: the list before the last change).")
        var name: String?

        @OptionGroup var format: FormatOptions
        @OptionGroup var common: CommonOptions

        func run() throws {
            let origin = Session.origin("snapshots undo", [name].compactMap { $0 })
            let reply: UndoReply = try Session(common).change(
                .undo, SnapshotParameters(name: name, origin: origin),
                // Without a name a second undo would be a step further back, or forward again.
                repeats: name != nil, deadline: Session.Deadline.stopping)
            if format.json {
                try JSONOutput.write(reply)
            } else {
                let terminal = Terminal.detect()
                try Output.write(SnapshotText.differences(reply.differences, terminal))
                try Reporting.table(reply.instances)
            }
            Reporting.warnUnlessDurable(reply.durable, reply.notDurableReason)
        }
    }
}
