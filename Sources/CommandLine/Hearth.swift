import ArgumentParser
import Control

/// The root of the command line.
struct Hearth: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hearth",
        abstract: "Keep apps running: start them, watch them, bring them back.",
        discussion: """
            SELECTOR means an id, a name, a namespace, 'all' or '/regular expression/'.
            Every command takes --home DIR (default: $HEARTH_HOME, else ~/.hearth), also in front of it.
            Exit codes: 0 done, 1 failed, 2 usage, 3 no daemon, 4 no answer, 5 not permitted, 6 other version.
            """,
        version: Interface.productVersion,
        groupedSubcommands: [
            CommandGroup(
                name: "Apps",
                subcommands: [
                    StartCommand.self, StopCommand.self, RestartCommand.self, ReloadCommand.self,
                    DeleteCommand.self, ScaleCommand.self, SignalCommand.self, TriggerCommand.self,
                    SendCommand.self, ResetCommand.self, RunCommand.self, RunOnceCommand.self, ServeCommand.self,
                    DeployCommand.self,
                ]),
            CommandGroup(
                name: "Look",
                subcommands: [
                    ListCommand.self, ShowCommand.self, WhyCommand.self, LogsCommand.self, FlushCommand.self,
                    EventsCommand.self, PidCommand.self, EnvironmentCommand.self,
                ]),
            CommandGroup(
                name: "App files",
                subcommands: [
                    PlanCommand.self, ApplyCommand.self, ValidateCommand.self, ConvertCommand.self, ImportCommand.self,
                ]),
            CommandGroup(
                name: "Keep", subcommands: [SaveCommand.self, ResurrectCommand.self, SnapshotsCommand.self]),
            CommandGroup(
                name: "Boot",
                subcommands: [
                    StartupCommand.self, UnstartupCommand.self, UnitStartCommand.self, UnitStopCommand.self,
                ]),
            CommandGroup(
                name: "Daemon",
                subcommands: [
                    UpCommand.self, KillCommand.self, PingCommand.self, DoctorCommand.self, DaemonCommand.self,
                    UpgradeCommand.self, ShimCommand.self, ManualCommand.self,
                ]),
        ])

    /// Names and aliases of all commands.
    static var commandNames: [String] {
        (configuration.subcommands + configuration.groupedSubcommands.flatMap(\.subcommands)).flatMap { command in
            [command.configuration.commandName].compactMap { $0 } + command.configuration.aliases
        }
    }
}
