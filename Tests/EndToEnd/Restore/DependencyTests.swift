import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("depends_on", .waiting)
struct DependencyTests {
    @Test("an app is started when what it depends on has said that it is ready, wherever it stands in the file")
    func waitsForReadiness() throws {
        try withHome { home in
            let database = try home.speaker("db", "wait('go')\nsay('READY=1')").notifying()
            let begun = try home.startHearth([
                "start",
                try home.write(
                    """
                    {"apps": [
                      {"name": "web", "script": "/bin/sleep", "args": ["100000"], "depends_on": "api"},
                      {"name": "api", "script": "/bin/sleep", "args": ["100000"], "depends_on": ["db"]},
                      {"name": "db", "script": "\(database.script)", "interpreter": "python3", "cwd": "\(home.path)",
                       "notify": true, "listen_timeout": 600000}
                    ]}
                    """, to: "apps.json"),
            ])
            try home.eventually("the others wait") {
                try home.instance("api").reason == "waits for db (launching)"
                    && home.instance("web").reason == "waits for api (waiting)"
            }
            #expect(try home.instance("web").status == .waiting)
            #expect(home.appPids.count == 1)
            try home.write("", to: "go")
            // `start` waits for all of them.
            let result = try home.result(of: begun)
            #expect(result.code == 0, "\(result.output)\(result.errors)")
            #expect(try home.list().map(\.status) == [.online, .online, .online])
            #expect(try home.instance("web").reason.hasPrefix("started by "))
            let starts = try home.list().sorted { ($0.pid ?? 0) < ($1.pid ?? 0) }.map(\.name)
            #expect(starts == ["db", "api", "web"])
        }
    }

    @Test("what cannot be started holds who depends on it, and nobody else; the next daemon goes on waiting")
    func brokenDependency() throws {
        try withHome { home in
            var database = home.sleeper("db")
            database.cwd = home.file("disk")
            try home.start(home.sleeper("web").depending(on: "db"), database, home.sleeper("other"))
            #expect(try home.isOnline("other"))
            #expect(try home.instance("db").status == .errored)
            #expect(try home.instance("web").reason == "waits for db (errored)")

            try home.killBoth()
            try home.up()
            #expect(try home.instance("web").reason == "waits for db (errored)")
            mkdir(home.file("disk"), 0o755)
            try home.eventually("the disk is found and both run") { try home.isOnline("web") && home.isOnline("db") }
        }
    }

    @Test("what a person stopped, or is not in the list, holds nobody, and the reason says so")
    func stoppedDependency() throws {
        try withHome { home in
            try home.start(home.sleeper("db"))
            try home.act(.stop, "db")
            try home.start(home.sleeper("web").depending(on: "db", "cache"))
            let web = try home.instance("web")
            #expect(web.status == .online)
            #expect(web.reason.hasSuffix("(not waited for: db is stopped, cache is not in the list)"), "\(web.reason)")

            // Stopped while somebody waits for it: that one goes on.
            var broken = home.sleeper("broken")
            broken.cwd = home.file("nowhere")
            try home.start(broken, home.sleeper("second").depending(on: "broken"))
            #expect(try home.instance("second").status == .waiting)
            try home.act(.stop, "broken")
            try home.eventually("it waits no longer") { try home.isOnline("second") }
        }
    }

    @Test("a restart starts what waits at once; a stop ends the waiting")
    func byHand() throws {
        try withHome { home in
            var database = home.sleeper("db")
            database.cwd = home.file("disk")
            try home.start(
                database, home.sleeper("one").depending(on: "db"), home.sleeper("two").depending(on: "db"))
            try home.act(.restart, "one")
            #expect(try home.isOnline("one"))
            try home.act(.stop, "two")
            #expect(try home.instance("two").status == .stopped)
            mkdir(home.file("disk"), 0o755)
            try home.eventually("the dependency runs") { try home.isOnline("db") }
            #expect(try home.instance("two").status == .stopped)
        }
    }

    @Test("stop, kill and resurrect keep the order")
    func stopsInReverse() throws {
        try withHome { home in
            func noting(_ name: String) -> AppSpec {
                home.shell(
                    name,
                    "trap 'sleep 0.1; echo stop \(name) >> '\(home.file("order"))'; exit 0' TERM; "
                        + "echo start \(name) >> '\(home.file("order"))'; while :; do sleep 0.02; done")
            }
            func order() -> [String] { home.read("order").split(separator: "\n").map(String.init) }
            try home.start(
                noting("db"), noting("web").depending(on: "api"),
                noting("api").depending(on: "db"))
            try home.eventually("all run") { order().count == 3 }
            try home.act(.stop, "all")
            #expect(order().suffix(3) == ["stop web", "stop api", "stop db"])
            try home.act(.start, "all")
            try home.eventually("all run again") { order().count == 9 }
            try home.stopEverything()
            #expect(order().suffix(3) == ["stop web", "stop api", "stop db"])
            try home.up()
            try home.resurrect()
            try home.eventually("all run once more") { order().count == 15 }
        }
    }

    @Test("a name that is not there and a circle are errors that name file, app and name")
    func mistakes() throws {
        try withHome { home in
            func file(_ apps: String) throws -> String { try home.write("{\"apps\": [\(apps)]}", to: "apps.json") }
            func app(_ name: String, _ on: String) -> String {
                "{\"name\": \"\(name)\", \"script\": \"/bin/sleep\", \"args\": [\"9\"], \"depends_on\": \(on)}"
            }
            for verb in ["start", "apply", "validate"] {
                var result = try home.hearth(verb, try file("\(app("web", "\"bd\"")), \(app("db", "[]"))"))
                #expect(result.code != 0)
                #expect(
                    result.errors.contains(
                        "apps.json: apps[0].depends_on: no app of this file is called 'bd'; did you mean 'db'?"),
                    "\(verb): \(result.errors)")
                result = try home.hearth(verb, try file("\(app("a", "\"b\"")), \(app("b", "[\"a\"]"))"))
                #expect(result.code != 0)
                #expect(result.errors.contains("apps.json: depends_on goes round in a circle: a → b → a"))
                result = try home.hearth(verb, try file(app("a", "7")))
                #expect(result.code != 0)
                #expect(result.errors.contains("apps[0].depends_on: expected a string or an array of strings"))
            }
            #expect(throws: ClientError.self) { try home.start(home.sleeper("a").depending(on: "a")) }
            #expect(try home.list().isEmpty)
        }
    }
}
