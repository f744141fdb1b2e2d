import ArgumentParser
import Configuration
import Glibc
import Platform
import Records

/// `hearth pm2-shim`: the name `pm2` for this program.
struct ShimCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pm2-shim", abstract: "Give this program the name 'pm2', with PM2's words, files and home.",
        subcommands: [InstallShimCommand.self, RemoveShimCommand.self])
}

/// Where the links are, and what they are called.
private enum Shim {
    static let names = ["pm2", "pm2-runtime", "pm2-docker"]

    static func directory(_ given: String?) throws -> String {
        if let given {
            guard let base = CallerHome.workingDirectory() else {
                throw Failure(.failed, "the working directory is gone; give an absolute directory")
            }
            return Paths.absolute(given, base: base, home: CallerHome.directory())
        }
        if geteuid() == 0 { return "/usr/local/bin" }
        guard let home = CallerHome.directory() else { throw Failure.usage("HOME is not set; name a directory") }
        return home + "/.local/bin"
    }

    /// What a path leads to, link by link; nil: nothing is there.
    static func target(of path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    static func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }
}

struct InstallShimCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install",
        abstract: "Make the links pm2, pm2-runtime and pm2-docker to this program.",
        discussion: """
            From then on 'hearth' without HEARTH_HOME uses PM2's home too (PM2_HOME, else ~/.pm2): there is one list.
            Something else that is called pm2 there is left alone unless --force is given; then it is renamed to
            pm2.original.
            """)

    @Argument(
        help: ArgumentHelp(
            "Where the links go (default: /usr/local/bin as root, else ~/.local/bin).", valueName: "dir"),
        completion: .directory)
    var directory: String?

    @Flag(help: "Rename what is called so already.")
    var force = false

    func run() throws {
        let directory = try Shim.directory(self.directory)
        guard let program = InstalledProgram.ownPath() else {
            throw Failure(.failed, "the path of this program cannot be read; is /proc mounted?")
        }
        let paths = try PM2Session.home()
        do throws(SystemError) { try FileSystem.makeDirectory(directory, mode: 0o755) } catch {
            throw Failure(.failed, "\(error); name another directory, or run this as root")
        }
        // All or none: looked at first.
        for name in Shim.names {
            let link = "\(directory)/\(name)"
            guard Shim.exists(link), Shim.target(of: link) != program, !force else { continue }
            throw Failure(
                .failed,
                "'\(link)' is there and is not this program; remove it (npm uninstall -g pm2), name another directory, "
                    + "or give --force, which renames it to '\(name).original'")
        }
        for name in Shim.names {
            let link = "\(directory)/\(name)"
            if Shim.exists(link), Shim.target(of: link) != program, rename(link, link + ".original") != 0 {
                throw Failure(.failed, "'\(link)' cannot be renamed: \(FileProbe.describe(errno))")
            }
            if Shim.target(of: link) == program { continue }
            guard symlink(program, link) == 0 else {
                throw Failure(.failed, "'\(link)' cannot be made: \(FileProbe.describe(errno)); run this as root?")
            }
            try Output.line("\(link) -> \(program)")
        }
        try ChosenHome.record(paths.home)
        try Output.line("'pm2' and 'hearth' now share the list in '\(paths.home)'")
        if let pid = GenuinePM2.daemon(of: paths) {
            Output.complain(
                "a genuine PM2 daemon (pid \(pid)) still has that home: let it save and end with its own 'pm2 save' and "
                    + "'pm2 kill', then run 'pm2 resurrect'")
        }
        let search = (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":").map(String.init)
        if !search.contains(directory) { Output.complain("'\(directory)' is not in your PATH") }
    }
}

struct RemoveShimCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove the links that 'install' made; apps go on.")

    @Argument(help: ArgumentHelp("Where the links are.", valueName: "dir"), completion: .directory)
    var directory: String?

    func run() throws {
        let directory = try Shim.directory(self.directory)
        for name in Shim.names {
            let link = "\(directory)/\(name)"
            guard Shim.isLink(link), Shim.target(of: link) == InstalledProgram.ownPath() else { continue }
            guard unlink(link) == 0 else {
                throw Failure(.failed, "'\(link)' cannot be removed: \(FileProbe.describe(errno))")
            }
            try Output.line("removed \(link)")
            let original = link + ".original"
            if Shim.exists(original), rename(original, link) == 0 { try Output.line("\(link) is again what it was") }
        }
        try ChosenHome.forget()
    }
}
