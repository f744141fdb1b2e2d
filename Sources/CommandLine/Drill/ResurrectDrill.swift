import Control
import Glibc
import Model
import PM2Format
import Platform
import Records

/// Everything is stopped and brought back from what is stored: what a reboot does to the apps.
struct ResurrectDrill {
    let drill: Drill
    private var session: Session { drill.session }

    func run() throws {
        try requireReturn(try session.connectStarting().greet(again: true))
        try drill.look()
        try requireStored()
        drill.askBefore()

        // An interrupted drill must not leave the apps down.
        let calm = Uninterrupted()
        defer { calm.end() }
        drill.strike("all apps and the daemon are stopped, as by 'kill'")
        let reply = try KillCommand.stopEverything(session, origin: Session.origin("drill --resurrect")).reply
        session.disconnect()
        drill.note("stopped \(Reporting.count(reply.stopped, "app")) and the daemon after \(drill.elapsed) ms")
        try bringBack()
        drill.note("list restored, \(drill.elapsed) ms after the blow")
        try compare()
        drill.askAfter(waits: true)
    }

    /// The daemon ends, too: it must be in this command's power to start it as it was.
    private func requireReturn(_ hello: HelloReply) throws {
        guard let unit = hello.unit else { return try HomeOwner(paths: session.paths).requireOwn() }
        guard geteuid() != 0, ManagerUnits.installed(for: session.paths)?.scope == .system else { return }
        throw Failure(
            .notPermitted,
            "nothing was stopped: '\(unit)' is a service of the system, and only root can start it again; "
                + "run 'sudo hearth drill --resurrect --home \(session.paths.home)'")
    }

    /// A list of PM2's comes back from its dump alone: what is not in there would be lost.
    private func requireStored() throws {
        guard session.paths.isPM2 else { return }
        var stored: [String: Int] = [:]
        for entry in DumpStore.read(session.paths).content.entries where entry.isWantedRunning {
            stored[entry.spec.name, default: 0] += 1
        }
        var missing: [String] = []
        for subject in drill.subjects where subject.process != nil {
            let left = stored[subject.name, default: 0]
            if left == 0, !missing.contains(subject.name) { missing.append(subject.name) }
            stored[subject.name] = max(0, left - 1)
        }
        guard missing.isEmpty else {
            throw Failure(
                .failed,
                "nothing was stopped: '\(session.paths.pm2Dump)' does not have \(missing.joined(separator: ", ")) as running, "
                    + "so a reboot would not bring that back; run 'pm2 save' first")
        }
    }

    private func bringBack() throws {
        if session.paths.isPM2 {
            let options: PM2Options
            do throws(PM2Options.Invalid) { options = try PM2Options.parse(["resurrect", "--silent"]) } catch {
                throw Failure(.failed, error.message)
            }
            do { try PM2Keep(face: PM2Session(options, session)).resurrect() } catch is PM2Exit {
                drill.outcome.problems.append("not every app of '\(session.paths.pm2Dump)' could be entered")
            }
        } else {
            let reply: ResurrectReply = try session.change(
                .resurrect,
                SnapshotParameters(name: nil, origin: Session.origin("drill --resurrect")), repeats: true)
            Reporting.warnUnlessDurable(reply.durable, reply.notDurableReason)
        }
    }

    private func compare() throws {
        try drill.follow { subject, view in
            guard subject.process != nil else { return subject.result(view, recoveredMs: nil) }
            guard view.status == .online, view.pid != subject.process?.pid else { return nil }
            return subject.result(view, recoveredMs: drill.elapsed)
        } late: { subject, view in
            subject.result(
                view, recoveredMs: nil,
                problem: view.map { "not back after \(drill.patience) ms: \($0.status.rawValue), \($0.reason)" }
                    ?? "not in the list any more")
        }
    }
}
