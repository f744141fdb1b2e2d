import Configuration
import Platform

/// A line of a crontab, and whose it is.
struct CrontabEntry: Hashable, Sendable {
    /// The file, or `crontab -l`.
    var source: String
    var user: String
    var schedule: String
    var command: String
    /// What the shell runs one after the other.
    var steps: [[String]]

    var isAtBoot: Bool { schedule == "@reboot" }

    /// The call of PM2 or Hearth in it: `["pm2", "resurrect"]`; nil: there is none.
    var managerCall: [String]? {
        for step in steps {
            if let words = CrontabLine.pm2Words(step) { return ["pm2"] + words }
            let words = step.drop {
                ["sudo", "env", "nohup", "exec", "nice"].contains(Paths.baseName($0)) || $0.contains("=")
            }
            if let first = words.first, ["hearth", "hearth-keeper"].contains(Paths.baseName(first)) {
                return [Paths.baseName(first)] + words.dropFirst()
            }
        }
        return nil
    }
}

/// Crontabs of a user and of the machine, as far as they can be read.
enum Crontabs {
    /// - Parameter root: in front of every path, for tests.
    static func entries(of user: String, root: String = SimpleStartup.root, asksCrontab: Bool = false) -> [CrontabEntry]
    {
        var found: [CrontabEntry] = []
        var hasOwn = false
        for directory in ["/var/spool/cron/crontabs", "/var/spool/cron"] {
            let path = "\(root)\(directory)/\(user)"
            guard let text = text(of: path) else { continue }
            hasOwn = true
            found += lines(of: text, source: path, user: user)
        }
        // Its files are root's: the program that may read them is asked.
        if !hasOwn, asksCrontab, let program = SimpleStartup.program("crontab"),
            let output = ProgramOutput.of(program, ["-l"], seconds: 2), output.code == 0
        {
            found += lines(of: output.text, source: "crontab -l", user: user)
        }
        let directory = root + "/etc/cron.d"
        let files = ((try? FileSystem.names(in: directory)) ?? []).filter { !$0.hasPrefix(".") }
        for path in [root + "/etc/crontab"] + files.map({ "\(directory)/\($0)" }) {
            if let text = text(of: path) { found += lines(of: text, source: path, user: nil) }
        }
        return found
    }

    /// - Parameter user: nil: each line names its own.
    static func lines(of text: String, source: String, user: String?) -> [CrontabEntry] {
        text.split(separator: "\n").compactMap { text in
            guard var line = CrontabLine(String(text)), !line.schedule.isEmpty else { return nil }
            var owner = user
            if owner == nil {
                let parts = line.command.split(maxSplits: 1, whereSeparator: \.isWhitespace)
                guard parts.count == 2 else { return nil }
                owner = String(parts[0])
                line.command = String(parts[1])
            }
            return CrontabEntry(
                source: source, user: owner ?? "", schedule: line.schedule, command: line.command, steps: line.steps)
        }
    }

    private static func text(of path: String) -> String? {
        guard let bytes = try? FileSystem.read(path, limit: 1 << 20) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
