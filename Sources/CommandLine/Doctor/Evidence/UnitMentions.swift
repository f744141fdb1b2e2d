import Configuration
import Model
import Platform

/// Files of other managers that would start what an app of ours does.
struct UnitMentions {
    private struct Described {
        var path: String
        var name: String
        var commands: [String]
        var directory: String?
        var isEnabled: Bool
        var disable: String?
        var text: String
    }

    private let described: [Described]

    /// - Parameters:
    ///   - root: in front of every path, for tests.
    ///   - userDirectory: the home directory of the user whose own units count, too.
    init(root: String, userDirectory: String?) {
        var found: [Described] = []
        var places = [("/etc/systemd/system", "sudo systemctl"), ("/run/systemd/transient", "sudo systemctl")]
            .map { (root + $0.0, $0.1) }
        if let userDirectory { places.append((userDirectory + "/.config/systemd/user", "systemctl --user")) }
        for (directory, command) in places {
            let enabled = Self.enabled(in: directory)
            for name in (try? FileSystem.names(in: directory)) ?? [] where name.hasSuffix(".service") {
                guard let text = Self.text(of: "\(directory)/\(name)"), !text.contains(ManagerUnits.homeKey) else {
                    continue
                }
                let unit = UnitImport(path: "\(directory)/\(name)", text: text)
                found.append(
                    Described(
                        path: unit.path, name: name,
                        commands: unit.settings.filter { $0.key == "ExecStart" }.map(\.value),
                        directory: unit.settings.last { $0.key == "WorkingDirectory" }?.value,
                        isEnabled: enabled.contains(name) || directory.hasSuffix("/transient"),
                        disable: "\(command) disable --now \(name)", text: text))
            }
        }
        described = found + Self.supervisor(root)
    }

    /// Names that some target wants.
    private static func enabled(in directory: String) -> Set<String> {
        var names: Set<String> = []
        for target in (try? FileSystem.names(in: directory)) ?? []
        where target.hasSuffix(".wants") || target.hasSuffix(".requires") {
            names.formUnion((try? FileSystem.names(in: "\(directory)/\(target)")) ?? [])
        }
        return names
    }

    private static func supervisor(_ root: String) -> [Described] {
        var files = ["/etc/supervisord.conf", "/etc/supervisor/supervisord.conf"].map { root + $0 }
        for directory in ["/etc/supervisor/conf.d", "/etc/supervisord.d"] {
            files += ((try? FileSystem.names(in: root + directory)) ?? []).map { "\(root)\(directory)/\($0)" }
        }
        return files.flatMap { path in Self.text(of: path).map { programs(in: $0, path) } ?? [] }
    }

    private static func programs(in text: String, _ path: String) -> [Described] {
        var programs: [Described] = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: "=", maxSplits: 1).map { $0.trimmed }
            if words.count == 1, let name = words.first, name.hasPrefix("[program:"), name.hasSuffix("]") {
                programs.append(
                    Described(
                        path: path, name: String(name.dropFirst(9).dropLast()), commands: [], directory: nil,
                        isEnabled: true, disable: nil, text: ""))
            } else if words.count == 2, let last = programs.indices.last {
                if words[0] == "command" { programs[last].commands.append(words[1]) }
                if words[0] == "directory" { programs[last].directory = words[1] }
            }
        }
        return programs
    }

    private static func text(of path: String) -> String? {
        guard let bytes = try? FileSystem.read(path, limit: 256 << 10) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: - Questions

    func find(_ specs: [AppSpec]) -> [ManagerEvidence.Mention] {
        var mentions: Set<ManagerEvidence.Mention> = []
        for unit in described where unit.isEnabled {
            for spec in specs {
                guard let line = Self.line(of: unit.commands, unit.directory, starts: spec) else { continue }
                mentions.insert(.init(app: spec.name, file: unit.path, line: line, disable: unit.disable))
                break
            }
        }
        return mentions.sorted { ($0.file, $0.app) < ($1.file, $1.app) }
    }

    /// The command that starts what the app does; nil: none.
    private static func line(of commands: [String], _ directory: String?, starts spec: AppSpec) -> String? {
        // A shell or an interpreter says nothing: the directory does, unless it is one that many have.
        let isTelling = spec.interpreter != nil
        let hasOwnDirectory = spec.cwd.split(separator: "/").count > 1
        for command in commands {
            let words = TextValues.words(command)
            if isTelling, words.contains(spec.script) { return command }
            let isThere = directory == spec.cwd || words.contains("--working-directory=\(spec.cwd)")
            guard isThere, hasOwnDirectory else { continue }
            let names = Set(words.map(Paths.baseName))
            if names.contains(Paths.baseName(spec.script))
                || spec.interpreter.map({ names.contains(Paths.baseName($0)) }) ?? false
            {
                return command
            }
            // The same command behind a launcher such as systemd-run.
            let own = Set(
                ([spec.script] + spec.arguments).flatMap { $0.split(separator: " ") }.map { Paths.baseName(String($0)) }
            )
            if !own.isDisjoint(with: names.subtracting(["systemd-run", "env", "sh", "bash"])) { return command }
        }
        return nil
    }

    /// The enabled unit that resurrects PM2's list in a home.
    func starter(ofPM2Home home: String) -> String? {
        described.first { $0.isEnabled && $0.text.contains("PM2_HOME=\(home)\n") }?.path
    }
}

extension Substring {
    fileprivate var trimmed: String {
        var text = self
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
