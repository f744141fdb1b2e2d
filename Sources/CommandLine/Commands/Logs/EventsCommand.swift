import ArgumentParser
import Control

struct EventsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Print what happens, as it happens, one line each. Ends on Ctrl-C.")

    @OptionGroup var targets: OptionalSelectorArguments

    @Option(help: ArgumentHelp("Print so many of the last events first.", valueName: "n"))
    var replay: Int?

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        if let replay, replay < 0 { throw Failure.usage("--replay: expected a number, 0 or more, found '\(replay)'") }
        let session = try Session(common)
        let terminal = Terminal.detect()
        let parameters = EventsParameters(replay: replay, selectors: try targets.resolved())
        var failure: (any Error)?
        try session.connect().stream(.events, parameters, as: EventReply.self) { reply in
            do {
                if format.json {
                    try JSONOutput.writeLine(reply.event)
                } else {
                    try Output.line(Self.text(reply.event, terminal))
                }
                return true
            } catch {
                failure = error
                return false
            }
        }
        if let failure { throw failure }
    }

    static func text(_ event: EventView, _ terminal: Terminal) -> String {
        var text = terminal.paint(Quantities.timestamp(milliseconds: event.at), .dim)
        let padding = String(repeating: " ", count: max(0, 13 - event.kind.count))
        text += "  " + terminal.paint(terminal.escape(event.kind), style(of: event.kind)) + padding
        if let name = event.name {
            let id = event.id.map { "\($0)|" } ?? ""
            text += " " + terminal.paint(terminal.escape("\(id)\(name)"), .bold)
        }
        return text + " " + terminal.escape(event.message)
    }

    private static func style(of kind: String) -> Terminal.Style? {
        switch kind {
        case "online", "adopted": .green
        case "errored", "port-conflict": .red
        case "exit", "waiting": .yellow
        default: nil
        }
    }
}
