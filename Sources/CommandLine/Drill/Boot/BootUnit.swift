import Platform
import Records

/// Whether something starts the home's daemon at boot.
enum BootUnit {
    static func problems(of paths: HomePaths, notes: inout [String]) -> [String] {
        guard Systemctl.isAvailable else {
            notes.append("systemd does not run here: what starts the daemon at boot was not looked at")
            return []
        }
        guard let units = ManagerUnits.installed(for: paths) else {
            return ["no unit starts the daemon of '\(paths.home)' at boot: run 'hearth startup'"]
        }
        guard
            let state = Systemctl(scope: units.scope).show(
                units.manager, ["LoadState", "UnitFileState", "ActiveState", "User"])
        else { return ["systemctl tells nothing of '\(units.manager)'"] }
        var problems: [String] = []
        if state["LoadState"] != "loaded" {
            problems.append("'\(units.manager)' is not loaded (\(state["LoadState"] ?? "")): run 'hearth startup'")
        }
        if state["UnitFileState"] != "enabled" {
            problems.append("'\(units.manager)' is not enabled (\(state["UnitFileState"] ?? "")): run 'hearth startup'")
        }
        if state["ActiveState"] != "active" {
            problems.append(
                "'\(units.manager)' is \(state["ActiveState"] ?? "unknown"): the daemon that runs was not started by it; "
                    + "run 'hearth startup'")
        }
        if units.scope == .user {
            let user = PasswordEntry.caller()?.name ?? ""
            if !FileSystem.exists("/var/lib/systemd/linger/\(user)") {
                problems.append("nothing of '\(user)' starts before a login: run 'loginctl enable-linger \(user)'")
            }
        }
        if problems.isEmpty { notes.append("'\(units.manager)' is enabled and active") }
        return problems
    }
}
