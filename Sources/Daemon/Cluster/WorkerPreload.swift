import CLinux
import Configuration
import Model
import NodeBridge
import Platform
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Where the drain preload lies. Looked at, and written if it is not there as it should be, before each start of a worker:
/// Node refuses to start without it.
struct WorkerPreload: Sendable {
    /// The home's directory for what is needed at run time.
    let directory: String

    /// A path that a process of that user can read; nil: there is none. Blocks: for a spawner's thread.
    func locate(uid: String?) -> String? {
        guard let uid, uid != String(geteuid()) else { return ensure() }
        // Nobody else looks into a home.
        return InstalledProgram.places().lazy.map { $0 + "/" + DrainPreload.fileName }.first {
            access($0, R_OK) == 0
        }
    }

    /// Several threads start workers.
    private static let writing = Mutex(())

    private func ensure() -> String? {
        let path = directory + "/" + DrainPreload.fileName
        let text = Array(DrainPreload.text.utf8)
        if let present = try? FileSystem.read(path, limit: 64 << 10), present == text { return path }
        return Self.writing.withLock { _ in
            guard (try? FileSystem.makeDirectory(directory)) != nil else { return nil }
            return (try? FileSystem.replace(path, with: text, mode: 0o644, sync: false)).map { path }
        }
    }
}
