package import Model
package import Platform

#if canImport(Glibc)
    import Glibc
#endif

// The desired state on disk: `state/desired.json`, and a copy of it in `state/desired.json.bak`.
//
// A file is replaced by renaming, so a reader sees the old or the new one, whole. The copy is made when the list is on
// the disk: while a change is on its way the copy is the version before, at rest both are the same, so a list that is
// damaged at rest costs nothing. A file that cannot be read is never deleted: the daemon sets it aside as
// `desired.json.corrupt-TIME`, takes the backup, or else the newest snapshot, and says so.

package enum DesiredStateFile {
    package struct Reading: Sendable {
        /// Nil: there is no list yet.
        package var state: DesiredState?
        /// What a person should know: a corrupt file, a backup that was used.
        package var notes: [String]
        /// Files that could not be understood; the daemon sets them aside.
        package var corrupt: [String]

        package init(state: DesiredState?, notes: [String], corrupt: [String]) {
            self.state = state
            self.notes = notes
            self.corrupt = corrupt
        }
    }

    /// Reads the list, or its backup when the list cannot be understood. Changes nothing.
    package static func read(_ paths: HomePaths) -> Reading {
        var reading = Reading(state: nil, notes: [], corrupt: [])
        for path in [paths.desiredState, paths.desiredStateBackup] {
            let bytes: [UInt8]
            do { bytes = try FileSystem.read(path) } catch {
                if error.errno != ENOENT { reading.notes.append("\(error)") }
                continue
            }
            do {
                let state = try RecordCoding.decode(DesiredState.self, from: bytes)
                guard state.version <= DesiredState.currentVersion else {
                    reading.notes.append("'\(path)' was written by a newer Hearth (version \(state.version))")
                    reading.corrupt.append(path)
                    continue
                }
                if path == paths.desiredStateBackup {
                    reading.notes.append("the backup of the list is used ('\(path)')")
                }
                reading.state = state
                return reading
            } catch {
                reading.notes.append("'\(path)' cannot be used: \(RecordCoding.complaint(error))")
                reading.corrupt.append(path)
            }
        }
        // A list that is not there was never written; one that is there and unreadable had a content.
        if !reading.corrupt.isEmpty, let newest = SnapshotStore.list(paths).snapshots.last {
            reading.notes.append("the list is that of snapshot '\(newest.name)'; changes since then are lost")
            reading.state = newest.state
        }
        return reading
    }

    /// Moves files that could not be understood out of the way. Returns where they are now.
    package static func setAside(_ paths: [String], stamp: Int64) -> [String] {
        paths.compactMap { path in
            let aside = "\(path).corrupt-\(stamp)"
            return rename(path, aside) == 0 ? aside : nil
        }
    }

    /// Writes the list.
    ///
    /// - Parameter sync: also waits until it is on the disk.
    package static func write(_ state: DesiredState, to paths: HomePaths, sync: Bool) throws(SystemError) {
        try FileSystem.replace(paths.desiredState, with: RecordCoding.encode(state), sync: sync)
    }

    /// Makes the backup a copy of the list as it lies there: a file of its own, which no damage to the list reaches.
    package static func backUp(_ paths: HomePaths) throws(SystemError) {
        try FileSystem.replace(paths.desiredStateBackup, with: try FileSystem.read(paths.desiredState), sync: false)
    }

    /// Waits until the list as it lies there is on the disk.
    package static func sync(_ paths: HomePaths) throws(SystemError) {
        let fd = open(paths.desiredState, O_RDONLY | O_CLOEXEC)
        if fd < 0 { throw SystemError(errno, "open '\(paths.desiredState)'") }
        let file = Descriptor(adopting: fd)
        if fdatasync(file.rawValue) != 0 { throw SystemError(errno, "sync '\(paths.desiredState)'") }
        try FileSystem.syncDirectory(of: paths.desiredState)
    }
}
