import Control
import Foundation
import Glibc
import Model
import Records
import TestSupport
import Testing

@Suite("Bad messages and bad clients do not hurt the daemon", .waiting)
struct BadMessageTests {
    /// What is sent, and what the answer must hold. `closes`: whoever sends this speaks no Varlink.
    private struct Message {
        let name: String
        let bytes: [UInt8]
        let words: [String]
        var closes = false

        init(_ name: String, _ text: String, _ words: String..., closes: Bool = false) {
            self.name = name
            bytes = Array(text.utf8) + [0]
            self.words = words
            self.closes = closes
        }

        init(_ name: String, bytes: [UInt8], _ words: String..., closes: Bool = false) {
            self.name = name
            self.bytes = bytes
            self.words = words
            self.closes = closes
        }
    }

    private static func call(_ method: String, _ parameters: String) -> String {
        #"{"method":"dev.hearth.Manager.\#(method)","parameters":\#(parameters)}"#
    }

    /// A `Start` of one app with some keys exchanged.
    private static func start(_ changes: [String: String]) -> String {
        var keys = [
            "name": #""bad""#, "namespace": #""default""#, "script": #""/bin/sleep""#, "arguments": #"["1000"]"#,
            "interpreterArguments": "[]", "cwd": #""/""#, "environment": "{}", "instances": "1", "autostart": "true",
            "restart": #"{"mode":"always","maxRestarts":16,"minUptime":1000,"stopExitCodes":[],"slowRetry":true}"#,
            "stop": #"{"signal":"SIGTERM","killTimeout":5000,"wholeTree":true}"#, "output": #"{"merge":false}"#,
            "stdin": #""pipe""#,
        ]
        keys.merge(changes) { _, new in new }
        let app = keys.filter { !$0.value.isEmpty }.map { #""\#($0.key)":\#($0.value)"# }.joined(separator: ",")
        return call("Start", #"{"apps":[{\#(app)}],"environment":{}}"#)
    }

    private static let invalid = "org.varlink.service.InvalidParameter"
    private static let badRequest = "dev.hearth.Manager.BadRequest"

    private static let table: [Message] = [
        Message("garbage", bytes: [0x80, 0xff, 0x01, 0x7f, 0x00], badRequest, closes: true),
        Message("nothing", bytes: [0], badRequest, closes: true),
        Message("an array", "[]", badRequest, closes: true),
        Message("a number", "42", badRequest, closes: true),
        Message("a string", "\"Hello\"", badRequest, closes: true),
        Message("null", "null", badRequest, closes: true),
        Message("an object without a method", "{}", badRequest, closes: true),
        Message("a method that is a number", #"{"method":5}"#, badRequest, closes: true),
        Message("HTTP", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", badRequest, closes: true),
        Message("JSON cut off", #"{"method":"dev.hearth.Manager.Hello""#, badRequest, closes: true),
        Message(
            "text that is not UTF-8",
            bytes: Array(#"{"method":"dev.hearth.Manager.List","parameters":{"selectors":[""#.utf8)
                + [0xff] + Array(#""]}}"#.utf8) + [0], "error"),
        Message("100,000 brackets", String(repeating: "[", count: 100_000), badRequest, closes: true),
        Message(
            "100,000 brackets in a parameter",
            #"{"method":"dev.hearth.Manager.List","parameters":{"selectors":"# + String(repeating: "[", count: 100_000),
            badRequest, closes: true),
        Message("a method without an interface", #"{"method":"Hello"}"#, "org.varlink.service.", "Hello"),
        Message("an empty method", #"{"method":""}"#, "org.varlink.service."),
        Message("an unknown interface", #"{"method":"org.nobody.Do"}"#, "InterfaceNotFound", "org.nobody"),
        Message("an unknown method", #"{"method":"dev.hearth.Manager.Explode"}"#, "MethodNotFound", "Explode"),
        Message("an unknown service method", #"{"method":"org.varlink.service.Nope"}"#, "MethodNotFound", "Nope"),
        Message(
            "a description of an unknown interface",
            #"{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"a.b"}}"#,
            "InterfaceNotFound", "a.b"),
        Message("selectors as a number", call("List", #"{"selectors":5}"#), invalid, "selectors"),
        Message("no selectors", call("List", "{}"), invalid, "selectors"),
        Message("parameters as an array", call("List", "[]"), invalid),
        Message("a selector as a number", call("Act", #"{"action":"stop","selectors":[0]}"#), invalid, "selectors"),
        Message("an unknown action", call("Act", #"{"action":"explode","selectors":["all"]}"#), invalid, "action"),
        Message("an action without targets", call("Act", #"{"action":"stop","selectors":[]}"#), badRequest),
        Message("a bad expression", call("Act", #"{"action":"stop","selectors":["/[/"]}"#), badRequest, "/[/"),
        Message("an unknown target", call("Act", #"{"action":"stop","selectors":["nobody"]}"#), "NotFound", "nobody"),
        Message("no apps", call("Start", #"{"apps":[],"environment":{}}"#), badRequest, "no app"),
        Message("a name that is a number", start(["name": "5"]), invalid, "name"),
        Message("a name that is missing", start(["name": ""]), invalid, "name"),
        Message("an empty name", start(["name": #""""#]), badRequest, "name is empty"),
        Message("the name of everybody", start(["name": #""all""#]), badRequest, "'all'"),
        Message("a NUL in a name", start(["name": #""a\u0000b""#]), badRequest, "NUL"),
        Message("an empty script", start(["script": #""""#]), badRequest, "script is empty"),
        Message("a relative cwd", start(["cwd": #""tmp""#]), badRequest, "'tmp'"),
        Message("-1 instances", start(["instances": "-1"]), badRequest, "instances -1"),
        Message("10^12 instances", start(["instances": "1000000000000"]), badRequest, "instances"),
        Message("10^30 instances", start(["instances": "1e30"]), invalid, "parameters"),
        Message("1.5 instances", start(["instances": "1.5"]), invalid, "parameters"),
        Message(
            "a time without end",
            start(["stop": #"{"signal":"SIGTERM","killTimeout":9223372036854775807,"wholeTree":true}"#]), badRequest,
            "killTimeout"),
        Message(
            "a signal that is none", start(["stop": #"{"signal":"SIGNOPE","killTimeout":1,"wholeTree":true}"#]),
            invalid,
            "signal"),
        Message("a variable named A=B", start(["environment": #"{"A=B":"x"}"#]), badRequest, "'A=B'"),
        Message(
            "an argument of 200 KiB", start(["arguments": "[\"\(String(repeating: "x", count: 204_800))\"]"]),
            badRequest,
            "128 KiB"),
        Message("an unknown user", start(["uid": #""no-such-user-x""#]), badRequest, "no-such-user-x"),
        Message("signal 99", call("Signal", #"{"signal":"99","selectors":["all"]}"#), badRequest, "'99'"),
        Message("scale without a number", call("Scale", #"{"name":"witness"}"#), badRequest, "count"),
        Message("scale below nothing", call("Scale", #"{"name":"witness","change":-9223372036854775808}"#), badRequest),
        Message(
            "scale beyond everything", call("Scale", #"{"name":"witness","count":9223372036854775807}"#), badRequest),
        Message("a snapshot outside", call("Save", #"{"name":"../evil","force":false}"#), badRequest, "../evil"),
        Message("a snapshot from outside", call("Compare", #"{"from":"../../etc/passwd"}"#), "NotFound", "passwd"),
        Message("an upgrade to nothing", call("Upgrade", #"{"path":"/nonexistent"}"#), "error", "/nonexistent"),
        Message("-1 events", call("Events", #"{"replay":-1,"selectors":["nobody"]}"#), "NotFound", "nobody"),
    ]

    @Test("a table of messages: each gets its error, nothing changes, the daemon is the same")
    func table() throws {
        try withHome { home in
            try home.start(home.sleeper("witness"))
            let before = try Unchanged(home)
            // Half a request, left open for as long as the table takes: nobody else may notice.
            let half = try RawConnection(home)
            half.send(#"{"method":"dev.hearth.Manager.Hel"#)
            for message in Self.table {
                let connection = try RawConnection(home)
                connection.send(message.bytes)
                let answer = connection.receive() ?? "no answer"
                for word in message.words + ["\"error\""] {
                    #expect(answer.contains(word), "\(message.name): '\(word)' is not in: \(answer.prefix(300))")
                }
                if message.closes {
                    #expect(connection.isClosed(within: 10), "\(message.name): still open")
                } else {
                    connection.send(#"{"method":"dev.hearth.Manager.Hello"}"# + "\0")
                    #expect(
                        connection.receive()?.contains("\"pid\":\(before.daemon)") == true, "\(message.name): closed")
                }
                #expect(try Unchanged(home) == before, "\(message.name) changed something")
            }
            #expect(half.isClosed(within: 20), "half a request is not dropped")
            #expect(try Unchanged(home) == before)
        }
    }

    @Test("a call byte by byte, several in one write, and one without an answer are all served in order")
    func framing() throws {
        try withHome { home in
            let hello = Array(#"{"method":"dev.hearth.Manager.Hello"}"#.utf8) + [0]
            let oneWay = Array(#"{"method":"dev.hearth.Manager.Hello","oneway":true}"#.utf8) + [0]
            let slow = try RawConnection(home)
            for byte in hello { slow.send([byte]) }
            #expect(slow.receive()?.contains("\"protocol\"") == true)
            let batch = try RawConnection(home)
            let unknown = Array(#"{"method":"dev.hearth.Manager.Nope"}"#.utf8) + [0]
            batch.send(hello + oneWay + unknown + hello)
            #expect(batch.receive()?.contains("\"protocol\"") == true)
            #expect(batch.receive()?.contains("MethodNotFound") == true)
            #expect(batch.receive()?.contains("\"protocol\"") == true)
            // As many as may wait, at once: a deep recursion would end here.
            let many = try RawConnection(home)
            many.send((0..<900).flatMap { _ in hello })
            for _ in 0..<900 { #expect(many.receive()?.contains("\"protocol\"") == true) }
            let tooMany = try RawConnection(home)
            tooMany.send((0..<5000).flatMap { _ in hello })
            #expect(tooMany.isClosed(within: 30))
            #expect(try home.hello().ready)
        }
    }

    @Test("a client that never reads costs a bounded amount of memory, and others are served meanwhile")
    func neverReads() throws {
        try withHome { home in
            // Each list is over a megabyte: 10 apps with long command lines.
            let long = String(repeating: "x", count: 100_000)
            try home.start(
                (0..<10).map { number -> AppSpec in
                    var app = home.sleeper("app\(number)")
                    app.script = "/bin/sh"
                    app.arguments = ["-c", "exec sleep 100000", long]
                    return app
                })
            let list = Array(#"{"method":"dev.hearth.Manager.List","parameters":{"selectors":[]}}"#.utf8) + [0]
            let first = try home.daemonMemory()
            let silent = try (0..<3).map { _ in try RawConnection(home) }
            for connection in silent { connection.send((0..<900).flatMap { _ in list }) }
            // 2,700 answers of 1 MB are asked for. The daemon has had the time when others have been served often.
            for _ in 0..<20 {
                let begun = ContinuousClock.now
                #expect(try home.list().count == 10)
                #expect(ContinuousClock.now - begun < .seconds(5))
            }
            let grown = try home.daemonMemory() - first
            print("bad input: hearthd grew by \(grown) KiB while 3 clients let 2.7 GB of answers wait")
            #expect(grown < 64 << 10, "KiB, for 3 clients that do not read")
            // One that begins to read gets everything that it asked for.
            for _ in 0..<5 { #expect(silent[0].receive(within: 120)?.contains("app9") == true) }
        }
    }

    @Test("a client that sends calls and never waits is dropped, whatever they weigh")
    func neverWaits() throws {
        try withHome { home in
            // Nothing is answered before the stubborn one is stopped: meanwhile the client goes on sending.
            try home.start(home.stubborn("stubborn", killTimeout: Milliseconds(3000)))
            let first = try home.daemonMemory()
            let client = try RawConnection(home)
            client.send(
                #"{"method":"dev.hearth.Manager.Act","parameters":{"action":"stop","selectors":["all"]}}"# + "\0")
            let padding = [UInt8](repeating: 0x20, count: 4 << 20)
            let call = Array(#"{"method":"dev.hearth.Manager.Hello"}"#.utf8)
            var sent = 0
            for _ in 0..<40 { sent += client.send(padding + call + [0], within: 0.5) }
            let grown = try home.daemonMemory() - first
            print("bad input: \(sent >> 20) MiB of calls were sent during another, hearthd grew by \(grown) KiB")
            #expect(grown < 128 << 10)
            try home.eventually("the app is stopped all the same") { try home.list()[0].status == .stopped }
        }
    }

    @Test("an event stream that nobody reads is dropped; others go on")
    func unreadEvents() throws {
        try withHome { home in
            // Long names make long events: 350 bytes each.
            let name = String(repeating: "n", count: 150)
            try home.start((0..<20).map { home.sleeper("\(name)\($0)") })
            let events = #"{"method":"dev.hearth.Manager.Events","more":true,"parameters":{"selectors":[]}}"# + "\0"
            let silent = try RawConnection(home)
            silent.send(events)
            let reader = try RawConnection(home)
            reader.send(events)
            let first = try home.daemonMemory()
            // 2 MB of events are more than the kernel and the daemon keep for anybody.
            let reset =
                #"{"method":"dev.hearth.Manager.Act","parameters":{"action":"reset","selectors":["all"]}}"# + "\0"
            let driver = try RawConnection(home)
            var seen = 0
            for _ in 0..<300 {
                driver.send(reset)
                #expect(driver.receive() != nil)
                for _ in 0..<20 where reader.receive()?.contains("\"continues\":true") == true { seen += 1 }
            }
            #expect(seen == 6000)
            #expect(try home.daemonMemory() - first < 32 << 10, "KiB")
            #expect(silent.isClosed(within: 10))
        }
    }

    @Test("1,000 clients at once each get their answer")
    func thousandClients() throws {
        try withHome { home in
            try home.start(home.sleeper("witness"))
            try home.write(Self.clients, to: "clients.py")
            let result = try home.shellRun("python3 clients.py '\(home.paths.controlSocket)' 1000")
            #expect(result.output == "1000 answers\n", "\(result.output) \(result.errors)")
            print("bad input: 1,000 clients connected at once: \(result.errors)")
            #expect(try home.list().count == 1)
        }
    }

    // A process of its own: 1,000 sockets are more than a test process may have open.
    private static let clients = """
        import resource, socket, sys, time
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard > 0 else 4096, hard))
        begun = time.time()
        clients = []
        for _ in range(int(sys.argv[2])):
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(50)
            client.connect(sys.argv[1])
            clients.append(client)
        call = b'{"method":"dev.hearth.Manager.List","parameters":{"selectors":[]}}\\0'
        for client in clients:
            client.sendall(call)
        answers = 0
        for client in clients:
            data = b""
            while not data.endswith(b"\\0"):
                part = client.recv(65536)
                if not part:
                    break
                data += part
            answers += b'"witness"' in data
        print("%d answers" % answers)
        print("%d ms for all" % ((time.time() - begun) * 1000), file=sys.stderr)
        """
}
