import ArgumentParser
import Control

struct PingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ping", abstract: "Ask the daemon whether it is there. Exit code 3: no daemon; 4: no answer.")

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let hello = try Session(common).connect().greet()
        if format.json { return try JSONOutput.write(hello) }
        try Output.line("pong: \(DaemonText.state(hello))")
    }
}
