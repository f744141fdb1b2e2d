import Control
import Foundation
import Glibc
import Model
import Records
import TestSupport
import Testing

@Suite("The disk of the home is full")
struct FullDiskTests {
    /// Root may mount a small file system of its own for the home.
    static let isPossible = geteuid() == 0

    @Test(
        "apps start, stop and restart; the answer says that the list is not saved and why; later it is saved",
        .enabled(if: isPossible, "only root can mount a small disk"))
    func appsWork() throws {
        try withSmallDisk { home in
            try home.start(home.sleeper("before"))
            let before = try home.pid("before")
            try fill(home)

            let started = try home.start(home.sleeper("during"))
            #expect(!started.durable)
            #expect(started.notDurableReason?.contains("No space left") ?? false, "\(started.notDurableReason ?? "")")
            #expect(try home.instance("during").status == .online)
            let restarted = try home.act(.restart, "before")
            #expect(restarted.results.map(\.ok) == [true])
            #expect(try home.pid("before") != before)
            try home.expectRestartIsCounted("during")
            let stopped = try home.act(.stop, "before")
            #expect(stopped.results.map(\.ok) == [true])
            #expect(!stopped.durable)

            // A drill does not destroy what only the two have.
            let keeper = try home.hello().keeperPid
            let drill = try home.hearth("drill", "--daemon")
            #expect(drill.code == 1 && drill.errors.contains("would be lost"), "\(drill.output)\(drill.errors)")
            #expect(try home.hello().keeperPid == keeper)

            // Neither daemon nor disk: what was commanded meanwhile is known to the next daemon.
            let during = try home.pid("during")
            let daemon = try home.hello().pid
            kill(daemon, SIGKILL)
            try home.ready(after: daemon)
            #expect(try home.pid("during") == during)
            #expect(try home.instance("before").status == .stopped)

            try FileManager.default.removeItem(atPath: home.file("filler"))
            try home.eventually("the list is saved again", within: 90) {
                try home.act(.restart, "before").durable
            }
            try home.killBoth()
            try home.up()
            #expect(try home.pid("during") == during)
            #expect(try home.instance("before").status == .online)
        }
    }

    @Test(
        "apps are reloaded, also Node's workers, and after the death of hearthd too",
        .enabled(if: isPossible, "only root can mount a small disk"))
    func reloads() throws {
        try withSmallDisk { home in
            let port = try freePort()
            let source = "require('http').createServer((q, r) => r.end('here')).listen(\(port), '127.0.0.1');\n"
            var web = home.app("web", try home.write(source, to: "web.js"), interpreter: "node")
            web.mode = .cluster
            web.instances = 2
            var plain = home.sleeper("plain")
            plain.reload = ReloadPolicy(overlaps: true)
            plain.restart.minUptime = Milliseconds(100)
            try home.start(web, plain)
            try home.eventually("it answers") { fetched(port) == "here" }
            try fill(home)
            for round in 0..<2 {
                let pids = try home.list().compactMap(\.pid)
                let reply = try home.act(.reload, "all")
                #expect(reply.results.map(\.ok) == [true, true, true], "round \(round): \(reply.results)")
                #expect(Set(try home.list().compactMap(\.pid)).isDisjoint(with: pids))
                #expect(fetched(port) == "here")
                let daemon = try home.hello().pid
                kill(daemon, SIGKILL)
                try home.ready(after: daemon)
                #expect(fetched(port) == "here")
            }
        }
    }

    @Test(
        "under the name pm2: a save says that it failed and the former dump stays whole",
        .enabled(if: isPossible, "only root can mount a small disk"))
    func dumpStaysWhole() throws {
        try withPM2 { pm2 in
            let disk = pm2.paths.home
            guard mount("hearth-test", disk, "tmpfs", 0, "size=3m,mode=0755") == 0 else {
                return print("survival: no tmpfs can be mounted here (errno \(errno)): a full disk is not tested")
            }
            defer { umount2(disk, Int32(MNT_DETACH)) }
            for line in ["pm2 start 'exec sleep 100000' --name one", "pm2 save", "pm2 set one:KEY kept"] {
                #expect(try pm2.sh(line).code == 0, "\(line)")
            }
            let files = [pm2.paths.pm2Dump, pm2.paths.pm2ModuleConfiguration]
            let before = files.map(pm2.read)
            try fill(pm2.home)

            let saved = try pm2.sh("pm2 save")
            #expect(saved.code == 1 && saved.errors.contains("No space left"), "\(saved.output)\(saved.errors)")
            let stored = try pm2.sh("pm2 set one:KEY lost")
            #expect(stored.code == 1 && stored.errors.contains("No space left"), "\(stored.output)\(stored.errors)")
            #expect(files.map(pm2.read) == before)
            #expect(try pm2.sh("pm2 restart one").code == 0)

            try FileManager.default.removeItem(atPath: pm2.home.file("filler"))
            #expect(try pm2.sh("pm2 save").code == 0)
            #expect(pm2.read(pm2.paths.pm2DumpBackup) == before[0])
        }
    }

    private func withSmallDisk(_ body: (Home) throws -> Void) throws {
        let disk = "/tmp/hearth-e2e-disk-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        defer { rmdir(disk) }
        guard mount("hearth-test", disk, "tmpfs", 0, "size=2m,mode=0755") == 0 else {
            return print("survival: no tmpfs can be mounted here (errno \(errno)): a full disk is not tested")
        }
        defer { umount2(disk, Int32(MNT_DETACH)) }
        try withHome(at: disk + "/home", body)
    }

    /// Leaves not a byte: first large pieces, then small ones.
    private func fill(_ home: Home) throws {
        let fd = open(home.file("filler"), O_WRONLY | O_CREAT | O_APPEND, 0o600)
        #expect(fd >= 0)
        defer { close(fd) }
        for size in [65_536, 4096, 1] {
            let piece = [UInt8](repeating: 0x2e, count: size)
            var failure: Int32 = 0
            while failure == 0 { failure = write(fd, piece, size) == size ? 0 : errno }
            // A piece that fits in part is written in part; the smallest one cannot be.
            if size == 1 { #expect(failure == ENOSPC) }
        }
    }
}
