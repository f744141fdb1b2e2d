import ArgumentParser
import Glibc
import Platform
import Records

struct UnstartupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unstartup", abstract: "Undo 'startup'; daemon and apps go on, and do not come back after a boot.")

    @OptionGroup var options: StartupOptions
    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        try options.requireServiceName()
        let system = try options.initSystem()
        let target = try options.target(common)
        let done: [String]
        if system == .systemd {
            done = try SystemdRemoval(units: try units(target)).remove()
        } else {
            done = try SimpleStartup(system: system, target: target, name: options.serviceName).remove()
        }
        if format.json { return try JSONOutput.write(["done": done]) }
        for sentence in done { try Output.line(sentence) }
    }

    private func units(_ target: StartupTarget) throws -> ManagerUnits {
        let named = options.serviceName.map {
            ManagerUnits(
                scope: Caller.isRoot ? .system : .user, user: target.user.name, home: target.home, name: $0)
        }
        guard let units = named ?? ManagerUnits.installed(for: target.home) else {
            throw Failure(.failed, "there is no unit for the home '\(target.home.home)': nothing was set up")
        }
        guard units.scope == .user || Caller.isRoot else {
            throw Failure(
                .notPermitted, "'\(units.managerFile)' is the system's. Run:",
                "  \(RootCommand.text([target.commandLine, "unstartup", "-u", target.user.name, "--hp", target.user.home]))"
            )
        }
        return units
    }
}
