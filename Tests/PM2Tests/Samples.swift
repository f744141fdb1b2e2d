import Control
import Model
import PM2Format
import Records

/// Lists as a daemon would tell them.
enum Samples {
    static let paths = HomePaths(home: "/home/deploy/.pm2", isPM2: true)

    static func spec(_ name: String) -> AppSpec {
        AppSpec(
            name: name, script: "/srv/\(name)/server.js", arguments: ["--port", "3000"], interpreter: "node",
            cwd: "/srv/\(name)", restart: RestartPolicy(slowRetry: false),
            stop: StopPolicy(signal: .int, killTimeout: Milliseconds(1600)))
    }

    static func view(
        _ id: UInt32, _ spec: AppSpec, status: Status = .online, pid: Int32? = 4242, number: Int = 0
    ) -> InstanceView {
        InstanceView(
            id: InstanceID(id), name: spec.name, namespace: spec.namespace, number: number,
            generation: Generation(1), pid: pid, status: status, wanted: status == .stopped ? .stopped : .running,
            reason: "started", reasonKind: "started", restarts: 3, unstableRestarts: 1, uptimeMs: 37_000,
            startedAt: 1_700_000_000_000, createdAt: 1_699_999_999_000, cpuPercent: 12.34, memoryBytes: 3_051_520,
            ports: [], cwd: spec.cwd, command: spec.command, outLog: nil, errorLog: nil, nextStartAt: nil,
            lastExit: nil)
    }

    static func entry(
        _ id: UInt32, _ spec: AppSpec, status: Status = .online, pid: Int32? = 4242, environment: String? = "shell"
    ) -> InventoryEntry {
        InventoryEntry(
            instance: view(id, spec, status: status, pid: pid), spec: spec, environment: environment,
            uniqueId: "5b0a6c8e-0000-4000-8000-00000000000\(id % 10)", user: "deploy")
    }

    static let shell = ["PATH": "/usr/bin:/bin", "HOME": "/home/deploy", "LANG": "C.UTF-8"]

    static func reply(_ entries: [InventoryEntry], shell: [String: String] = shell) -> InventoryReply {
        InventoryReply(entries: entries, environments: ["shell": shell], notes: [])
    }

    static func listing(_ entries: [InventoryEntry]) -> ProcessListing {
        ProcessListing(reply(entries), paths: paths) { _ in PM2Record.Facts(version: "1.2.3") }
    }

    static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
