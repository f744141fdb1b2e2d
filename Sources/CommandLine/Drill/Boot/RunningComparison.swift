import Control
import Glibc
import Model
import Platform

/// What an app runs as now, beside what a start would make of it. Differences are no faults: they are what surprises
/// people after a reboot.
struct RunningComparison {
    let spec: AppSpec
    let process: ProcessIdentity
    /// What a start would execute.
    let program: String?
    let variables: [EnvironmentReply.Variable]

    private static let deleted = " (deleted)"
    // Set by shells, by the machinery of each start, or for one process alone.
    private static let volatile: Set<String> = ["PWD", "OLDPWD", "SHLVL", "_", "NOTIFY_SOCKET", "NODE_UNIQUE_ID"]
    private static let volatilePrefixes = ["HEARTH_", "LISTEN_", "WATCHDOG_", "NODE_CHANNEL_"]
    /// So many names are shown.
    private static let shownNames = 8

    func differences() -> [String] { programDifference() + directoryDifference() + environmentDifference() }

    private func programDifference() -> [String] {
        guard let running = Self.link("/proc/\(process.pid)/exe") else { return [] }
        if running.hasSuffix(Self.deleted) {
            let path = running.dropLast(Self.deleted.count)
            return ["it runs '\(path)' as it was before it was replaced; a start takes the new one"]
        }
        guard let program, let next = Self.resolved(program), next != running else { return [] }
        // A shell that hands over to another program is another one by design.
        guard Self.baseName(next) == Self.baseName(running) else { return [] }
        return ["it runs '\(running)', a start would take '\(next)'"]
    }

    private func directoryDifference() -> [String] {
        guard let running = Self.link("/proc/\(process.pid)/cwd") else { return [] }
        if running.hasSuffix(Self.deleted) {
            return ["its working directory was removed since: '\(spec.cwd)' is another one"]
        }
        guard let next = Self.resolved(spec.cwd), next != running else { return [] }
        return ["it works in '\(running)', a start would be in '\(next)'"]
    }

    private func environmentDifference() -> [String] {
        guard let bytes = try? FileSystem.read("/proc/\(process.pid)/environ", limit: 8 << 20) else { return [] }
        var running: [String: String] = [:]
        for entry in bytes.split(separator: 0) {
            let text = String(decoding: entry, as: UTF8.self)
            guard let equals = text.firstIndex(of: "=") else { continue }
            running[String(text[..<equals])] = String(text[text.index(after: equals)...])
        }
        return Self.environmentDifference(running: running, variables, changesUser: spec.uid != nil)
    }

    static func environmentDifference(
        running: [String: String], _ variables: [EnvironmentReply.Variable], changesUser: Bool
    ) -> [String] {
        // A program may have written over this memory: then it tells nothing.
        guard running["HEARTH_INSTANCE"] != nil else { return [] }
        var names = Set(variables.lazy.filter { $0.origin != "hearth" && running[$0.name] != $0.value }.map(\.name))
        names.formUnion(Set(running.keys).subtracting(variables.lazy.map(\.name)))
        if changesUser { names.subtract(["HOME", "USER", "LOGNAME"]) }
        let changed = names.filter { name in
            !volatile.contains(name) && !volatilePrefixes.contains(where: name.hasPrefix)
        }.sorted()
        guard !changed.isEmpty else { return [] }
        let more = changed.count > shownNames ? " and \(changed.count - shownNames) more" : ""
        return ["variables would be other ones: \(changed.prefix(shownNames).joined(separator: ", "))\(more)"]
    }

    private static func baseName(_ path: String) -> Substring { path.split(separator: "/").last ?? "" }

    private static func link(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
    }

    private static func resolved(_ path: String) -> String? {
        guard let text = realpath(path, nil) else { return nil }
        defer { free(text) }
        return String(cString: text)
    }
}
