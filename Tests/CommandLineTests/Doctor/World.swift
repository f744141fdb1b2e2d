import Control
import Model
import Platform
import Records

@testable import CommandLine

/// Everything that `doctor` judges, as values: healthy unless a test spoils it.
struct World: Sendable {
    var scene: Scene
    var home: HomeEvidence
    var unit: UnitEvidence
    var list: ListEvidence
    var ports: PortEvidence
    var apps: AppEvidence
    var managers: ManagerEvidence
    var disk: DiskEvidence
    var limits: LimitEvidence
    var clock: ClockEvidence
    var kernel: KernelEvidence

    static let daemonPid: Int32 = 100
    static let keeperPid: Int32 = 99
    static let appPid: Int32 = 200
    static let strangerPid: Int32 = 300
    /// Some user that /etc/passwd does not name.
    static let uid: UInt32 = 54321

    static func process(_ pid: Int32, _ program: String, cgroup: String) -> ObservedProcess {
        ObservedProcess(
            identity: ProcessIdentity(pid: pid, startTime: 1), uid: uid, state: "S", program: program,
            command: program, ageSeconds: 60, cgroup: cgroup)
    }

    /// A home with a daemon, a keeper and one app, started by a unit.
    static var healthy: World {
        let paths = HomePaths(home: "/srv/deploy/.hearth")
        let machine = MachineIdentity(machine: "machine", boot: "boot", pidNamespace: 1)
        var spec = AppSpec(name: "api", script: "/srv/api/server.js", interpreter: "node", cwd: "/srv/api")
        spec.expectedPort = 3000
        let desired = DesiredInstance(
            id: InstanceID(0), spec: spec, number: 0, wanted: .running, environment: nil, createdAt: 0, token: nil)
        var state = DesiredState(machine: machine.machine, boot: machine.boot)
        state.instances = [desired]
        let view = InstanceView(
            id: InstanceID(0), name: "api", namespace: "default", number: 0, generation: Generation(1), pid: appPid,
            status: .online, wanted: .running, reason: "started", reasonKind: "started", restarts: 0,
            unstableRestarts: 0, uptimeMs: 60_000, startedAt: 0, createdAt: 0, cpuPercent: 0, memoryBytes: 1,
            ports: [PortView(protocol: "tcp", address: "127.0.0.1", port: 3000, pid: appPid, command: "node")],
            cwd: spec.cwd, command: spec.command, outLog: nil, errorLog: nil, nextStartAt: nil, lastExit: nil)
        let daemon = DaemonEvidence(
            answer: .hello(
                version: Interface.productVersion, pid: daemonPid, keeper: keeperPid, ready: true, uptimeMs: 60_000),
            process: process(daemonPid, "hearthd", cgroup: "/system.slice/hearth-apps.service/daemon"),
            pidFile: daemonPid, hasSocketFile: true,
            keepers: [process(keeperPid, "hearth-keeper", cgroup: "/system.slice/hearth.service")], otherDaemons: [])
        let scene = Scene(
            paths: paths, caller: uid, owner: uid, fix: FixCommands(), machine: machine, daemon: daemon,
            list: .init(state: state, notes: [], corrupt: []),
            apps: [Scene.App(desired: desired, view: view, members: [appPid])],
            processes: ProcessTable(entries: [
                .init(pid: 1, parent: 0), .init(pid: appPid, parent: daemonPid), .init(pid: strangerPid, parent: 1),
            ]))
        let unit = UnitEvidence.Unit(
            name: "hearth-deploy.service", scope: .system, isOurs: true,
            properties: [
                "LoadState": "loaded", "ActiveState": "active", "SubState": "running", "UnitFileState": "enabled",
                "Type": "notify", "KillMode": "process", "User": String(uid), "MainPID": String(keeperPid),
                "ControlGroup": "/system.slice/hearth.service",
            ], appsCgroup: "/system.slice/hearth-apps.service")
        return World(
            scene: scene,
            home: HomeEvidence(
                state: .there(mode: 0o700, owner: uid), isNamed: false, callerHome: "/srv/deploy",
                recordedHome: "/srv/deploy"),
            unit: UnitEvidence(
                boot: .systemd, unit: unit,
                places: [.init(label: "'api' (id 0)", pid: appPid, cgroup: "/system.slice/hearth-apps.service/0")]),
            list: ListEvidence(setAside: [], dump: .notNeeded),
            ports: PortEvidence(holders: [holder(3000, "127.0.0.1", appPid)], hostname: "machine.example"),
            apps: AppEvidence(needs: [InstanceID(0): .init()], unlisted: []), managers: ManagerEvidence(),
            disk: DiskEvidence(
                volumes: [
                    .init(
                        path: "/srv", uses: ["the home", "logs"], totalBytes: 100 << 30, availableBytes: 50 << 30,
                        usedBytes: 50 << 30, totalInodes: 1000, availableInodes: 900, isReadOnly: false)
                ],
                logs: [
                    .init(
                        directory: "/srv/logs", bytes: 1 << 20, largest: "/srv/logs/api-out.log", largestBytes: 1 << 20,
                        volumeBytes: 100 << 30, canShrink: true)
                ]),
            limits: LimitEvidence(
                files: [.init(who: "the daemon", used: 20, limit: 65_536)],
                memory: .init(who: "the machine", used: 1 << 30, limit: 8 << 30)),
            clock: ClockEvidence(now: now, stamps: [("'desired.json'", now - 5000)], jumps: [("'api' (id 0)", 10)]),
            kernel: KernelEvidence(
                release: "6.18.0", hasPidfd: true, hasExitInfo: true, hasCgroupV2: true, hasCgroupKill: true,
                isDelegated: true, hasPidfdGetfd: true, ptraceScope: nil))
    }

    /// Some moment of 2026.
    static let now: Int64 = 1_790_000_000_000

    static func holder(_ port: Int, _ address: String, _ pid: Int32?, tag: InstanceTag? = nil) -> PortHolder {
        PortHolder(
            port: port, address: address, pid: pid, user: "somebody", command: "node old.js", ageSeconds: 7200, tag: tag
        )
    }

    var findings: [Finding] {
        HomeLayer.judge(home, scene.paths, caller: scene.caller, scene.fix) + DaemonLayer.judge(scene)
            + KeeperLayer.judge(scene) + UnitLayer.judge(unit, scene) + ListLayer.judge(list, scene)
            + PortLayer.judge(ports, scene) + AppLayer.judge(apps, scene) + ManagerLayer.judge(managers, scene)
            + DiskLayer.judge(disk) + LimitLayer.judge(limits, scene) + ClockLayer.judge(clock)
            + KernelLayer.judge(kernel, scene)
    }

    // MARK: - What tests spoil

    /// Nobody listens, and no daemon is to be seen.
    mutating func removeDaemon() {
        scene.daemon.answer = .nobody
        scene.daemon.process = nil
        scene.daemon.pidFile = nil
        scene.daemon.hasSocketFile = false
        scene.daemon.keepers = []
    }

    mutating func change(_ property: String, to value: String) { unit.unit?.properties[property] = value }

    /// What the one app needs.
    mutating func needs(_ change: (inout AppEvidence.Needs) -> Void) {
        var needs = AppEvidence.Needs()
        change(&needs)
        apps.needs[InstanceID(0)] = needs
    }

    mutating func silence(_ state: Character, cpu: Double = 0) {
        scene.daemon.answer = .silence
        scene.daemon.process?.state = state
        scene.daemon.process?.cpuPercent = cpu
    }
}
