import Foundation
import Glibc
import TestSupport

/// A `systemctl` that notes what it is told, and starts the keeper that a unit names: as its own child, in no cgroup, but
/// with a service manager's variables.
struct PlayedSystemd {
    let home: Home
    var units: String { home.file("units") }

    init(in home: Home) throws {
        self.home = home
        for name in ["bin", "units"] {
            try FileManager.default.createDirectory(atPath: home.file(name), withIntermediateDirectories: true)
        }
        try home.write("0", to: "job")
        try home.write("0", to: "restarts")
        try home.write(
            """
            #!/bin/sh
            here='\(home.path)'
            [ -z "$SYSTEMCTL_FAILS" ] || { echo 'Failed to connect to bus'; exit 1; }
            echo "$*" >>"$here/systemctl.log"
            unit=$2
            case "$1" in
            show)
                echo "ActiveState=inactive"
                echo "NRestarts=$(cat "$here/restarts")"
                echo "Job=$(cut -d' ' -f1 "$here/job")" ;;
            list-jobs) cat "$here/job" ;;
            start | restart)
                line=$(sed -n 's/^ExecStart=.* \\(\\/[^ ]*hearth-keeper .*\\)/\\1/p' "$here/units/$unit")
                # Its own session: it outlives this program. The sockets are its to make, so nobody is notified.
                HEARTH_UNIT=$unit NOTIFY_SOCKET=@nobody-\(UUID().uuidString) setsid $line </dev/null >/dev/null 2>&1 &
                # Until then it is of the group that ends with this program.
                until grep -q hearth-keeper "/proc/$!/comm"; do sleep 0.01; done
                ;;
            esac
            """, to: "bin/systemctl", executable: true)
    }

    var environment: [String: String] {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return [
            "HEARTH_TEST_SYSTEMD": "1", "HEARTH_TEST_UNITS": units, "PATH": "\(home.file("bin")):\(path)",
            "HEARTH_TEST_ETC": home.file("etc"),
        ]
    }

    /// The job of the unit that is under way.
    func job(_ type: String) throws { try home.write("17 hearth-root.service \(type) running", to: "job") }
    func restarts(_ count: Int) throws { try home.write("\(count)", to: "restarts") }
}

/// crontab, rc-update and a root directory of their own.
struct OtherInits {
    let home: Home

    init(in home: Home) throws {
        self.home = home
        try FileManager.default.createDirectory(atPath: home.file("bin"), withIntermediateDirectories: true)
        try home.write("0 3 * * * /bin/true\n", to: "crontab")
        try home.write(
            """
            #!/bin/sh
            case "$1" in
            -l) cat '\(home.file("crontab"))' ;;
            -) cat >'\(home.file("crontab"))' ;;
            *) exit 1 ;;
            esac
            """, to: "bin/crontab", executable: true)
        try home.write(
            "#!/bin/sh\n[ \"$1\" = delete ] || echo \"$*\" >>'\(home.file("rc-update.log"))'\n", to: "bin/rc-update",
            executable: true)
    }

    var environment: [String: String] {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return ["HEARTH_TEST_ROOT": home.file("root"), "PATH": "\(home.file("bin")):\(path)"]
    }
}
