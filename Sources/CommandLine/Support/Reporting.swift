import Control
import Model

/// What commands that change something say at their end.
enum Reporting {
    static func table(_ instances: [InstanceView]) throws {
        guard !instances.isEmpty else { return }
        try Output.write(ListTable.render(instances, Terminal.detect()))
    }

    static func warnUnlessDurable(_ durable: Bool, _ reason: String?) {
        guard !durable else { return }
        Output.complain(
            "warning: the change is in effect, and will not survive a restart of the machine: "
                + (reason ?? "the list could not be written to disk"))
    }

    /// Every failure on standard error; ends with exit code 1 if there is one.
    static func finish(_ results: [ActionResult]) throws {
        let failures = results.filter { !$0.ok }
        guard !failures.isEmpty else { return }
        // What a new process said last stands in lines of its own.
        let lines = failures.flatMap { "\(label($0)): \($0.message)".split(separator: "\n").map(String.init) }
        throw Failure(.failed, lines: lines)
    }

    /// What was done to whom, for commands after which a table says too little.
    static func lines(_ results: [ActionResult]) throws {
        let terminal = Terminal.detect()
        for result in results where result.ok {
            try Output.line(terminal.escape("\(label(result)): \(result.message)"))
        }
    }

    /// `'api' (id 3)`, or the selector that meant nobody.
    static func label(_ result: ActionResult) -> String {
        result.id.map { "'\(result.name)' (id \($0))" } ?? "'\(result.name)'"
    }

    static func count(_ number: Int, _ singular: String) -> String {
        number == 1 ? "1 \(singular)" : "\(number) \(singular)s"
    }
}
