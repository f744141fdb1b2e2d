import Control
import Foundation
import Model

@testable import CommandLine

/// Instances as a daemon would show them.
enum Samples {
    static func instance(
        _ id: UInt32, _ name: String, status: Status = .online, pid: Int32? = 4321, namespace: String = "default",
        reason: String = "started by deploy (hearth start)", restarts: Int = 0, uptime: Int64 = 5_000,
        ports: [Int] = []
    ) -> InstanceView {
        InstanceView(
            id: InstanceID(id), name: name, namespace: namespace, number: 0, generation: Generation(1), pid: pid,
            status: status, wanted: .running, reason: reason, reasonKind: "started", restarts: restarts,
            unstableRestarts: 0, uptimeMs: uptime, startedAt: nil, createdAt: 0, cpuPercent: pid == nil ? nil : 12.34,
            memoryBytes: pid == nil ? 0 : 45 << 20,
            ports: ports.map { PortView(protocol: "tcp", address: "::", port: $0, pid: 4321, command: "node") },
            cwd: "/srv", command: "node /srv/\(name).js", outLog: nil, errorLog: nil, nextStartAt: nil, lastExit: nil)
    }

    static let fleet: [InstanceView] = [
        instance(0, "api", uptime: 187_000_000, ports: [3000, 3001, 3001, 4000, 5000, 6000]),
        instance(1, "worker", status: .stopped, pid: nil, reason: "stopped by deploy (hearth stop worker)", uptime: 0),
        instance(
            12, "billing-service-with-a-very-long-name", status: .errored, pid: nil, namespace: "shop",
            reason: "given up: 16 unstable restarts, last ended with exit code 1", restarts: 16, uptime: 0),
        instance(
            13, "site", status: .waitingRestart, pid: nil, reason: "waiting to restart after exit code 1", restarts: 3),
    ]

    /// Names that want to be more than text.
    static let hostile: [InstanceView] = [
        instance(0, "\u{1b}[31mred\u{1b}[0m\u{7}"), instance(1, "two\nlines\tand\rmore"), instance(2, "日本語の名前"),
        instance(3, "e\u{301}a\u{202e}txt"), instance(4, "👩‍👩‍👧 emoji"), instance(5, "\u{9b}31mc1"),
        instance(6, "a|b│c", reason: "reason\u{1b}]0;title\u{7}"),
    ]
}

/// A directory of its own for a test, gone with it.
final class Scratch {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/hearth-cli-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func file(_ name: String, _ text: String) throws -> String {
        let file = path + "/" + name
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        return file
    }
}

/// Compares with a file under Golden; `UPDATE_GOLDEN=1 swift test` writes them anew.
enum Golden {
    static func matches(_ text: String, _ name: String, file: String = #filePath) throws -> Bool {
        let directory = (file as NSString).deletingLastPathComponent + "/Golden"
        let path = "\(directory)/\(name).txt"
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        }
        return try Data(contentsOf: URL(fileURLWithPath: path)) == Data(text.utf8)
    }
}
