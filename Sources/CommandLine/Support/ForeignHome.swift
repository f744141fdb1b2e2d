import Glibc
import Platform

/// HOME of somebody else, as `sudo -u` leaves it on some systems.
enum ForeignHome {
    /// What to say of it when something was not permitted; empty: HOME is the caller's own, or plays no part.
    static var hint: [String] {
        guard getenv("HEARTH_HOME") == nil, let home = getenv("HOME").map({ String(cString: $0) }) else { return [] }
        var status = stat()
        guard stat(home, &status) == 0, status.st_uid != geteuid() else { return [] }
        let (owner, caller) = (UserNames.name(of: status.st_uid), UserNames.name(of: geteuid()))
        return [
            "HOME is '\(home)', which belongs to '\(owner)', and you are '\(caller)': use 'sudo -H -u \(caller) …', or give --home"
        ]
    }
}
