import Configuration
import Control
import Glibc
import Model
import Platform
import Records

/// Makes the units of a home, and has the daemon that runs taken over by them.
struct SystemdStartup {
    let target: StartupTarget
    let units: ManagerUnits
    var waitsForNetwork = false
    /// Writes the recorded variables anew, even if there are some.
    var refreshesEnvironment = false

    private var systemctl: Systemctl { Systemctl(scope: units.scope) }

    struct Report: Encodable {
        var unit: String
        var files: [String]
        var environment: [String: String]
        var environmentFile: String
        var isEnabled: Bool
        /// Pid of the daemon that runs in the unit now.
        var daemon: Int32?
        /// Apps that ran before, with the pids they have kept.
        var kept: [Kept]
        /// Processes that stay outside the unit until their next start, with the reason.
        var leftOutside: [String]

        struct Kept: Encodable {
            var name: String
            var pid: Int32
        }
    }

    /// A step, for a person who watches: what is done, and how it went.
    typealias Narrator = (_ step: String) -> Void

    /// Beside the units' own configuration: `/etc/hearth`, `~/.config/hearth`.
    var environmentFile: String {
        let directory: String
        switch units.scope {
        // Tests write below a directory of their own.
        case .system: directory = getenv("HEARTH_TEST_ETC").map { String(cString: $0) } ?? "/etc/hearth"
        case .user: directory = FileSystem.parent(of: FileSystem.parent(of: units.directory)) + "/hearth"
        }
        return "\(directory)/\(units.name).env"
    }

    func text() -> UnitText {
        UnitText(
            units: units, home: target.home, user: target.user, keeper: target.keeper, commandLine: target.commandLine,
            environmentFile: environmentFile, waitsForNetwork: waitsForNetwork, stopSeconds: stopSeconds)
    }

    /// What an app of the list may take to stop, and 10 s.
    private var stopSeconds: Int64 {
        let state = DesiredStateFile.read(target.home).state
        let longest = state?.instances.map { $0.spec.stop.killTimeout.rawValue }.max() ?? 0
        return max(UnitText.leastStopSeconds, min(longest, 86_400_000) / 1000 + 10)
    }

    // MARK: - Installing

    func install(_ narrate: Narrator) throws -> Report {
        try target.makeHome()
        let variables = try writeEnvironment()
        let text = text()
        try keepForeign(units.managerFile)
        try write(text.manager, to: units.managerFile)
        try write(text.apps, to: units.appsFile)
        narrate("wrote \(units.managerFile) and \(units.appsFile)")
        narrate("recorded \(variables.map(\.name).joined(separator: ", ")) in \(environmentFile)")
        try order(["daemon-reload"])
        try order(["enable", units.manager])
        narrate("\(units.manager) starts at boot")
        let before = running()
        try start(hasDaemon: before != nil)
        let daemon = try waitForDaemon()
        var report = Report(
            unit: units.manager, files: [units.managerFile, units.appsFile],
            environment: Dictionary(variables.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }),
            environmentFile: environmentFile, isEnabled: true, daemon: daemon.greeting.pid, kept: [], leftOutside: [])
        let after = try instances(daemon.client)
        let pids = Set(after.compactMap(\.pid))
        report.kept = (before ?? []).compactMap { app in
            app.pid.flatMap { pids.contains($0) ? Report.Kept(name: app.name, pid: $0) : nil }
        }
        report.leftOutside = AppsMove(text: text, target: target).move(daemon.client, after)
        return report
    }

    /// A unit that is not Hearth's (PM2's own) is not lost: systemd does not read files with such a name.
    private func keepForeign(_ path: String) throws {
        guard let bytes = try? FileSystem.read(path, limit: 1 << 20),
            !String(decoding: bytes, as: UTF8.self).contains("\n" + ManagerUnits.homeKey)
        else { return }
        try FileSystem.replace(path + ".before-hearth", with: bytes, mode: 0o644, sync: true)
    }

    private func write(_ text: String, to path: String) throws {
        try FileSystem.makeDirectory(FileSystem.parent(of: path), mode: 0o755)
        try FileSystem.replace(path, with: Array(text.utf8), mode: 0o644, sync: true)
        // The mask of whoever calls must not hide it from systemd-analyze and doctor.
        _ = chmod(path, 0o644)
    }

    private func writeEnvironment() throws -> [(name: String, value: String)] {
        let present = recordedEnvironment()
        if !present.isEmpty, !refreshesEnvironment { return present }
        let variables = UnitText.environment(from: CallerEnvironment.everything())
        try write(UnitText.environmentText(variables), to: environmentFile)
        return variables
    }

    /// What the service starts with; empty: nothing was recorded.
    func recordedEnvironment() -> [(name: String, value: String)] {
        guard let bytes = try? FileSystem.read(environmentFile, limit: 1 << 20) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard line.first != "#", parts.count == 2 else { return nil }
            return (String(parts[0]), TextValues.words(String(parts[1])).first ?? "")
        }
    }

    private func order(_ arguments: [String], seconds: Int64 = 20) throws {
        let answer = systemctl.run(arguments, seconds: seconds)
        guard answer.isDone else {
            throw Failure(
                .failed, "'systemctl \(arguments.joined(separator: " "))' failed: \(answer.output)",
                "'systemctl status \(units.manager)' and 'journalctl -u \(units.manager)' tell more")
        }
    }

    private func order(_ arguments: [String]) throws { try order(arguments, seconds: 20) }

    /// A daemon outside is claimed by the keeper that starts now. A unit of another kind that is active (PM2's own, with
    /// this daemon in it) has to be restarted for what it says now to count.
    private func start(hasDaemon: Bool) throws {
        let state = systemctl.show(units.manager, ["ActiveState"])?["ActiveState"]
        try order([state == "active" ? "restart" : "start", units.manager], seconds: 120)
    }

    // MARK: - The daemon

    private var session: Session { Session(paths: target.home, timeout: CommonOptions.defaultTimeout) }

    /// The apps of a daemon that runs already; nil: there is none.
    private func running() -> [InstanceView]? {
        guard let client = try? session.connect() else { return nil }
        return (try? instances(client)) ?? []
    }

    private func instances(_ client: Client) throws -> [InstanceView] {
        try client.call(
            .list, SelectorParameters(selectors: []), as: ListReply.self, kind: .reading,
            deadline: Session.Deadline.ordinary
        ).instances
    }

    /// Until the daemon that answers is the unit's own, not one that makes room for it.
    private func waitForDaemon() throws -> (client: Client, greeting: HelloReply) {
        let deadline = SystemClock.now().advanced(by: Milliseconds(15_000))
        var last = "it does not answer"
        while SystemClock.now() < deadline {
            if let client = try? session.connect(), let greeting = try? client.greet() {
                if greeting.ready, greeting.unit == units.manager { return (client, greeting) }
                last = "the daemon (pid \(greeting.pid)) is in \(greeting.unit ?? "no unit")"
            }
            usleep(20_000)
        }
        throw Failure(
            .failed, "\(units.manager) was started, but its daemon is not there after 15 s: \(last)",
            "'journalctl -u \(units.manager)' and '\(target.home.daemonLog)' tell more")
    }
}
