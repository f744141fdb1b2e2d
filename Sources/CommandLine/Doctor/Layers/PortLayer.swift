import Configuration
import Control
import Glibc
import Model
import Platform
import Records

/// Who listens where.
struct PortEvidence: Sendable {
    /// On every port that an app of the list wants or has.
    var holders: [PortHolder]
    /// What started the holders that are not ours.
    var origins: [Int32: Origin] = [:]
    /// Ports of sockets that keeper or daemon have.
    var held: Set<Int> = []
    /// Name of this machine.
    var hostname: String
    /// `HOSTNAME` as apps have it, by the number of the instance.
    var hostnames: [InstanceID: String] = [:]

    static func collect(_ scene: Scene) -> PortEvidence {
        let wanted = Set(scene.apps.compactMap(\.spec.expectedPort) + scene.apps.flatMap { $0.view.ports.map(\.port) })
        var evidence = PortEvidence(
            holders: PortHolder.holders(homeID: scene.paths.id, table: scene.processes) { wanted.contains($0) },
            hostname: machineName())
        evidence.held = held(scene)
        let own = scene.ownProcesses
        for case let pid? in evidence.holders.map(\.pid) where !own.contains(pid) {
            evidence.origins[pid] = Origin.of(pid, in: scene.processes)
        }
        for app in scene.apps where PortLayer.bindsToHostname(app.spec) {
            let live = app.view.pid.flatMap { ProcessFacts.environment(of: $0)["HOSTNAME"] }
            evidence.hostnames[app.desired.id] = live ?? app.environment["HOSTNAME"]
        }
        return evidence
    }

    private static func held(_ scene: Scene) -> Set<Int> {
        let processes = scene.daemon.keepers.map(\.identity) + [scene.daemon.process?.identity].compactMap { $0 }
        var table = PortTable()
        table.refresh()
        return Set(table.ports(of: processes).map(\.port))
    }

    private static func machineName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Does each app have its port, and nobody else beside it?
enum PortLayer {
    static func judge(_ evidence: PortEvidence, _ scene: Scene) -> [Finding] {
        let byPort = Dictionary(grouping: evidence.holders, by: \.port)
        var findings: [Finding] = []
        var seen: Set<String> = []
        for app in scene.apps {
            var ports = Set(app.view.ports.map(\.port))
            if let port = app.spec.expectedPort, app.isWanted { ports.insert(port) }
            for port in ports.sorted() where seen.insert("\(app.spec.name):\(port)").inserted {
                findings += judge(app, port, byPort[port] ?? [], evidence, scene)
            }
        }
        return findings + twice(byPort, scene) + lost(evidence, scene) + hostnames(evidence, byPort, scene)
    }

    private static func judge(
        _ app: Scene.App, _ port: Int, _ holders: [PortHolder], _ evidence: PortEvidence, _ scene: Scene
    ) -> [Finding] {
        let own = scene.ownProcesses
        let foreign = holders.filter { $0.pid.map { !own.contains($0) } ?? true }
        // Sockets that Hearth holds are the keeper's and the daemon's; other instances of the app share theirs.
        let infrastructure = Set(scene.daemon.keepers.map(\.pid) + [scene.daemon.process?.pid].compactMap { $0 })
        let ours = holders.filter { holder in
            holder.pid.map { pid in
                infrastructure.contains(pid) || scene.app(of: pid)?.spec.name == app.spec.name
            } ?? false
        }
        if foreign.isEmpty { return notOpen(app, port, ours, holders) }
        let lines = foreign.prefix(4).map { sentence($0, evidence) }
        let fix = foreign.first.flatMap { holder in
            holder.pid.flatMap { pid in (evidence.origins[pid] ?? .unknown(parent: "")).stopCommand(pid) }
        }
        if ours.isEmpty {
            guard app.isWanted, app.spec.job == nil || app.isRunning else { return [] }
            if let tag = foreign.first?.tag {
                return [
                    Finding(
                        .portOrphan,
                        "port \(port) of \(app.label) is held by a process that Hearth once started as instance \(tag.instance) and does not know any more",
                        lines, fix: fix)
                ]
            }
            return [
                Finding(
                    .portHeld, "port \(port) of \(app.label) is held by a process that is not ours", lines, fix: fix)
            ]
        }
        return [
            Finding(
                .portSplit, "\(app.label) shares port \(port) with a process that is not ours: a client reaches either",
                ours.prefix(2).map { "ours: \(socket($0))" } + lines
                    + ["'localhost' is tried as ::1 first, then as 127.0.0.1"], fix: fix)
        ]
    }

    private static func socket(_ holder: PortHolder) -> String {
        (holder.address.contains(":") ? "[\(holder.address)]" : holder.address) + ":\(holder.port)"
            + (holder.pid.map { ", pid \($0)" } ?? "")
    }

    private static func sentence(_ holder: PortHolder, _ evidence: PortEvidence) -> String {
        var text = "\(socket(holder)) of \(holder.user)"
        if holder.pid == nil { text += ", a process that we may not look at" }
        if let age = holder.ageSeconds { text += ", for \(Quantities.duration(milliseconds: age * 1000))" }
        if !holder.command.isEmpty { text += ": \(holder.command)" }
        if let pid = holder.pid, let origin = evidence.origins[pid] { text += "; started by \(origin.text)" }
        if holder.address == "::" {
            text += "; [::] takes IPv4 as well, 127.0.0.1 included, unless it is bound IPv6-only"
        }
        return text
    }

    private static func notOpen(
        _ app: Scene.App, _ port: Int, _ ours: [PortHolder], _ holders: [PortHolder]
    ) -> [Finding] {
        // A program may open its port late.
        guard port == app.spec.expectedPort, holders.isEmpty, app.view.status == .online, app.view.uptimeMs > 30_000,
            !app.view.ports.isEmpty
        else { return [] }
        let ports = app.view.ports.prefix(4).map { "\($0.address):\($0.port)" }.joined(separator: ", ")
        return [
            Finding(
                .portNotOpen, "\(app.label) was told port \(port), and listens elsewhere", ["it listens on \(ports)"])
        ]
    }

    private static func twice(_ byPort: [Int: [PortHolder]], _ scene: Scene) -> [Finding] {
        let wanted = scene.apps.filter { $0.isWanted && $0.spec.expectedPort != nil }
        let groups = Dictionary(grouping: wanted) { $0.spec.expectedPort ?? 0 }
        return groups.sorted { $0.key < $1.key }.compactMap { port, apps in
            let names = Set(apps.map(\.spec.name)).sorted()
            let listening = Set((byPort[port] ?? []).compactMap(\.pid).compactMap { scene.app(of: $0)?.spec.name })
            guard names.count > 1, listening.count < names.count,
                // Who listens elsewhere has another opinion about its port.
                apps.contains(where: { !listening.contains($0.spec.name) && $0.view.ports.isEmpty })
            else { return nil }
            return Finding(
                .portTwice, "several apps want port \(port): only one can have it",
                names.map { name in
                    "'\(name)'" + (listening.contains(name) ? " has it" : "")
                })
        }
    }

    /// A socket that Hearth was to hold, and that its app alone has: after the death of both, where the kernel does not
    /// let the next daemon fetch it.
    private static func lost(_ evidence: PortEvidence, _ scene: Scene) -> [Finding] {
        guard scene.daemon.answers else { return [] }
        return scene.apps.compactMap { app in
            let own = Set(app.view.ports.map(\.port))
            let ports = (app.spec.listen ?? []).compactMap(\.address.port).filter {
                own.contains($0) && !evidence.held.contains($0)
            }
            guard !ports.isEmpty else { return nil }
            return Finding(
                .socketLost,
                "a socket of \(app.label) is not held any more: its next process gets another one beside it",
                ["port \(ports.map(String.init).joined(separator: ", ")): neither keeper nor daemon has it"],
                fix: scene.fix("reload \(SimpleStartup.quoted(app.spec.name))"))
        }
    }

    // MARK: - HOSTNAME

    /// Node servers, Next.js first of all, take `HOSTNAME` for the address to listen on.
    static func bindsToHostname(_ spec: AppSpec) -> Bool {
        let words =
            [spec.interpreter ?? "", spec.script] + spec.arguments.flatMap { $0.split(separator: " ").map(String.init) }
        let programs: Set<String> = ["node", "nodejs", "bun", "next", "npm", "npx", "pnpm", "yarn"]
        return words.contains { programs.contains(Paths.baseName($0)) }
    }

    private static func hostnames(
        _ evidence: PortEvidence, _ byPort: [Int: [PortHolder]], _ scene: Scene
    ) -> [Finding] {
        guard !evidence.hostname.isEmpty else { return [] }
        let short = evidence.hostname.split(separator: ".").first.map(String.init) ?? ""
        return scene.apps.compactMap { app in
            guard let value = evidence.hostnames[app.desired.id], value == evidence.hostname || value == short else {
                return nil
            }
            var lines = ["HOSTNAME=\(value), the name of this machine, from the shell that started it"]
            let ports = app.view.ports.map { "\($0.address):\($0.port)" }
            if !ports.isEmpty { lines.append("it listens on \(ports.prefix(4).joined(separator: ", "))") }
            let isOwn = app.spec.environment["HOSTNAME"] != nil
            return Finding(
                .hostnameInherited,
                "\(app.label) has the machine's HOSTNAME: Next.js listens on that address alone, not on 127.0.0.1",
                lines + (isOwn ? ["it stands in the app's own settings: set HOSTNAME=127.0.0.1 there"] : []),
                fix: isOwn ? nil : scene.fix("restart \(SimpleStartup.quoted(app.spec.name)) --update-env"))
        }
    }
}
