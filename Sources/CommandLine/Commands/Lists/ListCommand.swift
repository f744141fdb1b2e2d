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
        let session = try Session(common)
        let selectors = try targets.resolved()
        let (reply, absence) = try Reading.run(session) {
            try session.read(.list, SelectorParameters(selectors: selectors), as: ListReply.self)
        } offline: { home in
            ListReply(instances: try home.selected(selectors).map(home.view), notes: [])
        }
        if format.json {
            try JSONOutput.write(reply.instances)
        } else if reply.instances.isEmpty {
            try Output.line("no apps; start one with 'hearth start app.js'")
        } else {
            try Output.write(ListTable.render(reply.instances, Terminal.detect()))
        }
        for note in reply.notes { Output.complain(note) }
        try Reading.finish(absence)
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
