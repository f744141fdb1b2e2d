import Model
import Platform
import Records

/// Directories of log and pid files that are asked for and not there: made, with PM2's words for it.
struct PM2Folders {
    let face: PM2Session

    func make(for specs: [AppSpec]) {
        for spec in specs {
            // The id is in the file's name only.
            let logs = face.paths.logFiles(of: spec, id: InstanceID(0))
            let files = [logs.out, logs.error, face.paths.pidFile(of: spec, id: InstanceID(0))]
            for file in files.compactMap({ $0 }) { make(FileSystem.parent(of: file)) }
        }
    }

    /// One that cannot be made is told with the app, which cannot be started then.
    private func make(_ directory: String) {
        guard !FileSystem.exists(directory) else { return }
        face.console.say("Folder does not exist: \(directory)", .warning, to: 2)
        face.console.say("Creating folder: \(directory)")
        try? FileSystem.makeDirectory(directory, mode: 0o755)
    }
}
