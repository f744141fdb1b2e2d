import ArgumentParser
import Configuration
import Control
import Model

struct StartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start scripts, programs, shell commands, app files, or apps in the list.",
        usage: "hearth start [options] <operands> ... [-- <arguments of the app> ...]",
        discussion: """
            hearth start api.js                        a script, by its extension's interpreter
            hearth start ./server --name api -- -p 80  a program with arguments
            hearth start "npm run dev" --name web      a shell command
            hearth start apps.json --only api,web      apps of a file
            hearth start api                           a stopped app in the list
            """)

    /// What stood after `--`: the entry point spells it so, as the parser knows only one list of operands.
    @Option(name: .customLong("app-argument"), parsing: .unconditionalSingleValue, help: .hidden)
    var arguments: [String] = []

    @Argument(help: "Scripts, programs, \"shell commands\", app files, names, ids, namespaces or 'all'.")
    var operands: [String]

    @OptionGroup(title: "App options") var options: StartOptions

    @Option(help: ArgumentHelp("Only these apps of a file: names, separated by commas.", valueName: "names"))
    var only: [String] = []

    @Flag(name: [.customShort("f"), .long], help: "Start one more of an app that is there already.")
    var force = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let started = try start(Session(common))
        for note in started.notes { Output.complain(note) }
        if format.json { try JSONOutput.write(started.instances) } else { try Reporting.table(started.instances) }
        try Reporting.finish(started.results)
    }

    /// What became of the operands.
    struct Started {
        var instances: [InstanceView] = []
        var results: [ActionResult] = []
        var notes: [String] = []
    }

    /// - Parameters:
    ///   - replaces: entries of the list with the names of the new apps are deleted first.
    ///   - announce: told what is new, before anything is started.
    func start(
        _ session: Session, replaces: Bool = false, announce: ([AppSpec]) -> Void = { _ in }
    ) throws -> Started {
        let draft = try options.draft()
        let own = CallerEnvironment.current()
        let resolver = try Caller.resolver(environment: own.variables)
        let kinds = try operands.map(StartOperand.init)
        try checkOptions(against: kinds)
        try refuseControl(in: kinds, draft)

        // Everything that can be wrong on this side is found before a daemon is started or asked.
        var prepared: [Prepared] = []
        var existing: [StartPlan.Existing]?
        for kind in kinds {
            switch kind {
            case .file(let path): prepared.append(.file(try load(path, resolver)))
            case .script(let text): prepared.append(.app(try resolve(text, draft, resolver)))
            case .selector(let text): prepared.append(.selector(text))
            case .word(let text):
                let list = try existing ?? ExistingApps.read(session)
                existing = list
                if list.contains(where: { $0.name == text || $0.namespace == text }) {
                    prepared.append(.selector(text))
                } else {
                    prepared.append(.app(try resolve(text, draft, resolver)))
                }
            }
        }

        let client = try session.connectStarting()
        var list = try ExistingApps.read(session)
        if replaces { list = try delete(prepared, from: list, session) }
        let plan = try plan(prepared, list)
        guard plan.failures.isEmpty else { throw Failure(.failed, lines: plan.failures) }
        if client.isForeign == false { own.warn() }
        announce(plan.newApps)
        return try perform(plan, session, environment: client.isForeign ? [:] : own.variables)
    }

    /// Deletes what has the name of a new app. Returns the others.
    private func delete(
        _ prepared: [Prepared], from list: [StartPlan.Existing], _ session: Session
    ) throws -> [StartPlan.Existing] {
        let names = Set(
            prepared.flatMap { item in
                switch item {
                case .app(let spec): [spec.name]
                case .file(let specs): specs.map(\.name)
                case .selector: [String]()
                }
            })
        let old = list.filter { names.contains($0.name) }
        guard !old.isEmpty else { return list }
        let reply: ActReply = try session.change(
            .act,
            ActParameters(
                action: .delete, selectors: old.map(\.id.description), token: Session.makeToken(),
                origin: Session.origin("run", operands)),
            repeats: true, deadline: Session.Deadline.stopping)
        try Reporting.finish(reply.results)
        return list.filter { !names.contains($0.name) }
    }

    // MARK: - Planning

    private enum Prepared {
        case app(AppSpec)
        case file([AppSpec])
        case selector(String)
    }

    private func resolve(_ script: String, _ draft: AppDraft, _ resolver: AppResolver) throws -> AppSpec {
        var draft = draft
        draft.script = script
        draft.arguments = arguments
        draft.environmentFiles = options.environmentFiles(from: resolver.workingDirectory)
        return try resolver.resolve(draft)
    }

    private func load(_ path: String, _ resolver: AppResolver) throws -> [AppSpec] {
        let file = try AppFile.load(path: path)
        let variables = try options.variables()
        let files = options.environmentFiles(from: resolver.workingDirectory)
        var request = AppFile.Request(only: AppFile.Request.names(only), environmentName: try options.environmentName())
        request.change = { draft in
            draft.environment.merge(variables) { _, given in given }
            draft.environmentFiles += files
            if draft.namespace == nil { draft.namespace = options.namespace }
            if let cwd = options.cwd { draft.cwd = cwd }
            if let uid = options.uid { draft.uid = uid }
            if let gid = options.gid { draft.gid = gid }
        }
        let outcome = file.outcome(with: resolver, request)
        for warning in outcome.warnings { Output.complain("warning: \(warning)") }
        guard outcome.problems.isEmpty else { throw ConfigurationProblems(outcome.problems) }
        return outcome.specs
    }

    private func plan(_ prepared: [Prepared], _ existing: [StartPlan.Existing]) throws -> StartPlan {
        var plan = StartPlan()
        for item in prepared {
            switch item {
            case .app(let spec): plan.add(spec, existing: existing, force: force)
            case .file(let specs): plan.addFile(specs, existing: existing, force: force)
            case .selector(let text):
                let ids = try Selection.ids(
                    [text], among: existing.map { .init(id: $0.id, name: $0.name, namespace: $0.namespace) })
                if ids.isEmpty { plan.failures.append("there are no apps; 'hearth start SCRIPT' adds one") }
                plan.addSelected(ids, by: text, existing: existing)
            }
        }
        return plan
    }

    /// Options that would silently do nothing are refused.
    private func checkOptions(against kinds: [StartOperand]) throws {
        let files = kinds.contains { if case .file = $0 { true } else { false } }
        if files, let option = options.notForFiles.first {
            throw Failure.usage("\(option) can't be used with an app file; write it into the file")
        }
        if files, !arguments.isEmpty {
            throw Failure.usage(
                "arguments after '--' can't be used with an app file; write them into the file as 'args'")
        }
        if !files, !only.isEmpty { throw Failure.usage("--only needs an app file") }
        if !files, let name = try options.environmentName() {
            throw Failure.usage(
                "--env '\(name)' chooses an environment of an app file; for a variable write --env KEY=value")
        }
        let apps = kinds.filter { if case .file = $0 { false } else { true } }
        if apps.count > 1, options.name != nil {
            throw Failure.usage("--name can't be given to \(apps.count) apps at once")
        }
    }

    private func refuseControl(in kinds: [StartOperand], _ draft: AppDraft) throws {
        guard let name = draft.name, name.isEmpty else { return }
        throw Failure.usage("--name is empty; give a name")
    }

    // MARK: - Doing

    private func perform(
        _ plan: StartPlan, _ session: Session, environment: [String: String]
    ) throws -> Started {
        let origin = Session.origin("start", operands)
        var started = Started(notes: plan.notes)
        if !plan.newApps.isEmpty {
            let reply: InstancesReply = try session.change(
                .start,
                StartParameters(
                    apps: plan.newApps, environment: environment, token: Session.makeToken(), origin: origin),
                repeats: true)
            started.instances += reply.instances
            // It is in the list and will be tried again; this command did not get it to run.
            started.results += reply.instances.filter { $0.reasonKind == Reason.Kind.spawnFailed.rawValue }
                .map { ActionResult(id: $0.id, name: $0.name, ok: false, message: $0.reason) }
            Reporting.warnUnlessDurable(reply.durable, reply.notDurableReason)
        }
        for (ids, sparesJobs) in [(plan.again, false), (plan.sparingJobs, true)] where !ids.isEmpty {
            let reply: ActReply = try session.change(
                .act,
                ActParameters(
                    action: .start, selectors: ids.map(SelectorMatching.exactly), token: Session.makeToken(),
                    origin: origin, sparesJobs: sparesJobs ? true : nil),
                repeats: true)
            started.instances += reply.instances
            started.results += reply.results
            Reporting.warnUnlessDurable(reply.durable, reply.notDurableReason)
        }
        return started
    }
}
