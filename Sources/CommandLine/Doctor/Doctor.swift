import Model
import Platform
import Records

/// Looks at every layer of a home, and says what is wrong.
///
/// Reads only. Nothing that it looks at can hold it: what does not answer in time is a finding of its own.
struct Doctor {
    let paths: HomePaths
    /// It was named with `--home`.
    let isNamed: Bool
    let fix: FixCommands
    /// Milliseconds that the daemon may take to answer.
    let timeout: Int

    /// Milliseconds for the layers together, and what the daemon may take beyond its own time.
    private static let patience = 5000

    struct Diagnosis: Sendable {
        var findings: [Finding]
        /// What was looked at, for a person: `5 apps, 12 processes`.
        var looked: [String]

        /// No error and no warning.
        var isFine: Bool { !findings.contains { $0.severity != .note } }
    }

    func examine() -> Diagnosis {
        let (paths, isNamed, fix, timeout) = (paths, isNamed, fix, timeout)
        guard
            let home = BoundedLooks.one(within: Self.patience, { HomeEvidence.collect(paths, isNamed: isNamed) })
        else { return Diagnosis(findings: [Self.absent(.home)], looked: []) }
        let findings = HomeLayer.judge(home, paths, caller: Caller.userID, fix)
        // What nobody may look into cannot be judged: everything else would be wrong.
        if case .unreachable = home.state { return Diagnosis(findings: findings, looked: ["home '\(paths.home)'"]) }
        guard
            let scene = BoundedLooks.one(
                within: timeout * 2 + Self.patience, { Scene.collect(paths, fix: fix, timeout: timeout) })
        else { return Diagnosis(findings: findings + [Self.absent(.daemon)], looked: []) }
        let layers = Self.layers(scene)
        let results = BoundedLooks.all(within: Self.patience, layers.map(\.look))
        let judged = zip(layers, results).flatMap { layer, result in result ?? [Self.absent(layer.layer)] }
        return Diagnosis(findings: Self.ordered(findings + judged), looked: Self.looked(scene))
    }

    private typealias Look = (layer: DoctorLayer, look: @Sendable () -> [Finding])

    private static func layers(_ scene: Scene) -> [Look] {
        [
            (.daemon, { DaemonLayer.judge(scene) }),
            (.keeper, { KeeperLayer.judge(scene) }),
            (.unit, { UnitLayer.judge(UnitEvidence.collect(scene, crontab: crontab(scene)), scene) }),
            (.list, { ListLayer.judge(ListEvidence.collect(scene.paths), scene) }),
            (.apps, { AppLayer.judge(AppEvidence.collect(scene), scene) }),
            (.managers, { ManagerLayer.judge(ManagerEvidence.collect(scene), scene) }),
            (.ports, { PortLayer.judge(PortEvidence.collect(scene), scene) }),
            (.disk, { DiskLayer.judge(DiskEvidence.collect(scene)) }),
            (.limits, { LimitLayer.judge(LimitEvidence.collect(scene), scene) }),
            (.clock, { ClockLayer.judge(ClockEvidence.collect(scene)) }),
            (.kernel, { KernelLayer.judge(KernelEvidence.collect(scene), scene) }),
        ]
    }

    private static func crontab(_ scene: Scene) -> [CrontabEntry] {
        guard let owner = scene.owner else { return [] }
        return Crontabs.entries(of: UserNames.name(of: owner), asksCrontab: owner == scene.caller)
    }

    private static func absent(_ layer: DoctorLayer) -> Finding {
        Finding(
            .notLookedAt, "'\(layer.rawValue)' could not be looked at within \(patience / 1000) s: something hangs",
            ["most often a network disk that does not answer, or a process that is stuck in the kernel"], at: layer)
    }

    /// By layer, the worst first.
    static func ordered(_ findings: [Finding]) -> [Finding] {
        let order = DoctorLayer.allCases
        return findings.enumerated().sorted { left, right in
            let places = [left, right].map { order.firstIndex(of: $0.element.layer) ?? order.endIndex }
            return (places[0], left.element.severity, left.offset) < (places[1], right.element.severity, right.offset)
        }.map(\.element)
    }

    private static func looked(_ scene: Scene) -> [String] {
        var parts = ["home '\(scene.paths.home)'"]
        if case .hello(let version, let pid, _, _, _) = scene.daemon.answer {
            parts.append("hearthd \(version) (pid \(pid))")
        }
        parts.append(Reporting.count(scene.apps.count, "app"))
        parts.append("\(scene.processes.entries.count) processes")
        return parts
    }
}
