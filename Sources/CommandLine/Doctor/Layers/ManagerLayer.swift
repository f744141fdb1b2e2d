import Configuration
import Model
import Platform
import Records

/// Does anybody else start the same?
enum ManagerLayer {
    static func judge(_ evidence: ManagerEvidence, _ scene: Scene) -> [Finding] {
        var findings: [Finding] = []
        if let pm2 = evidence.genuine {
            findings.append(
                Finding(
                    .pm2OnHome, "PM2's own daemon runs on this home: both would start the same apps", [pm2.sentence],
                    fix: "kill \(pm2.pid)"))
        }
        for copy in evidence.copies {
            findings.append(
                Finding(
                    .duplicateProcess, "'\(copy.app)' runs a second time, started by \(copy.origin.text)",
                    [copy.process.sentence], fix: copy.origin.stopCommand(copy.process.pid)))
        }
        for mention in evidence.mentions {
            findings.append(
                Finding(
                    .duplicateUnit, "'\(mention.app)' is started at boot by somebody else as well",
                    ["\(mention.file): \(mention.line)"], fix: mention.disable))
        }
        if let saved = evidence.savedByPM2 {
            findings.append(
                Finding(
                    .duplicateAtBoot, "at the next boot PM2 starts apps that are in this list",
                    [
                        saved.names.joined(separator: ", "), "list '\(saved.home)/dump.pm2'",
                        "started by \(saved.starter)",
                    ],
                    fix: saved.fix))
        }
        return findings + crontab(evidence, scene) + homes(evidence)
    }

    private static func crontab(_ evidence: ManagerEvidence, _ scene: Scene) -> [Finding] {
        evidence.crontab.compactMap { entry in
            let line = "\(entry.source): \(entry.schedule) \(entry.command)"
            let edit = entry.source.hasPrefix("/etc/") ? nil : "crontab -e"
            if let call = entry.managerCall {
                let verb = call.dropFirst().first { !$0.hasPrefix("-") } ?? ""
                guard entry.isAtBoot,
                    ["resurrect", "start", "up", "startOrRestart", "apply", "unit-start"].contains(verb)
                else {
                    return nil
                }
                if call.first == "pm2", !scene.paths.isPM2 {
                    // That PM2 has the same apps is a finding of its own.
                    guard evidence.savedByPM2 == nil, verb != "resurrect" else { return nil }
                    return Finding(.cronAtBoot, "a crontab line starts PM2 beside Hearth", [line], fix: edit)
                }
                guard evidence.hasUnit else { return nil }
                return Finding(
                    .cronAtBoot, "a crontab line starts at boot what the unit starts: they race", [line], fix: edit)
            }
            let words = Set(entry.steps.flatMap { $0 })
            guard let app = scene.apps.first(where: { $0.spec.interpreter != nil && words.contains($0.spec.script) })
            else {
                return nil
            }
            return Finding(
                .cronAtBoot, "a crontab line starts the script of \(app.label), too", [line], fix: edit)
        }
    }

    private static func homes(_ evidence: ManagerEvidence) -> [Finding] {
        evidence.otherHomes.map { other in
            Finding(
                .otherHome, "another daemon of the same user runs, with a list of its own",
                ["'\(other.home)', pid \(other.process.pid)"],
                fix: "hearth --home \(SimpleStartup.quoted(other.home)) list")
        }
    }
}
