import Configuration
import Model
import PM2Format

/// A line of a crontab as a job of an app file.
struct CrontabJob {
    /// Not yet free of others.
    let name: String
    let schedule: String
    /// What the shell is given, as it stands there.
    let command: String

    /// Nil: it cannot be said in an app file, or what it runs is not here.
    init?(_ line: CrontabLine) {
        // To cron `%` is the end of a line.
        guard let schedule = line.isAtBoot ? JobPolicy.atBoot : line.pattern, !line.command.contains("%"),
            let name = Self.name(of: line)
        else { return nil }
        if !AppResolver.isShellString(line.command), line.command.contains("/"),
            FileProbe.kind(of: line.command) != .file
        {
            return nil
        }
        self.name = name
        self.schedule = schedule
        command = line.command
    }

    /// What is run, without its interpreter and its extension.
    private static func name(of line: CrontabLine) -> String? {
        let helpers = ["cd", "sleep", "test", "["]
        let carriers = [
            "bash", "sh", "env", "nice", "ionice", "nohup", "sudo", "node", "python", "python3", "php", "ruby",
        ]
        guard let step = line.steps.first(where: { !helpers.contains($0[0]) }) else { return nil }
        let words = step.filter { !$0.hasPrefix("-") && !$0.contains("=") }
        let word = words.first { !carriers.contains(Paths.baseName($0)) } ?? words.first
        guard let word else { return nil }
        let base = Paths.baseName(word)
        let stem = base.dropLast(Paths.fileExtension(base).count)
        let name = stem.filter { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
        return name.isEmpty ? "job" : String(name.prefix(60))
    }

    /// Paused: while the line is in the crontab, too, it would be done twice.
    func members(name: String, cwd: String) -> OrderedObject {
        OrderedObject([
            "name": .string(name), "script": .string(command), "cwd": .string(cwd), "autostart": .bool(false),
            "schedule": .string(schedule),
        ])
    }
}
