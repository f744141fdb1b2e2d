import ArgumentParser
import Configuration
import Control
import Model

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Start apps and stay in the foreground: for containers.",
        usage: "hearth run [options] <operands> ... [-- <arguments of the app> ...]",
        discussion: """
            Their output is this command's output; SIGTERM or Ctrl-C stops them and ends it with 0, a second one kills \
            them. Starts a daemon of its own when there is none, and ends that too. Ends with 2 when nothing is online \
            any more.
            """)

    @OptionGroup var apps: StartCommand

    @Flag(help: "Only the text (default): errors go to standard error.")
    var raw = false

    @Flag(help: "Names in front of lines.")
    var formatted = false

    @Flag(name: .customLong("format"), help: "timestamp=… app=… id=… type=… message=…")
    var pairs = false

    @Option(
        help: ArgumentHelp("With --formatted: a time in front of lines, such as HH:mm:ss.", valueName: "pattern"))
    var timestamp: String?

    @Flag(help: "Go on when nothing is online.")
    var noAutoExit = false

    @Option(help: ArgumentHelp("Wait before the apps are started.", valueName: "time"))
    var delay: String?

    @Flag(help: "Use a home that another machine ran last, when that one does not use it any more.")
    var takeOver = false

    func run() throws {
        var options = ForegroundRun.Options()
        options.format = apps.format.json ? .json : pairs ? .pairs : formatted ? .prefixed : .raw
        options.timestamp = timestamp
        options.autoExit = !noAutoExit
        options.takesOver = takeOver
        options.origin = Session.origin("run", apps.operands)
        if let delay {
            guard let time = TextValues.duration(delay) else {
                throw Failure.usage("--delay: expected a time: milliseconds, or 5s, found '\(delay)'")
            }
            options.delay = time.rawValue
        }
        let code = try ForegroundRun(try Session(apps.common), options) { start in
            let started = try apps.start(start.session, replaces: start.ownsDaemon, announce: start.announce)
            for note in started.notes { Output.complain(note) }
            for failure in started.results where !failure.ok {
                Output.complain("\(Reporting.label(failure)): \(failure.message)")
            }
            return started.instances.map(\.id)
        }.run()
        // 2 has a meaning of its own here, which is PM2's (docs/containers.md); everything was said.
        if code != 0 { throw Failure(code == ForegroundRun.nothingOnline ? .usage : .failed, lines: []) }
    }
}
