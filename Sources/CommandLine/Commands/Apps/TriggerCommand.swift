import ArgumentParser
import Configuration
import Control
import Model
import PM2Format

struct TriggerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trigger", abstract: "Ask apps for one of their actions, and print what they answer.",
        discussion: "'hearth show APP' lists the actions that an app has.")

    @Argument(help: "An id, a name, a namespace, 'all' or '/regular expression/'.")
    var selector: String

    @Argument(help: "The name of the action.")
    var action: String

    @Argument(help: "A text for the action.")
    var parameters: String?

    @Option(help: ArgumentHelp("How long to wait for answers (default: 30s).", valueName: "time"))
    var wait: String?

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let selectors = try Selection.expandFiles([selector])
        var failures: [ActionResult] = []
        var problem: (any Error)?
        try Session(common).stream(
            .trigger,
            TriggerParameters(
                selectors: selectors, action: action, parameters: parameters, timeout: try patience(),
                origin: Session.origin("trigger", selectors + [action])), as: TriggerReply.self
        ) { reply in
            failures += reply.results.filter { !$0.ok }
            do { try reply.answer.map(write) } catch { problem = error }
            return problem == nil
        }
        if let problem { throw problem }
        try Reporting.finish(failures)
    }

    private func patience() throws -> Int {
        guard let wait else { return 30_000 }
        guard let time = TextValues.duration(wait), time.rawValue > 0 else {
            throw Failure.usage("'\(wait)' is not a time for --wait; write milliseconds, or 5s")
        }
        return Int(clamping: time.rawValue)
    }

    private func write(_ answer: ActionAnswer) throws {
        guard format.json else {
            let label = "'\(answer.name)' (id \(answer.id))"
            return try Output.line(Terminal.detect().escape("\(label): \(answer.value)"))
        }
        let value = (try? OrderedJSON.parse(Array(answer.value.utf8))) ?? .null
        try Output.line(
            OrderedJSON.object([
                "id": .integer(Int64(answer.id.rawValue)), "name": .string(answer.name),
                "namespace": .string(answer.namespace), "value": value,
            ]).compactText)
    }
}
