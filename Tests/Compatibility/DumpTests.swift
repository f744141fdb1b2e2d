import Foundation
import Glibc
import PM2Format
import Records
import TestSupport
import Testing

@Suite("pm2: save and resurrect")
struct DumpTests {
    private static let restoring = ["[PM2] Resurrecting", "[PM2] Restoring processes located in {H}/dump.pm2"]

    @Test("a saved list comes back after a kill, stopped apps as stopped")
    func roundTrip() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.check(Row("pm2 -s start tell.py --name api -- a 'b c'", environment: ["FROM_SHELL": "1"]))
            try pm2.sh(
                "pm2 -s start app.sh --name idle --namespace jobs; pm2 -s stop idle; pm2 -s start app.sh --name pair -i 2 -f"
            )
            try pm2.sh("pm2 -s restart api")
            let before = try pm2.list()
            for command in ["save", "dump"] {
                try pm2.check(
                    Row(
                        "pm2 \(command)",
                        says: ["[PM2] Saving current process list...", "[PM2] Successfully saved in {H}/dump.pm2"]))
            }
            #expect(FileManager.default.fileExists(atPath: pm2.paths.pm2DumpBackup))
            try pm2.check([
                Row("pm2 kill", says: nil),
                Row("pm2 jlist", says: ["[]"]),
                Row(
                    "pm2 resurrect",
                    says: Self.restoring + [
                        "[PM2] Process {D}/tell.py restored", "[PM2] Process {D}/app.sh restored",
                        "[PM2] Process {D}/app.sh restored",
                        "[PM2] Process {D}/app.sh restored",
                    ], table: true),
            ])
            let after = try pm2.list()
            #expect(after.map(\.name) == before.map(\.name))
            #expect(after.map(\.status) == ["online", "stopped", "online", "online"])
            #expect(after.map { $0.number("NODE_APP_INSTANCE") } == [0, 0, 0, 1])
            #expect(after.map { $0.text("pm_out_log_path") } == before.map { $0.text("pm_out_log_path") })
            #expect(after[0].restarts == 0)
            #expect(after[1].text("namespace") == "jobs")
            let told = try pm2.told("api", starts: 3)
            #expect(told["args"] == .strings(["a", "b c"]))
            #expect(try pm2.environment(of: "api", starts: 3)["FROM_SHELL"] == "1")
            // What is in the list is left alone.
            try pm2.check(Row("pm2 resurrect", says: Self.restoring, table: true))
            #expect(try pm2.list().map(\.pid) == after.map(\.pid))
        }
    }

    @Test("an empty list is only saved by force, and cleardump empties the dump")
    func empty() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            let skipped = [
                "[PM2] Saving current process list...", "[PM2][WARN] PM2 is not managing any process, skipping save...",
                "[PM2][WARN] To force saving use: pm2 save --force",
            ]
            try pm2.check([
                Row("pm2 -s ping"),
                Row(
                    "pm2 resurrect", says: Self.restoring + ["[PM2] Restoring processes located in {H}/dump.pm2.bak"],
                    table: true,
                    errors: [
                        "[PM2][ERROR] Failed to read dump file in {H}/dump.pm2",
                        "[PM2][ERROR] Failed to read dump file in {H}/dump.pm2.bak",
                        "[PM2][ERROR] No processes saved; DUMP file doesn't exist",
                    ]),
                Row("pm2 save", says: skipped),
            ])
            #expect(pm2.read(pm2.paths.pm2Dump) == "[]")
            try pm2.sh("pm2 -s start app.sh; pm2 -s save; pm2 -s delete all")
            let full = pm2.read(pm2.paths.pm2Dump)
            try pm2.check(Row("pm2 save", says: skipped))
            #expect(pm2.read(pm2.paths.pm2Dump) == full)
            try pm2.check(
                Row(
                    "pm2 save --force",
                    says: ["[PM2] Saving current process list...", "[PM2] Successfully saved in {H}/dump.pm2"]))
            #expect(pm2.read(pm2.paths.pm2Dump) == "[]")
            #expect(pm2.read(pm2.paths.pm2DumpBackup) == full)
            try pm2.sh("cp '\(pm2.paths.pm2DumpBackup)' '\(pm2.paths.pm2Dump)'")
            try pm2.check(Row("pm2 cleardump", says: ["[PM2] Successfully created {H}/dump.pm2"]))
            #expect(pm2.read(pm2.paths.pm2Dump) == "[]")
        }
    }

    @Test("a dump that was cut is set aside; what can be read is used, from the backup else")
    func cut() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.sh("pm2 -s start app.sh --name a; pm2 -s start app.sh --name b -f; pm2 -s save; pm2 -s delete all")
            let whole = Array(pm2.read(pm2.paths.pm2Dump).utf8)
            try #require(whole.count > 1000)
            let home = pm2.paths.home
            for point in stride(from: 0, to: whole.count - 1, by: whole.count / 11) {
                let part = Array(whole[..<point])
                unlink(pm2.paths.pm2DumpBackup)
                try Data(part).write(to: URL(fileURLWithPath: pm2.paths.pm2Dump))
                let known = Set(try FileManager.default.contentsOfDirectory(atPath: home))
                try pm2.check(
                    Row(
                        "pm2 resurrect", says: nil, table: true,
                        errors: [
                            "[PM2][ERROR] Failed to read dump file in {H}/dump.pm2",
                            "[PM2][WARN] {H}/dump.pm2: *; it was kept as *",
                            "[PM2][ERROR] Failed to read dump file in {H}/dump.pm2.bak",
                            "[PM2][ERROR] No processes saved; DUMP file doesn't exist",
                        ]))
                let new = Set(try FileManager.default.contentsOfDirectory(atPath: home)).subtracting(known)
                #expect(
                    new.contains { FileManager.default.contents(atPath: "\(home)/\($0)") == Data(part) },
                    "cut at \(point)")
                #expect(try pm2.list().isEmpty)
            }
            // With a backup, that is used.
            try Data(whole[..<(whole.count / 2)]).write(to: URL(fileURLWithPath: pm2.paths.pm2Dump))
            try Data(whole).write(to: URL(fileURLWithPath: pm2.paths.pm2DumpBackup))
            try pm2.sh("pm2 resurrect")
            #expect(try pm2.names == ["a", "b"])
        }
    }

    @Test("a dump of PM2's own is read: errored and waiting apps are started, stopped ones entered")
    func foreign() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            func record(_ name: String, _ status: String) -> String {
                """
                {"name":"\(name)","namespace":"default","pm_exec_path":"\(pm2.file("app.sh"))","pm_cwd":"\(pm2.directory)",
                "exec_interpreter":"bash","exec_mode":"fork_mode","args":[],"node_args":[],"env":{"A":"1","unique_id":"x"},
                "pm_out_log_path":"\(pm2.paths.logs)/\(name)-out.log","pm_err_log_path":"\(pm2.paths.logs)/\(name)-error.log",
                "pm_pid_path":"\(pm2.paths.pm2Pids)/\(name)-7.pid","status":"\(status)","merge_logs":true,"restart_time":9,
                "created_at":1700000000000,"A":"1","unique_id":"x","version":"1.2.3","axm_monitor":{},"km_link":false}
                """
            }
            let states = ["online", "stopped", "errored", "waiting restart", "stopping", "launching"]
            try pm2.write(
                "[\(states.map { record("app-" + $0.prefix(6), $0) }.joined(separator: ","))]", to: ".pm2/dump.pm2")
            try pm2.check(Row("pm2 resurrect", says: nil, table: true))
            let list = try pm2.list()
            #expect(list.map(\.status) == states.map { $0 == "stopped" ? "stopped" : "online" })
            #expect(list.allSatisfy { $0.restarts == 0 && $0.variable("A") == "1" && $0.text("unique_id") != "x" })
            #expect(pm2.read("\(pm2.paths.pm2Pids)/app-online-0.pid") == "\(list[0].pid)")
        }
    }
}
