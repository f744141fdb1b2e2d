import Control
import Foundation
import Glibc
import Model
import Records
import TestSupport
import Testing

@Suite("doctor: apps, limits and the clock", .waiting)
struct DoctorAppTests {
    /// Breaks something, expects just this finding, mends it, and expects none.
    private func expect(
        _ code: String, _ says: String, in home: Home, breaking: () throws -> Void, mending: () throws -> Void
    ) throws {
        #expect(try home.doctor().faults == [])
        try breaking()
        let examination = try home.doctor()
        #expect(examination.faults == [code], "\(examination.output)")
        #expect(examination.text(of: code).contains(says), "\(examination.output)")
        try mending()
        let after = try home.doctor()
        #expect(after.faults == [], "\(after.output)")
    }

    @Test(
        "what a running app would not find at its next start: script, interpreter, directory, env file, log directory")
    func missing() throws {
        try withHome { home in
            let manager = FileManager.default
            let script = try home.write("sleep 100000\n", to: "app.sh", executable: true)
            let interpreter = home.file("interpreter")
            #expect(try home.shellRun("cp /bin/sh '\(interpreter)'").code == 0)
            try manager.createDirectory(atPath: home.file("work"), withIntermediateDirectories: true)
            try manager.createDirectory(atPath: home.file("output"), withIntermediateDirectories: true)
            let variables = try home.write("A=1\n", to: "variables")
            var app = home.app("web", script, interpreter: interpreter)
            app.cwd = home.file("work")
            app.environmentFiles = [variables]
            app.output.outFile = home.file("output/out.log")
            try home.start(app)
            func rename(_ from: String, _ to: String) throws {
                try manager.moveItem(atPath: home.file(from), toPath: home.file(to))
            }
            for (code, name) in [
                ("script-missing", "app.sh"), ("interpreter-missing", "interpreter"), ("directory-missing", "work"),
                ("environment-file-missing", "variables"),
            ] {
                try expect(
                    code, "cannot be started again", in: home, breaking: { try rename(name, "elsewhere") },
                    mending: { try rename("elsewhere", name) })
            }
            try home.act(.restart, "web")
            try expect(
                "log-deleted", "output/out.log", in: home, breaking: { unlink(home.file("output/out.log")) },
                mending: { try home.act(.restart, "web") })
            // A file in the place of the directory: it cannot be made.
            var codes: Set<String> = []
            try rename("output", "elsewhere")
            try home.write("", to: "output")
            codes = try home.doctor().faults
            #expect(codes.contains("log-directory-unusable"), "\(codes)")
            unlink(home.file("output"))
            try rename("elsewhere", "output")
            #expect(try home.doctor().faults == [])
        }
    }

    @Test("an app that has failed, with its last words, and one that ends again and again")
    func failing() throws {
        try withHome { home in
            let policy = RestartPolicy(maxRestarts: 1, slowRetry: false)
            try home.start(home.shell("broken", "echo no database >&2; exit 3", restart: policy))
            try home.eventually("it is given up") { try home.instance("broken").status == .errored }
            let failed = try home.doctor()
            #expect(failed.faults == ["app-errored"], "\(failed.output)")
            #expect(failed.text(of: "app-errored").contains("no database"), "\(failed.output)")
            #expect(failed.text(of: "app-errored").contains("exit code 3"))
            #expect(failed.text(of: "app-errored").contains("hearth why broken"))
            try home.act(.delete, "broken")
            #expect(try home.doctor().faults == [])

            let loop = RestartPolicy(maxRestarts: 1000, restartDelay: Milliseconds(20_000))
            try home.start(home.shell("loop", "exit 1", restart: loop))
            try home.eventually("it waits") { try home.instance("loop").status == .waitingRestart }
            #expect(try home.doctor().faults == ["app-restarting"])
            try home.act(.delete, "loop")
            #expect(try home.doctor().faults == [])
        }
    }

    @Test("a hard limit of open files that is too low, until the daemon is started with a higher one")
    func openFiles() throws {
        try withHome(starting: false) { home in
            #expect(try home.shellRun("ulimit -n 200 && hearth up").code == 0)
            let examination = try home.doctor()
            #expect(examination.faults == ["files-low"], "\(examination.output)")
            #expect(examination.text(of: "files-low").contains("of 200"), "\(examination.output)")
            #expect(try home.hearth("daemon", "detach").code == 0)
            #expect(try home.hearth("up").code == 0)
            #expect(!(try home.doctor().faults.contains("files-low")))
        }
    }

    @Test("files of the future: the clock went back")
    func clock() throws {
        try withHome { home in
            let future = Date(timeIntervalSinceNow: 7200)
            try expect(
                "clock-went-back", "hearthd.log", in: home,
                breaking: {
                    try FileManager.default.setAttributes(
                        [.modificationDate: future], ofItemAtPath: home.paths.daemonLog)
                },
                mending: {
                    try FileManager.default.setAttributes(
                        [.modificationDate: Date()], ofItemAtPath: home.paths.daemonLog)
                })
        }
    }

    @Test("100 apps are looked at within a second") func many() throws {
        try withHome { home in
            try home.start((0..<100).map { home.sleeper("app\($0)") })
            // A debug build on a busy machine; `make bench` has the figure.
            let start = ContinuousClock.now
            let examination = try home.doctor()
            #expect(ContinuousClock.now - start < .seconds(10))
            #expect(examination.faults == [], "\(examination.output)")
        }
    }
}

@Suite("doctor: disks", .waiting, .enabled(if: geteuid() == 0, "only root can mount a small disk"))
struct DoctorDiskTests {
    private func withDisk(_ options: String, _ body: (String) throws -> Void) throws {
        let disk = NSTemporaryDirectory() + "/hearth-doctor-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        defer { rmdir(disk) }
        guard mount("hearth-test", disk, "tmpfs", 0, options) == 0 else {
            return print("doctor: no tmpfs can be mounted here (errno \(errno)): small disks are not tested")
        }
        defer { umount2(disk, Int32(MNT_DETACH)) }
        try body(disk)
    }

    private func fill(_ path: String, megabytes: Int) throws {
        let bytes = Data(repeating: 0x2e, count: megabytes << 20)
        try bytes.write(to: URL(fileURLWithPath: path))
    }

    @Test("the home's disk is nearly full, and full; its logs take too much of it; they cannot lose their beginning")
    func space() throws {
        try withDisk("size=40m,mode=0755") { disk in
            try withHome(at: disk + "/home") { home in
                let fine = try home.doctor()
                #expect(fine.faults == [], "\(fine.output)")
                // tmpfs has no collapse-range.
                #expect(fine.codes.contains("logs-keep-size"), "\(fine.output)")
                try fill(home.file("filler"), megabytes: 37)
                let nearly = try home.doctor()
                #expect(nearly.faults == ["disk-nearly-full"], "\(nearly.output)")
                try fill(home.file("filler2"), megabytes: 2)
                let full = try home.doctor()
                #expect(full.faults.contains { $0.hasPrefix("disk-") }, "\(full.output)")
                unlink(home.file("filler"))
                unlink(home.file("filler2"))
                #expect(try home.doctor().faults == [])

                try fill(home.paths.logs + "/web-out.log", megabytes: 15)
                let large = try home.doctor()
                #expect(large.faults == ["logs-large"], "\(large.output)")
                #expect(large.text(of: "logs-large").contains("web-out.log', 15.0 MB"), "\(large.output)")
                unlink(home.paths.logs + "/web-out.log")
                #expect(try home.doctor().faults == [])
            }
        }
    }

    @Test("a list that the full disk does not take, until there is room") func notSaved() throws {
        try withDisk("size=2m,mode=0755") { disk in
            try withHome(at: disk + "/home") { home in
                #expect(try home.shellRun("cat /dev/zero > filler").code != 0)
                try home.start(home.sleeper("one"))
                let examination = try home.doctor()
                #expect(examination.faults == ["disk-full", "list-not-saved"], "\(examination.output)")
                unlink(home.file("filler"))
                try home.eventually("it is saved", within: 90) { try home.doctor().faults == [] }
            }
        }
    }

    @Test("an app's disk has no room for files; one that became read-only is told")
    func inodes() throws {
        try withDisk("size=10m,nr_inodes=40,mode=0755") { disk in
            try withHome { home in
                var app = home.sleeper("web")
                app.cwd = disk
                try home.start(app)
                #expect(try home.doctor().faults == [])
                for number in 0..<38 { try home.write("", to: "\(disk)/\(number)") }
                let examination = try home.doctor()
                #expect(examination.faults == ["inodes-nearly-full"], "\(examination.output)")
                for number in 0..<38 { unlink("\(disk)/\(number)") }
                #expect(try home.doctor().faults == [])
                // 32: MS_REMOUNT, 1: MS_RDONLY
                #expect(mount("hearth-test", disk, "tmpfs", 33, nil) == 0)
                #expect(try home.doctor().codes.contains("disk-read-only"))
                #expect(mount("hearth-test", disk, "tmpfs", 32, nil) == 0)
                #expect(!(try home.doctor().codes.contains("disk-read-only")))
                try home.act(.delete, "web")
            }
        }
    }
}
