import ArgumentParser
import Control

struct DaemonCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "daemon", abstract: "The daemon itself.", subcommands: [Status.self, Detach.self],
        defaultSubcommand: Status.self)

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status", abstract: "Show the daemon's version, pid, keeper and uptime.")

        @OptionGroup var format: FormatOptions
        @OptionGroup var common: CommonOptions

        func run() throws {
            let hello = try Session(common).connect().greet()
            if format.json { return try JSONOutput.write(hello) }
            try Output.line(DaemonText.state(hello))
        }
    }

    struct Detach: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "detach",
            abstract: "End daemon and keeper, leave the apps running; 'hearth up' takes them back.")

        @OptionGroup var format: FormatOptions
        @OptionGroup var common: CommonOptions

        func run() throws {
            let session = try Session(common)
            let client = try session.connect()
            let reply = try client.call(
                .detach, OriginParameters(origin: Session.origin("daemon detach")), as: DetachReply.self,
                kind: .changing,
                deadline: Session.Deadline.ordinary)
            let isGone = client.waitForEnd(milliseconds: 5000)
            if format.json {
                try JSONOutput.write(reply)
            } else {
                let apps = Reporting.count(reply.running, "app")
                try Output.line("daemon and keeper have ended; \(apps) left running")
            }
            if !isGone { throw Failure(.failed, "the daemon (pid \(client.peer.pid)) is still there after 5 s") }
        }
    }
}
