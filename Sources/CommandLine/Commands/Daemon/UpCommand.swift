import ArgumentParser
import Control

struct UpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Start the daemon if there is none; it takes over what runs.")

    @Flag(help: "Use a home that another machine ran last, when that one does not use it any more.")
    var takeOver = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let hello = try Session(common).connectStarting(takeOver: takeOver).greet()
        if format.json { return try JSONOutput.write(hello) }
        try Output.line(DaemonText.state(hello))
    }
}
