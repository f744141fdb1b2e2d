import Glibc
import Platform

/// The version of an app: that of the nearest package.json above its script.
package enum PackageVersion {
    package static let unknown = "N/A"

    /// Reads files.
    package static func find(above script: String) -> String {
        guard script.hasPrefix("/") else { return unknown }
        var directory = FileSystem.parent(of: script)
        // No path has more components than PATH_MAX has characters.
        for _ in 0..<4096 {
            let path = directory == "/" ? "/package.json" : directory + "/package.json"
            // 1 MiB: the largest that are published have some hundred KiB.
            if isRegularFile(path), let bytes = try? FileSystem.read(path, limit: 1 << 20) {
                return (try? OrderedJSON.parse(bytes))?.object?["version"]?.text ?? unknown
            }
            if directory == "/" { return unknown }
            directory = FileSystem.parent(of: directory)
        }
        return unknown
    }

    /// The same for many scripts: what lies in one directory is looked for once.
    package static func finder() -> (String) -> String {
        var known: [String: String] = [:]
        return { script in
            let directory = FileSystem.parent(of: script)
            if let version = known[directory] { return version }
            let version = find(above: script)
            known[directory] = version
            return version
        }
    }

    /// To open anything else might wait for ever.
    private static func isRegularFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }
}
