import Foundation
import Glibc
package import Records

/// A user who knows PM2 only: a home directory of his own with `.pm2` in it, and `pm2` in PATH.
///
/// Commands run as cron runs them: by `sh`, with a short PATH, no locale and no terminal.
package struct PM2Home {
    package let home: Home
    /// HOME, and where commands are run.
    package let directory: String
    package var paths: HomePaths { home.paths }

    fileprivate init(_ home: Home, _ directory: String) {
        self.home = home
        self.directory = directory
    }

    /// Path of a file in the user's directory.
    package func file(_ name: String) -> String { directory + "/" + name }

    @discardableResult
    package func write(_ text: String, to name: String, executable: Bool = false) throws -> String {
        let path = file(name)
        let parent = (path as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        return try home.write(text, to: path, executable: executable)
    }

    package func read(_ name: String) -> String { home.read(name.hasPrefix("/") ? name : file(name)) }

    /// Runs a line of shell and waits for its end.
    @discardableResult
    package func sh(
        _ line: String, environment: [String: String] = [:], within seconds: Double = 60
    ) throws -> CommandResult {
        try home.result(of: try start(line, environment: environment), within: seconds)
    }

    /// Begins a line of shell; `home.result(of:)` waits for it.
    package func start(_ line: String, environment: [String: String] = [:]) throws -> Home.Run {
        var all = [
            "HOME": directory, "PATH": "\(directory)/bin:\(Self.searchPath)", "USER": "tester", "LOGNAME": "tester",
            "HEARTH_LIBEXEC": (try Programs.keeper() as NSString).deletingLastPathComponent,
        ]
        all.merge(environment) { _, new in new }
        return try home.startRun(line, in: directory, environment: all)
    }

    /// `/usr/bin:/bin`, and where node is when it is elsewhere.
    private static let searchPath: String = {
        let own = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let node = own.split(separator: ":").first {
            FileManager.default.isExecutableFile(atPath: "\($0)/node")
        }
        let plain = "/usr/bin:/bin"
        guard let node, !plain.contains(node) else { return plain }
        return plain + ":" + node
    }()
}

/// Runs `body` with a new user of PM2's; nothing of it is left afterwards.
package func withPM2(_ body: (PM2Home) throws -> Void) throws {
    let root = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
    let directory = "\(root)/hearth-pm2-\(UUID().uuidString.prefix(13))"
    try FileManager.default.createDirectory(atPath: directory + "/bin", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    for name in ["pm2", "pm2-runtime"] {
        try FileManager.default.createSymbolicLink(
            atPath: "\(directory)/bin/\(name)", withDestinationPath: try Programs.hearth())
    }
    try withHome(starting: false, at: directory + "/.pm2", isPM2: true) { home in
        try body(PM2Home(home, directory))
    }
}
