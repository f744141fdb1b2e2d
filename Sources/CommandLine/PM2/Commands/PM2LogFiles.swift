import Configuration
import Control
import Glibc
import Model
import Platform
import Records

/// `flush`, `reloadLogs` and `logs`.
struct PM2LogFiles {
    let face: PM2Session
    private var console: PM2Console { face.console }

    /// Empties log files in place: the apps go on writing at the new end.
    func flush(_ target: String?) throws {
        let all = try face.inventory().entries.map(\.instance)
        let isAll = target == nil || target == "all"
        if isAll {
            console.say("Flushing \(face.paths.daemonLog)")
            truncate(face.paths.daemonLog)
        }
        let chosen = isAll ? all : all.filter { $0.name == target || $0.id.description == target }
        for instance in chosen {
            console.say("Flushing:")
            for path in [instance.outLog, instance.errorLog].compactMap({ $0 }) { console.say(path) }
        }
        if !chosen.isEmpty {
            let reply = try face.act(.flush, chosen.map(\.id))
            let failures = reply.results.filter { !$0.ok }
            for failure in failures { console.error("[\(failure.name)] \(failure.message)") }
            guard failures.isEmpty else { throw PM2Exit.failed }
        }
        console.say("Logs flushed")
    }

    private func truncate(_ path: String) {
        let fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard fd >= 0 else { return }
        defer { close(fd) }
        _ = ftruncate(fd, 0)
    }

    /// Apps write their files themselves, so nothing of ours is to be opened again.
    func reload() throws {
        try face.connect()
        console.line("Reloading all logs...")
        console.line("All logs reloaded")
        console.say(
            "apps write their log files themselves: a file that was renamed is theirs until their next start; "
                + "rotate by copying and truncating", .warning, to: 2)
    }

    // MARK: - logs

    /// After an action: the logs of the app that it was for; of all, when it was for several.
    func attach(_ operands: [String]) throws {
        guard operands.count == 1, let operand = face.options["name"] ?? operands.first else { return try stream(nil) }
        let entries = try face.inventory().entries
        let cwd = CallerHome.workingDirectory() ?? "/"
        guard case .instances(let ids) = try PM2Targets.find(operand, in: entries, cwd: cwd) else {
            return try stream(nil)
        }
        let names = Set(entries.map(\.instance).filter { ids.contains($0.id) }.map(\.name))
        try stream(names.count == 1 ? names.first : nil)
    }

    /// The last lines, then what comes.
    func stream(_ target: String?) throws {
        face.startsSilently = true
        try face.connect()
        let options = face.options
        var logs = PM2Logs()
        if let target { logs.target = target }
        if let lines = options["lines"].flatMap({ Int($0) }) { logs.options.lines = abs(lines) }
        logs.options.out = options.has("out")
        logs.options.err = options.has("err")
        logs.options.raw = options.has("raw")
        logs.options.nostream = options.has("nostream")
        logs.options.json = options.has("json")
        logs.options.format = options.has("format")
        if let format = options["timestamp"] {
            logs.options.timestamp = format == "true" ? PM2Logs.Options.defaultTimestamp : format
        }
        if let text = options["highlight"], text != "true" { logs.options.highlight = text }
        try logs.run(session: face.session)
    }

    // MARK: - logrotate

    /// A configuration for the system's logrotate, which copies and truncates: that suits apps that write themselves.
    func writeRotation() throws {
        let user = face.options["user"] ?? UserNames.name(of: geteuid())
        guard geteuid() == 0 else {
            console.say("You have to run this command as root. Execute the following command:")
            let directory = Paths.absolute("..", base: InstalledProgram.ownPath() ?? "/usr/local/bin/pm2", home: nil)
            console.line("      sudo env PATH=$PATH:\(directory) pm2 logrotate -u \(user)")
            throw PM2Exit.failed
        }
        guard !user.isEmpty, user.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) })
        else {
            console.error("'\(user)' cannot be the name of a user")
            throw PM2Exit.failed
        }
        let path = "/etc/logrotate.d/pm2-\(user)"
        let text = """
            \(face.paths.daemonLog) \(face.paths.logs)/*.log {
                    rotate 12
                    weekly
                    missingok
                    notifempty
                    compress
                    delaycompress
                    copytruncate
                    create 0640 \(user) \(user)
            }

            """
        do throws(SystemError) { try FileSystem.replace(path, with: Array(text.utf8), mode: 0o644, sync: true) } catch {
            console.error(error.description)
            throw PM2Exit.failed
        }
        console.say("Logrotate configuration added to \(path)")
    }
}
