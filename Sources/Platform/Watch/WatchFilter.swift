/// Which changes below the watched paths count. Paths are absolute.
package struct WatchFilter: Hashable, Sendable {
    private struct Pattern: Hashable, Sendable {
        var glob: GlobPattern
        /// A plain path: it and everything below.
        var plain: String?
    }

    private let cwd: String
    private let roots: [String]
    private let ignored: [Pattern]?
    private let extensions: Set<String>?
    /// Files that Hearth or the app itself writes while it runs.
    private let own: Set<String>
    private let ownDirectories: [String]

    /// - Parameters:
    ///   - ignore: relative to `cwd`, or absolute; nil: names that begin with a dot, and `node_modules`.
    ///   - logs: with what log rotation makes of them.
    package init(
        roots: [String], cwd: String, ignore: [String]?, extensions: [String]?, logs: Set<String> = [],
        pidFiles: Set<String> = [], ownDirectories: [String] = []
    ) {
        self.roots = roots
        self.cwd = cwd == "/" ? "" : cwd
        let base = self.cwd
        ignored = ignore?.map { text in
            var pattern = text
            while pattern.hasPrefix("./") { pattern.removeFirst(2) }
            while pattern.count > 1, pattern.hasSuffix("/") { pattern.removeLast() }
            if pattern == "." { pattern = "" }
            if !pattern.hasPrefix("/") { pattern = pattern.isEmpty ? base : base + "/" + pattern }
            let glob = GlobPattern(pattern)
            return Pattern(glob: glob, plain: glob.isGlob ? nil : pattern)
        }
        self.extensions = extensions.map { Set($0.map { String($0.drop { $0 == "." }) }) }
        own = logs.union(pidFiles).union(pidFiles.map { $0 + ".new" })
        self.ownDirectories = ownDirectories
        logStems = Dictionary(grouping: logs.map(Self.stem), by: FileSystem.parent(of:))
    }

    /// Logs without `.log`, by their directory: rotation appends to the name, before or after that.
    private let logStems: [String: [String]]

    private static func stem(_ log: String) -> String { log.hasSuffix(".log") ? String(log.dropLast(4)) : log }

    /// This path, and everything below it if it is a directory, is left alone.
    package func ignores(_ path: String) -> Bool {
        if isOwn(path) { return true }
        guard let ignored else { return hasIgnoredName(path) }
        return ignored.contains { pattern in
            if let plain = pattern.plain { return path == plain || path.hasPrefix(plain + "/") }
            return pattern.glob.matches(path)
        }
    }

    /// The same of a watched path itself: who names `.env` wants it watched.
    package func ignoresAsRoot(_ path: String) -> Bool { ignored == nil ? isOwn(path) : ignores(path) }

    /// A change of this file restarts.
    package func counts(file path: String) -> Bool {
        guard let extensions else { return true }
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return false }
        return extensions.contains(String(name[name.index(after: dot)...]))
    }

    /// A directory that comes or goes counts by itself.
    package var countsDirectories: Bool { extensions == nil }

    /// The path as a person would name it.
    package func display(_ path: String) -> String {
        !cwd.isEmpty && path.hasPrefix(cwd + "/") ? String(path.dropFirst(cwd.count + 1)) : path
    }

    private func isOwn(_ path: String) -> Bool {
        if own.contains(path) { return true }
        if ownDirectories.contains(where: { path == $0 || path.hasPrefix($0 + "/") }) { return true }
        guard !logStems.isEmpty, let stems = logStems[FileSystem.parent(of: path)] else { return false }
        // `out.log.1`, `out.log.2.gz`, `out-20261121.log`, `out__2026-11-21_00-00-00.log`
        return stems.contains { stem in
            guard path.hasPrefix(stem) else { return false }
            let rest = path.dropFirst(stem.count)
            if rest.hasPrefix(".log") || rest.hasPrefix("__") { return true }
            return (rest.hasPrefix("-") || rest.hasPrefix(".")) && rest.dropFirst().first?.isNumber ?? false
        }
    }

    /// Names above the watched path say nothing: a person may keep everything in `~/.apps`.
    private func hasIgnoredName(_ path: String) -> Bool {
        let root = roots.filter { path == $0 || path.hasPrefix($0 + "/") }.max { $0.count < $1.count }
        return path.dropFirst(root?.count ?? 0).split(separator: "/").contains { name in
            name.hasPrefix(".") || name == "node_modules"
        }
    }
}
