import Configuration
import Model
import PM2Format

/// The entries of a dump as apps of a file: PM2 has an entry for each instance.
struct ImportedApps {
    private(set) var members: [OrderedObject] = []
    private(set) var reports: [ImportReport.App] = []
    /// As PM2 calls them, for commands in crontabs that name them.
    private(set) var namesInDump: [String: [Int]] = [:]
    private var taken: Set<String> = []

    init(_ entries: [DumpEntry], base: [String: String], host: String, userID: UInt32) {
        for group in Self.groups(entries) {
            guard let first = group.first else { continue }
            let name = Self.free(first.spec.name, &taken)
            var environment = first.environment.merging(first.spec.environment) { _, own in own }
            if let variable = first.spec.incrementVariable {
                environment[variable] = Self.lowest(variable, group) ?? environment[variable]
            }
            let variables = ImportedEnvironment(environment, base: base, host: host)
            var app = ImportedApp(
                first.spec, name: name, count: group.count, isStopped: group.allSatisfy { !$0.isWantedRunning },
                userID: userID)
            app.notes += Self.notes(of: group, variables)
            namesInDump[first.spec.name, default: []].append(members.count)
            members.append(app.members(env: variables.kept))
            if name != first.spec.name {
                app.notes.append("another app of the list is called '\(first.spec.name)', too: this one is '\(name)'")
            }
            reports.append(
                ImportReport.App(
                    name: name, script: first.spec.command, instances: group.count,
                    env: variables.kept.keys.sorted(), secrets: variables.secrets, session: variables.session,
                    usual: variables.usual, pm2: variables.pm2, notes: app.notes))
        }
    }

    /// Restarts by the clock, from a crontab. False: one has a schedule already.
    mutating func schedule(_ pattern: String, for indices: [Int]) -> Bool {
        guard indices.allSatisfy({ members.indices.contains($0) && members[$0]["cron_restart"] == nil }) else {
            return false
        }
        for index in indices {
            let place = members[index].members.firstIndex { $0.key == "env" } ?? members[index].members.endIndex
            members[index].members.insert(.init("cron_restart", .string(pattern)), at: place)
        }
        return true
    }

    /// A job, from a crontab; its name in the file.
    mutating func add(_ job: CrontabJob, cwd: String) -> String {
        let name = Self.free(job.name, &taken)
        members.append(job.members(name: name, cwd: cwd))
        return name
    }

    var document: OrderedJSON { .object(["apps": .array(members.map { .object($0) })]) }

    // MARK: - Instances of one app

    /// Entries of a name that are equal but for their number.
    private static func groups(_ entries: [DumpEntry]) -> [[DumpEntry]] {
        var groups: [[DumpEntry]] = []
        var places: [DumpEntry: Int] = [:]
        for entry in entries {
            let key = comparable(entry)
            if let place = places[key] {
                groups[place].append(entry)
            } else {
                places[key] = groups.count
                groups.append([entry])
            }
        }
        return groups
    }

    private static func comparable(_ entry: DumpEntry) -> DumpEntry {
        var plain = entry
        plain.index = 0
        plain.number = nil
        plain.status = ""
        plain.isWantedRunning = true
        plain.counters.restarts = nil
        plain.counters.unstableRestarts = nil
        plain.counters.createdAt = nil
        plain.counters.startedAt = nil
        plain.counters.exitCode = nil
        plain.uniqueID = nil
        // What shells count and date by themselves.
        for name in plain.environment.keys where ImportedEnvironment.isSession(name) { plain.environment[name] = nil }
        if let variable = entry.spec.incrementVariable {
            plain.environment[variable] = nil
            plain.spec.environment[variable] = nil
        }
        return plain
    }

    private static func lowest(_ variable: String, _ group: [DumpEntry]) -> String? {
        let values = group.compactMap { $0.spec.environment[variable] ?? $0.environment[variable] }
        return values.compactMap { Int($0) }.min().map(String.init) ?? values.first
    }

    private static func free(_ name: String, _ taken: inout Set<String>) -> String {
        if taken.insert(name).inserted { return name }
        var number = 2
        while !taken.insert("\(name)-\(number)").inserted { number += 1 }
        return "\(name)-\(number)"
    }

    private static func notes(of group: [DumpEntry], _ variables: ImportedEnvironment) -> [String] {
        var notes: [String] = []
        if !variables.unusual.isEmpty {
            notes.append(
                "kept, because the value differs from the one here: \(variables.unusual.joined(separator: ", "))")
        }
        let stopped = group.filter { !$0.isWantedRunning }.count
        if stopped == group.count {
            notes.append("it was stopped when the list was saved: 'autostart: false' keeps it so")
        } else if stopped > 0 {
            notes.append("\(stopped) of its instances were stopped when the list was saved; all will be started")
        }
        return notes
    }
}

/// One app.
private struct ImportedApp {
    let spec: AppSpec
    let name: String
    let count: Int
    var notes: [String] = []
    private let userID: UInt32
    private let isStopped: Bool

    init(_ spec: AppSpec, name: String, count: Int, isStopped: Bool, userID: UInt32) {
        self.spec = spec
        self.name = name
        self.count = count
        self.userID = userID
        self.isStopped = isStopped
        if spec.schedule != nil {
            notes.append("PM2 starts a stopped app when its cron_restart is due, Hearth leaves it stopped")
        }
        if spec.uid != nil || spec.gid != nil { notes.append("uid and gid need root: run 'hearth apply' as root") }
        if spec.watch?.extensions != nil {
            notes.append("the extensions that were watched have no key: all files count")
        }
    }

    func members(env: [String: String]) -> OrderedObject {
        var object = OrderedObject(["name": .string(name)])
        func set(_ key: String, _ value: OrderedJSON?) { if let value { object[key] = value } }
        set("namespace", spec.namespace == "default" ? nil : .string(spec.namespace))
        if env["PM2_SERVE_PATH"] != nil, ["Serve.js", "hearth-serve"].contains(Paths.baseName(spec.script)) {
            set("script", .string("serve"))
        } else {
            set("script", .string(spec.script))
            set("args", Self.strings(spec.arguments))
            set("interpreter", interpreter)
            set("interpreter_args", Self.strings(spec.interpreterArguments))
            set("cwd", .string(spec.cwd))
        }
        set("instances", count > 1 ? .integer(Int64(count)) : nil)
        // A number of instances alone would make a cluster of a Node app.
        set("exec_mode", spec.mode == .cluster ? .string("cluster") : count > 1 ? .string("fork") : nil)
        set("instance_var", spec.instanceVariable.map { .string($0) })
        set("increment_var", spec.incrementVariable.map { .string($0) })
        set("autostart", spec.autostart && !isStopped ? nil : .bool(false))
        setRestart(&object)
        setTriggers(&object)
        setStop(&object)
        setPlaces(&object)
        setFilter(&object)
        setKept(&object, env)
        if !env.isEmpty {
            object["env"] = .object(
                OrderedObject(env.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) }))
        }
        return object
    }

    private static func strings(_ texts: [String]?) -> OrderedJSON? {
        texts.flatMap { $0.isEmpty ? nil : .strings($0) }
    }

    private static func time(_ time: Milliseconds?, unless usual: Milliseconds? = nil) -> OrderedJSON? {
        guard let time, time != usual else { return nil }
        return .integer(time.rawValue)
    }

    /// Said where Hearth would choose another one by the file's name.
    private var interpreter: OrderedJSON? {
        if let interpreter = spec.interpreter { return .string(interpreter) }
        let usual = Interpreters.candidates(forExtension: Paths.fileExtension(spec.script))
        return usual == nil ? nil : .string("none")
    }

    private func setRestart(_ object: inout OrderedObject) {
        let (policy, usual) = (spec.restart, RestartPolicy())
        switch policy.mode {
        case .always: break
        case .onFailure: object["restart"] = .string("on-failure")
        case .never: object["autorestart"] = .bool(false)
        }
        if policy.maxRestarts != usual.maxRestarts { object["max_restarts"] = .integer(Int64(policy.maxRestarts)) }
        object["min_uptime"] = Self.time(policy.minUptime, unless: usual.minUptime)
        object["restart_delay"] = Self.time(policy.restartDelay)
        object["exp_backoff_restart_delay"] = Self.time(policy.exponentialBackoff)
        if !policy.stopExitCodes.isEmpty {
            object["stop_exit_codes"] = .array(policy.stopExitCodes.map { .integer(Int64($0)) })
        }
        if !policy.slowRetry { object["slow_retry"] = .bool(false) }
    }

    private func setTriggers(_ object: inout OrderedObject) {
        object["max_memory_restart"] = spec.memoryLimit.map { .integer($0) }
        object["cron_restart"] = spec.schedule.map { .string($0.pattern) }
        guard let watch = spec.watch else { return }
        object["watch"] = watch.paths == [spec.cwd] ? .bool(true) : .strings(watch.paths)
        object["ignore_watch"] = watch.ignore.map { .strings($0) }
        object["watch_delay"] = Self.time(watch.delay, unless: Milliseconds(0))
    }

    private func setStop(_ object: inout OrderedObject) {
        let (stop, usual) = (spec.stop, StopPolicy())
        if stop.signal != usual.signal { object["kill_signal"] = .string(stop.signal.description) }
        object["kill_timeout"] = Self.time(stop.killTimeout, unless: usual.killTimeout)
        if !stop.wholeTree { object["treekill"] = .bool(false) }
        if stop.withMessage == true { object["shutdown_with_message"] = .bool(true) }
        if spec.readiness?.waitReady == true { object["wait_ready"] = .bool(true) }
        object["listen_timeout"] = Self.time(spec.readiness?.timeout, unless: ReadinessPolicy.usualTimeout)
    }

    private func setPlaces(_ object: inout OrderedObject) {
        object["out_file"] = spec.output.outFile.map { .string($0) }
        object["error_file"] = spec.output.errorFile.map { .string($0) }
        if spec.output.merge != (count <= 1) { object["merge_logs"] = .bool(spec.output.merge) }
        object["pid_file"] = spec.pidFile.map { .string($0) }
        if spec.stdin != .pipe { object["stdin"] = .string(spec.stdin.rawValue) }
        if spec.uid != String(userID) { object["uid"] = spec.uid.map { .string($0) } }
        object["gid"] = spec.gid.map { .string($0) }
    }

    private func setFilter(_ object: inout OrderedObject) {
        object["env_file"] = Self.strings(spec.environmentFiles)
        guard let filter = spec.environmentFilter else { return }
        if filter.everything {
            object["filter_env"] = .bool(true)
        } else if let name = filter.names.first {
            object["filter_env"] = .string(name)
        } else {
            object["filter_env"] = .strings(filter.fragments)
        }
    }

    /// Settings without effect here: whoever reads the file finds them.
    private func setKept(_ object: inout OrderedObject, _ env: [String: String]) {
        for (key, text) in (spec.kept ?? [:]).sorted(by: { $0.key < $1.key }) {
            // The name has it already; a port that is set as PORT is said there.
            if key == "append_env_to_name" || key == "port" && env["PORT"] != nil || object[key] != nil { continue }
            guard let value = try? OrderedJSON.parse(Array(text.utf8)) else { continue }
            object[key] = value
        }
    }
}
