#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What the command line looks at on disk before it asks the daemon for anything.
package enum FileProbe {
    package enum Kind: Hashable, Sendable {
        case missing
        case unreachable(errno: Int32)
        case file
        case directory
        case other
    }

    package static func kind(of path: String) -> Kind {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let code = errno
            return code == ENOENT || code == ENOTDIR ? .missing : .unreachable(errno: code)
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .directory
        default: return .other
        }
    }

    package static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

    /// Whole contents of a file, `limit` bytes at most.
    package static func contents(of path: String, limit: Int) throws(ConfigurationError) -> [UInt8] {
        let fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard fd >= 0 else { throw cannotRead(path, errno) }
        defer { close(fd) }
        var status = stat()
        if fstat(fd, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { throw cannotRead(path, EISDIR) }
        return try contents(of: fd, name: path, limit: limit)
    }

    /// Whole contents of an open descriptor, for example standard input.
    package static func contents(of fd: Int32, name: String, limit: Int) throws(ConfigurationError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(fd, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count < 0 {
                let code = errno
                if code == EINTR { continue }
                throw cannotRead(name, code)
            }
            bytes += chunk[..<count]
            if bytes.count > limit {
                throw ConfigurationError("'\(name)' is larger than \(limit >> 20) MiB", hint: "is it the right file?")
            }
        }
    }

    /// The first bytes of a file; empty when it can't be read.
    package static func head(of path: String, count: Int = 512) -> [UInt8] {
        let fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard fd >= 0 else { return [] }
        defer { close(fd) }
        var bytes = [UInt8](repeating: 0, count: count)
        let length = read(fd, &bytes, count)
        return length > 0 ? Array(bytes[..<length]) : []
    }

    package static func describe(_ code: Int32) -> String {
        guard let text = strerror(code) else { return "error \(code)" }
        let words = String(cString: text)
        return words.prefix(1).lowercased() + words.dropFirst()
    }

    private static func cannotRead(_ path: String, _ code: Int32) -> ConfigurationError {
        ConfigurationError(
            "cannot read '\(path)': \(describe(code))",
            hint: code == ENOENT ? "check the path" : code == EACCES ? "check its permissions" : nil)
    }
}

/// Paths without the file system.
package enum Paths {
    /// `path` as an absolute one: `~` is `home`, a relative path starts at `base`; `.` and `..` are resolved by text.
    package static func absolute(_ path: String, base: String, home: String?) -> String {
        var full = path
        if let home, path == "~" || path.hasPrefix("~/") {
            full = home + path.dropFirst()
        } else if !path.hasPrefix("/") {
            full = base + "/" + path
        }
        var parts: [Substring] = []
        for part in full.split(separator: "/") {
            if part == "." { continue }
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    package static func baseName(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    /// `.js` of `app.test.js`; empty for `Makefile` and `.profile`.
    package static func fileExtension(_ path: String) -> String {
        let name = baseName(path)
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
        return String(name[dot...])
    }

    /// The program `name` would run: looked up in the directories of `path`, unless it contains a slash.
    package static func program(_ name: String, path: String, base: String) -> String? {
        func usable(_ candidate: String) -> Bool {
            FileProbe.kind(of: candidate) == .file && FileProbe.isExecutable(candidate)
        }
        if name.contains("/") {
            let candidate = absolute(name, base: base, home: nil)
            return usable(candidate) ? candidate : nil
        }
        for directory in path.split(separator: ":", omittingEmptySubsequences: false) {
            let candidate = absolute("\(directory.isEmpty ? "." : directory)/\(name)", base: base, home: nil)
            if usable(candidate) { return candidate }
        }
        return nil
    }

    /// What execvp falls back to.
    package static let defaultSearchPath = "/usr/local/bin:/usr/bin:/bin"
}
