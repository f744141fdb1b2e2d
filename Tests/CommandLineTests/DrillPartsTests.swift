import Control
import Foundation
import Model
import Testing

@testable import CommandLine

@Suite("Parts of a drill")
struct DrillPartsTests {
    @Test("the status of an answer, from as much of it as came")
    func statusLine() {
        func answer(_ text: String) -> HealthProbe.Answer? { HTTPRequest.answer(in: Array(text.utf8)) }
        #expect(answer("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n")?.status == 200)
        #expect(answer("HTTP/1.0 404 Not Found\r\n")?.status == 404)
        #expect(answer("HTTP/1.1 301\n")?.status == 301)
        #expect(answer("HTTP/1.1 200") == nil)
        for bad in [
            "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 abc\r\n", "HTTP/1.1 7\r\n", "\n", String(repeating: "a", count: 2000),
        ] {
            #expect(answer(bad)?.failure == "the answer is not HTTP", "\(bad.prefix(20))")
        }
    }

    @Test("names of a hosts file, IPv4 first; numeric addresses as they are")
    func hosts() {
        let text = """
            ::1 localhost both  # comment both6
            127.0.0.1\tlocalhost Both
            not-an-address broken
            10.0.0.1
            """
        #expect(Hosts.address(of: "both", in: text)?.isV6 == false)
        #expect(Hosts.address(of: "LOCALHOST", in: text) == Hosts.address(of: "127.0.0.1"))
        for name in ["both6", "comment", "broken", "10.0.0.1", ""] { #expect(Hosts.address(of: name, in: text) == nil) }
        #expect(Hosts.address(of: "::1")?.isV6 == true)
        #expect(Hosts.address(of: "localhost") != nil)
        #expect(Hosts.address(of: "no-such-name.invalid") == nil)
    }

    @Test("the service that a cgroup belongs to, of the system or of a user")
    func units() {
        func unit(_ path: String) -> String? { ProcessUnit(cgroup: path).map { "\($0.scope.rawValue) \($0.name)" } }
        #expect(unit("/system.slice/pm2-deploy.service") == "system pm2-deploy.service")
        #expect(unit("/system.slice/hearth-apps-deploy.service/3-1") == "system hearth-apps-deploy.service")
        #expect(
            unit("/user.slice/user-1000.slice/user@1000.service/app.slice/hearth.service") == "user hearth.service")
        #expect(unit("/user.slice/user-1000.slice/session-3.scope") == nil)
        #expect(unit("/user.slice/user-1000.slice/user@1000.service") == nil)
        #expect(unit("/") == nil)
    }

    @Test("variables that a start would make otherwise are told by name; those of the machinery are not")
    func variables() {
        func variable(_ name: String, _ value: String, _ origin: String) -> EnvironmentReply.Variable {
            EnvironmentReply.Variable(name: name, value: value, origin: origin)
        }
        let next = [
            variable("A", "1", "app"), variable("B", "2", "shell"), variable("PWD", "/x", "hearth"),
            variable("HOME", "/root", "shell"), variable("HEARTH_INSTANCE", "h:1:2", "hearth"),
        ]
        let running = ["HEARTH_INSTANCE": "h:1:1", "A": "1", "B": "old", "C": "3", "_": "/bin/sh", "HOME": "/home/x"]
        func differences(_ running: [String: String], changesUser: Bool = false) -> [String] {
            RunningComparison.environmentDifference(running: running, next, changesUser: changesUser)
        }
        #expect(differences(running) == ["variables would be other ones: B, C, HOME"])
        #expect(differences(running, changesUser: true) == ["variables would be other ones: B, C"])
        // Written over by the program: it tells nothing.
        #expect(differences(["A": "7"]) == [])
        #expect(differences(["HEARTH_INSTANCE": "x", "A": "1", "B": "2", "HOME": "/root"]) == [])
    }

    @Test("JSON has every key, null for what is not known, and a verdict that holds")
    func json() throws {
        var outcome = DrillOutcome(level: .daemon)
        outcome.apps = [
            .init(
                id: InstanceID(3), name: "web", pidBefore: nil, pidAfter: nil, recoveredMs: nil, status: .stopped,
                problem: nil)
        ]
        outcome.checks = [.init(url: "http://a/", expected: 200, before: 200, after: nil, failure: "no")]
        let text = String(decoding: try JSONOutput.encode(outcome, pretty: false), as: UTF8.self)
        #expect(
            text == """
                {"apps":[{"differences":[],"id":3,"name":"web","pidAfter":null,"pidBefore":null,"problem":null,\
                "recoveredMs":null,"status":"stopped"}],"checks":[{"after":null,"before":200,"expected":200,\
                "failure":"no","url":"http://a/"}],"level":"daemon","notes":[],"ok":false,"problems":[],"tookMs":0}
                """)
        #expect(outcome.ok == false)
        outcome.level = .boot
        #expect(outcome.ok)
        outcome.checks = []
        outcome.level = .app
        #expect(outcome.ok)
        outcome.problems = ["x"]
        #expect(!outcome.ok)
    }
}
