import Platform

/// The systemd service that a process runs in.
struct ProcessUnit {
    let name: String
    let scope: SystemdScope

    /// nil: none, or this machine has no systemd.
    static func of(_ pid: Int32) -> ProcessUnit? {
        guard Systemctl.isAvailable, let path = cgroup(of: pid) else { return nil }
        return ProcessUnit(cgroup: path)
    }

    /// - Parameter path: for example `/system.slice/hearth-deploy.service`.
    init?(cgroup path: String) {
        let parts = path.split(separator: "/").map(String.init)
        // `user@1000.service` is the user's own systemd; what is below it are its units.
        let manager = parts.lastIndex { $0.hasPrefix("user@") && $0.hasSuffix(".service") }
        let units = manager.map { parts[(($0 + 1))...] } ?? parts[...]
        guard let name = units.first(where: { $0.hasSuffix(".service") }) else { return nil }
        self.name = name
        scope = manager == nil ? .system : .user
    }

    private static func cgroup(of pid: Int32) -> String? {
        guard let bytes = try? FileSystem.read("/proc/\(pid)/cgroup", limit: 64 << 10) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        // cgroup v2, or systemd's own hierarchy of v1.
        let line = lines.first { $0.hasPrefix("0::") } ?? lines.first { $0.contains(":name=systemd:") }
        return line?.split(separator: ":", maxSplits: 2).last.map(String.init)
    }

    /// Why the manager must not be killed: its unit would take the apps along.
    ///
    /// - Parameter manager: hearthd and keeper; where none of them is the unit's main process, its end is not theirs.
    func objection(ifKilled manager: [Int32], against apps: [Int32]) -> String? {
        guard let state = Systemctl(scope: scope).show(name, ["KillMode", "MainPID"]),
            let mode = state["KillMode"], mode == "control-group" || mode == "mixed",
            let main = state["MainPID"].flatMap({ Int32($0) }), manager.contains(main)
        else { return nil }
        let members = apps.filter { Self.cgroup(of: $0).flatMap(ProcessUnit.init(cgroup:))?.name == name }
        guard !members.isEmpty else { return nil }
        return
            "'\(name)' has KillMode=\(mode), so systemd would end \(Reporting.count(members.count, "app")) with the daemon; "
            + "'hearth startup' replaces that unit and leaves the apps alone"
    }
}
