import Model
import Platform
import Records

/// Does the daemon come back after a reboot, and will systemd leave the apps alone?
enum UnitLayer {
    static func judge(_ evidence: UnitEvidence, _ scene: Scene) -> [Finding] {
        // A home in which nothing is to be kept needs no unit.
        guard scene.owner != nil, !scene.apps.isEmpty || scene.daemon.process != nil || evidence.unit != nil else {
            return []
        }
        switch evidence.boot {
        case .other(let name), .container(let name): return withoutSystemd(evidence, scene, name)
        case .systemd: break
        }
        if evidence.isSilent { return silent(evidence, scene) + sessions(evidence, scene) }
        guard let unit = evidence.unit else {
            if let path = evidence.unitOfOwner, let owner = scene.owner {
                let user = UserNames.name(of: owner)
                return [
                    Finding(
                        .unitUnknown, "the unit is in the systemd of '\(user)', which only that user may ask",
                        ["'\(path)'"], fix: "sudo -u \(user) hearth doctor" + scene.fix.home)
                ]
            }
            return [missing(evidence, scene)] + sessions(evidence, scene)
        }
        return state(of: unit, evidence, scene) + content(of: unit, scene) + place(of: unit, evidence, scene)
            + linger(of: unit, evidence, scene) + sessions(evidence, scene)
    }

    /// A user's systemd runs while there is a session, or always with lingering.
    private static func silent(_ evidence: UnitEvidence, _ scene: Scene) -> [Finding] {
        guard let unit = evidence.unit, unit.scope == .user, !evidence.lingers else {
            return [
                Finding(
                    .unitUnknown, "systemd does not answer: what it makes of the unit is not known",
                    evidence.unit.map { [$0.name] } ?? [], severity: .warning)
            ]
        }
        return linger(of: unit, evidence, scene)
    }

    private static func withoutSystemd(_ evidence: UnitEvidence, _ scene: Scene, _ name: String) -> [Finding] {
        guard evidence.otherStarts.isEmpty, scene.processes.entry(of: 1)?.name != "hearth-keeper" else { return [] }
        if case .container = evidence.boot {
            return [
                Finding(
                    .unitUnknown, "there is no systemd: what starts Hearth at boot is not known here",
                    ["pid 1 is '\(name)'"])
            ]
        }
        return [
            Finding(
                .bootNotArranged, "nothing starts Hearth at boot", ["pid 1 is '\(name)'"], fix: startup(nil, scene))
        ]
    }

    private static func missing(_ evidence: UnitEvidence, _ scene: Scene) -> Finding {
        var lines = evidence.otherStarts
        if let daemon = scene.daemon.process, let cgroup = daemon.cgroup {
            lines.append("the daemon runs in \(cgroup)")
        }
        return Finding(
            .unitMissing,
            evidence.otherStarts.isEmpty
                ? "there is no unit for this home: after a reboot nothing runs"
                : "there is no unit for this home; something else starts it at boot",
            lines, fix: startup(nil, scene), severity: evidence.otherStarts.isEmpty ? .error : .warning)
    }

    // MARK: - The unit

    private static func systemctl(_ unit: UnitEvidence.Unit, _ scene: Scene, _ words: String) -> String {
        unit.scope == .user
            ? "systemctl --user \(words) \(unit.name)"
            : (scene.caller == 0 ? "" : "sudo ") + "systemctl \(words) \(unit.name)"
    }

    /// Writes the unit anew, and moves into it what runs outside.
    private static func startup(_ unit: UnitEvidence.Unit?, _ scene: Scene, _ options: String = "") -> String {
        // Without root, and without a unit of root's making, it becomes one of the user's own.
        guard let owner = scene.owner, unit?.scope == .system || scene.caller == 0 else {
            return scene.fix("startup" + options)
        }
        let command = (scene.caller == 0 ? "" : "sudo ") + "hearth startup" + options
        // Under sudo the caller is root.
        return command + (owner == 0 ? "" : " -u \(UserNames.name(of: owner))") + scene.fix.home
    }

    private static func state(of unit: UnitEvidence.Unit, _ evidence: UnitEvidence, _ scene: Scene) -> [Finding] {
        if unit["LoadState"] == "not-found" {
            return [
                Finding(
                    .unitMissing, "the unit was written, and systemd has not read it", [unit.name],
                    fix: (scene.caller == 0 || unit.scope == .user ? "" : "sudo ")
                        + "systemctl \(unit.scope == .user ? "--user " : "")daemon-reload")
            ]
        }
        var findings: [Finding] = []
        let shown = "\(unit.name): \(unit["UnitFileState"]), \(unit["ActiveState"]) (\(unit["SubState"]))"
        if !["enabled", "enabled-runtime", "static", "alias", "linked"].contains(unit["UnitFileState"]) {
            findings.append(
                Finding(
                    .unitDisabled, "the unit is not enabled: after a reboot nothing runs", [shown],
                    fix: systemctl(unit, scene, "enable")))
        }
        switch unit["ActiveState"] {
        case "failed":
            findings.append(
                Finding(
                    .unitFailed, "the unit has failed",
                    [shown, "result \(unit["Result"]), exit status \(unit["ExecMainStatus"])"],
                    fix: startup(unit, scene)))
        case "inactive":
            let running = scene.apps.filter(\.isRunning).count
            let outside = scene.daemon.process != nil || running > 0
            // Ended on purpose, it is told as that.
            guard outside || scene.list.state?.killed == nil else { return findings }
            var lines = [shown]
            if let daemon = scene.daemon.process {
                lines.append("daemon \(daemon.pid) runs for \(daemon.age) in \(daemon.cgroup ?? "an unknown cgroup")")
            }
            if running > 0 { lines.append("\(Reporting.count(running, "app")) of this home run") }
            findings.append(
                Finding(
                    .unitDead,
                    outside
                        ? "the unit is dead while its daemon and apps run: they were started outside it, nothing watches them"
                        : "the unit is not started",
                    lines, fix: outside ? startup(unit, scene) : systemctl(unit, scene, "start")))
        default: break
        }
        return findings
    }

    private static func content(of unit: UnitEvidence.Unit, _ scene: Scene) -> [Finding] {
        guard unit["LoadState"] != "not-found" else { return [] }
        var findings: [Finding] = []
        let fix = startup(unit, scene)
        if let program = unit.missingProgram {
            findings.append(
                Finding(
                    .unitProgramMissing, "the unit starts a program that does not exist",
                    ["\(unit.name): ExecStart=\(program)"], fix: fix))
        }
        if let home = unit.home {
            if home != scene.paths.home {
                findings.append(
                    Finding(
                        .unitOtherHome, "the unit starts another home than this one",
                        ["\(unit.name): '\(home)'", "this home: '\(scene.paths.home)'"], fix: fix))
            }
            if !FileSystem.isDirectory(home) {
                findings.append(
                    Finding(
                        .unitHomeMissing, "the home that the unit names does not exist", ["\(unit.name): '\(home)'"],
                        fix: fix))
            }
        }
        if unit.scope == .system, let owner = scene.owner {
            let name = unit["User"].isEmpty ? "root" : unit["User"]
            if name != UserNames.name(of: owner) {
                findings.append(
                    Finding(
                        .unitOtherUser, "the unit runs as another user than the home's owner",
                        [
                            "\(unit.name): User=\(name)",
                            "'\(scene.paths.home)' belongs to \(UserNames.name(of: owner))",
                        ],
                        fix: fix))
            }
        }
        if !["process", "none"].contains(unit["KillMode"]) {
            var lines = ["\(unit.name): Type=\(unit["Type"]), KillMode=\(unit["KillMode"])"]
            if !unit["PIDFile"].isEmpty { lines.append("PIDFile=\(unit["PIDFile"])") }
            findings.append(
                Finding(
                    .unitKillsApps,
                    "when the daemon dies under this unit, systemd kills every app with it", lines, fix: fix))
        }
        if !unit.missingDirectories.isEmpty {
            findings.append(
                Finding(
                    .unitPath, "the unit starts with a PATH that has directories which are gone",
                    ["\(unit.name): \(unit.missingDirectories.joined(separator: ", "))"],
                    fix: unit.isOurs ? startup(unit, scene, " --refresh") : fix))
        }
        return findings
    }

    // MARK: - Where things run

    static func isInside(_ cgroup: String, _ unit: UnitEvidence.Unit) -> Bool {
        [unit["ControlGroup"], unit.appsCgroup ?? ""].contains { group in
            !group.isEmpty && (group == "/" || cgroup == group || cgroup.hasPrefix(group + "/"))
        }
    }

    private static func place(of unit: UnitEvidence.Unit, _ evidence: UnitEvidence, _ scene: Scene) -> [Finding] {
        var findings: [Finding] = []
        if let daemon = scene.daemon.process {
            let main = Int32(unit["MainPID"]) ?? 0
            let isMain = main > 0 && (daemon.pid == main || scene.daemon.keepers.contains { $0.pid == main })
            if !isMain, !isInside(daemon.cgroup ?? "", unit) {
                let place = daemon.cgroup ?? "an unknown cgroup"
                let session = ProcessFacts.unit(ofCgroup: place).flatMap { $0.hasPrefix("session-") ? $0 : nil }
                findings.append(
                    Finding(
                        .daemonOutsideUnit,
                        session == nil
                            ? "the daemon runs outside its unit: systemd does not watch it"
                            : "the daemon runs in a login session, not in its unit: it may end with the session",
                        [
                            "pid \(daemon.pid) in \(place)",
                            "\(unit.name) in \(unit["ControlGroup"].isEmpty ? "no cgroup" : unit["ControlGroup"])",
                        ],
                        fix: startup(unit, scene)))
            }
        }
        let outside = evidence.places.filter { !isInside($0.cgroup, unit) }
        if !outside.isEmpty, unit["ActiveState"] == "active" {
            findings.append(
                Finding(
                    .appsOutsideUnit,
                    "\(Reporting.count(outside.count, "app")) run outside the units: they move there with their next start",
                    outside.prefix(5).map { "\($0.label), pid \($0.pid), in \($0.cgroup)" },
                    fix: scene.caller == 0 ? startup(unit, scene) : scene.fix("restart all")))
        }
        return findings
    }

    private static func linger(of unit: UnitEvidence.Unit, _ evidence: UnitEvidence, _ scene: Scene) -> [Finding] {
        guard unit.scope == .user, !evidence.lingers, let owner = scene.owner else { return [] }
        let user = UserNames.name(of: owner)
        return [
            Finding(
                .lingerOff, "lingering is off: the unit starts with the first login, and ends with the last session",
                ["'/var/lib/systemd/linger/\(user)' does not exist"]
                    + (evidence.isSilent
                        ? ["the systemd of '\(user)' does not run now, and so \(unit.name) does not"] : []),
                fix: "loginctl enable-linger \(user)",
                repair: .enableLinger(user: user))
        ]
    }

    private static func sessions(_ evidence: UnitEvidence, _ scene: Scene) -> [Finding] {
        guard evidence.killsSessions else { return [] }
        let daemon = scene.daemon.process.flatMap { process in
            process.cgroup.map { UnitEvidence.Place(label: "the daemon", pid: process.pid, cgroup: $0) }
        }
        let inSession = ((daemon.map { [$0] } ?? []) + evidence.places).filter { place in
            ProcessFacts.unit(ofCgroup: place.cgroup).map { $0.hasPrefix("session-") && $0.hasSuffix(".scope") }
                ?? false
        }
        guard !inSession.isEmpty else { return [] }
        return [
            Finding(
                .sessionKilled, "logind ends what a login session leaves behind (KillUserProcesses=yes)",
                inSession.prefix(5).map { "\($0.label), pid \($0.pid), in \($0.cgroup)" },
                fix: startup(evidence.unit, scene))
        ]
    }
}
