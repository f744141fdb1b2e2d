import ArgumentParser
import Configuration
import Platform
import Records

struct LogsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Show the last lines of logs and follow them; needs no daemon.",
        discussion: "'hearth logs hearthd' shows the daemon's own log. Ctrl-C ends.", aliases: ["log"])

    @OptionGroup var targets: OptionalSelectorArguments

    @Option(
        parsing: .unconditional, help: ArgumentHelp("So many last lines of each file (default: 15).", valueName: "n"))
    var lines: String?

    @Flag(help: "Only standard error.")
    var err = false

    @Flag(help: "Only standard output.")
    var out = false

    @Flag(name: [.customLong("nostream"), .customLong("no-stream")], help: "Do not follow.")
    var nostream = false

    @Flag(name: [.customShort("f"), .long], help: "Follow (the default).")
    var follow = false

    @Flag(help: "Only the text, without names; standard error goes to standard error.")
    var raw = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let paths = try common.paths()
        let count = try lineCount()
        let selectors = try targets.resolved()
        // As with PM2, --err wins over --out.
        let streams: Set<LogSource.Stream> = err ? [.error] : out ? [.out] : [.out, .error]
        let find = { try LogSource.find(selectors, in: paths, streams: streams) }
        let sources = try find()
        for note in DesiredStateFile.read(paths).notes { Output.complain(note) }

        var printer = LogPrinter(format: format.json ? .json : raw ? .raw : .prefixed, terminal: Terminal.detect())
        printer.prepare(for: sources)
        let follows = follow || !nostream
        let follower = try LogFollower(paths: paths, sink: printer, find: find)
        for source in sources { try showLast(count, of: source, follower, complete: follows) }
        guard follows else { return }
        if sources.isEmpty { Output.complain("no logs yet; waiting for the first app") }
        try follower.run()
    }

    private func lineCount() throws -> Int {
        guard let lines else { return 15 }
        guard let count = Int(lines), count != Int.min else {
            throw Failure.usage("--lines: expected a number, found '\(lines)'")
        }
        return abs(count)
    }

    /// Prints the last lines of a file.
    ///
    /// - Parameter complete: leave out a line that is not ended yet: following completes it.
    private func showLast(
        _ count: Int, of source: LogSource, _ follower: LogFollower<LogPrinter>, complete: Bool
    ) throws {
        let lines: [LogTail.Line]
        do {
            lines = try follower.take(source, history: count, complete: complete)
        } catch {
            return Output.complain("cannot read '\(source.path)': \(FileProbe.describe(error.errno))")
        }
        guard !lines.isEmpty else { return }
        try follower.sink.header(source, lines: count)
        try follower.sink.print(lines.map { $0.bytes[...] }, of: source)
    }
}
