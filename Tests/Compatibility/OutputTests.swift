import Foundation
import Glibc
import PM2Format
import Records
import TestSupport
import Testing

@Suite("pm2: logs, sites, modules and files that are written")
struct OutputTests {
    @Test("logs shows the last lines of what is asked for")
    func history() throws {
        try withPM2 { pm2 in
            try pm2.write("for n in 1 2 3; do echo out $n; echo err $n >&2; done; exec sleep 100000\n", to: "noisy.sh")
            try pm2.sh("pm2 -s start noisy.sh --name api")
            let logs = pm2.paths.logs
            try pm2.home.eventually("all is written") {
                pm2.read(logs + "/api-out.log").hasSuffix("3\n") && pm2.read(logs + "/api-error.log").hasSuffix("3\n")
            }
            func tailing(_ lines: Int) -> String {
                "[TAILING] Tailing last \(lines) lines for [api] process (change the value with --lines option)"
            }
            let prefix = "0|api      | "
            try pm2.check([
                Row(
                    "pm2 logs api --nostream --lines 2 --out",
                    says: [tailing(2), "{H}/logs/api-out.log last 2 lines:", prefix + "out 2", prefix + "out 3", ""]),
                Row(
                    "pm2 log 0 --nostream --err",
                    says: [
                        "[TAILING] Tailing last 15 lines for [0] process (change the value with --lines option)",
                        "{H}/logs/api-error.log last 15 lines:", prefix + "err 1", prefix + "err 2", prefix + "err 3",
                        "",
                    ]),
                Row(
                    "pm2 logs /^a/ --nostream --out --raw --lines 1",
                    says: ["[TAILING] *", "{H}/logs/api-out.log last 1 lines:", "out 3", ""]),
                Row("pm2 logs nosuch --nostream", says: ["[TAILING] *", "…"]),
            ])
        }
    }

    @Test("logs streams what comes, as text and as JSON, across restarts")
    func stream() throws {
        try withPM2 { pm2 in
            try pm2.write("echo begin; while read line; do echo got $line; done\n", to: "echo.sh")
            try pm2.sh("pm2 -s start echo.sh --name api")
            let text = try pm2.start("exec pm2 logs api --lines 0")
            let json = try pm2.start("exec pm2 logs api --json")
            // It is not known when they have begun: one line after the other, until both show one.
            var number = 0
            func until(_ what: String, _ condition: () -> Bool) throws {
                try pm2.home.eventually(what, every: 100) {
                    number += 1
                    try pm2.sh("pm2 -s send 0 line\(number)")
                    return condition()
                }
            }
            try until("text is shown") { pm2.home.output(of: text).contains("0|api  | got line") }
            try until("JSON is shown") { pm2.home.output(of: json).contains("\"message\":\"got line") }
            try pm2.sh("pm2 -s restart api")
            try pm2.home.eventually("the new process is heard") {
                pm2.home.output(of: text).contains("0|api  | begin")
                    && pm2.home.output(of: json).contains("\"status\":\"online\"")
            }
            for line in PM2Home.lines(of: pm2.home.output(of: json)).dropLast() {
                #expect(throws: Never.self) { try OrderedJSON.parse(Array(line.utf8)) }
            }
            for run in [text, json] { kill(run.pid, SIGINT) }
            #expect(try [0, 130, -2].contains(pm2.home.result(of: text).code))
        }
    }

    @Test("start --attach goes on with the logs")
    func attach() throws {
        try withPM2 { pm2 in
            try pm2.write("echo begin; exec sleep 100000\n", to: "app.sh")
            let run = try pm2.start("exec pm2 start app.sh --name api --attach")
            try pm2.home.eventually("the logs are shown") { pm2.home.output(of: run).contains("| begin") }
            kill(run.pid, SIGINT)
            _ = try pm2.home.result(of: run)
            #expect(try pm2.process("api").status == "online")
        }
    }

    @Test("serve answers with the files of a directory")
    func serve() throws {
        try withPM2 { pm2 in
            try pm2.write("hello\n", to: "site/index.html")
            let port = try freePort()
            try pm2.check([
                Row("pm2 -s ping"),
                Row("pm2 serve site \(port) --name web", says: ["[PM2] Serving {D}/site on port \(port)"], table: true),
            ])
            #expect(try pm2.names == ["web"])
            try pm2.home.eventually("the page is served") {
                try pm2.sh("node -e 'fetch(\"http://127.0.0.1:\(port)/\").then(r => r.text()).then(console.log)'")
                    .output
                    == "hello\n\n"
            }
        }
    }

    @Test("modules are refused with advice; their settings are kept")
    func modules() throws {
        try withPM2 { pm2 in
            try pm2.check([
                Row("pm2 install pm2-logrotate", 1, errors: ["[PM2][Module][ERROR] 'pm2-logrotate': *"]),
                Row("pm2 install pm2-nosuch", 1, errors: ["[PM2][Module][ERROR] 'pm2-nosuch': *"]),
                Row("pm2 uninstall nosuch", 1, errors: ["[PM2][Module][ERROR] Unknown module"]),
                Row("pm2 -s set pm2-logrotate:max_size 5M"),
                Row("pm2 get pm2-logrotate:max_size", says: ["Value for module pm2-logrotate key max_size: 5M"]),
            ])
        }
    }

    @Test("--write leaves a file that starts the same app")
    func write() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.check(Row("pm2 -s start tell.py --name api --write -k 2000 -- one"))
            _ = try pm2.told("api")
            try pm2.check([Row("pm2 -s delete api"), Row("pm2 -s start api-pm2.json")])
            #expect(try pm2.told("api", starts: 2)["args"] == .strings(["one"]))
            #expect(try pm2.process("api").number("kill_timeout") == 2000)
        }
    }

    @Test("uid and gid need root and a user that exists")
    func users() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            let refusal =
                geteuid() == 0
                ? ["[PM2][ERROR] *nosuch-user*"] : ["[PM2][ERROR] To use --uid and --gid please run pm2 as root*"]
            try pm2.check([
                Row("pm2 -s ping"), Row("pm2 start app.sh --uid nosuch-user", 1, says: nil, errors: refusal),
            ])
            guard geteuid() == 0 else { return }
            chmod(pm2.directory, 0o755)
            try pm2.check(Row("pm2 -s start app.sh --uid nobody --name api"))
            let owner = try #require(getpwnam("nobody")).pointee.pw_uid
            let pid = try pm2.process("api").pid
            try pm2.home.eventually("it runs as nobody") {
                let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
                return status.contains("Uid:\t\(owner)\t\(owner)")
            }
        }
    }
}
