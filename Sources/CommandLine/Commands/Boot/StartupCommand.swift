import ArgumentParser
import Control
import Glibc
import Platform
import Records

/// Options of `startup` and `unstartup`; the names are PM2's.
struct StartupOptions: ParsableArguments {
    @Argument(help: "systemd, openrc, runit or cron (default: what runs here).")
    var platform: String?

    @Option(name: [.short, .long], help: "Whose apps (default: yours).")
    var user: String?

    @Option(
        help: ArgumentHelp("The user's home directory (default: of /etc/passwd).", valueName: "dir"),
        completion: .directory)
    var hp: String?

    @Option(help: ArgumentHelp("Name of the service (default: hearth-USER).", valueName: "name"))
    var serviceName: String?

    func initSystem() throws -> InitSystem {
        guard let platform else {
            guard let system = InitSystem.detect() else {
                throw Failure(
                    .failed,
                    "neither systemd, OpenRC nor runit runs here, and there is no crontab; have 'hearth up' run at boot "
                        + "by whatever starts this machine")
            }
            return system
        }
        guard let system = InitSystem(word: platform) else {
            throw Failure.usage("'\(platform)' is no init system Hearth knows; name systemd, openrc, runit or cron")
        }
        return system
    }

    func target(_ common: CommonOptions) throws -> StartupTarget {
        let given: HomePaths? =
            common.home != nil || (user == nil && hp == nil && getenv("HEARTH_HOME") != nil) ? try common.paths() : nil
        return try StartupTarget(user: user, homeDirectory: hp, home: given, isPM2: false)
    }

    /// A name that goes into paths and command lines.
    func requireServiceName() throws {
        guard let serviceName else { return }
        let isFine =
            !serviceName.isEmpty && serviceName == ManagerUnits.escape(serviceName) && serviceName.utf8.count < 200
        guard isFine, !serviceName.hasPrefix("."), !serviceName.hasSuffix(".service") else {
            throw Failure.usage(
                "'\(serviceName)' cannot be the name of a service; use letters, digits, '-', '_' and '.', without '.service'"
            )
        }
    }
}

struct StartupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "startup", abstract: "Have the apps come back after a boot.",
        discussion: """
            As root: a service of the system, for the user given with -u. Otherwise: a service of your own systemd, which \
            runs without a login ('lingering'). A daemon that runs already moves into it; no app is stopped.
            """)

    @OptionGroup var options: StartupOptions

    @Flag(help: "Wait for the network at boot.")
    var waitIp = false

    @Flag(name: .customLong("print"), help: "Only show what would be written.")
    var printsOnly = false

    @Flag(help: "Record PATH, LANG and so on anew, from this shell.")
    var refresh = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        try options.requireServiceName()
        let system = try options.initSystem()
        let target = try options.target(common)
        if system != .systemd { return try simple(system, target) }
        try requireRights(target)
        let scope: SystemdScope = Caller.isRoot ? .system : .user
        let units = ManagerUnits(
            scope: scope, user: target.user.name, home: target.home, name: options.serviceName)
        let startup = SystemdStartup(
            target: target, units: units, waitsForNetwork: waitIp, refreshesEnvironment: refresh)
        if printsOnly { return try show(startup) }
        try requireOnlyUnit(units, target)
        if scope == .user { try UserScope(target: target, arguments: rootArguments(target)).prepare() }
        mentionCaller(target)
        let report = try startup.install { step in
            if !format.json { Output.complain(step) }
        }
        if format.json { return try JSONOutput.write(report) }
        try say(report)
    }

    private func say(_ report: SystemdStartup.Report) throws {
        let kept = report.kept
        var line = "\(report.unit) runs"
        if let pid = report.daemon { line += " (daemon \(pid))" }
        if !kept.isEmpty { line += "; \(Reporting.count(kept.count, "app")) went on with the same pids" }
        try Output.line(line)
        for sentence in report.leftOutside { Output.complain(sentence) }
        try Output.line("'hearth drill --boot' rehearses the boot, 'hearth doctor' looks for what could go wrong")
    }

    private func show(_ startup: SystemdStartup) throws {
        let text = startup.text()
        let recorded = startup.recordedEnvironment()
        let variables =
            recorded.isEmpty || refresh ? UnitText.environment(from: CallerEnvironment.everything()) : recorded
        try Output.write(
            """
            # \(startup.units.managerFile)
            \(text.manager)
            # \(startup.units.appsFile)
            \(text.apps)
            # \(startup.environmentFile)
            \(UnitText.environmentText(variables))
            """)
    }

    private func simple(_ system: InitSystem, _ target: StartupTarget) throws {
        let startup = SimpleStartup(system: system, target: target, name: options.serviceName)
        if printsOnly { return try Output.write(startup.text.hasSuffix("\n") ? startup.text : startup.text + "\n") }
        if system != .cron { try requireRoot(target) }
        let done = try startup.install()
        if format.json { return try JSONOutput.write(SimpleReport(initSystem: system.rawValue, done: done)) }
        for sentence in done { try Output.line(sentence) }
        try Output.line(
            "there is no systemd here: \(system.rawValue) starts the daemon at boot, the keeper looks after it")
    }

    private struct SimpleReport: Encodable {
        var initSystem: String
        var done: [String]
    }

    private func mentionCaller(_ target: StartupTarget) {
        guard options.user == nil, Caller.isRoot, let caller = getenv("SUDO_USER").map({ String(cString: $0) }),
            caller != "root"
        else { return }
        Output.complain("this is for root's apps; for those of '\(caller)': sudo hearth startup -u \(caller)")
    }

    /// Two services would start two managers of one home at boot.
    private func requireOnlyUnit(_ units: ManagerUnits, _ target: StartupTarget) throws {
        guard let present = ManagerUnits.installed(for: target.home), present != units else { return }
        throw Failure(
            .failed, "the home '\(target.home.home)' has a service already: '\(present.managerFile)'",
            "remove that one first ('hearth unstartup'), or go on with it")
    }

    // MARK: - Rights

    private func requireRights(_ target: StartupTarget) throws {
        guard !Caller.isRoot, target.user.uid != geteuid() else { return }
        try requireRoot(target)
    }

    private func requireRoot(_ target: StartupTarget) throws {
        guard !Caller.isRoot else { return }
        throw Failure(
            .notPermitted, "this needs root. Run:", "  \(RootCommand.text(rootArguments(target)))")
    }

    private func rootArguments(_ target: StartupTarget) -> [String] {
        var words = [target.commandLine, "startup", "-u", target.user.name, "--hp", options.hp ?? target.user.home]
        if let name = options.serviceName { words += ["--service-name", name] }
        if waitIp { words.append("--wait-ip") }
        if common.home != nil { words += ["--home", target.home.home] }
        return words
    }
}

/// The command that an administrator runs in place of one that lacks the rights.
enum RootCommand {
    static func text(_ words: [String]) -> String {
        "sudo env PATH=\"$PATH\" " + words.map(SimpleStartup.quoted).joined(separator: " ")
    }
}
