import ArgumentParser
import Configuration
import DisplayText
import Glibc
import PM2Format
import Platform
import Records

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make an app file of what another manager has.",
        subcommands: [ImportPM2Command.self])
}

struct ImportPM2Command: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pm2",
        abstract: "Make an app file of PM2's saved list, and tell what becomes of units and crontab.",
        discussion: """
            Reads PM2's dump (or its backup), its systemd units and the crontab, and changes none of them. Writes the apps
            into a file for 'hearth apply', and prints what every part became. PM2 and its apps go on as they are.
            """)

    @Option(
        help: ArgumentHelp("PM2's home (default: $PM2_HOME, else ~/.pm2).", valueName: "dir"), completion: .directory)
    var home: String?

    @Option(
        help: ArgumentHelp(
            "A systemd unit of PM2's (default: /etc/systemd/system/pm2-*.service of this home).", valueName: "file"),
        completion: .file())
    var unit: [String] = []

    @Option(
        help: ArgumentHelp(
            "A crontab, or '-' for standard input (default: what 'crontab -l' prints).", valueName: "file"),
        completion: .file())
    var crontab: String?

    @Option(
        name: [.customShort("o"), .long], help: "The file to write, or '-' for standard output.", completion: .file())
    var output = "hearth.yaml"

    @Flag(help: "Replace the file that is there.")
    var force = false

    @Flag(help: "Leave out apps that cannot be read, instead of writing nothing.")
    var partial = false

    @OptionGroup var format: FormatOptions

    func run() throws {
        let target = output == "-" ? nil : NewFile(path: output, replaces: force)
        try target?.check()
        let paths = try paths()
        let dump = try DumpImport(paths, partial: partial)
        let user = UserNames.name(of: geteuid())
        var apps = ImportedApps(
            dump.entries, base: BaseEnvironment.current(), host: ImportedEnvironment.hostName(), userID: geteuid())
        var report = ImportReport(output: target?.path, dump: dump.path, notes: dump.notes)
        report.units = try units(paths, user: user)
        if let text = try crontabText(&report) {
            report.crontab = CrontabImport(text, &apps, home: CallerHome.directory() ?? "/").items
        }
        report.apps = apps.reports
        if apps.members.isEmpty {
            throw Failure(.failed, "'\(dump.path)' has no apps: there is nothing to write")
        }
        let kind: AppFileText.Format =
            FileKind(name: output).flatMap { .init(rawValue: $0.title.lowercased()) } ?? .yaml
        report.notes += try problems(of: apps.document)
        let text = try Self.head(kind, dump.path) + kind.text(of: apps.document)
        if let target { try target.write(text) } else { try Output.write(text) }
        try show(report)
    }

    private func show(_ report: ImportReport) throws {
        // Beside a file on standard output the report is no part of it.
        let fd: Int32 = report.output == nil ? 2 : 1
        if format.json {
            try Output.write(try JSONOutput.encode(report, pretty: false) + [0x0a], to: fd)
            return
        }
        let terminal = Terminal.detect()
        var lines = report.text.split(separator: "\n", omittingEmptySubsequences: false).map {
            terminal.escape(String($0))
        }
        lines.removeLast()
        if let path = report.output {
            lines += [
                "",
                terminal.escape("wrote '\(path)'; look at it, then 'hearth plan \(path)' and 'hearth apply \(path)'"),
            ]
        }
        try Output.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: fd)
    }

    private static func head(_ kind: AppFileText.Format, _ dump: String) -> String {
        guard kind != .json else { return "" }
        // A name with a line end in it would not stay a comment.
        let name = DisplayText.escape(dump, unicode: true)
        return "# Made by 'hearth import pm2' of \(name).\n# It holds values of variables: keep it private.\n"
    }

    // MARK: - Sources

    private func paths() throws -> HomePaths {
        guard let home else { return try PM2Session.home() }
        guard !home.isEmpty else { throw Failure.usage("--home is empty; name a directory") }
        guard let base = CallerHome.workingDirectory() else {
            throw Failure(.failed, "the working directory is gone; give an absolute path to --home")
        }
        return HomePaths(home: Paths.absolute(home, base: base, home: CallerHome.directory()), isPM2: true)
    }

    private func units(_ paths: HomePaths, user: String) throws -> [ImportReport.Unit] {
        let isGiven = !unit.isEmpty
        return try (isGiven ? unit : UnitImport.installed()).compactMap { path in
            let bytes: [UInt8]
            do throws(ConfigurationError) { bytes = try FileProbe.contents(of: path, limit: 1 << 20) } catch {
                if isGiven { throw error }
                let item = ImportReport.Item(text: path, outcome: .attention, advice: "\(error)")
                return ImportReport.Unit(path: path, items: [item])
            }
            let unit = UnitImport(path: path, text: String(decoding: bytes, as: UTF8.self))
            guard isGiven || unit.concerns(paths, user: user) else { return nil }
            return unit.report(paths, user: user)
        }
    }

    /// Nil: there is none.
    private func crontabText(_ report: inout ImportReport) throws -> String? {
        if let crontab {
            let bytes =
                crontab == "-"
                ? try FileProbe.contents(of: 0, name: "standard input", limit: 1 << 20)
                : try FileProbe.contents(of: crontab, limit: 1 << 20)
            return String(decoding: bytes, as: UTF8.self)
        }
        let search = getenv("PATH").map { String(cString: $0) } ?? Paths.defaultSearchPath
        guard let program = Paths.program("crontab", path: search, base: "/") else { return nil }
        guard let answer = ProgramOutput.of(program, ["-l"]) else {
            report.notes.append(
                .init(
                    text: "crontab -l", outcome: .attention, advice: "it does not answer; give the lines with --crontab"
                ))
            return nil
        }
        if answer.code == 0 { return answer.text }
        if !answer.complaint.contains("no crontab") {
            report.notes.append(
                .init(
                    text: "crontab -l", outcome: .attention,
                    advice: "it failed: \(answer.complaint); give the lines with --crontab"))
        }
        return nil
    }

    /// What 'hearth validate' will say of the file.
    private func problems(of document: OrderedJSON) throws -> [ImportReport.Item] {
        var bytes: [UInt8] = []
        document.write(to: &bytes)
        var problems: [ConfigurationError]
        do {
            let file = try AppFile.parse(bytes, name: output)
            problems = try LoadedAppFile.read(file, environmentName: nil, only: [], BaseEnvironment.current()).problems
        } catch let error as ConfigurationProblems {
            problems = error.problems
        }
        return problems.map {
            .init(text: "\($0)", outcome: .attention, advice: "'hearth validate' refuses the file until this is mended")
        }
    }
}
