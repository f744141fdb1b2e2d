import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("Environment files", .waiting)
struct EnvironmentFileTests {
    private func variables(_ home: Home, _ name: String) throws -> [String: String] {
        var entries: [String] = []
        // In the middle of its exec a process has none yet.
        try home.eventually("'\(name)' has an environment") {
            entries = Processes.environment(try home.pid(name))
            return !entries.isEmpty
        }
        let pairs = entries.map { $0.split(separator: "=", maxSplits: 1) }
        return Dictionary(
            pairs.map { (String($0[0]), $0.count > 1 ? String($0[1]) : "") }, uniquingKeysWith: { $1 })
    }

    private func restart(_ home: Home, _ name: String) throws {
        let former = try home.pid(name)
        try home.act(.restart, name)
        try home.eventually("'\(name)' runs anew") {
            let app = try home.instance(name)
            return app.status == .online && app.pid != former
        }
    }

    @Test("files are read at each start, in order, beneath the app's own variables; a removed line is gone")
    func eachStart() throws {
        try withHome(environment: ["SHELL": "/bin/caller"]) { home in
            try home.write("A=1\nB=1\nC=1\nFROM=${SHELL}/x\nHEARTH_ID=99\nLISTEN_FDS=3\n", to: ".env")
            try home.write("B=2\nC=2\nD=${A}+${B}\n", to: ".env.local")
            var app = home.sleeper("reads")
            app.environment = ["C": "3"]
            app.environmentFiles = [home.file(".env"), home.file(".env.local")]
            try home.start(app)
            var found = try variables(home, "reads")
            #expect(found["A"] == "1" && found["B"] == "2" && found["C"] == "3" && found["D"] == "1+2")
            #expect(found["FROM"] == "/bin/caller/x")
            #expect(found["HEARTH_ID"] == "0" && found["LISTEN_FDS"] == nil)

            try home.write("B=5\n", to: ".env.local")
            try home.write("C=1\n", to: ".env")
            try restart(home, "reads")
            found = try variables(home, "reads")
            #expect(found["A"] == nil && found["B"] == "5" && found["C"] == "3" && found["FROM"] == nil)

            try home.replaceDaemon()
            try home.write("B=6\n", to: ".env.local")
            try restart(home, "reads")
            #expect(try variables(home, "reads")["B"] == "6")
        }
    }

    @Test("a file that is missing or broken keeps the app down, with file and line, until it is mended")
    func broken() throws {
        try withHome { home in
            var app = home.sleeper("needs")
            let path = home.file("missing.env")
            app.environmentFiles = [path]
            try home.start(app)
            try home.eventually("it is down") { try home.instance("needs").status == .errored }
            #expect(try home.instance("needs").reason.contains("env_file '\(path)'"))
            #expect(try home.instance("needs").reason.contains("no such file"))
            try home.write("A=1\nB='open\n", to: path)
            try home.eventually("it was tried again") {
                try home.instance("needs").reason.contains("env_file '\(path)':2: a quote ' is never closed")
            }
            let shown = try home.hearth("env", "needs")
            #expect(shown.code != 0 && shown.errors.contains("env_file '\(path)':2"))
            try home.write("A=1\n", to: path)
            try home.eventually("it runs") { try home.instance("needs").status == .online }
            #expect(try variables(home, "needs")["A"] == "1")
        }
    }

    @Test("hearth env tells where a variable comes from, and hides what is secret unless asked")
    func origins() throws {
        try withHome(environment: ["SHELL": "/bin/caller"]) { home in
            let file = try home.write("FROM_FILE=f\nDATABASE_URL=postgres://u:hidden@db/x\n", to: ".env")
            var app = home.sleeper("shows")
            app.environment = ["API_KEY": "abc", "MONKEY": "banana"]
            app.environmentFiles = [file]
            try home.start(app)
            let plain = try home.hearth("env", "shows").output.split(separator: "\n").map(String.init)
            #expect(plain.contains("API_KEY=******") && plain.contains("MONKEY=banana"))
            #expect(plain.contains("DATABASE_URL=postgres://u:******@db/x"))
            let origins = try home.hearth("env", "shows", "--origin", "--reveal").output
                .split(separator: "\n").map(String.init)
            #expect(origins.contains("FROM_FILE=f  # \(file)"))
            #expect(origins.contains("API_KEY=abc  # app"))
            #expect(origins.contains("SHELL=/bin/caller  # shell"))
            #expect(origins.contains("HEARTH_ID=0  # hearth"))
            let json = try home.hearth("env", "shows", "--json").output
            #expect(json.contains(#"{"name":"API_KEY","origin":"app","redacted":true,"value":"******"}"#))
            #expect(json.contains(#"{"name":"MONKEY","origin":"app","redacted":false,"value":"banana"}"#))
        }
    }
}
