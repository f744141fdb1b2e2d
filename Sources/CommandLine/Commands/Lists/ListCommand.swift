import ArgumentParser
import Control
import Model

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show all apps.", aliases: ["ls", "l", "ps", "status"])

    @OptionGroup var targets: OptionalSelectorArguments
    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        try ListRunner(session: try Session(common), json: format.json).run(try targets.resolved())
    }
}

/// The work of `list`.
struct ListRunner {
    let session: Session
    let json: Bool

    func run(_ selectors: [String]) throws {
        let (reply, absence) = try Reading.run(session) {
            try session.read(.list, SelectorParameters(selectors: selectors), as: ListReply.self)
        } offline: { home in
            ListReply(instances: try home.selected(selectors).map(home.view), notes: [])
        }
        if json {
            try JSONOutput.write(reply.instances)
        } else if reply.instances.isEmpty {
            try Output.line("no apps; start one with 'hearth start app.js'")
        } else {
            try Output.write(ListTable.render(reply.instances, Terminal.detect()))
        }
        for note in reply.notes { Output.complain(note) }
        try Reading.finish(absence)
    }

    /// The plain forms of `list`, which scripts and status bars call all the time, without the argument parser: it takes
    /// a third of the time of the whole command. Nil: the parser has to look at it.
    static func plain(_ arguments: [String]) throws -> ListRunner? {
        guard let command = arguments.first, command == "list" || ListCommand.configuration.aliases.contains(command)
        else { return nil }
        var json = false
        var home: String?
        var rest = arguments.dropFirst()
        while let word = rest.popFirst() {
            if word == "--json" {
                json = true
            } else if word == "--home", home == nil, let path = rest.first, !path.hasPrefix("-") {
                home = path
                rest = rest.dropFirst()
            } else {
                return nil
            }
        }
        let session = Session(paths: try CommonOptions.paths(home: home), timeout: CommonOptions.defaultTimeout)
        return ListRunner(session: session, json: json)
    }
}

struct PidCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pid", abstract: "Print the pids of apps, one a line; 0 for one that does not run.")

    @OptionGroup var targets: OptionalSelectorArguments
    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    private struct Entry: Encodable {
        var id: UInt32
        var name: String
        var pid: Int32
    }

    func run() throws {
        let session = try Session(common)
        let selectors = try targets.resolved()
        let (instances, absence) = try Reading.run(session) {
            try session.read(.list, SelectorParameters(selectors: selectors), as: ListReply.self).instances
        } offline: { home in
            try home.selected(selectors).map(home.view)
        }
        let entries = instances.map { Entry(id: $0.id.rawValue, name: $0.name, pid: $0.pid ?? 0) }
        if format.json {
            try JSONOutput.write(entries)
        } else {
            try Output.write(entries.map { "\($0.pid)\n" }.joined())
        }
        try Reading.finish(absence)
    }
}

struct EnvironmentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "env", abstract: "Print the environment that an app is started with.")

    @Argument(help: "Id or name.")
    var app: String

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let reply: EnvironmentReply = try Session(common).read(.environment, SelectorParameters(selectors: [app]))
        if format.json { return try JSONOutput.write(reply) }
        let terminal = Terminal.detect()
        for variable in reply.variables {
            try Output.line(
                "\(terminal.paint(terminal.escape(variable.name), .cyan))=\(terminal.escape(variable.value))")
        }
    }
}
