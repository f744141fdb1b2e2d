import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("What an app tells of itself on its channel", .waiting)
struct ReportTests {
    /// As PM2's library has it, by hand.
    private static let telling = """
        const send = (type, data) => process.send({ type, data });
        process.send({ node_version: process.versions.node });
        send('axm:option:configuration', { module_name: 'shop', n: 1 });
        send('axm:action', { action_name: 'greet', action_type: 'custom', arity: 1 });
        send('axm:action', { action_name: 'silent', action_type: 'custom' });
        send('axm:monitor', { Users: { value: 41, unit: 'people', type: 'users', historic: true } });
        send('axm:monitor', { Users: { value: 42, unit: 'people' }, Delay: { value: '1.5', unit: 'ms' } });
        process.on('message', message => {
            note(JSON.stringify(message));
            if (message === 'greet' || message.msg === 'greet')
                send('axm:reply', { action_name: 'greet', return: { hello: message.opts || null, at: [1, 2] } });
            if (message === 'end') process.exit(0);
        });
        """

    private func started(_ home: Home, _ name: String, _ body: String = telling) throws {
        try home.start(home.node(name, body))
        try home.eventually("it has told its actions and metrics") {
            let report = try home.hearth("show", "--json", name).output
            return report.contains("\"silent\"") && report.contains("\"Delay\"")
        }
    }

    @Test("metrics and actions are shown, numbers as numbers, and go with the process")
    func shown() throws {
        try withHome { home in
            try started(home, "api")
            let shown = try home.hearth("show", "api").output
            for text in ["Users: 42 people", "Delay: 1.5 ms", "greet, silent"] {
                #expect(shown.contains(text), "\(shown)")
            }
            let json = try home.hearth("show", "--json", "api").output
            #expect(
                json.contains(#"{"historic":null,"name":"Users","type":null,"unit":"people","value":42}"#), "\(json)")
            try home.act(.stop, "api")
            #expect(try home.hearth("show", "--json", "api").output.contains("\"report\":null"))
        }
    }

    @Test("trigger asks for an action and prints what it returns")
    func trigger() throws {
        try withHome { home in
            try started(home, "api")
            try started(home, "other")
            var result = try home.hearth("trigger", "api", "greet")
            #expect(result.code == 0 && result.output == "'api' (id 0): {\"hello\":null,\"at\":[1,2]}\n", "\(result)")
            result = try home.hearth("trigger", "all", "greet", "you \"there\"", "--json")
            #expect(
                Set(result.output.split(separator: "\n").map(String.init)) == [
                    #"{"id":0,"name":"api","namespace":"default","value":{"hello":"you \"there\"","at":[1,2]}}"#,
                    #"{"id":1,"name":"other","namespace":"default","value":{"hello":"you \"there\"","at":[1,2]}}"#,
                ])
            #expect(home.notes.contains(#"{"id":1,"msg":"greet","opts":"you \"there\""} 0"#), "\(home.notes)")

            result = try home.hearth("trigger", "api", "nothing")
            #expect(result.code == 1 && result.errors.contains("'nothing'") && result.errors.contains("hearth show"))
            result = try home.hearth("trigger", "nobody", "greet")
            #expect(result.code == 1 && result.errors.contains("nobody"))
            result = try home.hearth("trigger", "api", "silent", "--wait", "200ms")
            #expect(result.code == 1 && result.errors.contains("has not answered within 200 ms"), "\(result)")
            result = try home.hearth("trigger", "api", "greet", String(repeating: "x", count: 40_000))
            #expect(result.code == 1 && result.errors.contains("31 KiB"))
            try home.act(.stop, "api")
            #expect(try home.hearth("trigger", "api", "greet").errors.contains("does not run"))
        }
    }

    @Test("a process that ends before it answers is told of")
    func ended() throws {
        try withHome { home in
            try started(home, "api")
            let run = try home.startHearth(["trigger", "api", "silent"], environment: [:])
            try home.eventually("it was asked") { home.notes.contains("\"silent\" 0") }
            kill(try home.pid("api"), SIGKILL)
            let result = try home.result(of: run, within: 60)
            #expect(result.code == 1 && result.errors.contains("has ended before it answered"), "\(result)")
        }
    }

    @Test("actions survive hearthd, which is told of them once only, and an upgrade")
    func survives() throws {
        try withHome { home in
            try started(home, "api")
            let keeper = try #require(home.keeperPids.first)
            func kept() -> [String] {
                let directory = "/proc/\(keeper)/fd/"
                let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
                let ours = names.filter {
                    (try? FileManager.default.destinationOfSymbolicLink(atPath: directory + $0))?
                        .contains("hearth-report") == true
                }
                return ours.map { home.read(directory + $0) }
            }
            try home.eventually("the keeper has all of them") {
                kept().contains { $0.contains("silent") && $0.contains("shop") }
            }
            try home.withoutDaemon {}
            _ = try home.upgrade()
            let report = try #require(
                try home.call(.show, SelectorParameters(selectors: ["api"]), as: ShowReply.self).details.first?.report)
            #expect(report.actions.map(\.name) == ["greet", "silent"] && report.metrics.isEmpty)
            #expect(report.nodeVersion != nil && report.options == #"{"module_name":"shop","n":1}"#)
            #expect(try home.hearth("trigger", "api", "greet").output.contains("hello"))
        }
    }

    @Test("a message goes to the channel, a line to standard input")
    func send() throws {
        try withHome { home in
            try started(home, "api", Self.telling + "\nprocess.stdin.on('data', data => note('line ' + data));")
            #expect(try home.hearth("send", "api", "--message", #"{"a": [1, "ä"]}"#).code == 0)
            #expect(try home.hearth("send", "api", "hello \"you\"").code == 0)
            try home.eventually("both came") {
                home.read("notes").contains("{\"a\":[1,\"ä\"]} 0")
                    && home.read("notes").contains("line hello \"you\"\n 0")
            }
            for (message, complaint) in [("hello", "not valid JSON"), (#"{"cmd":"NODE_X"}"#, "Node's own")] {
                let result = try home.hearth("send", "api", "--message", message)
                #expect(result.code == 1 && result.errors.contains(complaint), "\(result)")
            }
            #expect(try home.hearth("send", "api").code == 2)
            #expect(try home.hearth("send", "api", "two\nlines").errors.contains("one line"))

            try home.start(home.sleeper("deaf"))
            for _ in 0..<2 {
                _ = try home.hearth("send", "deaf", String(repeating: "x", count: 50_000))
            }
            let full = try home.hearth("send", "deaf", String(repeating: "x", count: 50_000))
            #expect(full.code == 1 && full.errors.contains("is full"), "\(full)")
            let none = try home.hearth("send", "deaf", "--message", "1")
            #expect(none.code == 1 && none.errors.contains("channel"), "\(none)")
            var closed = home.sleeper("closed")
            closed.stdin = .null
            try home.start(closed)
            #expect(try home.hearth("send", "closed", "x").errors.contains("is no pipe"))
        }
    }

    @Test("what else an app says is for those who listen, and nobody can speak in Hearth's name")
    func events() throws {
        try withHome { home in
            try home.start(
                home.node(
                    "api",
                    """
                    when('go', () => {
                        process.send('hello');
                        process.send({ type: 'human:event', data: { __name: 'sold' } });
                        process.send({ type: 'exit', data: 'no, it did not' });
                        process.send({ type: 'process:exception', data: { message: 'm' } });
                        process.send({ type: 'long:one', data: 'x'.repeat(100000) }, () => note('sent'));
                    });
                    """))
            let run = try home.startHearth(["events", "--json"], environment: [:])
            try home.eventually("somebody listens") {
                try home.act(.reset, "api")
                return home.output(of: run).contains("\"reset\"")
            }
            try home.write("", to: "go")
            try home.eventually("all of it came") { home.output(of: run).contains("long:one") }
            kill(run.pid, SIGINT)
            let lines = try home.result(of: run, within: 30).output.split(separator: "\n").map(String.init)
            for (kind, message) in [
                ("process:msg", #""\"hello\"""#), ("human:event", #""{\"__name\":\"sold\"}""#),
                ("process:msg", #""{\"type\":\"exit\",\"data\":\"no, it did not\"}""#),
                ("process:exception", #""{\"message\":\"m\"}""#),
            ] {
                #expect(
                    lines.contains { $0.contains("\"kind\":\"\(kind)\",\"message\":\(message)") }, "\(kind): \(lines)")
            }
            #expect(lines.allSatisfy { $0.utf8.count < 5000 })
            #expect(!home.log.contains("hello") && !home.log.contains("sold"), "nothing of it is written down")
        }
    }

    @Test("a flood of metrics, and names and values of megabytes, harm nobody and cost no memory")
    func flood() throws {
        try withHome { home in
            try home.start(home.responder("web"))
            let before = try Self.resident(home)
            try home.start(
                home.node(
                    "loud",
                    """
                    const large = 'x'.repeat(900000);
                    process.send({ type: 'axm:monitor', data: { [large]: { value: 1 }, large: { value: large } } });
                    process.send({ type: 'axm:action', data: { action_name: large } });
                    process.send({ type: 'axm:option:configuration', data: { large } });
                    process.send({ type: large, data: large });
                    let left = 20000;
                    const next = () => {
                        if (left-- === 0) return process.send({ type: 'axm:monitor', data: { done: 1 } }, () => note('done'));
                        const data = {};
                        for (let n = 0; n < 20; n++) data['m' + left + '.' + n] = { value: 'v'.repeat(400) };
                        data.last = { value: left };
                        process.send({ type: 'axm:monitor', data }, left % 50 ? undefined : () => setImmediate(next));
                        if (left % 50) next();
                    };
                    setTimeout(next, 1);
                    """))
            try home.eventually("all of it was said", within: 120) { home.notes == ["done 0"] }
            let report = try #require(
                try home.call(.show, SelectorParameters(selectors: ["loud"]), as: ShowReply.self).details.first?.report)
            #expect(report.metrics.count == 64 && report.actions.isEmpty && report.options == nil)
            #expect(report.metrics.allSatisfy { $0.value.shown.utf8.count <= 256 })
            #expect(try Self.resident(home) < before + (48 << 20))
            #expect(try home.instance("web").restarts == 0 && home.hello().ready)
        }
    }

    /// Bytes of memory that hearthd has.
    private static func resident(_ home: Home) throws -> Int {
        let fields = home.read("/proc/\(try home.hello().pid)/statm").split(separator: " ")
        return try #require(fields.count > 1 ? Int(fields[1]) : nil) * Int(getpagesize())
    }
}
