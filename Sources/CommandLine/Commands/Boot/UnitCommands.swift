import ArgumentParser
import Control
import Glibc
import Platform
import Records

/// What a unit runs; nobody types it.
struct UnitStartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unit-start", abstract: "Bring back what a stop of the unit ended (ExecStartPost).",
        shouldDisplay: false)

    @OptionGroup var unit: UnitOptions
    @OptionGroup var common: CommonOptions

    /// A start by hand or at boot. One after a crash, or one that a command needed for its daemon, brings nothing back
    /// that was stopped on purpose.
    func run() throws {
        let paths = try common.paths()
        if unlink(PlainStart.mark(paths)) == 0 || unit.restarts > 0 { return }
        if paths.isPM2 {
            setenv("PM2_HOME", paths.home, 1)
            setenv("PM2_SILENT", "true", 1)
            let face = try PM2Session(try PM2Options.parse([]))
            return try PM2Keep(face: face).resurrect()
        }
        let parameters = SnapshotParameters(name: nil, origin: "systemctl start \(unit.name)", killedOnly: true)
        let _: ResurrectReply = try Session(common).change(.resurrect, parameters, repeats: true)
    }
}

struct UnitStopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unit-stop", abstract: "End the apps when the unit is stopped (ExecStop).", shouldDisplay: false)

    @OptionGroup var unit: UnitOptions
    @OptionGroup var common: CommonOptions

    /// systemd runs ExecStop also after a crash and within a restart; apps are ended in neither.
    func run() throws {
        let session = try Session(common)
        switch unit.reason {
        case .crash: return
        case .stop:
            _ = try KillCommand.stopEverything(session, origin: "systemctl stop \(unit.name)")
        case .restart:
            let origin = OriginParameters(origin: "systemctl restart \(unit.name)")
            let client = try session.connect()
            let _: DetachReply = try client.call(
                .detach, origin, as: DetachReply.self, kind: .changing, deadline: Session.Deadline.ordinary)
            _ = client.waitForEnd(milliseconds: 5000)
        }
    }
}

/// A start of the unit that a command caused, which wants a daemon and no more.
enum PlainStart {
    static func mark(_ paths: HomePaths) -> String { paths.run + "/plain-start" }
}

struct UnitOptions: ParsableArguments {
    @Option var scope = "system"

    enum Reason {
        case crash, stop, restart
    }

    /// The unit this runs in.
    var name: String { getenv("HEARTH_UNIT").map { String(cString: $0) } ?? "the service" }

    private var systemctl: Systemctl? { SystemdScope(rawValue: scope).map(Systemctl.init) }

    /// How often systemd has started the unit again by itself since it was last started.
    var restarts: Int {
        systemctl?.show(name, ["NRestarts"])?["NRestarts"].flatMap { Int($0) } ?? 0
    }

    /// The kind of the job that is being done. Who cannot be asked (the bus is down) is not obeyed: apps that should
    /// end get systemd's own signal a moment later.
    var reason: Reason {
        // Not systemd: its script only calls this for a stop.
        guard let systemctl else { return .stop }
        guard let main = getenv("MAINPID"), main.pointee != 0 else { return .crash }
        guard let job = systemctl.show(name, ["Job"])?["Job"], !job.isEmpty, job != "0" else { return .restart }
        let jobs = systemctl.run(["list-jobs", "--no-legend", "--plain", "--no-pager"], seconds: 3)
        for line in jobs.output.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            if words.count >= 3, words[0] == job { return words[2] == "stop" ? .stop : .restart }
        }
        return .restart
    }
}
