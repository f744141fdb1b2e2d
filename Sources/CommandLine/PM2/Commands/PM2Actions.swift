import Configuration
import Control
import Glibc
import Model
import Records

/// `stop`, `restart`, `reload` and `delete` of what is in the list.
struct PM2Actions {
    enum Verb: String {
        case stop, restart, reload, delete

        var method: String { "\(rawValue)ProcessId" }
        var action: Action {
            switch self {
            case .stop: .stop
            case .restart: .restart
            case .reload: .reload
            case .delete: .delete
            }
        }
    }

    let face: PM2Session
    let verb: Verb

    private var console: PM2Console { face.console }

    /// Each operand in turn; the first that fails ends the command.
    func run(_ operands: [String]) throws {
        guard !operands.isEmpty else {
            console.line("\n  error: missing required argument `\(missingOperand)'\n", to: 2)
            throw PM2Exit.failed
        }
        for operand in verb == .reload ? Array(operands.prefix(1)) : operands {
            if isFile(operand) { try file(operand) } else { try perform(operand) }
        }
        if verb != .reload { try PM2Lists(face: face).table() }
        if face.options.has("attach") { try PM2LogFiles(face: face).attach(operands) }
    }

    private var missingOperand: String {
        switch verb {
        case .stop: "id|name|namespace|all|json|stdin..."
        case .restart: "id|name|namespace|all|json|stdin..."
        case .reload: "id|name|namespace|all"
        case .delete: "name|id|namespace|script|all|json|stdin..."
        }
    }

    private func isFile(_ operand: String) -> Bool { operand == "-" || PM2Files.isFile(operand) }

    private func file(_ operand: String) throws {
        let files = PM2Files(face: face)
        switch verb {
        case .restart: try files.startOrRestart(operand, reload: false)
        case .reload: try files.startOrRestart(operand, reload: true)
        case .stop, .delete: try files.perform(verb, operand)
        }
    }

    private func refuseEnvironment() throws {
        console.error("Using --env [env] without passing the ecosystem.config.js does not work")
        throw PM2Exit.failed
    }

    private func perform(_ operand: String) throws {
        if verb == .restart || verb == .reload, face.options.has("env") { try refuseEnvironment() }
        try run(one: operand, in: try face.inventory().entries)
    }

    /// One operand that is no file.
    func run(one operand: String, in entries: [InventoryEntry]) throws {
        let cwd = CallerHome.workingDirectory() ?? "/"
        if verb == .restart || verb == .reload, !face.options.has("update-env") {
            console.line(console.hint("Use --update-env to update environment variables"))
        }
        switch try PM2Targets.find(operand, in: entries, cwd: cwd) {
        case .nothing:
            console.say("No process found", .warning, to: 2)
            throw PM2Exit.failed
        case .unknownName(let name):
            console.error("Process or Namespace \(name) not found")
            throw PM2Exit.failed
        case .unknownID(let id):
            console.say("Applying action \(verb.method) on app [\(operand)](ids: [ '\(id)' ])")
            console.error("Process \(id) not found")
            throw PM2Exit.failed
        case .instances(let ids):
            if verb == .reload { try PM2ReloadLock(face: face).take() }
            defer { if verb == .reload { PM2ReloadLock(face: face).release() } }
            try act(on: entries.filter { ids.contains($0.instance.id) }, named: operand)
        }
    }

    /// Performs the action and tells of each instance.
    func act(on entries: [InventoryEntry], named operand: String) throws {
        let ids = entries.map(\.instance.id)
        console.say("Applying action \(verb.method) on app [\(operand)](ids: \(PM2Lists.inspected(ids)))")
        let reply: ActReply
        switch verb {
        case .restart, .reload:
            reply = try PM2Restart(face: face).perform(entries, named: operand, reloads: verb == .reload)
        case .stop: reply = try stop(entries)
        case .delete: reply = try face.act(.delete, ids)
        }
        try report(reply)
    }

    func report(_ reply: ActReply) throws {
        var failed = false
        for result in reply.results {
            let id = result.id.map(\.description) ?? "?"
            if result.ok {
                console.say("[\(result.name)](\(id)) ✓")
            } else {
                failed = true
                console.error("[\(result.name)](\(id)) \(result.message)")
            }
        }
        Reporting.warnUnlessDurable(reply.durable, reply.notDurableReason)
        if failed { throw PM2Exit.failed }
    }

    /// Stopping turns watching off, as PM2 does; a cron goes on.
    private func stop(_ entries: [InventoryEntry]) throws -> ActReply {
        let reply = try face.act(.stop, entries.map(\.instance.id))
        let watched = entries.filter { $0.spec.watch != nil }.map { entry in
            var spec = entry.spec
            spec.watch = nil
            return SpecChange(id: entry.instance.id, spec: spec)
        }
        if !watched.isEmpty { _ = try face.configure(watched, then: .nothing) }
        for entry in entries {
            guard let schedule = entry.spec.schedule else { continue }
            console.warn("App \(entry.instance.name) stopped but CRON RESTART is still UP \(schedule.pattern)")
        }
        return reply
    }
}

/// PM2's lock against two reloads at once: a file with the time in milliseconds, emptied afterwards.
struct PM2ReloadLock {
    let face: PM2Session
    private static let lifetime: Int64 = 30_000

    func take() throws {
        let path = face.paths.pm2ReloadLock
        let now = Self.now()
        let text = (try? FileProbe.contents(of: path, limit: 64)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let limit = getenv("PM2_RELOAD_LOCK_TIMEOUT").flatMap { Int64(String(cString: $0)) } ?? Self.lifetime
        let since = Int64(text.prefix { $0.isNumber })
        if let since, now &- since < limit, since <= now, !face.options.has("force") {
            let seconds = Double(limit - (now - since)) / 1000
            face.console.error(
                "Reload already in progress, please try again in \(seconds) seconds or use --force")
            throw PM2Exit.failed
        }
        write(String(now))
    }

    func release() { write("") }

    private func write(_ text: String) {
        let fd = open(face.paths.pm2ReloadLock, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard fd >= 0 else { return }
        defer { close(fd) }
        try? Output.write(Array(text.utf8), to: fd)
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
