import ArgumentParser
import Control
import Model

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
