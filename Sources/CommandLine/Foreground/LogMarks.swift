import Glibc
import Model
import Platform
import Records

/// How long log files were when a run began: what stands in them from earlier is not shown again.
struct LogMarks {
    private var sizes: [String: Int64] = [:]

    /// Looks at all files that may become logs of these apps: instances with files of their own have their ids in the
    /// names, which nobody knows yet.
    mutating func add(_ apps: [AppSpec], _ paths: HomePaths) {
        var directories: Set<String> = []
        for app in apps {
            let files = paths.logFiles(of: app, id: InstanceID(0))
            directories.formUnion([files.out, files.error].compactMap { $0 }.map(FileSystem.parent))
        }
        for directory in directories {
            for name in (try? FileSystem.names(in: directory)) ?? [] { add(directory + "/" + name) }
        }
    }

    mutating func add(_ path: String) {
        var status = stat()
        guard sizes[path] == nil, stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return }
        sizes[path] = Int64(status.st_size)
    }

    func size(of path: String) -> Int64 { sizes[path] ?? 0 }
}
