import ArgumentParser
import Control

struct UpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Start the daemon if there is none; it takes over what runs.")

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let hello = try Session(common).connectStarting().greet()
        if format.json { return try JSONOutput.write(hello) }
        try Output.line(DaemonText.state(hello))
    }
}
