import Glibc
import Platform

/// inotify on the directories of some files: one watch serves all files in it, also those that appear later.
struct DirectoryWatch {
    let descriptor: Int32
    private var directories: [Int32: String] = [:]
    private var watched: Set<String> = []
    private var missing: Set<String> = []

    init() throws {
        descriptor = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        guard descriptor >= 0 else { throw SystemError(errno, "watch log files (inotify)") }
    }

    func close() { _ = Glibc.close(descriptor) }

    /// Directories that do not exist yet are tried again by `retryMissing`.
    mutating func watch(directoryOf path: String) {
        let directory = FileSystem.parent(of: path)
        guard !watched.contains(directory) else { return }
        let mask = UInt32(IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE)
        let watch = inotify_add_watch(descriptor, directory, mask)
        if watch >= 0 {
            directories[watch] = directory
            watched.insert(directory)
            missing.remove(directory)
        } else {
            missing.insert(directory)
        }
    }

    var hasMissing: Bool { !missing.isEmpty }

    /// Whether a directory came into being.
    mutating func retryMissing() -> Bool {
        let before = missing.count
        for directory in missing { watch(directoryOf: directory + "/x") }
        return missing.count < before
    }

    /// Paths in which something happened; nil: the queue overflowed, so it may be any of them.
    mutating func changes() -> Set<String>? {
        var paths: Set<String> = []
        var overflowed = false
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return overflowed ? nil : paths }
            buffer.withUnsafeBytes { bytes in
                var position = 0
                // struct inotify_event: wd, mask, cookie, len, name
                while position + 16 <= count {
                    let watch = bytes.loadUnaligned(fromByteOffset: position, as: Int32.self)
                    let mask = bytes.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self)
                    let length = Int(bytes.loadUnaligned(fromByteOffset: position + 12, as: UInt32.self))
                    if mask & UInt32(IN_Q_OVERFLOW) != 0 { overflowed = true }
                    let end = min(count, position + 16 + length)
                    let name = bytes[(position + 16)..<end].prefix { $0 != 0 }
                    if let directory = directories[watch], !name.isEmpty {
                        paths.insert(directory + "/" + String(decoding: name, as: UTF8.self))
                    }
                    position += 16 + length
                }
            }
        }
    }
}
