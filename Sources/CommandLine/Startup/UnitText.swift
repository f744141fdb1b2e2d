import Glibc
import Model
import Platform
import Records

/// The texts of the two units of a home.
struct UnitText {
    let units: ManagerUnits
    let home: HomePaths
    /// Who runs them; in the user scope nothing of it is written.
    let user: PasswordEntry
    /// Files of the installed programs.
    let keeper: String
    let commandLine: String
    /// Where the variables are that the service starts with.
    let environmentFile: String
    let waitsForNetwork: Bool
    /// After which systemd gives up a stop: the longest `kill_timeout` and a margin.
    let stopSeconds: Int64

    /// Seconds that a stop may take in any case.
    static let leastStopSeconds: Int64 = 90
    /// Six times what the keeper takes between two signs of life.
    private static let watchdogSeconds = 60
    /// More would not fit into the one variable in which systemd tells their names.
    private static let storedDescriptors = 4096

    private var program: String { home.isPM2 ? "PM2 process manager (Hearth)" : "Hearth process manager" }

    /// What the journal and `systemctl list-units` call them.
    private var owner: String { units.scope == .system ? " of \(UnitQuoting.specifierFree(user.name))" : "" }

    /// The cgroup of the apps unit. systemd has specifiers for everything but that.
    var cgroup: String {
        let mount = FileSystem.exists("/sys/fs/cgroup/cgroup.controllers") ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified"
        switch units.scope {
        case .system: return "\(mount)/system.slice/\(units.apps)"
        case .user: return "\(mount)/user.slice/user-\(user.uid).slice/user@\(user.uid).service/app.slice/\(units.apps)"
        }
    }

    var manager: String {
        let system = units.scope == .system
        var after = [units.apps, "network.target"]
        // unit-stop asks over the bus: at a shutdown the bus must end after us.
        if system { after += ["nss-user-lookup.target", "remote-fs.target", "dbus.socket", "dbus.service"] }
        if waitsForNetwork { after.append("network-online.target") }
        let wants = [units.apps] + (waitsForNetwork ? ["network-online.target"] : [])
        let hidden = "\(UnitQuoting.word(commandLine))"
        let scope = system ? "system" : "user"
        return """
            # Made by 'hearth startup', which also changes it; what is yours belongs into a drop-in ('systemctl edit').
            [Unit]
            Description=\(program)\(owner)
            Documentation=man:hearth(1)
            \(ManagerUnits.homeKey)\(UnitQuoting.specifierFree(home.home))
            Wants=\(wants.joined(separator: " "))
            After=\(after.joined(separator: " "))
            StartLimitIntervalSec=0

            [Service]
            Type=notify
            NotifyAccess=main
            \(system && user.uid != 0 ? "User=\(UnitQuoting.specifierFree(user.name))\n" : "")\
            Environment=HEARTH_UNIT=%n \(UnitQuoting.word("HEARTH_HOME=\(home.home)"))
            EnvironmentFile=-\(UnitQuoting.specifierFree(environmentFile))
            # Into the cgroup of the apps unit, then the user's rights, then the keeper.
            ExecStart=\(start)
            ExecStartPost=-\(hidden) unit-start --scope \(scope)
            ExecReload=\(hidden) reload all
            ExecStop=-\(hidden) unit-stop --scope \(scope)
            # Apps outlive the manager: only the keeper is ever signalled.
            KillMode=process
            Delegate=yes
            Restart=on-failure
            RestartSec=100ms
            RestartPreventExitStatus=78
            TimeoutStopSec=\(stopSeconds)
            WatchdogSec=\(Self.watchdogSeconds)
            FileDescriptorStoreMax=\(Self.storedDescriptors)
            OOMPolicy=continue
            TasksMax=infinity
            LimitNOFILE=infinity
            LimitNPROC=infinity
            LimitCORE=infinity

            [Install]
            WantedBy=\(system ? "multi-user.target" : "default.target")

            """
    }

    var apps: String {
        let system = units.scope == .system
        let move =
            "mkdir -p \"$$0/anchor\" \"$$0/manager\" && echo \"$$MAINPID\" >\"$$0/anchor/cgroup.procs\""
        return """
            # Made by 'hearth startup': the cgroup in which the apps of \(units.manager) live. It is never restarted,
            # and ending its one process ends no app.
            [Unit]
            Description=Apps of the \(program)\(owner)
            Documentation=man:hearth(1)

            [Service]
            Type=exec
            # The keeper lives here and notifies its own unit, of which systemd would warn each time.
            LogLevelMax=err
            \(system && user.uid != 0 ? "User=\(UnitQuoting.specifierFree(user.name))\n" : "")\
            Delegate=yes
            ExecStart=/bin/sleep infinity
            ExecStartPost=-/bin/sh -c '\(move)' \(UnitQuoting.word(cgroup))
            KillMode=process
            OOMPolicy=continue
            TasksMax=infinity

            """
    }

    /// Root's shell and setpriv are the only things that run with root's rights, never a file of the user's.
    private var start: String {
        let keeperWords = [keeper, "--home", home.home, "--log", home.daemonLog]
        let join = "{ echo 0 >\"$$0\"; } 2>/dev/null; exec \"$$@\""
        var words = ["/bin/sh", "-c", "'\(join)'", UnitQuoting.word("\(cgroup)/manager/cgroup.procs")]
        // Without setpriv the keeper stays where systemd starts it; apps have no memory accounting then.
        let drops = units.scope == .system && user.uid != 0 && FileSystem.isExecutable("/usr/bin/setpriv")
        if drops {
            words += [
                "/usr/bin/setpriv", "--reuid=\(user.uid)", "--regid=\(user.gid)", "--init-groups", "--inh-caps=-all",
                "--",
            ]
        }
        if units.scope == .system, user.uid != 0, !drops { words = [] }
        words += keeperWords.map(UnitQuoting.word)
        return (drops ? "!" : "") + words.joined(separator: " ")
    }

    /// The variables that the service starts with: what programs are found by, and how they speak.
    static func environment(from variables: [String: String]) -> [(name: String, value: String)] {
        variables.filter { name, _ in ["PATH", "LANG", "LANGUAGE", "TZ"].contains(name) || name.hasPrefix("LC_") }
            .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    static func environmentText(_ variables: [(name: String, value: String)]) -> String {
        let lines = variables.map { name, value in
            var quoted = ""
            for character in value where character != "\n" {
                if "\"\\`$".contains(character) { quoted.append("\\") }
                quoted.append(character)
            }
            return "\(name)=\"\(quoted)\"\n"
        }
        return "# What the service starts with; 'hearth startup --refresh' writes it anew from your shell.\n"
            + lines.joined()
    }
}
