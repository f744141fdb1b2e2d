import ArgumentParser
import FoundationEssentials

/// Prints the manual page, made from the same descriptions as the help: `make install` calls it.
struct ManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate-manual", abstract: "Print the manual page hearth(1).", shouldDisplay: false)

    func run() throws {
        let dump = try JSONDecoder().decode(ManualPage.Dump.self, from: Data(Hearth._dumpHelp().utf8))
        try Output.write(ManualPage.render(dump.command))
    }
}
