import Control
import Foundation
import Glibc
import Model
import Records
import TestSupport
import Testing

@Suite("A command, once", .waiting)
struct RunOnceTests {
    @Test("it goes on by itself, is shown as ended, and its output is kept")
    func detached() throws {
        try withHome { home in
            let result = try home.hearth(
                "run-once", "--env", "A=1 2", "--", "/bin/sh", "-c", "echo out $A; echo err >&2; exit 3")
            #expect(result.code == 0, "\(result)")
            try home.eventually("it has ended") { try home.instance("sh").status == .stopped }
            let view = try home.instance("sh")
            #expect(view.reason.hasPrefix("last run: exit code 3 after "))
            #expect(view.wanted == .stopped && view.lastExit?.code == 3)
            #expect(home.read(view.outLog ?? "") == "out 1 2\n")
            #expect(home.read(view.errorLog ?? "") == "err\n")
            let again = try home.hearth("run-once", "--", "/bin/sh", "-c", "true")
            #expect(again.code == 0, "\(again)")
            #expect(try home.list().map(\.name) == ["sh", "sh-2"])
            // No manager's business: nothing runs it again.
            try home.replaceDaemon()
            #expect(try home.instance("sh").restarts == 0)
        }
    }

    @Test("with --wait its output is ours as it comes, and so is its exit code; a daemon may die meanwhile")
    func waited() throws {
        try withHome { home in
            let line = "echo one; while [ ! -e go ]; do sleep 0.02; done; echo two; echo bad >&2; printf three; exit 9"
            let run = try home.startHearth(["run-once", "--wait", "--cwd", home.path, "--", "/bin/sh", "-c", line])
            try home.eventually("its first line is there") { home.output(of: run) == "one\n" }
            try home.replaceDaemon()
            try home.write("", to: "go")
            let result = try home.result(of: run)
            #expect(result.code == 9, "\(result)")
            #expect(result.output == "one\ntwo\nthree\n")
            #expect(result.errors == "bad\n")
        }
    }

    @Test(
        "the exit code of a wait is that of a shell",
        arguments: [
            (["--", "/bin/true"], 0, ""), (["--", "/bin/sh", "-c", "kill -9 $$"], 137, "SIGKILL"),
            (["--max-time", "1s", "--", "/bin/sleep", "100"], 143, "timeout of 1 s"),
            (
                [
                    "--memory-max", "40M", "--", "python3", "-c",
                    "import time; x = bytearray(200 << 20); time.sleep(100)",
                ], 137,
                "is over its memory_max of 40 MB"
            ),
        ] as [([String], Int, String)])
    func codes(arguments: [String], code: Int, told: String) throws {
        try withHome { home in
            let result = try home.hearth(["run-once", "--wait", "--cwd", home.path] + arguments)
            #expect(result.code == Int32(code), "\(result)")
            #expect(told.isEmpty ? result.errors.isEmpty : result.errors.contains(told), "\(result)")
        }
    }

    @Test("a run that cannot begin says why, with 127", .enabled(if: geteuid() == 0))
    func cannotBegin() throws {
        try withHome { home in
            // A directory that only its owner may enter.
            let result = try home.hearth("run-once", "--wait", "--user", "nobody", "--cwd", home.path, "--", "true")
            #expect(result.code == 127 && result.errors.contains("could not be started"), "\(result)")
            #expect(try home.runs(of: "true").last?.outcome.hasPrefix("could not be started") == true)
        }
    }

    @Test(
        "mistakes are found before anything runs",
        arguments: [
            (["true"], 2, "write the command behind '--'"), (["--env", "A", "--", "true"], 2, "is not KEY=value"),
            (["--memory-max", "5K", "--", "true"], 2, "expected a size of 1M or more"),
            (["--max-time", "soon", "--", "true"], 2, "expected a time from 1s to 30d"),
            (["--", "/nonexistent/x"], 1, "'/nonexistent/x' does not exist"),
            (["--name", "web", "--", "true"], 1, "there is an app called 'web'"),
            (["--name", "busy", "--", "true"], 1, "a run of 'busy' goes on (pid "),
        ] as [([String], Int, String)])
    func mistakes(arguments: [String], code: Int, told: String) throws {
        try withHome { home in
            try home.start(home.sleeper("web"), home.job("busy", "exec sleep 1000", JobPolicy()))
            let result = try home.hearth(["run-once"] + arguments)
            #expect(result.code == Int32(code) && result.errors.contains(told), "\(result)")
            #expect(try home.list().count == 2)
        }
    }

    @Test("a name that was given takes the place of a run that has ended; JSON has the end of a wait")
    func named() throws {
        try withHome { home in
            for _ in 0..<2 {
                let result = try home.hearth(
                    "run-once", "--name", "nightly", "--wait", "--json", "--", "/bin/echo", "x")
                #expect(result.code == 0, "\(result)")
                let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
                #expect(object?["status"] as? String == "stopped" && object?["reasonKind"] as? String == "runEnded")
            }
            #expect(try home.list().map(\.name) == ["nightly"])
        }
    }

    @Test("the last 20 that have ended stay, and the output of the others goes with them")
    func retention() throws {
        try withHome { home in
            try home.start(
                (0..<25).map { index in
                    var spec = home.job("n\(index)", "true", JobPolicy())
                    spec.output.outFile = home.paths.onceLogs + "n\(index)-out.log"
                    return spec
                })
            try home.eventually("20 are left") { try home.list().count == 20 }
            let kept = Set(try home.list().compactMap(\.outLog))
            try home.eventually("so are their files") {
                let names = try FileManager.default.contentsOfDirectory(atPath: home.paths.logs)
                return Set(names.filter { $0.hasPrefix("once-") }.map { home.paths.logs + "/" + $0 }) == kept
            }
        }
    }
}
