import ArgumentParser
import Control

struct KillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill", abstract: "Stop all apps and the daemon.",
        discussion: "'hearth resurrect' brings the apps back. Without a daemon, what its records name is stopped.")

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let session = try Session(common)
        let (reply, hadDaemon) = try Self.stopEverything(session, origin: Session.origin("kill"))
        if format.json { return try JSONOutput.write(reply) }
        let apps = Reporting.count(reply.stopped, "app")
        try Output.line(hadDaemon ? "stopped \(apps) and the daemon" : "no daemon was running; stopped \(apps)")
    }

    /// Stops every app, and the daemon if there is one; else what its records name.
    static func stopEverything(_ session: Session, origin: String) throws -> (reply: KillReply, hadDaemon: Bool) {
        do {
            return (try online(session, origin), true)
        } catch ClientError.noDaemon {
            return (try offline(session), false)
        }
    }

    private static func online(_ session: Session, _ origin: String) throws -> KillReply {
        let client = try session.connect()
        let reply: KillReply
        do {
            reply = try client.call(
                .kill, OriginParameters(origin: origin), as: KillReply.self, kind: .changing,
                deadline: Session.Deadline.stopping)
        } catch ClientError.connectionLost {
            // It died before it was done: the next one knows what was asked for, or there is none.
            return try session.change(
                .kill, OriginParameters(origin: origin), repeats: true,
                deadline: Session.Deadline.stopping)
        }
        guard client.waitForEnd(milliseconds: 5000) else {
            throw Failure(.failed, "the apps are stopped; the daemon (pid \(client.peer.pid)) is still there after 5 s")
        }
        return reply
    }

    private static func offline(_ session: Session) throws -> KillReply {
        let home = OfflineHome(paths: session.paths, absence: .noDaemon)
        for note in home.notes { Output.complain(note) }
        guard !home.desired.isEmpty else { return KillReply(stopped: 0) }
        try HomeOwner(paths: session.paths).requireOwn()
        return KillReply(stopped: try OfflineStop(home: home).run())
    }
}
