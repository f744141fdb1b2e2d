import Control
import Foundation
import Glibc
import Model
import Records
import TestSupport
import Testing

@Suite("A Varlink client that is not ours", .waiting)
struct ThirdPartyClientTests {
    /// Why there is no client; nil when there is one. It is installed beside the test products when python3 has none.
    private static let missing: String? = {
        func runs(_ words: [String], _ path: String?) -> Bool {
            var environment = ProcessInfo.processInfo.environment
            if let path { environment["PYTHONPATH"] = path }
            guard
                let pid = try? Processes.start("/usr/bin/env", words, environment: environment, output: "/dev/null")
            else { return false }
            return Processes.wait(pid, within: 300) == 0
        }
        if runs(["python3", "-c", "import varlink"], packages) { return nil }
        if runs(["python3", "-m", "pip", "install", "--quiet", "--target", packages, "varlink"], nil),
            runs(["python3", "-c", "import varlink"], packages)
        {
            return nil
        }
        return "the Python package 'varlink' is not there and pip cannot install it"
    }()

    private static let packages: String = {
        let beside =
            (try? Programs.keeper()).map { ($0 as NSString).deletingLastPathComponent } ?? NSTemporaryDirectory()
        return beside + "/python-packages"
    }()

    @Test("GetInfo, the interface as it parses it, Start, List, Act, and a stream of events")
    func client() throws {
        if let missing = Self.missing {
            return print("protocol: skipped, \(missing)")
        }
        try withHome { home in
            try home.write(Self.program, to: "client.py")
            let result = try home.shellRun(
                "python3 client.py '\(home.paths.controlSocket)'", environment: ["PYTHONPATH": Self.packages])
            #expect(result.code == 0, "\(result.errors)")
            let answer = try JSON(result.output)
            #expect(answer["info"]["product"].string == "hearthd")
            #expect(answer["info"]["version"].string == Interface.productVersion)
            #expect(answer["info"]["interfaces"].array.map(\.string) == ["org.varlink.service", Interface.name])
            let methods = Set(answer["methods"].array.compactMap(\.string))
            #expect(methods == Set(Interface.Method.allCases.map(\.rawValue)))
            #expect(answer["service"].array.map(\.string).contains("GetInfo"))
            #expect(
                answer["started"][0]["name"].string == "theirs" && answer["started"][0]["status"].string == "online")
            #expect(answer["listed"].array.count == 1)
            #expect(answer["stopped"][0]["ok"].bool == true)
            #expect(answer["error"].string == "dev.hearth.Manager.NotFound", "\(answer["error"])")
            let kinds = answer["events"].array.compactMap { $0["kind"].string }
            #expect(kinds.contains("online") && kinds.contains("stop"), "\(kinds)")
            #expect(try home.instance("theirs").reason.contains("varlink test"))
        }
    }

    private static let program = """
        import json, sys, threading, varlink

        client = varlink.Client("unix:" + sys.argv[1])
        answer = {"info": client.get_info() if hasattr(client, "get_info") else None}
        with client.open("org.varlink.service") as service:
            answer["info"] = service.GetInfo()
            description = service.GetInterfaceDescription("dev.hearth.Manager")["description"]
            answer["service"] = [
                name for name in
                varlink.Interface(service.GetInterfaceDescription("org.varlink.service")["description"]).members]
        parsed = varlink.Interface(description)
        from varlink.scanner import _Method
        answer["methods"] = [name for name, member in parsed.members.items() if isinstance(member, _Method)]

        events = []
        ready = threading.Event()
        done = threading.Event()
        def listen():
            with varlink.Client("unix:" + sys.argv[1]).open("dev.hearth.Manager") as stream:
                for reply in stream.Events(replay=50, selectors=[], _more=True):
                    events.append(reply["event"])
                    ready.set()
                    if reply["event"]["kind"] == "stop":
                        break
            done.set()

        with client.open("dev.hearth.Manager") as hearth:
            policy = {"mode": "always", "maxRestarts": 16, "minUptime": 1000, "restartDelay": None,
                      "exponentialBackoff": None, "stopExitCodes": [], "slowRetry": True}
            app = {"name": "theirs", "namespace": "default", "script": "/bin/sleep", "arguments": ["100000"],
                   "interpreter": None, "interpreterArguments": [], "cwd": "/", "environment": {"A": "1"},
                   "instances": 1, "autostart": True, "restart": policy,
                   "stop": {"signal": "SIGTERM", "killTimeout": 5000, "wholeTree": True},
                   "output": {"outFile": None, "errorFile": None, "merge": False}, "stdin": "pipe",
                   "uid": None, "gid": None, "expectedPort": None}
            start = dict(apps=[app], environment={}, token="one", origin="varlink test")
            answer["started"] = hearth.Start(**start)["instances"]
            # The same token again: done once.
            hearth.Start(**start)
            answer["listed"] = hearth.List(selectors=[])["instances"]
            thread = threading.Thread(target=listen, daemon=True)
            thread.start()
            ready.wait(30)
            answer["stopped"] = hearth.Act(
                action="stop", selectors=["theirs"], environment=None, token=None, origin="varlink test")["results"]
            done.wait(30)
            answer["events"] = events
            try:
                hearth.Act(action="stop", selectors=["nobody"], environment=None, token=None, origin=None)
            except varlink.VarlinkError as error:
                answer["error"] = error.error()
        print(json.dumps(answer))
        """

    @Test(
        "another user is refused: by the socket's mode, and by its credentials where the mode was opened",
        .enabled(if: geteuid() == 0, "needs root"))
    func otherUser() throws {
        try withHome { home in
            try home.start(home.sleeper("secret"))
            let hearth = try home.publicPrograms()
            var status = stat()
            #expect(stat(home.paths.controlSocket, &status) == 0 && status.st_mode & 0o777 == 0o600)
            #expect(stat(home.path, &status) == 0 && status.st_mode & 0o077 == 0)
            chmod(home.path, 0o755)
            let asNobody = "cd /; exec setpriv --reuid 65534 --regid 65534 --clear-groups \(hearth)"
            #expect(try home.shellRun("\(asNobody) list").code == 5)
            chmod(home.paths.controlSocket, 0o666)
            for command in ["list", "stop all", "kill", "ping", "events"] {
                let result = try home.shellRun("\(asNobody) \(command)")
                #expect(result.code == 5, "\(command): \(result.code) \(result.errors)")
                #expect(result.errors.contains("another user"), "\(command): \(result.errors)")
                #expect(!result.output.contains("secret"))
            }
            #expect(try home.instance("secret").status == .online)
        }
    }
}
