import Configuration
import Model

/// Reads the lines of a crontab: which of them Hearth makes needless, and which stay.
struct CrontabImport {
    private(set) var items: [ImportReport.Item] = []

    /// - Parameters:
    ///   - apps: gets the schedules of `pm2 restart` lines, and the jobs.
    ///   - home: where cron runs what it runs.
    init(_ text: String, _ apps: inout ImportedApps, home: String) {
        for line in text.split(separator: "\n", omittingEmptySubsequences: true) {
            guard let entry = CrontabLine(String(line)) else { continue }
            let (outcome, advice) = Self.judge(entry, &apps, home: home)
            items.append(ImportReport.Item(text: entry.text, outcome: outcome, advice: advice))
        }
    }

    private typealias Judgement = (outcome: ImportReport.Outcome, advice: String)

    private static func judge(
        _ line: CrontabLine, _ apps: inout ImportedApps, home: String
    ) -> Judgement {
        guard !line.schedule.isEmpty else { return (.attention, "this is no line that cron understands") }
        let calls = line.steps.compactMap(CrontabLine.pm2Words)
        guard let words = calls.first, let verb = words.first(where: { !$0.hasPrefix("-") }) else {
            return foreign(line, &apps, home: home)
        }
        guard calls.count == 1, line.onlyStep.flatMap(CrontabLine.pm2Words) != nil else {
            return (.keep, "it does several things; the name 'pm2' goes on working with 'hearth pm2-shim install'")
        }
        let targets = words.drop { $0 != verb }.dropFirst().filter { !$0.hasPrefix("-") }
        switch verb {
        case "resurrect":
            return (
                .notNeeded,
                "hearth has its list on disk and brings it back when it starts; 'hearth startup' has it started at boot"
            )
        case "save", "dump":
            return (
                .notNeeded,
                "every change of the list is on disk before the command that made it ends; 'hearth save' takes snapshots"
            )
        case "restart", "reload":
            return restart(line, verb, Array(targets), &apps)
        case "flush":
            return (
                .keep,
                "'hearth flush' does the same; with 'hearth pm2-shim install' the line works as it is"
            )
        case "update":
            return (.notNeeded, "'hearth upgrade' replaces the daemon when there is a newer one, apps go on")
        default:
            return (
                .keep, "with 'hearth pm2-shim install' the name 'pm2' goes on working; without it write 'hearth'"
            )
        }
    }

    private static func restart(
        _ line: CrontabLine, _ verb: String, _ targets: [String], _ apps: inout ImportedApps
    ) -> Judgement {
        guard !line.isAtBoot, let pattern = line.pattern else {
            return (
                .keep, "its time cannot be written as cron_restart; write 'hearth restart' instead of 'pm2 \(verb)'"
            )
        }
        let indices =
            targets.contains("all")
            ? Array(apps.members.indices) : targets.flatMap { apps.namesInDump[$0] ?? [] }
        guard !targets.isEmpty, !indices.isEmpty,
            targets.contains("all") || targets.allSatisfy({ apps.namesInDump[$0] != nil })
        else {
            return (.attention, "the list has no app of that name; keep the line, or give the app a 'cron_restart'")
        }
        guard apps.schedule(pattern, for: indices) else {
            return (.attention, "the app has a 'cron_restart' already: keep this line, or merge the two times")
        }
        let names = targets.contains("all") ? "every app" : targets.map { "'\($0)'" }.joined(separator: ", ")
        return (.converted, "cron_restart: \"\(pattern)\" of \(names); remove the line")
    }

    // MARK: - Lines without PM2

    private static func foreign(_ line: CrontabLine, _ apps: inout ImportedApps, home: String) -> Judgement {
        let programs = line.steps.compactMap(\.first).map(Paths.baseName)
        if programs.contains("logrotate") {
            return (.keep, "logrotate goes on working with 'copytruncate' in its configuration")
        }
        let check = checkScript(line).map(healthAdvice)
        guard let job = CrontabJob(line) else { return (.keep, check ?? "it is no job that can run here") }
        let name = apps.add(job, cwd: home)
        let advice =
            "the job '\(name)', paused, so that nothing is done twice: remove the line, then 'hearth start \(name)'"
        return (.converted, check.map { "\(advice); \($0)" } ?? advice)
    }

    /// A program of somebody's own that looks after the apps, by its name.
    private static func checkScript(_ line: CrontabLine) -> String? {
        let words = ["health", "monitor", "watchdog", "keepalive", "keep-alive", "check", "pm2"]
        return line.steps.flatMap { $0 }.first { word in
            let name = Paths.baseName(word).lowercased()
            return (word.contains("/") || name.contains(".")) && words.contains { name.contains($0) }
        }
    }

    private static func healthAdvice(_ script: String) -> String {
        var advice =
            "hearth restarts what ends within a moment, and above 'max_memory_restart'; it does not ask apps over HTTP "
            + "in this version"
        if script.hasPrefix("/"), let bytes = try? FileProbe.contents(of: script, limit: 1 << 20),
            String(decoding: bytes, as: UTF8.self).contains("pm2")
        {
            advice += "; the script calls 'pm2', which works with 'hearth pm2-shim install'"
        }
        return advice
    }
}
