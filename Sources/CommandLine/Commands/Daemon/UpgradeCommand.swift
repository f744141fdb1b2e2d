import ArgumentParser
import Configuration
import Control

struct UpgradeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Let the daemon go on as the installed (or a given) hearthd; apps never notice.")

    @Option(
        help: ArgumentHelp("The new hearthd (default: where the present one was started from).", valueName: "file"),
        completion: .file())
    var path: String?

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        var file = path
        if let path {
            guard let directory = CallerHome.workingDirectory() else {
                throw Failure(.failed, "the working directory is gone; give an absolute --path")
            }
            let full = Paths.absolute(path, base: directory, home: CallerHome.directory())
            guard FileProbe.kind(of: full) == .file, FileProbe.isExecutable(full) else {
                throw Failure(.failed, "'\(full)' is not an executable file; name a hearthd")
            }
            file = full
        }
        let session = try Session(common)
        let client = try session.connect()
        let before = try client.greet()
        let reply = try client.call(
            .upgrade, UpgradeParameters(path: file, origin: Session.origin("upgrade")), as: UpgradeReply.self,
            kind: .changing, deadline: Session.Deadline.ordinary)
        if format.json { return try JSONOutput.write(reply) }
        try Output.line("hearthd \(before.version) is now \(reply.version) (pid \(reply.pid))")
    }
}
