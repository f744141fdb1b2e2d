import Configuration
import Control
import Glibc
import Model

/// Commands on app files: `start FILE`, `startOrRestart`, `startOrReload`, `stop FILE` and so on.
struct PM2Files {
    let face: PM2Session
    private var console: PM2Console { face.console }
    private var options: PM2Options { face.options }

    static func isFile(_ operand: String) -> Bool { operand != "-" && AppFile.isNamed(operand) }

    // MARK: - Reading

    private func load(_ operand: String) throws -> AppFile {
        do {
            return try AppFile.load(path: operand, dialect: .pm2)
        } catch let problems as ConfigurationProblems {
            try PM2AppReader(face: face).refuse(problems.problems)
            throw PM2Exit.failed
        } catch let error as ConfigurationError {
            for line in error.message.split(separator: "\n") { console.error(String(line)) }
            throw PM2Exit.failed
        }
    }

    /// The specifications of a file's apps, with the few options that count beside a file. An app whose script is not
    /// there does not keep the others down; a wrong setting does.
    private func specs(of file: AppFile, _ operand: String) throws -> (usable: [AppSpec], isWhole: Bool) {
        var request = AppFile.Request(
            only: AppFile.Request.names(options.all("only")), environmentName: options["env"])
        request.change = { draft in
            if options["watch"] == "true", draft.watch == nil {
                var watch = WatchDraft()
                watch.isOn = true
                draft.watch = watch
            }
            if draft.namespace == nil { draft.namespace = options["namespace"] }
            if let cwd = options["cwd"] { draft.cwd = cwd }
            if let uid = options["uid"] ?? options["user"] { draft.uid = uid }
            if let gid = options["gid"] { draft.gid = gid }
        }
        let outcome = file.outcome(with: try PM2AppReader(face: face).resolver(), request)
        for warning in outcome.warnings { console.warn(warning) }
        for problem in outcome.problems { console.error("Error: \(problem.message)") }
        guard outcome.problems.allSatisfy({ $0.subject == .app }) else { throw PM2Exit.failed }
        let source = LoadedAppFile.source(of: operand)
        let specs = outcome.specs.map { spec in
            var spec = spec
            spec.source = source
            return spec
        }
        return (specs, outcome.problems.isEmpty)
    }

    // MARK: - start, restart, reload

    /// Restarts what is in the list by name, and starts the others.
    func startOrRestart(_ operand: String, reload: Bool, table: Bool = false) throws {
        let file = try load(operand)
        let (specs, isWhole) = try specs(of: file, operand)
        let inventory = try face.inventory()
        let present = Dictionary(grouping: inventory.entries, by: \.instance.name)
        let missing = specs.filter { present[$0.name] == nil }
        if !missing.isEmpty, missing.count < specs.count || !inventory.entries.isEmpty {
            console.warn("Applications \(missing.map(\.name).joined(separator: ", ")) not running, starting...")
        }
        PM2Folders(face: face).make(for: specs)
        var failed = !isWhole
        for spec in specs {
            guard let entries = present[spec.name] else { continue }
            do { try restart(entries, spec, inventory, reload: reload) } catch is PM2Exit { failed = true }
        }
        if !missing.isEmpty { failed = try !start(missing) || failed }
        if table { try PM2Lists(face: face).table() }
        if failed { throw PM2Exit.failed }
    }

    private func restart(
        _ entries: [InventoryEntry], _ spec: AppSpec, _ inventory: InventoryReply, reload: Bool
    ) throws {
        let verb: PM2Actions.Verb = reload ? .reload : .restart
        let ids = entries.map(\.instance.id)
        console.say("Applying action \(verb.method) on app [\(spec.name)](ids: \(PM2Lists.inspected(ids)))")
        let caller = PM2Environment.caller()
        let changes = entries.map { entry in
            var new = spec
            new.instances = entry.spec.instances
            new.mode = entry.spec.mode
            new.output.merge = entry.spec.output.merge
            // What an earlier start set and the file does not name stays.
            new.environment = entry.spec.environment.merging(spec.environment) { _, new in new }
            // The caller's variables are taken anew only where the file has none of its own. This one is the
            // interpreter's habit.
            let stored = entry.environment.flatMap { inventory.environments[$0] } ?? [:]
            let takesCaller =
                spec.environment.keys.allSatisfy { $0 == "PYTHONUNBUFFERED" } || options.has("update-env")
            let environment = takesCaller ? stored.merging(caller) { _, new in new } : nil
            return SpecChange(id: entry.instance.id, spec: new, environment: environment)
        }
        let reply = try face.configure(changes, then: reload ? .reload : .restart)
        try PM2Actions(face: face, verb: verb).report(reply)
    }

    /// False: one could not be started.
    private func start(_ specs: [AppSpec]) throws -> Bool {
        let settings = PM2Settings(face: face)
        let specs = try specs.map { spec in
            var spec = spec
            spec.environment.merge(try settings.variables(of: spec.name)) { own, _ in own }
            return spec
        }
        for spec in specs where spec.readyTimeout != nil {
            console.warn("App \(spec.name) has option 'wait_ready' set, waiting for app to be ready...")
        }
        var caller = PM2Environment.caller()
        caller["PM2_JSON_PROCESSING"] = "true"
        let reply = try face.start(specs, environment: caller)
        Reporting.warnUnlessDurable(reply.durable, reply.notDurableReason)
        let failed = reply.instances.filter { $0.reasonKind == Reason.Kind.spawnFailed.rawValue }
        for instance in failed { console.error("Process failed to launch \(instance.reason)") }
        for spec in specs where !failed.contains(where: { $0.name == spec.name }) {
            console.say("App [\(spec.name)] launched (\(spec.instances) instances)")
        }
        return failed.isEmpty
    }

    // MARK: - stop, delete

    /// By name; what is not in the list is passed over.
    func perform(_ verb: PM2Actions.Verb, _ operand: String) throws {
        let file = try load(operand)
        let entries = try face.inventory().entries
        for name in file.names {
            // Unlike for a start, PM2 takes the words as one name here.
            if let only = options["only"], only != name { continue }
            let chosen = entries.filter { $0.instance.name == name }
            guard !chosen.isEmpty else { continue }
            try PM2Actions(face: face, verb: verb).act(on: chosen, named: name)
        }
    }

    // MARK: - --write

    /// `NAME-pm2.json` in the directory at hand: the app as a file that starts the same.
    func write(_ spec: AppSpec) throws {
        var members = PM2AppOptions.members(options)
        members["name"] = .string(spec.name)
        members["script"] = .string(spec.script)
        members["cwd"] = .string(spec.cwd)
        let path = "\(spec.name)-pm2.json"
        let text = JSONValue.object(["apps": .array([.object(members)])]).text + "\n"
        let fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard fd >= 0 else {
            console.error("\(path): \(FileProbe.describe(errno))")
            throw PM2Exit.failed
        }
        defer { close(fd) }
        try Output.write(Array(text.utf8), to: fd)
    }
}
