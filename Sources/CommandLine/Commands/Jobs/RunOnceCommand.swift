import ArgumentParser
import Configuration
import Control
import Model
import Platform

struct RunOnceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run-once", abstract: "Run a command once, apart from this terminal, and keep what it wrote.",
        usage: "hearth run-once [options] -- <command> [<arguments> ...]",
        discussion: """
            hearth run-once -- npm run migrate         goes on when you log out
            hearth run-once --wait -- ./backup.sh      its output here, its exit code is ours

            It stands in the list until it has ended, and a day longer (a week if it failed, the last 20 at most). It is \
            not started again, also not after a restart of the machine.
            """)

    /// What stood after `--`, as with `start`.
    @Option(name: .customLong("app-argument"), parsing: .unconditionalSingleValue, help: .hidden)
    var words: [String] = []

    @Argument(help: .hidden)
    var stray: [String] = []

    @Option(name: [.customShort("n"), .long], help: "Name of the run (default: the program's).")
    var name: String?

    @Option(
        help: ArgumentHelp("Working directory (default: the present one).", valueName: "dir"), completion: .directory)
    var cwd: String?

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A variable for the command, repeatable.", valueName: "key=value"))
    var env: [String] = []

    @Option(help: ArgumentHelp("Run as this user (root only).", valueName: "user"))
    var user: String?

    @Option(help: ArgumentHelp("Memory that it may use with all its children, such as 512M.", valueName: "size"))
    var memoryMax: String?

    @Option(
        name: .customLong("max-time"),
        help: ArgumentHelp("End it when it takes longer, such as 10m.", valueName: "time"))
    var maxTime: String?

    @Flag(help: "Show its output here, and end with its exit code.")
    var wait = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let session = try Session(common)
        let own = CallerEnvironment.current()
        var spec = try specification(environment: own.variables)
        let client = try session.connectStarting()
        if client.isForeign == false { own.warn() }
        try claimName(of: &spec, session)
        let files = OnceLogs(session.paths, name: spec.name)
        spec.output = OutputPolicy(outFile: files.out, errorFile: files.error, merge: true)
        let reply: InstancesReply = try session.change(
            .start,
            StartParameters(
                apps: [spec], environment: client.isForeign ? [:] : own.variables, token: Session.makeToken(),
                origin: Session.origin("run-once", [words.first ?? ""])),
            repeats: true)
        Reporting.warnUnlessDurable(reply.durable, reply.notDurableReason)
        guard let view = reply.instances.first else { throw Failure(.failed, "the daemon did not start it") }
        if wait { return try RunWait(session, files, streams: !format.json).run(view, json: format.json) }
        if format.json { try JSONOutput.write(reply.instances) } else { try Reporting.table(reply.instances) }
        guard view.reasonKind == Reason.Kind.spawnFailed.rawValue else { return }
        throw Failure(.failed, "'\(view.name)' (id \(view.id)): \(view.reason)")
    }

    private func specification(environment: [String: String]) throws -> AppSpec {
        guard stray.isEmpty, let program = words.first else {
            throw Failure.usage("write the command behind '--': hearth run-once -- npm run migrate")
        }
        if let name, name.isEmpty { throw Failure.usage("--name is empty; give a name") }
        var draft = AppDraft()
        draft.script = program
        draft.arguments = Array(words.dropFirst())
        draft.name = name
        draft.cwd = cwd
        draft.uid = user
        for entry in env {
            guard let sign = entry.firstIndex(of: "="), sign != entry.startIndex else {
                throw Failure.usage("--env '\(entry)' is not KEY=value")
            }
            draft.environment[String(entry[..<sign])] = String(entry[entry.index(after: sign)...])
        }
        if let memoryMax {
            guard let size = TextValues.size(memoryMax), size >= AppResolver.smallestMemory else {
                throw Failure.usage("--memory-max: expected a size of 1M or more, such as 512M, found '\(memoryMax)'")
            }
            draft.memoryMax = size
        }
        var job = JobPolicy()
        if let maxTime {
            job.timeout = TextValues.duration(maxTime)
            guard job.timeout != nil, job.fault == nil else {
                throw Failure.usage("--max-time: expected a time from 1s to 30d, such as 10m, found '\(maxTime)'")
            }
        }
        draft.job = job
        return try Caller.resolver(environment: environment).resolve(draft)
    }

    /// A name that was given makes room for itself where a run has ended; without one the program's gets a number.
    private func claimName(of spec: inout AppSpec, _ session: Session) throws {
        let list = try session.read(.list, SelectorParameters(selectors: []), as: ListReply.self).instances
        guard name != nil else {
            let taken = Set(list.map(\.name))
            let base = spec.name
            var number = 2
            while taken.contains(spec.name) {
                spec.name = "\(base)-\(number)"
                number += 1
            }
            return
        }
        let same = list.filter { $0.name == spec.name }.map { SelectorMatching.exactly($0.id) }
        guard !same.isEmpty else { return }
        let details = try session.read(.show, SelectorParameters(selectors: same), as: ShowReply.self).details
        for detail in details where detail.job?.schedule != JobPolicy().summary || detail.instance.status.isRunning {
            throw Failure(
                .failed,
                detail.job?.schedule == JobPolicy().summary
                    ? "a run of '\(spec.name)' goes on (pid \(detail.instance.pid.map(String.init) ?? "?")); wait for it, or give "
                        + "another --name"
                    : "there is an app called '\(spec.name)'; give another --name")
        }
        let reply: ActReply = try session.change(
            .act,
            ActParameters(
                action: .delete, selectors: same, token: Session.makeToken(),
                origin: Session.origin("run-once", [words.first ?? ""])), repeats: true,
            deadline: Session.Deadline.stopping)
        try Reporting.finish(reply.results)
    }
}
