import Records
import TestSupport
import Testing

@Suite("pm2: words that need no daemon")
struct UsageTests {
    @Test("version, help, and what is no command")
    func usage() throws {
        try withPM2 { pm2 in
            let usage = ["", "  Usage: pm2 [cmd] app", "…"]
            try pm2.check([
                Row("pm2 -v", says: ["7.0.3"]),
                Row("pm2 --version", says: ["7.0.3"]),
                Row("pm2 -V", says: ["7.0.3"]),
                Row("pm2", 1, says: usage),
                Row("pm2 -h", says: usage),
                Row("pm2 --help", says: usage),
                Row("pm2 start -h", says: ["", "  Usage: start [options] *", "…"]),
                Row("pm2 nosuch", 1, says: ["[PM2][ERROR] Command not found", "", "", "  Usage: pm2 [cmd] app", "…"]),
                Row("pm2 web", 1, says: ["[PM2][ERROR] Command not found", "…"]),
                Row("pm2 gracefulReload all", 1, says: ["[PM2][ERROR] Command not found", "…"]),
                Row("pm2 list --nosuch", 1, errors: ["", "  error: unknown option `--nosuch'", ""]),
                Row("pm2 -Z list", 1, errors: ["", "  error: unknown option `-Z'", ""]),
                Row("pm2 examples", says: ["- Start and add a process to the pm2 process list:", "…"]),
            ])
            #expect(pm2.home.daemonPids == [], "no daemon is started for words")
        }
    }

    @Test(
        "a missing operand is named",
        arguments: [
            ("stop", "id|name|namespace|all|json|stdin..."), ("restart", "id|name|namespace|all|json|stdin..."),
            ("delete", "name|id|namespace|script|all|json|stdin..."), ("reload", "id|name|namespace|all"),
            ("describe", "name|id"), ("env", "id"), ("id", "name"), ("scale", "app_name"), ("scale api", "number"),
            ("reset", "name|id|all"), ("sendSignal", "signal"), ("sendSignal SIGINT", "pm2_id|name"),
            ("startOrRestart", "json"), ("startOrReload", "json"), ("unset", "key"), ("multiset", "value"),
            ("send", "pm_id"), ("send 0", "line"), ("trigger", "id|proc_name|namespace|all"),
            ("deploy", "file|environment"),
        ])
    func missingOperand(command: String, operand: String) throws {
        try withPM2 { pm2 in
            try pm2.check(
                Row("pm2 \(command)", 1, errors: ["", "  error: missing required argument `\(operand)'", ""]))
        }
    }

    @Test("commands without operands refuse one", arguments: ["dump", "cleardump", "resurrect", "prettylist", "kill"])
    func extraOperand(command: String) throws {
        try withPM2 { pm2 in
            try pm2.check(
                Row(
                    "pm2 \(command) x", 1,
                    says: ["[PM2] ", "Unknown command argument: x", "", "  Usage: pm2 [cmd] app", "…"]))
        }
    }

    @Test("init writes a file, over an older one too")
    func initialFile() throws {
        try withPM2 { pm2 in
            for command in ["init", "ecosystem", "init simple"] {
                try pm2.write("old", to: "ecosystem.config.js")
                try pm2.check(Row("pm2 \(command)", says: ["File {D}/ecosystem.config.js generated"]))
                let result = try pm2.sh("node -e 'console.log(require(\"./ecosystem.config.js\").apps.length > 0)'")
                #expect(result.output == "true\n", "\(result.errors)")
            }
        }
    }

    @Test(
        "what is not there yet says so",
        arguments: [
            "create", "attach 0", "slist", "pull api", "completion",
            "link a b",
            "monitor all", "plus", "profile:cpu",
        ])
    func absent(command: String) throws {
        try withPM2 { pm2 in
            let word = command.prefix { $0 != " " }
            try pm2.check(
                Row("pm2 \(command)", 1, errors: ["[PM2][ERROR] '\(word)' is not in this version of Hearth: *"]))
        }
    }
}
