import Configuration
import Control
import DisplayText
import Glibc
import Model
import Platform
import Records

/// What every layer is judged from: the home, its daemon, its list and its processes.
struct Scene: Sendable {
    /// An entry of the list, and what runs of it.
    struct App: Sendable {
        var desired: DesiredInstance
        var view: InstanceView
        /// The caller's environment as it was stored, with the app's own over it; env files are not in it.
        var environment: [String: String] = [:]
        /// Every living process of it.
        var members: Set<Int32> = []

        var spec: AppSpec { desired.spec }
        /// `'api' (id 3)`
        var label: String { "'\(spec.name)' (id \(desired.id))" }
        var isWanted: Bool { desired.wanted == .running }
        var isRunning: Bool { !members.isEmpty || view.pid != nil }
    }

    var paths: HomePaths
    /// Who asks.
    var caller: UInt32
    /// Whose home it is; nil: there is none.
    var owner: UInt32?
    var fix: FixCommands
    var machine: MachineIdentity
    var daemon: DaemonEvidence
    var list: DesiredStateFile.Reading
    /// What the daemon says with its list.
    var notes: [String] = []
    var apps: [App] = []
    var processes: ProcessTable

    /// Every process that belongs to this home: apps, daemon, keepers.
    var ownProcesses: Set<Int32> {
        var pids = Set(daemon.keepers.map(\.pid))
        if let daemon = daemon.process { pids.insert(daemon.pid) }
        for app in apps { pids.formUnion(app.members) }
        return pids
    }

    func app(of pid: Int32) -> App? { apps.first { $0.members.contains(pid) } }
}

extension Scene {
    /// May hang on /proc or on the disk of the home: for a bounded look only.
    static func collect(_ paths: HomePaths, fix: FixCommands, timeout: Int) -> Scene {
        let (daemon, reply) = DaemonEvidence.collect(paths, timeout: timeout)
        let reading = DesiredStateFile.read(paths)
        let processes = ProcessTable.read()
        var scene = Scene(
            paths: paths, caller: Caller.userID, owner: owner(of: paths.home), fix: fix,
            machine: MachineIdentity.current(), daemon: daemon, list: reading, notes: reply?.notes ?? [],
            processes: processes)
        scene.apps = apps(scene, reply)
        return scene
    }

    static func owner(of path: String) -> UInt32? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_uid : nil
    }

    private static func apps(_ scene: Scene, _ reply: ListReply?) -> [App] {
        let offline = OfflineHome(
            paths: scene.paths, absence: scene.daemon.process == nil ? .noDaemon : .hung(pid: scene.daemon.process?.pid)
        )
        let views = Dictionary((reply?.instances ?? []).map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        let scan = MembershipScan(
            scene.processes, keeper: scene.daemon.keepers.first?.pid, daemon: scene.daemon.process?.pid)
        let environments = scene.list.state?.environments ?? [:]
        return offline.desired.map { desired in
            let view = views[desired.id] ?? offline.view(of: desired)
            var app = App(desired: desired, view: view)
            app.environment = (desired.environment.flatMap { environments[$0] } ?? [:])
                .merging(desired.spec.environment) { $1 }
            var mains = offline.mainProcesses(of: desired.id).map { ($0.generation, $0.process) }
            if let pid = view.pid, let entry = scene.processes.entry(of: pid),
                !mains.contains(where: { $0.1 == entry.identity })
            {
                mains.append((view.generation, entry.identity))
            }
            for (generation, main) in mains {
                guard let entry = scene.processes.entry(of: main) else { continue }
                let tag = InstanceTag(homeID: scene.paths.id, instance: desired.id, generation: generation)
                app.members.formUnion(
                    scan.members(of: .init(main: main, notBefore: main.startTime, uid: entry.uid, tag: tag)).map(\.pid))
            }
            return app
        }
    }
}

/// Command lines as the person who asks has to type them.
struct FixCommands: Hashable, Sendable {
    /// `hearth`, `hearth --home DIR`, `sudo -u deploy hearth`.
    var prefix: String

    /// ` --home DIR`; empty: it need not be named.
    var home = ""

    init(prefix: String = "hearth") { self.prefix = prefix }

    /// - Parameter isUsual: the home is the one that the owner gets without naming it.
    init(_ paths: HomePaths, isUsual: Bool, owner: UInt32?) {
        if !isUsual { home = " --home " + SimpleStartup.quoted(paths.home) }
        var words = "hearth" + home
        if let owner, owner != Caller.userID { words = "sudo -u \(UserNames.name(of: owner)) " + words }
        prefix = words
    }

    func callAsFunction(_ command: String) -> String { "\(prefix) \(command)" }
}

extension FixCommands {
    /// The same under PM2's name.
    func pm2(_ command: String) -> String {
        let owner =
            prefix.hasPrefix("sudo -u ") ? prefix.split(separator: " ").prefix(3).joined(separator: " ") + " " : ""
        return "\(owner)pm2 \(command)"
    }
}
