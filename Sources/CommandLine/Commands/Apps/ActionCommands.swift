import ArgumentParser
import Control
import Model

/// Performs one action on everything that the selectors mean, and shows what came of it.
struct ActionRunner {
    let common: CommonOptions
    let format: FormatOptions

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
                origin: Session.origin(verb, selectors)),
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
    private static func isNoteworthy(_ message: String) -> Bool { message.hasPrefix("already") }
}

struct StopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop apps; they stay in the list.",
        discussion: "The whole process tree gets the app's kill signal, and SIGKILL after its kill timeout.")

    @OptionGroup var targets: SelectorArguments
    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        try ActionRunner(common: common, format: format).run(.stop, try targets.resolved(), verb: "stop")
    }
}

struct RestartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Stop apps and start them again; start those that are stopped.")

    @OptionGroup var targets: SelectorArguments

    @Flag(name: [.customShort("a"), .long], help: "Lay the caller's environment over the stored one.")
    var updateEnv = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        try ActionRunner(common: common, format: format)
            .run(.restart, try targets.resolved(), verb: "restart", updatesEnvironment: updateEnv)
    }
}

struct DeleteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Stop apps and remove them from the list. Log files stay.", aliases: ["del"])

    @OptionGroup var targets: SelectorArguments
    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        try ActionRunner(common: common, format: format)
            .run(.delete, try targets.resolved(), verb: "delete", table: false)
    }
}

struct ResetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Set the restart counters of apps to zero.")

    @OptionGroup var targets: SelectorArguments
    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        try ActionRunner(common: common, format: format).run(.reset, try targets.resolved(), verb: "reset")
    }
}

struct FlushCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "flush", abstract: "Empty the log files of apps.")

    @OptionGroup var targets: OptionalSelectorArguments
    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let selectors = try targets.resolved()
        try ActionRunner(common: common, format: format)
            .run(.flush, selectors.isEmpty ? ["all"] : selectors, verb: "flush", table: false)
    }
}
