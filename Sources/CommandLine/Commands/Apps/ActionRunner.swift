import Control
import Model

/// Performs one action on everything that the selectors mean, and shows what came of it.
struct ActionRunner {
    let common: CommonOptions
    let format: FormatOptions
    /// Of a reload.
    var parallel: Int?
    /// An app file stands for the names in it, but does not name jobs.
    var sparesJobs = false

    func run(
        _ action: Action, _ selectors: [String], verb: String, updatesEnvironment: Bool = false, table: Bool = true
    ) throws {
        let session = try Session(common)
        let client = try session.connectStarting()
        var environment: [String: String]?
        if updatesEnvironment {
            guard !client.isForeign else {
                throw Failure(.notPermitted, "--update-env would give root's environment to another user's apps")
            }
            let own = CallerEnvironment.current()
            own.warn()
            environment = own.variables
        }
        let reply: ActReply = try session.change(
            .act,
            ActParameters(
                action: action, selectors: selectors, environment: environment, token: Session.makeToken(),
                origin: Session.origin(verb, selectors), parallel: parallel, sparesJobs: sparesJobs ? true : nil),
            repeats: true, deadline: Session.Deadline.stopping)
        if format.json {
            try JSONOutput.write(reply)
        } else if table {
            try Reporting.table(reply.instances)
            for result in reply.results where result.ok && Self.isNoteworthy(result.message) {
                Output.complain("\(Reporting.label(result)): \(result.message)")
            }
        } else {
            try Reporting.lines(reply.results)
        }
        Reporting.warnUnlessDurable(reply.durable, reply.notDurableReason)
        try Reporting.finish(reply.results)
    }

    /// `already running` must be said; `started` is in the table.
    private static func isNoteworthy(_ message: String) -> Bool {
        message.hasPrefix("already") || message.hasPrefix("stopped and started")
    }
}
