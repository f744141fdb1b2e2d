import Model
import Testing

@testable import Configuration

@Suite("listen in app files and on command lines")
struct ListenFileTests {
    private static func parse(_ listen: String) throws -> [ListenSpec]? {
        let file = try AppFile.parse(Array("{apps: [{script: 'a.js', listen: \(listen)}]}".utf8), name: "apps.json")
        #expect(file.warnings == [])
        return file.drafts.first?.listen
    }

    @Test("an address, an object, or a list of both")
    func forms() throws {
        let local = ListenAddress.tcp(host: "127.0.0.1", port: 80)
        let any = ListenAddress.tcp(host: nil, port: 8080)
        #expect(try Self.parse("8080") == [ListenSpec(name: "web", address: any)])
        #expect(try Self.parse("'8080'") == [ListenSpec(name: "web", address: any)])
        #expect(try Self.parse("'127.0.0.1:80'") == [ListenSpec(name: "web", address: local)])
        #expect(try Self.parse("{port: 8080}") == [ListenSpec(name: "web", address: any)])
        #expect(try Self.parse("{port: '8080'}") == [ListenSpec(name: "web", address: any)])
        #expect(try Self.parse("{address: 8080}") == [ListenSpec(name: "web", address: any)])
        #expect(try Self.parse("[]") == [])
        #expect(try Self.parse("null") == nil)
        #expect(
            try Self.parse(
                """
                [8080, {name: "admin", address: "127.0.0.1:80", backlog: 5, reuseport: true}, "unix:/x",
                 {path: "/y", mode: "0600", name: null}]
                """)
                == [
                    ListenSpec(name: "web", address: any),
                    ListenSpec(name: "admin", address: local, backlog: 5, reusePort: true),
                    ListenSpec(name: "web3", address: .unix(path: "/x")),
                    ListenSpec(name: "web4", address: .unix(path: "/y"), mode: 0o600),
                ])
    }

    @Test(
        "what is wrong is named with file, key and value",
        arguments: [
            ("true", "apps.json: apps[0].listen: expected an address such as 8080"),
            ("80.5", "found a number with decimals '80.5'"), ("[[8080]]", "listen[0]: expected an address"),
            ("70000", "listen: port 70000 is not between"), ("-1", "listen: port -1 is not between"),
            ("'localhost:80'", "'localhost' is not a numeric address; write 127.0.0.1"),
            ("[80, 'x']", "apps[0].listen[1]: 'x' is not an address with a port; write 8080"),
            ("'unix:run/x'", "'run/x' is not the absolute path"), ("'/run/x'", "no 'unix:' in front"),
            ("{}", "it has no 'port', 'path' or 'address'; give one"),
            ("{port: 1, path: '/x'}", "'port' and 'path' exclude each other"),
            ("{prot: 80}", "unknown key 'prot'; did you mean 'port'?"), ("{host: 'x', port: 1}", "unknown key 'host'"),
            ("{port: true}", "listen.port: expected a whole number from 0 to 65535, found a boolean 'true'"),
            ("{port: 'x'}", "listen.port: expected a whole number"), ("{path: 5}", "listen.path: expected a string"),
            ("{path: 'x'}", "listen.path: 'x' is not the absolute path"), ("{address: []}", "listen.address: expected"),
            ("{port: 1, backlog: 0}", "listen.backlog: expected a whole number from 1 to 65535, found a number '0'"),
            ("{port: 1, reuseport: 'yes'}", "listen.reuseport: expected true or false"),
            ("{path: '/x', mode: 660}", "listen.mode: expected permissions in octal such as \"0660\", found a number"),
            ("{path: '/x', mode: '0999'}", "listen.mode: expected"), ("{port: 1, mode: '0660'}", "mode is for unix"),
            ("{path: '/x', reuseport: true}", "reuseport is for TCP"), ("{port: 1, name: 'a:b'}", "name 'a:b' is not"),
            ("{port: 1, name: 7}", "listen.name: expected a string"), ("[80, 80]", "listen: 80 is given twice"),
            ("[{port: 80, name: 'web2'}, 81]", "two sockets are named 'web2'"),
            ("[\((1...65).map(String.init).joined(separator: ","))]", "65 sockets are more than an app can have (64)"),
        ])
    func complaints(listen: String, complaint: String) {
        do {
            let all = try Self.parse(listen)
            Issue.record("\(listen) was read as \(String(describing: all))")
        } catch {
            #expect("\(error)".contains(complaint), "\(error)")
            #expect("\(error)".hasPrefix("apps.json: apps[0].listen"), "\(error)")
        }
    }

    @Test("all that is wrong is told at once")
    func together() {
        do {
            _ = try Self.parse("[{port: 'x', backlog: -1}, 'y']")
            Issue.record("it was read")
        } catch {
            #expect("\(error)".split(separator: "\n").count == 3, "\(error)")
        }
    }

    @Test("--listen takes an address with or without a name")
    func option() throws {
        let any = ListenAddress.tcp(host: nil, port: 80)
        #expect(try ListenSpec.reading("80", at: 0) == ListenSpec(name: "web", address: any))
        #expect(try ListenSpec.reading("80", at: 1) == ListenSpec(name: "web2", address: any))
        #expect(try ListenSpec.reading("admin=80", at: 1) == ListenSpec(name: "admin", address: any))
        #expect(
            try ListenSpec.reading("unix:/a=b", at: 0) == ListenSpec(name: "web", address: .unix(path: "/a=b")))
        #expect(
            try ListenSpec.reading("a=unix:/a=b", at: 0) == ListenSpec(name: "a", address: .unix(path: "/a=b")))
        for text in ["", "=80", "a b=80", "a=", "a=x"] {
            #expect(throws: ConfigurationError.self) { try ListenSpec.reading(text, at: 0) }
        }
    }

    private static func resolve(_ keys: String) throws -> AppSpec {
        let scratch = try Scratch()
        try scratch.file("bin/node", "#!/bin/sh\n", mode: 0o755)
        try scratch.file("a.js")
        let file = try AppFile.parse(Array("[{script: 'a.js', \(keys)}]".utf8), name: "apps.json")
        let resolver = AppResolver(
            workingDirectory: scratch.path, environment: ["PATH": "\(scratch.path)/bin"], home: "/home/me",
            processors: 4, isRoot: true)
        return try #require(try file.resolve(with: resolver).first)
    }

    @Test("{fd:NAME} must name a socket of the app; without sockets it is a text like any other")
    func references() throws {
        let spec = try Self.resolve("args: ['-b', 'fd://{fd:web}', '{fd:', '{}'], listen: 8080")
        #expect(spec.arguments == ["-b", "fd://{fd:web}", "{fd:", "{}"])
        #expect(spec.expectedPort == 8080)
        #expect(try Self.resolve("args: ['{fd:x}']").arguments == ["{fd:x}"])
        for keys in ["args: ['{fd:wbe}']", "node_args: ['a{fd:web}b{fd:wbe}']"] {
            do {
                _ = try Self.resolve(keys + ", listen: 8080")
                Issue.record("\(keys) was taken")
            } catch {
                #expect("\(error)".contains("'{fd:wbe}' in the arguments names none of the app's sockets"), "\(error)")
                #expect("\(error)".contains("did you mean 'web'?"), "\(error)")
            }
        }
    }
}
