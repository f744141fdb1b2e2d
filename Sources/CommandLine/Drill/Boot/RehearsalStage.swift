import Configuration
import Glibc
import Platform
import Records

/// How a program is run in the environment and as the user of a start after a boot.
struct RehearsalStage {
    /// Absolute.
    let program: String
    /// In front of what is run.
    private let leading: [String]
    /// For people: `in an empty environment as deploy`.
    let story: String
    let notes: [String]

    // What systemd gives a unit that says nothing of its PATH.
    private static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"

    init(paths: HomePaths) throws {
        var status = stat()
        guard stat(paths.base, &status) == 0 else {
            throw Failure(.failed, "there is no home '\(paths.base)': \(FileProbe.describe(errno))")
        }
        guard let own = InstalledProgram.ownPath() else { throw Failure(.failed, "/proc/self/exe cannot be read") }
        let user = UserNames.name(of: status.st_uid)
        let directory = PasswordEntry.named(user)?.home ?? "/"
        let mustChange = geteuid() == 0 && status.st_uid != 0
        let variables = [
            "PATH=\(Self.path)", "HOME=\(directory)", "USER=\(user)",
            paths.isPM2 ? "PM2_HOME=\(paths.home)" : "HEARTH_HOME=\(paths.home)",
        ]

        if let unit = Self.unit(paths) {
            program = unit.program
            var words = ["--quiet", "--pipe", "--wait", "--collect", "-p", "TimeoutSec=60"]
            if unit.units.scope == .user { words.insert("--user", at: 0) }
            if mustChange { words += ["-p", "User=\(user)"] }
            if let file = Self.environmentFile(of: unit.units) { words += ["-p", "EnvironmentFile=-\(file)"] }
            leading = words + variables.map { "--setenv=\($0)" } + ["--", own]
            story = "by systemd-run as \(user)"
            notes = []
            return
        }
        program = "/usr/bin/env"
        let setpriv = SimpleStartup.program("setpriv")
        var words = ["-i"] + variables
        if mustChange, let setpriv {
            words += [setpriv, "--reuid=\(status.st_uid)", "--regid=\(status.st_gid)", "--init-groups"]
        }
        leading = words + [own]
        if mustChange, setpriv == nil {
            story = "in an empty environment as root"
            notes = ["there is no setpriv: what \(user) may not read was not noticed"]
        } else {
            story = "in an empty environment as \(user)"
            notes = []
        }
    }

    func arguments(_ words: [String]) -> [String] { leading + words }

    /// With systemd a service of its own is the very thing, where its manager is ours to ask.
    private static func unit(_ paths: HomePaths) -> (program: String, units: ManagerUnits)? {
        guard Systemctl.isAvailable, let units = ManagerUnits.installed(for: paths),
            let program = SimpleStartup.program("systemd-run")
        else { return nil }
        return (geteuid() == 0) == (units.scope == .system) ? (program, units) : nil
    }

    /// `/etc/hearth/deploy.env (ignore_errors=yes)`.
    private static func environmentFile(of units: ManagerUnits) -> String? {
        let value = Systemctl(scope: units.scope).show(units.manager, ["EnvironmentFiles"])?["EnvironmentFiles"]
        guard let value, value.hasPrefix("/") else { return nil }
        return value.firstRange(of: " (").map { String(value[..<$0.lowerBound]) } ?? value
    }
}
