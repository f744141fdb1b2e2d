package import Model
import Platform

/// Where things lie in a home. The names on disk are part of the interface (docs/files.md).
package struct HomePaths: Hashable, Sendable {
    /// Absolute, without a trailing slash.
    package let home: String
    /// A home that is PM2's, too: its files lie where PM2's are, and ours in a directory of their own among them.
    package let isPM2: Bool

    package init(home: String, isPM2: Bool = false) {
        var path = home
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.home = path
        self.isPM2 = isPM2
    }

    /// Name of the directory that makes a home one of PM2's. The keeper, in C, looks for the same name.
    private static let pm2Directory = "/hearth"

    /// The home at `path`, of the kind that lies there.
    package static func existing(at path: String) -> HomePaths {
        let plain = HomePaths(home: path)
        return FileSystem.isDirectory(plain.home + pm2Directory) ? HomePaths(home: path, isPM2: true) : plain
    }

    /// Where Hearth's own files are; the directory whose lock decides who is the daemon.
    package var base: String { isPM2 ? home + Self.pm2Directory : home }

    /// Names the home in the environment of its apps: 16 hexadecimal digits of FNV-1a over the path.
    package var id: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in home.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    package var controlSocket: String { base + "/hearth.sock" }
    package var pidFile: String { isPM2 ? home + "/pm2.pid" : home + "/hearthd.pid" }
    package var daemonLog: String { isPM2 ? home + "/pm2.log" : home + "/hearthd.log" }
    package var logs: String { home + "/logs" }
    /// How the paths of files begin that one run of `run-once` has for itself.
    package var onceLogs: String { home + "/logs/once-" }
    package var run: String { base + "/run" }
    package var vaultSocket: String { base + "/run/vault.sock" }
    package var state: String { base + "/state" }
    package var desiredState: String { base + "/state/desired.json" }
    package var desiredStateBackup: String { base + "/state/desired.json.bak" }
    package var jobRecords: String { base + "/state/jobs.json" }
    package var snapshots: String { base + "/state/snapshots" }

    // What PM2 has in its home besides.
    package var pm2Pids: String { home + "/pids" }
    package var pm2Dump: String { home + "/dump.pm2" }
    package var pm2DumpBackup: String { home + "/dump.pm2.bak" }
    package var pm2ModuleConfiguration: String { home + "/module_conf.json" }
    package var pm2Sockets: [String] { [home + "/rpc.sock", home + "/pub.sock"] }
    package var pm2ReloadLock: String { home + "/reload.lock" }

    /// Run-time state of one machine and pid namespace: a home on a shared volume may be seen by several.
    package func runtime(of machine: MachineIdentity) -> String { run + "/" + machine.key }
    package func instanceTable(of machine: MachineIdentity) -> String { runtime(of: machine) + "/instances.table" }

    /// Where the pid of an instance's main process is written while it runs; nil: nowhere. Like PM2's, the name carries
    /// the id: `x.pid` becomes `x-3.pid`.
    package func pidFile(of spec: AppSpec, id: InstanceID) -> String? {
        guard
            let path = spec.pidFile
                ?? (isPM2 ? "\(pm2Pids)/\(Self.safeFileName(spec.name, keepingUnderscore: false)).pid" : nil)
        else { return nil }
        var stem = path[...]
        if stem.hasSuffix(".pid") { stem = stem.dropLast(4) }
        if let dash = stem.lastIndex(of: "-"), dash != stem.startIndex,
            !stem[stem.index(after: dash)...].isEmpty, stem[stem.index(after: dash)...].allSatisfy(\.isNumber)
        {
            stem = stem[..<dash]
        }
        return "\(stem)-\(id).pid"
    }

    /// The log files of an instance; nil: nowhere (`/dev/null` was asked for).
    ///
    /// Characters other than letters, digits, `.`, `_` and `-` become `-` in default names. A custom path keeps its
    /// spelling; without `merge` a trailing `.log` becomes `-ID.log`.
    package func logFiles(of spec: AppSpec, id: InstanceID) -> (out: String?, error: String?) {
        let safe = Self.safeFileName(spec.name, keepingUnderscore: !isPM2)
        func resolve(_ custom: String?, _ suffix: String) -> String? {
            if let custom, custom == "/dev/null" || custom == "NULL" { return nil }
            var path = custom ?? "\(logs)/\(safe)-\(suffix).log"
            if !path.hasPrefix("/") { path = spec.cwd + "/" + path }
            if !spec.output.merge, path.hasSuffix(".log") { path = path.dropLast(4) + "-\(id).log" }
            return path
        }
        return (resolve(spec.output.outFile, "out"), resolve(spec.output.errorFile, "error"))
    }

    /// - Parameter keepingUnderscore: PM2 replaces that too.
    package static func safeFileName(_ name: String, keepingUnderscore: Bool = true) -> String {
        var safe = ""
        for scalar in name.unicodeScalars {
            let isSafe: Bool
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", ".", "-": isSafe = true
            case "_": isSafe = keepingUnderscore
            default: isSafe = false
            }
            safe.unicodeScalars.append(isSafe ? scalar : "-")
        }
        if safe.hasPrefix(".") { safe = "-" + safe.dropFirst() }
        // 200: leaves room for suffixes under the 255 bytes of a file name.
        return safe.isEmpty ? "-" : String(safe.prefix(200))
    }
}

/// The machine, boot and pid namespace that run-time state belongs to.
package struct MachineIdentity: Hashable, Sendable {
    package let machine: String
    package let boot: String
    package let pidNamespace: UInt64

    package init(machine: String, boot: String, pidNamespace: UInt64) {
        self.machine = machine
        self.boot = boot
        self.pidNamespace = pidNamespace
    }

    package var key: String { "\(machine.prefix(12))-\(pidNamespace)" }
}
