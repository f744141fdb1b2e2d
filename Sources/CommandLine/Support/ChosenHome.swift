import Configuration
import Glibc
import Platform
import Records

/// The home that `hearth` uses without HEARTH_HOME, where `pm2-shim install` chose PM2's: a line in
/// `~/.config/hearth/home`.
enum ChosenHome {
    private static var file: String? {
        if let directory = getenv("XDG_CONFIG_HOME").map({ String(cString: $0) }), directory.hasPrefix("/") {
            return directory + "/hearth/home"
        }
        return CallerHome.directory().map { $0 + "/.config/hearth/home" }
    }

    static func read() -> String? {
        guard let file, let bytes = try? FileSystem.read(file, limit: 8192) else { return nil }
        let path = String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self)
        return path.hasPrefix("/") ? path : nil
    }

    /// Says on a terminal that this home was chosen, and not by who is looking.
    static func mention(_ paths: HomePaths) {
        guard isatty(2) == 1, paths.isPM2, getenv("HEARTH_HOME") == nil, read() == paths.home else { return }
        Output.complain("the home is PM2's, '\(paths.home)', as 'hearth pm2-shim install' chose it")
    }

    static func record(_ home: String) throws {
        guard let file else { throw Failure(.failed, "HOME is not set: where the home is cannot be recorded") }
        try FileSystem.makeDirectory(FileSystem.parent(of: file))
        try FileSystem.replace(file, with: Array("\(home)\n".utf8), mode: 0o644, sync: true)
    }

    static func forget() throws {
        guard let file, unlink(file) != 0, errno != ENOENT else { return }
        throw Failure(.failed, "'\(file)' cannot be removed: \(FileProbe.describe(errno))")
    }
}
