import Control
import Foundation
import Glibc
import Model
import Records
import TestSupport
import Testing

@Suite("Homes that cannot be used as they are", .waiting)
struct BadHomeTests {
    static var isRoot: Bool { geteuid() == 0 }

    @Test("a home whose socket path is far over 108 bytes works in every way")
    func longPath() throws {
        let root = "/tmp/hearth-e2e-\(UUID().uuidString.prefix(13))"
        defer { try? FileManager.default.removeItem(atPath: root) }
        let long = root + "/" + String(repeating: "d", count: 200) + "/" + String(repeating: "e", count: 200)
        try withHome(starting: false, at: long) { home in
            try home.write("#!/bin/sh\nexec sleep 100000\n", to: "ok.sh", executable: true)
            #expect(try home.hearth("up").code == 0)
            #expect(try home.shellRun("hearth start ok.sh --name far").code == 0)
            let pid = try home.pid("far")
            let former = try home.hello()
            kill(former.pid, SIGKILL)
            try home.ready(after: former.pid)
            #expect(try home.pid("far") == pid)
            #expect(try home.hearth("upgrade").code == 0)
            for command in [
                "list", "show far", "why far", "save", "logs far --nostream", "restart far", "stop far", "kill",
            ] {
                let result = try home.hearth(command.split(separator: " ").map(String.init))
                #expect(result.code == 0, "\(command): \(result.errors)")
            }
        }
    }

    @Test("neither HOME nor HEARTH_HOME, and no account: said, and exit 1", .enabled(if: isRoot, "needs root"))
    func noHome() throws {
        try withHome(starting: false) { home in
            let hearth = try home.publicPrograms()
            for command in ["list", "start /bin/sleep"] {
                let result = try home.shellRun(
                    "cd /; exec env -u HOME -u HEARTH_HOME setpriv --reuid 64999 --regid 64999 --clear-groups "
                        + "\(hearth) \(command)"
                )
                #expect(result.code == 1, "\(command): \(result.code)")
                #expect(result.errors.contains("HEARTH_HOME") && result.errors.contains("--home"), "\(result.errors)")
            }
            let empty = try home.shellRun("hearth list --home ''")
            #expect(empty.code == 2 && empty.errors.contains("--home"))
        }
    }

    @Test("a home that cannot be written", .enabled(if: isRoot, "needs root"))
    func unwritable() throws {
        try withHome(starting: false) { home in
            let hearth = try home.publicPrograms()
            chmod(home.path, 0o755)
            let asNobody = "setpriv --reuid 65534 --regid 65534 --clear-groups"
            // A directory of root's, in which nobody may make anything.
            let below = try home.shellRun("cd /; HEARTH_HOME=\(home.path)/sub \(asNobody) \(hearth) up")
            #expect(below.code == 1 && below.errors.contains("permission denied"), "\(below.code) \(below.errors)")
            #expect(!FileManager.default.fileExists(atPath: home.file("sub")))
            // Its own, and read-only.
            let own = home.file("own")
            mkdir(own, 0o500)
            chown(own, 65534, 65534)
            let readOnly = try home.shellRun("cd /; HEARTH_HOME=\(own) \(asNobody) \(hearth) start /bin/sleep")
            #expect(readOnly.code == 1 && readOnly.errors.contains("cannot write into the home"), "\(readOnly.errors)")
            let reading = try home.shellRun("cd /; HEARTH_HOME=\(own) \(asNobody) \(hearth) list")
            #expect(reading.code == 3)
            #expect(try FileManager.default.contentsOfDirectory(atPath: own).isEmpty)
            // One that is a file.
            try home.write("", to: "file")
            let file = try home.shellRun("HEARTH_HOME=\(home.path)/file hearth up")
            #expect(file.code == 1 && file.errors.contains("not a directory"), "\(file.errors)")
        }
    }

    @Test("another user's home: exit 5, and nothing is made there", .enabled(if: isRoot, "needs root"))
    func foreignHome() throws {
        try withHome(starting: false) { home in
            let foreign = home.file("foreign")
            mkdir(foreign, 0o755)
            chown(foreign, 65534, 65534)
            for command in ["up", "start /bin/sleep", "save", "resurrect"] {
                let result = try home.shellRun("HEARTH_HOME=\(foreign) hearth \(command)")
                #expect(result.code == 5, "\(command): \(result.code)")
                #expect(
                    result.errors.contains("belongs to 'nobody'") && result.errors.contains("--home"),
                    "\(result.errors)")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: foreign).isEmpty)
        }
        // And the other way round: somebody else may not talk to root's daemon.
        try withHome { home in
            let hearth = try home.publicPrograms()
            chmod(home.path, 0o755)
            let result = try home.shellRun(
                "cd /; exec setpriv --reuid 65534 --regid 65534 --clear-groups \(hearth) start /bin/sleep")
            #expect(result.code == 5 && result.errors.contains("permi"), "\(result.code) \(result.errors)")
            #expect(try home.list().isEmpty)
        }
    }

    @Test(
        "a full disk: apps run and are stopped, and it is said that the list is not saved",
        .enabled(if: isRoot, "needs root"))
    func fullDisk() throws {
        let root = "/tmp/hearth-e2e-\(UUID().uuidString.prefix(13))"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false)
        defer { rmdir(root) }
        guard mount("none", root, "tmpfs", 0, "size=4m,mode=0700") == 0 else {
            return print("bad input: skipped, cannot mount a tmpfs (errno \(errno))")
        }
        defer { umount2(root, Int32(MNT_DETACH)) }
        try withHome(at: root + "/home") { home in
            try home.start(home.sleeper("before"))
            try home.shellRun("dd if=/dev/zero of=filler bs=64k; dd if=/dev/zero of=filler2 bs=1")
            let daemon = try home.hello().pid
            let begun = ContinuousClock.now
            let result = try home.hearth("start", "/bin/sleep", "--name", "during", "--", "100000")
            #expect(result.code == 0, "\(result.errors)")
            #expect(result.errors.contains("will not survive") && result.errors.contains("space"), "\(result.errors)")
            #expect(ContinuousClock.now - begun < .seconds(20))
            #expect(try home.instance("during").status == .online)
            #expect(try home.notes().contains { $0.contains("not saved") })
            let saved = try home.hearth("save", "full")
            #expect(saved.code == 1 && saved.errors.contains("space"), "\(saved.errors)")
            #expect(try home.hearth("stop", "before").code == 0)
            #expect(try home.hello().pid == daemon)
            // The list before is still whole, and once there is room again the present one is written.
            #expect(home.read(home.paths.desiredState).contains("before"))
            unlink(home.file("filler"))
            unlink(home.file("filler2"))
            #expect(try home.hearth("stop", "during").code == 0)
            try home.eventually("the list is written") { try home.notes().allSatisfy { !$0.contains("not saved") } }
            #expect(home.read(home.paths.desiredState).contains("during"))
            // A daemon that starts on a full disk takes over all the same.
            try home.act(.start, "during")
            let pid = try home.pid("during")
            try home.shellRun("dd if=/dev/zero of=filler bs=64k; dd if=/dev/zero of=filler2 bs=1")
            kill(daemon, SIGKILL)
            try home.ready(after: daemon)
            #expect(try home.pid("during") == pid)
            unlink(home.file("filler"))
            unlink(home.file("filler2"))
        }
    }

    @Test("closed stdin, stdout and stderr: the command does its work, and nothing lands in a file of the home")
    func closedDescriptors() throws {
        try withHome(starting: false) { home in
            try home.write("#!/bin/sh\necho hello\nexec sleep 100000\n", to: "ok.sh", executable: true)
            for line in [
                "hearth start ok.sh --name closed --json <&- >&- 2>&-", "hearth list --json <&- >&- 2>&-",
                "hearth stop nobody <&- >&- 2>&-; [ $? -eq 1 ]", "hearth restart closed --json >&-",
                "hearth list --json 2>&- | grep -q closed", "hearth save <&- >&- 2>&-",
            ] {
                #expect(try home.shellRun(line).code == 0, "\(line)")
            }
            let app = try home.instance("closed")
            #expect(app.status == .online)
            try home.eventually("its output is where it belongs") {
                home.read(home.paths.logs + "/closed-out.log") == "hello\nhello\n"
            }
            for pid in home.daemonPids + home.keeperPids {
                let input = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/0")
                #expect(input == "/dev/null", "\(Processes.commandLine(pid)) has \(input) as its input")
            }
            let misplaced = try home.shellRun("grep -rl -e cpuPercent -e notDurableReason . || true")
            #expect(misplaced.output.isEmpty, "\(misplaced.output)")
            #expect(home.read(home.paths.desiredState).hasPrefix("{"))
        }
    }

    @Test("a command line killed at any moment leaves its command done or not begun")
    func killedCommandLine() throws {
        try withHome { home in
            var random = SystemRandomNumberGenerator()
            try home.write("#!/bin/sh\nexec sleep 100000\n", to: "ok.sh", executable: true)
            // How long one takes here and now, so that the kill falls anywhere in it.
            let begun = ContinuousClock.now
            #expect(try home.shellRun("exec \"$HEARTH\" start ok.sh --name probe").code == 0)
            let length = max(20_000, Int((ContinuousClock.now - begun) / .microseconds(1)))
            func interrupt(_ line: String) throws {
                let run = try home.startShell("exec \"$HEARTH\" \(line)")
                usleep(UInt32(Int.random(in: 0..<length * 3 / 2, using: &random)))
                kill(run.pid, SIGKILL)
                _ = try home.result(of: run)
            }
            /// Nothing is under way any more.
            func settled(_ name: String) throws -> [InstanceView] {
                var found: [InstanceView] = []
                try home.eventually("'\(name)' is settled") {
                    found = try home.list().filter { $0.name == name }
                    return found.allSatisfy {
                        ($0.status == .online) == ($0.wanted == .running) && $0.status != .stopping
                    }
                }
                return found
            }
            var done = [0, 0, 0]
            for round in 0..<12 {
                let name = "app\(round)"
                try interrupt("start ok.sh --name \(name)")
                // A request that was sent is carried out after its sender's death.
                var found = try settled(name)
                #expect(found.count <= 1)
                if found.isEmpty {
                    try home.start(home.sleeper(name))
                } else {
                    done[0] += 1
                    #expect(found[0].wanted == .running)
                }
                try interrupt("stop \(name)")
                found = try settled(name)
                #expect(found.count == 1)
                if found.first?.status == .stopped {
                    done[1] += 1
                    #expect(found[0].pid == nil)
                }
                try interrupt("delete \(name)")
                found = try settled(name)
                if found.isEmpty { done[2] += 1 }
                #expect(home.appPids.count == (try home.list().filter { $0.pid != nil }.count))
            }
            print(
                "bad input: of 12 killed commands each, done: \(done[0]) starts, \(done[1]) stops, \(done[2]) deletes"
            )
            #expect(home.read(home.paths.desiredState).hasPrefix("{"))
        }
    }
}

extension Home {
    /// The command line, keeper and daemon where every user may execute them. The path of `hearth`.
    func publicPrograms() throws -> String {
        let directory = "/tmp/hearth-e2e-bin-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        atEnd { try FileManager.default.removeItem(atPath: directory) }
        for program in [try Programs.hearth(), try Programs.daemon(), try Programs.keeper()] {
            let copy = directory + "/" + (program as NSString).lastPathComponent
            // By a process of its own: while this one has it open for writing, so has whatever another test starts just then,
            // and nobody can run it.
            let copying = try Processes.start("/bin/cp", [program, copy], environment: [:], output: "/dev/null")
            #expect(Processes.wait(copying) == 0)
            chmod(copy, 0o755)
        }
        return "env HEARTH_LIBEXEC=\(directory) \(directory)/hearth"
    }
}
