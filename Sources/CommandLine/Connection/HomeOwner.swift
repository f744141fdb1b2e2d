import Configuration
import Glibc
import Platform
import Records

/// In a home that belongs to somebody else, no daemon is started and no file is made.
struct HomeOwner {
    let paths: HomePaths

    /// uid of the home, or of the nearest directory above it that exists.
    private var owner: (uid: uid_t, exists: Bool)? {
        var path = paths.home
        var exists = true
        while true {
            var status = stat()
            if stat(path, &status) == 0 { return (status.st_uid, exists) }
            if path == "/" { return nil }
            exists = false
            path = FileSystem.parent(of: path)
        }
    }

    func requireOwn() throws {
        guard let owner, owner.exists, owner.uid != geteuid() else { return }
        let name = UserNames.name(of: owner.uid)
        let command = geteuid() == 0 ? "sudo -u \(name) hearth …" : "run the command as '\(name)'"
        throw Failure(
            .notPermitted,
            "the home '\(paths.home)' belongs to '\(name)': no daemon is started there; "
                + (geteuid() == 0 ? "use '\(command)', or give --home" : "\(command), or give --home"))
    }

    /// Makes the home with mode 0700 if there is none.
    func create() throws {
        try requireOwn()
        if FileProbe.kind(of: paths.home) == .missing {
            var missing = [paths.home]
            while case .missing = FileProbe.kind(of: FileSystem.parent(of: missing[missing.count - 1])) {
                missing.append(FileSystem.parent(of: missing[missing.count - 1]))
            }
            for directory in missing.reversed() where mkdir(directory, 0o700) != 0 && errno != EEXIST {
                throw Failure(
                    .failed,
                    "cannot create the home '\(paths.home)': \(FileProbe.describe(errno)); "
                        + "give another one with --home")
            }
        }
        guard FileProbe.kind(of: paths.home) == .directory else {
            throw Failure(.failed, "the home '\(paths.home)' is not a directory; give another one with --home")
        }
        guard access(paths.home, W_OK | X_OK) == 0 else {
            throw Failure(
                .failed,
                "cannot write into the home '\(paths.home)': \(FileProbe.describe(errno)); "
                    + "correct its permissions, or give another one with --home")
        }
        // Ours in a home of PM2's: the daemon recognises such a home by it.
        if paths.isPM2, mkdir(paths.base, 0o700) != 0, errno != EEXIST {
            throw Failure(.failed, "cannot create '\(paths.base)': \(FileProbe.describe(errno))")
        }
    }
}
