import Control
import Foundation
import Glibc
import Records
import TestSupport
import Testing

@Suite("doctor: home, daemon and keeper", .waiting)
struct DoctorDaemonTests {
    @Test("nothing is wrong: exit code 0, ok, and a text that says what was looked at")
    func fine() throws {
        try withHome { home in
            try home.start(home.sleeper("one"))
            let examination = try home.doctor()
            #expect(examination.code == 0, "\(examination.output)")
            #expect(examination.json["ok"].bool == true)
            #expect(examination.faults == [])
            for finding in examination.json["findings"].array {
                #expect(finding.keys == ["layer", "code", "severity", "message", "evidence", "fix"])
            }
            let text = try home.hearth("doctor")
            #expect(text.code == 0)
            #expect(text.output.contains("looked at: home '\(home.path)', hearthd"), "\(text.output)")
            #expect(text.output.contains("1 app,"))
        }
    }

    @Test("a daemon under SIGSTOP is named; --fix replaces it and apps keep their pids")
    func stopped() throws {
        // A keeper with the usual patience would replace it by itself.
        try withHome(heartbeat: 600_000) { home in
            try home.start(home.sleeper("one"))
            let pid = try home.pid("one")
            let daemon = try home.hello().pid
            kill(daemon, SIGSTOP)
            let examination = try home.doctor("--timeout", "300ms")
            #expect(examination.code == 1)
            #expect(examination.faults == ["daemon-stopped"], "\(examination.output)")
            let text = examination.text(of: "daemon-stopped")
            #expect(text.contains("pid \(daemon), state T"), "\(text)")
            #expect(text.contains("kill -KILL \(daemon)"))

            let fixed = try home.doctor("--fix", "--timeout", "300ms")
            #expect(fixed.fixed.count == 1 && fixed.fixed[0].contains("killed the daemon"), "\(fixed.output)")
            #expect(fixed.code == 0, "\(fixed.output)")
            #expect(fixed.faults == [])
            #expect(try home.hello().pid != daemon)
            #expect(try home.pid("one") == pid)
        }
    }

    @Test("no daemon: what runs unwatched is named; --fix starts one, which takes it over")
    func missing() throws {
        try withHome { home in
            try home.start(home.sleeper("one"))
            let pid = try home.pid("one")
            try home.detach()
            let examination = try home.doctor()
            #expect(examination.code == 1)
            #expect(examination.faults == ["daemon-missing"], "\(examination.output)")
            #expect(examination.text(of: "daemon-missing").contains("one (pid \(pid))"), "\(examination.output)")

            let fixed = try home.doctor("--fix")
            #expect(fixed.faults == [], "\(fixed.output)")
            #expect(fixed.json["ok"].bool == true)
            #expect(try home.pid("one") == pid)
        }
    }

    @Test("everything was killed on purpose: said with who it was, until resurrect")
    func killed() throws {
        try withHome { home in
            try home.start(home.sleeper("one"))
            #expect(try home.hearth("kill").code == 0)
            let examination = try home.doctor()
            #expect(examination.faults == ["daemon-killed"], "\(examination.output)")
            #expect(examination.text(of: "daemon-killed").contains("hearth kill"))
            #expect(try home.hearth("resurrect").code == 0)
            #expect(try home.doctor().faults == [])
        }
    }

    @Test("what two dead programs leave behind: socket and pid file; the next daemon puts both right")
    func leftBehind() throws {
        try withHome { home in
            for keeper in home.keeperPids { kill(keeper, SIGSTOP) }
            for pid in home.daemonPids + home.keeperPids { kill(pid, SIGKILL) }
            try home.eventually("both are gone") { home.daemonPids.isEmpty && home.keeperPids.isEmpty }
            let examination = try home.doctor()
            #expect(examination.codes.isSuperset(of: ["socket-stale", "pid-file-stale"]), "\(examination.output)")
            try home.up()
            #expect(try home.doctor().codes.isDisjoint(with: ["socket-stale", "pid-file-stale"]))
        }
    }

    @Test("a keeper under SIGSTOP is named; --fix lets it go on")
    func keeper() throws {
        try withHome { home in
            let keeper = try #require(home.keeperPids.first)
            kill(keeper, SIGSTOP)
            let examination = try home.doctor()
            #expect(examination.faults == ["keeper-stopped"], "\(examination.output)")
            let fixed = try home.doctor("--fix")
            #expect(fixed.faults == [], "\(fixed.output)")
            #expect(Processes.state(keeper) == "S" || Processes.state(keeper) == "R")
        }
    }

    @Test("a stranger that holds the lock of the home keeps every daemon out")
    func lock() throws {
        try withHome(starting: false) { home in
            let holder = try home.startProcess(
                "/usr/bin/env",
                [
                    "python3", "-c",
                    """
                    import fcntl, os, sys, time
                    fd = os.open(sys.argv[1], os.O_RDONLY)
                    fcntl.flock(fd, fcntl.LOCK_EX)
                    open(sys.argv[1] + '/held', 'w').close()
                    time.sleep(100000)
                    """, home.path,
                ])
            try home.eventually("it is held") { FileManager.default.fileExists(atPath: home.file("held")) }
            let examination = try home.doctor()
            #expect(examination.text(of: "lock-foreign").contains("pid \(holder)"), "\(examination.output)")
            kill(holder, SIGKILL)
            _ = try home.exitCode(of: holder)
            #expect(!(try home.doctor().codes.contains("lock-foreign")))
        }
    }

    @Test("a home that others may look into; --fix closes it")
    func open() throws {
        try withHome { home in
            chmod(home.path, 0o755)
            #expect(try home.doctor().faults == ["home-open"])
            let fixed = try home.doctor("--fix")
            #expect(fixed.faults == [], "\(fixed.output)")
            var status = stat()
            stat(home.path, &status)
            #expect(status.st_mode & 0o777 == 0o700)
        }
    }

    @Test("files of another user in the home", .enabled(if: geteuid() == 0, "only root can give files away"))
    func foreignFiles() throws {
        try withHome { home in
            try home.start(home.sleeper("one"))
            let file = home.paths.desiredStateBackup
            try home.eventually("there is a backup") { FileManager.default.fileExists(atPath: file) }
            lchown(file, 64_998, 64_998)
            let examination = try home.doctor()
            #expect(examination.faults == ["home-foreign-files"], "\(examination.output)")
            #expect(examination.text(of: "home-foreign-files").contains(file))
            lchown(file, geteuid(), getegid())
            #expect(try home.doctor().faults == [])
        }
    }

    @Test(
        "another user's HOME, and a home that belongs to another user, from a directory that may not be read",
        .enabled(if: geteuid() == 0, "only root can become somebody else"))
    func otherUser() throws {
        try withHome { home in
            let nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups \"$HEARTH\" doctor --json"
            let closed = home.file("closed")
            try FileManager.default.createDirectory(
                atPath: closed, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            // The programs lie where anybody may run them.
            let place = NSTemporaryDirectory() + "/hearth-doctor-\(UUID().uuidString.prefix(8))"
            try FileManager.default.createDirectory(
                atPath: place, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
            home.atEnd { try FileManager.default.removeItem(atPath: place) }
            let copy = try home.shellRun("cp \"$HEARTH\" '\(place)/hearth' && chmod 755 '\(place)/hearth'")
            #expect(copy.code == 0, "\(copy.errors)")
            let run = try home.shellRun("cd '\(closed)' && HEARTH='\(place)/hearth'; \(nobody)")
            let json = try JSON(run.output)
            let codes = Set(json["findings"].array.compactMap { $0["code"].string })
            #expect(run.code == 1)
            #expect(codes.contains("home-of-another-user"), "\(run.output)")
            #expect(codes.contains("directory-unreadable"), "\(run.output)")

            let kept = try home.shellRun(
                "cd / && HEARTH='\(place)/hearth'; env -u HEARTH_HOME HOME='\(closed)' \(nobody)")
            #expect(kept.output.contains("home-of-another-user"), "\(kept.output)")
            #expect(kept.output.contains("HOME is '\(closed)'"), "\(kept.output)")
        }
    }
}
