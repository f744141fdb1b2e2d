import Foundation
import Glibc

/// A directory of one test, gone with it.
final class Scratch {
    let path: String

    /// `isPublic`: other users may enter it.
    init(isPublic: Bool = false) throws {
        path = FileManager.default.temporaryDirectory.path + "/hearth-spawn-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        chmod(path, isPublic ? 0o755 : 0o700)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    /// Writes a script and returns its path.
    func script(_ text: String, name: String = "script.sh", mode: mode_t = 0o755) throws -> String {
        try text.write(toFile: file(name), atomically: false, encoding: .utf8)
        chmod(file(name), mode)
        return file(name)
    }

    func read(_ name: String) -> String { (try? String(contentsOfFile: file(name), encoding: .utf8)) ?? "" }
}

/// Waits until `condition` holds; false when the deadline passes first.
func eventually(within seconds: Double = 20, _ condition: () -> Bool) -> Bool {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while !condition() {
        if Date() > deadline { return false }
        usleep(5_000)
    }
    return true
}
