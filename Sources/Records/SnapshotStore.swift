package import Model
import Platform

#if canImport(Glibc)
    import Glibc
#endif

/// A version of the list, named by a person or kept before a change.
package struct Snapshot: Codable, Hashable, Sendable {
    package enum Kind: String, Codable, Hashable, Sendable {
        case saved
        case automatic
    }

    package var name: String
    /// Wall clock, milliseconds since 1970.
    package var at: Int64
    package var kind: Kind
    package var by: Actor
    package var state: DesiredState

    package init(name: String, at: Int64, kind: Kind, by: Actor, state: DesiredState) {
        self.name = name
        self.at = at
        self.kind = kind
        self.by = by
        self.state = state
    }
}

/// Snapshots on disk: `state/snapshots/NAME.json`, one file each, written by renaming, mode 0600.
package enum SnapshotStore {
    package struct Failure: Error, Sendable, CustomStringConvertible {
        package let description: String
        init(_ description: String) { self.description = description }
    }

    /// Automatic ones kept; those that a person saved are never removed.
    static let automaticKept = 20

    package static func path(_ name: String, in paths: HomePaths) -> String { "\(paths.snapshots)/\(name).json" }

    /// Whether a name can be a file name as it is.
    package static func isValid(name: String) -> Bool {
        !name.isEmpty && name == HomePaths.safeFileName(name)
    }

    /// All of them, oldest first, and what could not be read.
    package static func list(_ paths: HomePaths) -> (snapshots: [Snapshot], notes: [String]) {
        guard let names = try? FileSystem.names(in: paths.snapshots) else { return ([], []) }
        var snapshots: [Snapshot] = []
        var notes: [String] = []
        for file in names where file.hasSuffix(".json") {
            do { snapshots.append(try read(String(file.dropLast(5)), paths)) } catch { notes.append("\(error)") }
        }
        return (snapshots.sorted { ($0.at, $0.name) < ($1.at, $1.name) }, notes)
    }

    package static func read(_ name: String, _ paths: HomePaths) throws(Failure) -> Snapshot {
        let path = path(name, in: paths)
        let bytes: [UInt8]
        do { bytes = try FileSystem.read(path) } catch {
            throw Failure(error.errno == ENOENT ? "there is no snapshot '\(name)'" : "\(error)")
        }
        do { return try RecordCoding.decode(Snapshot.self, from: bytes) } catch {
            throw Failure("snapshot '\(path)' cannot be used: \(RecordCoding.complaint(error))")
        }
    }

    /// Writes a snapshot; for an automatic one, drops the oldest automatic ones over the limit.
    package static func write(_ snapshot: Snapshot, _ paths: HomePaths, sync: Bool) throws(Failure) {
        do throws(SystemError) {
            try FileSystem.makeDirectory(paths.snapshots)
            try FileSystem.replace(
                path(snapshot.name, in: paths), with: RecordCoding.encode(snapshot), sync: sync)
        } catch { throw Failure("\(error)") }
        guard snapshot.kind == .automatic, let names = try? FileSystem.names(in: paths.snapshots) else { return }
        let automatic = names.filter { $0.hasPrefix("auto-") && $0.hasSuffix(".json") }
        for name in automatic.dropLast(automaticKept) { _ = unlink(paths.snapshots + "/" + name) }
    }

    /// `2026-11-21_13-33-01.250`: sorts by time.
    package static func stamp(_ milliseconds: Int64) -> String {
        let (date, time, fraction) = SystemClock.local(milliseconds)
        return "\(date)_\(String(time.map { $0 == ":" ? "-" : $0 })).\(fraction)"
    }
}
