import Control
import Foundation
import Glibc
import Model
import Records
import TestSupport
import Testing

@Suite("Somebody deletes files of a running home")
struct RemovalTests {
    @Test(
        "what is removed is put back: one daemon, the same pids",
        arguments: [
            ["hearth.sock"], ["hearthd.pid"], ["run"], ["state"], ["run/vault.sock"], ["state/desired.json"], ["logs"],
            ["hearth.sock", "hearthd.pid", "run", "state", "logs", "hearthd.log"],
        ])
    func putBack(_ names: [String]) throws {
        try withHome { home in
            try home.start(home.sleeper("app"))
            let (app, daemon) = (try home.pid("app"), try home.hello().pid)
            // The daemon writes into directories while they are removed, so a removal may find one that is not empty.
            let files = names.map { "'\(home.file($0))'" }.joined(separator: " ")
            _ = try home.exitCode(of: home.startProcess("/bin/sh", ["-c", "rm -rf \(files)"]))
            let returning = names.filter { $0 != "hearthd.log" }
            try home.eventually("put back: \(returning)") {
                returning.allSatisfy { FileManager.default.fileExists(atPath: home.file($0)) }
                    && FileManager.default.fileExists(atPath: home.paths.desiredState)
            }
            #expect(try home.hello().pid == daemon)
            #expect(try home.pid("app") == app)
            try home.expectOnePair()

            // What was put back is good for the next daemon, and for the one after both died.
            kill(daemon, SIGKILL)
            let next = try home.ready(after: daemon)
            #expect(try home.pid("app") == app)
            try home.eventually("the table is on disk") { try home.storedRecords().count == 1 }
            try home.killBoth()
            try home.up()
            #expect(try home.pid("app") == app)
            #expect(try home.hello().pid != next.pid)
            try home.expectOnePair()
        }
    }

    @Test("after everything in the home was deleted the lock holds: a second hearthd ends with 75")
    func lockHolds() throws {
        try withHome { home in
            try home.start(home.sleeper("app"))
            let (app, daemon) = (try home.pid("app"), try home.hello().pid)
            // The daemon puts things back while they are removed.
            _ = try home.exitCode(of: home.startProcess("/bin/sh", ["-c", "rm -rf '\(home.path)'/*"]))
            #expect(try exitCodeOfSecondDaemon(home) == 75)
            try home.eventually("the home is back") { try home.hello().pid == daemon }
            #expect(try exitCodeOfSecondDaemon(home) == 75)
            #expect(try home.pid("app") == app)
            try home.expectOnePair()
        }
    }

    @Test("after the home itself was deleted: it is made again, and still has one daemon")
    func homeIsDeleted() throws {
        try withHome { home in
            try home.start(home.sleeper("app"))
            let (app, daemon) = (try home.pid("app"), try home.hello().pid)
            var former = stat()
            #expect(stat(home.path, &former) == 0)
            // As often as it takes: the daemon puts things back while they are removed.
            try home.eventually("the home is another directory") {
                try? FileManager.default.removeItem(atPath: home.path)
                var present = stat()
                return stat(home.path, &present) == 0 && present.st_ino != former.st_ino
            }
            try home.eventually("the home is back") { try home.hello().pid == daemon }
            #expect(try exitCodeOfSecondDaemon(home) == 75)
            try home.up()
            #expect(try home.hello().pid == daemon)
            #expect(try home.pid("app") == app)
            try home.expectOnePair()
            kill(daemon, SIGKILL)
            try home.ready(after: daemon)
            #expect(try home.pid("app") == app)
            try home.expectOnePair()
        }
    }

    @Test("a second hearthd started by hand ends with 75 and changes nothing")
    func secondDaemon() throws {
        try withHome { home in
            try home.start(home.sleeper("app"))
            let (app, daemon) = (try home.pid("app"), try home.hello().pid)
            #expect(try exitCodeOfSecondDaemon(home) == 75)
            #expect(try home.hello().pid == daemon)
            #expect(try home.pid("app") == app)
        }
    }

    private func exitCodeOfSecondDaemon(_ home: Home) throws -> Int32 {
        try home.exitCode(of: home.startProcess(Programs.daemon(), ["--home", home.path]))
    }
}
