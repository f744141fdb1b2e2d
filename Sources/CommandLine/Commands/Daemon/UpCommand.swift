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

/// Sentences about the daemon.
enum DaemonText {
    static func state(_ hello: HelloReply) -> String {
        let keeper = hello.keeperPid.map { "keeper \($0)" } ?? "no keeper"
        let uptime = Quantities.duration(milliseconds: hello.uptimeMs)
        let state = hello.ready ? "is running" : "is taking over what runs"
        let home = DisplayText.escape(hello.home, unicode: true)
        return "hearthd \(hello.version) \(state) (pid \(hello.pid), \(keeper), up \(uptime), home '\(home)')"
    }
}
