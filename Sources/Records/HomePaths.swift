package import Model

/// Where things lie in a home. The names on disk are part of the interface (docs/files.md).
package struct HomePaths: Hashable, Sendable {
    /// Absolute, without a trailing slash.
    package let home: String

    package init(home: String) {
        var path = home
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.home = path
    }

    /// Names the home in the environment of its apps: 16 hexadecimal digits of FNV-1a over the path.
    package var id: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in home.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    package var controlSocket: String { home + "/hearth.sock" }
    package var pidFile: String { home + "/hearthd.pid" }
    package var daemonLog: String { home + "/hearthd.log" }
    package var logs: String { home + "/logs" }
    package var run: String { home + "/run" }
    package var vaultSocket: String { home + "/run/vault.sock" }
    package var state: String { home + "/state" }
    package var desiredState: String { home + "/state/desired.json" }
    package var desiredStateBackup: String { home + "/state/desired.json.bak" }
    package var snapshots: String { home + "/state/snapshots" }

    /// Run-time state of one machine and pid namespace: a home on a shared volume may be seen by several.
    package func runtime(of machine: MachineIdentity) -> String { home + "/run/" + machine.key }
    package func instanceTable(of machine: MachineIdentity) -> String { runtime(of: machine) + "/instances.table" }

    /// The log files of an instance; nil: nowhere (`/dev/null` was asked for).
    ///
    /// Characters other than letters, digits, `.`, `_` and `-` become `-` in default names. A custom path keeps its
    /// spelling; without `merge` a trailing `.log` becomes `-ID.log`.
    package func logFiles(of spec: AppSpec, id: InstanceID) -> (out: String?, error: String?) {
        let safe = Self.safeFileName(spec.name)
        func resolve(_ custom: String?, _ suffix: String) -> String? {
            if let custom, custom == "/dev/null" || custom == "NULL" { return nil }
            var path = custom ?? "\(logs)/\(safe)-\(suffix).log"
            if !path.hasPrefix("/") { path = spec.cwd + "/" + path }
            if !spec.output.merge, path.hasSuffix(".log") { path = path.dropLast(4) + "-\(id).log" }
            return path
        }
        return (resolve(spec.output.outFile, "out"), resolve(spec.output.errorFile, "error"))
    }

    package static func safeFileName(_ name: String) -> String {
        var safe = ""
        for scalar in name.unicodeScalars {
            let isSafe: Bool
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "-": isSafe = true
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
