import Configuration
import Glibc
import Model
import PM2Format
import Platform
import Records

/// What lies beside the list.
struct ListEvidence: Sendable {
    enum Dump: Hashable, Sendable {
        /// This home has none.
        case notNeeded
        case missing
        case unreadable(String)
        /// Names in it, sorted.
        case names([String], modifiedAt: Int64)
    }

    /// Lists that could not be read and were moved out of the way.
    var setAside: [String]
    var dump: Dump

    static func collect(_ paths: HomePaths) -> ListEvidence {
        let names = (try? FileSystem.names(in: paths.state)) ?? []
        return ListEvidence(
            setAside: names.filter { $0.contains(".json") && $0.contains(".corrupt-") }.map { "\(paths.state)/\($0)" },
            dump: dump(paths))
    }

    private static func dump(_ paths: HomePaths) -> Dump {
        guard paths.isPM2 else { return .notNeeded }
        var status = stat()
        guard stat(paths.pm2Dump, &status) == 0 else { return .missing }
        do {
            let content = try DumpReader.read(try FileSystem.read(paths.pm2Dump), paths: paths)
            return .names(content.entries.map(\.spec.name).sorted(), modifiedAt: Int64(status.st_mtim.tv_sec) * 1000)
        } catch {
            return .unreadable("\(error)")
        }
    }
}

/// Will the list come back?
enum ListLayer {
    static func judge(_ evidence: ListEvidence, _ scene: Scene) -> [Finding] {
        var findings: [Finding] = []
        let list = scene.list
        if !list.corrupt.isEmpty {
            findings.append(
                Finding(
                    .listCorrupt, "the list cannot be read", list.notes,
                    fix: list.state == nil ? scene.fix("snapshots") : scene.fix("up")))
        } else if list.state == nil, !list.notes.isEmpty {
            findings.append(Finding(.listCorrupt, "the list cannot be read", list.notes))
        }
        if !evidence.setAside.isEmpty {
            findings.append(
                Finding(
                    .listSetAside, "a list that could not be read was set aside: what was changed last may be missing",
                    evidence.setAside.map { "'\($0)'" },
                    fix: evidence.setAside.count == 1
                        ? "rm \(SimpleStartup.quoted(evidence.setAside[0]))" : nil))
        }
        if let note = scene.notes.first(where: { $0.hasPrefix("not saved: ") }) {
            findings.append(
                Finding(
                    .listNotSaved, "the list is not on the disk: a reboot would lose the last changes",
                    [String(note.dropFirst(11))]))
        }
        if let state = list.state, state.machine != scene.machine.machine {
            findings.append(
                Finding(
                    .listOfAnotherMachine, "the list was last run by another machine: no daemon is started here",
                    ["list: machine \(state.machine)", "here: machine \(scene.machine.machine)"],
                    fix: scene.fix("up --take-over")))
        }
        return findings + dump(evidence.dump, scene)
    }

    private static func dump(_ dump: ListEvidence.Dump, _ scene: Scene) -> [Finding] {
        let names = scene.apps.map(\.spec.name).sorted()
        let save = scene.fix.pm2("save")
        switch dump {
        case .notNeeded: return []
        case .missing:
            guard !names.isEmpty else { return [] }
            return [
                Finding(
                    .dumpMissing, "the list was never saved: 'pm2 resurrect' at boot would find nothing",
                    ["'\(scene.paths.pm2Dump)' does not exist", "running now: \(names.joined(separator: ", "))"],
                    fix: save)
            ]
        case .unreadable(let why):
            return [
                Finding(
                    .dumpMissing, "the saved list cannot be read: 'pm2 resurrect' would use the backup", [why],
                    fix: save)
            ]
        case .names(let saved, let modifiedAt):
            guard saved != names else { return [] }
            let gone = saved.filter { !names.contains($0) }
            let new = names.filter { !saved.contains($0) }
            var lines = ["saved \(Quantities.timestamp(milliseconds: modifiedAt))"]
            if !new.isEmpty { lines.append("not in it: \(new.joined(separator: ", "))") }
            if !gone.isEmpty { lines.append("in it, and not in the list: \(gone.joined(separator: ", "))") }
            return [
                Finding(
                    .dumpOld, "the saved list is not the present one: after a reboot the saved one comes back", lines,
                    fix: save)
            ]
        }
    }
}
