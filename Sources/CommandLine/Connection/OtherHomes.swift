import CLinux
import Configuration
import Control
import Glibc
import Records

/// The other home that a user may have: what runs there is in no list of this one.
enum OtherHomes {
    /// Says on standard error that a daemon runs in `~/.hearth` or `~/.pm2`, when that is not the home at hand.
    static func mention(besides paths: HomePaths) {
        guard let directory = CallerHome.directory() else { return }
        for path in [directory + "/.hearth", directory + "/.pm2"] where path != paths.home {
            let other = HomePaths.existing(at: path)
            let socket = clinux_unix_connect(other.controlSocket, Int32(SOCK_STREAM.rawValue), 50)
            guard socket >= 0 else { continue }
            close(socket)
            let command = other.isPM2 ? "pm2 list" : "hearth --home \(path) list"
            Output.complain("another daemon of yours runs in '\(path)': '\(command)' shows its apps")
        }
    }
}
