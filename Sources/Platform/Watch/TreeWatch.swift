internal import CLinux
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

// Watches directory trees with inotify.
//
// inotify knows single directories, so each directory of a tree has a watch of its own, and a tree that changes is
// followed: a directory that appears is walked, one that vanishes is forgotten with all below it. Between the moment a
// directory is made and the moment it is watched files may come into it; the walk sees them, and as the directory is
// new, that is a change anyway.
//
// A watched path that is a file is watched through its directory: editors replace files, and the watch of a replaced
// file is a watch of nothing. For the same reason the directory above each watched path is watched for its name: a
// deploy that replaces a directory, or the symbolic link to it, is a change, and what is there then is watched.

/// The watch of some paths of one app. Does what blocks: used by one job of a thread pool at a time.
package final class TreeWatch: @unchecked Sendable {
    // Sendable: the owner never has two jobs under way; the lock below is held for the time of each, for memory order.

    package struct Outcome: Sendable {
        /// A path that changed, if one did that counts.
        package var changed: String?
        /// How many directories are watched.
        package var directories: Int
        /// Why something is not watched.
        package var failure: String?
    }

    private struct Directory {
        var path: String
        /// All of its names count, and its directories are followed.
        var isTree = false
        /// Names in it that are watched paths themselves.
        var roots: Set<String> = []
    }

    /// Closed with the last use.
    package let descriptor: Int32
    private let roots: [String]
    private let filter: WatchFilter
    private var directories: [Int32: Directory] = [:]
    private var failure: String?
    private let lock = Mutex(())

    package init(roots: [String], filter: WatchFilter) throws(SystemError) {
        self.roots = roots
        self.filter = filter
        let fd = clinux_inotify()
        guard fd != -EMFILE else {
            throw SystemError(EMFILE, "watch files (see fs.inotify.max_user_instances)")
        }
        descriptor = try checked(fd, "watch files")
    }

    deinit { _ = close(descriptor) }

    // MARK: The walk

    /// Watches everything that is there now.
    package func begin() -> Outcome {
        lock.withLock { _ in
            for root in roots { add(root: root) }
            return outcome(nil)
        }
    }

    private func outcome(_ changed: String?) -> Outcome {
        Outcome(changed: changed, directories: directories.count, failure: failure)
    }

    private func add(root: String) {
        if root != "/" {
            let parent = FileSystem.parent(of: root)
            let isDirectory = FileSystem.isDirectory(root)
            let add = isDirectory ? clinux_inotify_watch_names : clinux_inotify_watch_tree
            let watch = add(descriptor, parent)
            if watch >= 0 {
                directories[watch, default: Directory(path: parent)].roots.insert(
                    root.split(separator: "/").last.map(String.init) ?? root)
            } else if !isDirectory {
                failure = failure ?? "'\(root)' cannot be watched: \(errorText(-watch))"
            }
            guard isDirectory else { return }
        }
        walk(root)
    }

    /// Watches a directory and all below it.
    ///
    /// - Returns: a file in it that counts.
    @discardableResult
    private func walk(_ start: String) -> String? {
        var open = [start]
        var found: String?
        while let path = open.popLast() {
            let watch = clinux_inotify_watch_tree(descriptor, path)
            guard watch >= 0 else {
                note(watch, path)
                // Without room for more watches each further one fails, too.
                if watch == -ENOSPC { return found }
                continue
            }
            if let known = directories[watch], known.isTree {
                // A symbolic link to what is watched already: a circle, perhaps.
                if known.path != path { continue }
            }
            directories[watch, default: Directory(path: path)].isTree = true
            guard let listing = opendir(path) else { continue }
            while let entry = readdir(listing) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                    String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name == "." || name == ".." { continue }
                let child = path == "/" ? "/" + name : path + "/" + name
                if filter.ignores(child) { continue }
                if isDirectory(child, type: Int32(entry.pointee.d_type)) {
                    open.append(child)
                } else if found == nil, filter.counts(file: child) {
                    found = child
                }
            }
            closedir(listing)
        }
        return found
    }

    private func isDirectory(_ path: String, type: Int32) -> Bool {
        switch type {
        case Int32(DT_DIR): true
        // Followed, as chokidar does.
        case Int32(DT_LNK), Int32(DT_UNKNOWN): FileSystem.isDirectory(path)
        default: false
        }
    }

    private func note(_ code: Int32, _ path: String) {
        switch -code {
        // It was removed between two looks.
        case ENOENT, ENOTDIR: break
        case ENOSPC:
            failure =
                "no more directories can be watched (the limit is sysctl fs.inotify.max_user_watches); not watched: '\(path)' and what comes after it"
        default: failure = failure ?? "'\(path)' cannot be watched: \(errorText(-code))"
        }
    }

    // MARK: Changes

    /// Takes what happened since the last time, and follows the trees.
    package func drain() -> Outcome {
        lock.withLock { _ in
            var changed: String?
            // 64 KiB: some thousand events a time.
            var buffer = [CChar](repeating: 0, count: 64 << 10)
            // The kernel's queue holds 16,384 events; what comes beyond that while we read is for the next time.
            for _ in 0..<32 {
                let count = clinux_inotify_read(descriptor, &buffer, UInt(buffer.count))
                guard count > 0 else { break }
                var change = clinux_change()
                var offset: UInt32 = 0
                while clinux_inotify_next(buffer, UInt(count), offset, &change) == 1 {
                    offset = change.next
                    let (start, end) = (Int(change.name), Int(change.name + change.name_length))
                    let name = String(
                        decoding: buffer[start..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
                    if let path = take(change.watch, change.kind, name), changed == nil { changed = path }
                }
            }
            return outcome(changed)
        }
    }

    /// The path that changed, if it counts.
    private func take(_ watch: Int32, _ kind: UInt32, _ name: String) -> String? {
        func has(_ bit: Int) -> Bool { kind & UInt32(bit) != 0 }
        if has(CLINUX_CHANGE_LOST) {
            // Directories may have come unseen: everything is looked through again.
            for root in roots { add(root: root) }
            return roots.first
        }
        if has(CLINUX_CHANGE_UNWATCHED) {
            directories[watch] = nil
            return nil
        }
        guard let directory = directories[watch] else { return nil }
        if name.isEmpty {
            guard has(CLINUX_CHANGE_SELF_GONE), directory.isTree, roots.contains(directory.path) else { return nil }
            forget(directory.path)
            return filter.countsDirectories ? directory.path : nil
        }
        let path = directory.path == "/" ? "/" + name : directory.path + "/" + name
        let isRoot = directory.roots.contains(name)
        guard isRoot || directory.isTree else { return nil }
        if isRoot ? filter.ignoresAsRoot(path) : filter.ignores(path) { return nil }
        if has(CLINUX_CHANGE_VANISHED), has(CLINUX_CHANGE_DIRECTORY) {
            forget(path)
            return filter.countsDirectories ? path : nil
        }
        if has(CLINUX_CHANGE_APPEARED), isRoot || has(CLINUX_CHANGE_DIRECTORY) || FileSystem.isDirectory(path) {
            if isRoot { forget(path) }
            if FileSystem.isDirectory(path) {
                let found = walk(path)
                return filter.countsDirectories ? path : found
            }
            if has(CLINUX_CHANGE_DIRECTORY) { return filter.countsDirectories ? path : nil }
        }
        return filter.counts(file: path) ? path : nil
    }

    /// A directory is not where it was: nothing of it is watched any more.
    private func forget(_ path: String) {
        for (watch, directory) in directories
        where directory.isTree && (directory.path == path || directory.path.hasPrefix(path + "/")) {
            if directory.roots.isEmpty {
                directories[watch] = nil
                clinux_inotify_unwatch(descriptor, watch)
            } else {
                directories[watch]?.isTree = false
            }
        }
    }
}
