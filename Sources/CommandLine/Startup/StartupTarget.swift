import Configuration
import Glibc
import Platform
import Records

/// Whose apps are to come back after a boot: the user, the home, and the programs.
struct StartupTarget {
    let user: PasswordEntry
    let home: HomePaths
    let keeper: String
    let commandLine: String

    /// - Parameters:
    ///   - user: as asked for; nil: the caller.
    ///   - homeDirectory: PM2's `--hp`, in which the home is; nil: the user's.
    ///   - home: given with `--home` or a variable; it wins.
    init(user name: String?, homeDirectory: String?, home given: HomePaths?, isPM2: Bool) throws {
        let user: PasswordEntry
        if let name {
            guard let entry = PasswordEntry.named(name) else {
                throw Failure(.failed, "there is no user '\(name)' (looked in /etc/passwd and with getent)")
            }
            user = entry
        } else {
            guard let entry = PasswordEntry.caller() else {
                throw Failure(.failed, "uid \(geteuid()) has no name in /etc/passwd; name the user with -u")
            }
            user = entry
        }
        self.user = user
        let directory = homeDirectory ?? user.home
        guard directory.hasPrefix("/") else {
            throw Failure.usage("'\(directory)' is no absolute path; give the user's home directory with --hp")
        }
        if let given {
            home = given
        } else if isPM2 {
            home = HomePaths(home: directory + "/.pm2", isPM2: true)
        } else if let chosen = Self.chosenHome(in: directory) {
            home = HomePaths.existing(at: chosen)
        } else {
            home = HomePaths(home: directory + "/.hearth")
        }
        keeper = try InstalledProgram.path(of: "hearth-keeper")
        commandLine = InstalledProgram.ownPath() ?? "/usr/bin/hearth"
        try requireReachable()
    }

    /// The home that this user chose with `pm2-shim install`.
    private static func chosenHome(in directory: String) -> String? {
        guard let bytes = try? FileSystem.read(directory + "/.config/hearth/home", limit: 8192) else { return nil }
        let path = String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self)
        return path.hasPrefix("/") ? path : nil
    }

    private func requireReachable() throws {
        try user.acting {
            for program in [keeper, commandLine] where faccessat(AT_FDCWD, program, X_OK, AT_EACCESS) != 0 {
                throw Failure(
                    .failed,
                    "'\(user.name)' cannot execute '\(program)': \(FileProbe.describe(errno)); install Hearth where every "
                        + "user can reach it (make install, or the .deb)")
            }
        }
    }

    /// Makes the home, as its user.
    func makeHome() throws {
        try user.acting {
            do throws(SystemError) {
                try FileSystem.makeDirectory(home.home)
                try FileSystem.makeDirectory(home.base)
            } catch {
                throw Failure(.failed, "\(error); the home must be writable for '\(user.name)'")
            }
            var status = stat()
            if stat(home.home, &status) == 0, status.st_uid != user.uid {
                let owner = UserNames.name(of: status.st_uid)
                throw Failure(
                    .notPermitted,
                    "the home '\(home.home)' belongs to '\(owner)', not to '\(user.name)': give -u \(owner), or --home")
            }
        }
    }
}
