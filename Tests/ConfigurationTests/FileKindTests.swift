import Foundation
import Model
import Testing

@testable import Configuration

/// App files that another program reads: node, or hearth-companion.
@Suite("Kinds of app files")
struct FileKindTests {
    private static let limit = Milliseconds(10_000)

    private static func javaScript(
        _ text: String, name: String = "ecosystem.config.js", arguments: [String] = [], timeout: Milliseconds = limit
    ) throws -> JSONValue {
        let scratch = try Scratch()
        let path = try scratch.file(name, text)
        let bytes = try JavaScriptRuntime.json(of: path, name: name, arguments: arguments, timeout: timeout)
        return try JSONParser.parse(bytes)
    }

    private static func failure(_ text: String, timeout: Milliseconds = limit) -> String {
        do {
            return "no failure: \(try javaScript(text, timeout: timeout))"
        } catch {
            return "\(error)"
        }
    }

    @Test("the same apps in JSON, YAML, TOML and JavaScript come to the same")
    func kindsAreEqual() throws {
        let scratch = try Scratch()
        try scratch.file(
            "apps.json",
            """
            {apps: [{name: "api", script: "server.js", args: ["-p", "80"], instances: 2, autorestart: false,
              env: {PORT: 3000, RATE: 1.5, FLAG: true, TEXT: "on"}, env_production: {PORT: 80}, kill_timeout: "3s"}]}
            """)
        try scratch.file(
            "apps.yml",
            """
            # as in the example of a hosting company
            defaults: &defaults
              autorestart: false
              kill_timeout: 3s
            apps:
              - <<: *defaults
                name: api
                script: server.js
                args: ["-p", "80"]
                instances: 2
                env: {PORT: 3000, RATE: 1.5, FLAG: true, TEXT: on}
                env_production:
                  PORT: 80
            """)
        try scratch.file(
            "apps.toml",
            """
            [[apps]]
            name = "api"
            script = "server.js"
            args = ["-p", "80"]
            instances = 2
            autorestart = false
            kill_timeout = "3s"
            env = { PORT = 3000, RATE = 1.5, FLAG = true, TEXT = "on" }
            [apps.env_production]
            PORT = 80
            """)
        let object =
            "{apps: [{name: 'api', script: 'server.js', args: ['-p', '80'], instances: 2, autorestart: false, "
            + "kill_timeout: '3s', env: {PORT: 3000, RATE: 1.5, FLAG: true, TEXT: 'on'}, env_production: {PORT: 80}}]}"
        try scratch.file("apps.config.js", "module.exports = \(object)")
        try scratch.file("apps.config.cjs", "module.exports = async () => (\(object))")
        try scratch.file("apps.config.mjs", "export default \(object)")
        let expected = try AppFile.load(path: "\(scratch.path)/apps.json").drafts
        #expect(expected.count == 1)
        for name in ["apps.yml", "apps.toml", "apps.config.js", "apps.config.cjs", "apps.config.mjs"] {
            let file = try AppFile.load(path: "\(scratch.path)/\(name)")
            #expect(file.drafts == expected, "\(name)")
        }
    }

    // MARK: - JavaScript

    @Test("what a program exports is awaited, called, and loses functions")
    func exports() throws {
        let expected = JSONValue.object(["script": .string("a.js")])
        for text in [
            "module.exports = {script: 'a.js', hook() {}, nothing: undefined}",
            "module.exports = () => ({script: 'a.js'})",
            "module.exports = Promise.resolve({script: 'a.js'})",
            "module.exports = async () => { await null; return {script: 'a.js'} }",
            "exports.__esModule = true; exports.default = {script: 'a.js'}",
            "exports.script = 'a.js'", "setInterval(() => {}, 1000); module.exports = {script: 'a.js'}",
        ] {
            #expect(try Self.javaScript(text) == expected, "\(text)")
        }
    }

    @Test("what a program prints disturbs nobody")
    func printing() throws {
        let text =
            "console.log('{\"apps\": 1}'); console.error('careful'); process.stdout.write('x'.repeat(300000)); "
            + "module.exports = {script: 'a.js'}"
        #expect(try Self.javaScript(text) == .object(["script": .string("a.js")]))
    }

    @Test("a program sees the caller's directory, variables and arguments, and its own neighbours")
    func surroundings() throws {
        let text =
            "module.exports = {cwd: process.cwd(), home: process.env.HOME, env: process.argv.indexOf('--env') > 0, "
            + "dir: __dirname === require('path').dirname(__filename)}"
        let value = try Self.javaScript(text, arguments: ["start", "--env", "production"])
        guard case .object(let members) = value else {
            Issue.record("\(value)")
            return
        }
        #expect(members["cwd"] == .string(FileManager.default.currentDirectoryPath))
        #expect(members["home"] == ProcessInfo.processInfo.environment["HOME"].map { .string($0) })
        #expect(members["env"] == .bool(true))
        #expect(members["dir"] == .bool(true))
    }

    @Test("an error of a program is told with its place and what it wrote to stderr")
    func throwing() {
        #expect(
            Self.failure("console.error('loading');\nthrow new Error('no database')")
                == "ecosystem.config.js: failed: no database (line 2, column 7); its standard error: loading")
        #expect(
            Self.failure("module.exports = {\n  apps: [}\n").hasPrefix("ecosystem.config.js: failed: SyntaxError: "))
        #expect(Self.failure("module.exports = {\n  apps: [}\n").contains("(line 2"))
        #expect(
            Self.failure("module.exports = require('no-such-module-anywhere')")
                .contains("Cannot find module 'no-such-module-anywhere'"))
        #expect(Self.failure("module.exports = () => { throw null }").contains("failed: null"))
        #expect(Self.failure("module.exports = Promise.reject(new Error('late'))").contains("failed: late"))
    }

    @Test("what can't be written as JSON is said")
    func unwritable() {
        #expect(
            Self.failure("const a = {}; a.a = a; module.exports = a")
                == "ecosystem.config.js: failed: it exports an object that contains itself")
        #expect(Self.failure("module.exports = undefined").contains("it exports nothing"))
        #expect(Self.failure("module.exports = {script: 'x'.repeat(17 << 20)}").contains("exports more than 16 MiB"))
    }

    @Test("a program that ends the process, or kills it, is told")
    func ending() {
        #expect(Self.failure("process.exit(3)").contains("with exit code 3 before it exported anything"))
        #expect(Self.failure("process.kill(process.pid, 'SIGKILL')").contains("with signal 9"))
    }

    @Test("without anything that runs JavaScript the error says what to do")
    func noRuntime() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try JavaScriptRuntime.json(
                of: "/x.config.js", name: "x.config.js", search: "/nonexistent", arguments: [], timeout: Self.limit)
        }
        #expect(error?.message.contains("neither node nor bun nor deno is in PATH ('/nonexistent')") == true)
        #expect(error?.hint == "run 'hearth convert' on a machine with node, or write it as JSON")
    }

    @Test("a program that never ends is ended with everything it started")
    func endless() throws {
        let scratch = try Scratch()
        let pidFile = "\(scratch.path)/pid"
        let text = """
            const child = require('child_process').spawn('sleep', ['1000'], {stdio: 'inherit'});
            require('fs').writeFileSync('\(pidFile)', String(child.pid));
            console.error('here we go');
            while (true) {}
            """
        let message = Self.failure(text, timeout: Milliseconds(1500))
        #expect(message.contains("did not come to an end within 1500 ms"))
        #expect(message.contains("its standard error: here we go; an app file may only describe"))
        let pid = try #require(Int32(try String(contentsOfFile: pidFile, encoding: .utf8)))
        // Whoever inherits it reaps it in a moment; a zombie is dead enough.
        let status = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
        #expect(status.isEmpty || status.contains(") Z "))
    }

    // MARK: - YAML and TOML

    private static func refusal(_ name: String, _ text: String) throws -> String {
        let scratch = try Scratch()
        let path = try scratch.file(name, text)
        do {
            return "accepted: \(try AppFile.load(path: path).drafts.count)"
        } catch {
            return "\(error)".replacingOccurrences(of: scratch.path + "/", with: "")
        }
    }

    @Test(
        "a mistake is named with file, line and column",
        arguments: [
            ("a.yml", "apps:\n  - script: [a\n", "a.yml: is not valid YAML: ", "at line 3, column 1"),
            ("a.yml", "apps: &a [*a]", "a.yml: is not valid YAML: found undefined alias", "at line 1, column 11"),
            ("a.yml", "script: a\nscript: b", "a.yml: is not valid YAML: the key 'script' stands twice", "at line 1"),
            ("a.yml", "script: a\n---\nscript: b", "a.yml: is not valid YAML: but found another document", "at line 2"),
            ("a.yml", "? [a]\n: b", "a.yml: is not valid YAML: a key that is no text", "at line 1, column 3"),
            ("a.yml", "a\u{1}b: 1", "a.yml: is not valid YAML: control characters", "at line 1, column 2"),
            ("a.toml", "a = \n", "a.toml: is not valid TOML: ", "at line 1, column 5"),
            ("a.toml", "a = 1\na = 2", "a.toml: is not valid TOML: ", "at line 2"),
        ])
    func mistakes(name: String, text: String, beginning: String, end: String) throws {
        let message = try Self.refusal(name, text)
        #expect(message.hasPrefix(beginning), "\(message)")
        #expect(message.contains(end), "\(message)")
    }

    @Test("a file that is written to exhaust its reader is refused in time")
    func hostile() throws {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...12 {
            bomb += "a\(level): &a\(level) [" + [String](repeating: "*a\(level - 1)", count: 10).joined(separator: ",")
            bomb += "]\n"
        }
        // On a machine that is busy enough the time is up first.
        let refusal = try Self.refusal("a.yml", bomb)
        #expect(
            refusal.contains("it comes to more than 200000 values") || refusal.contains("took longer"), "\(refusal)")
        #expect(try Self.refusal("a.yml", String(repeating: "[", count: 100_000)).contains("is not valid YAML"))
        #expect(
            try Self.refusal("a.toml", "a = " + String(repeating: "[", count: 100_000)).contains("is not valid TOML"))
        let large = String(repeating: "# a comment that says nothing\n", count: 350_000)
        #expect(try Self.refusal("a.yml", large).contains("is larger than 2 MiB"))
        #expect(try Self.refusal("a.toml", large).contains("is larger than 2 MiB"))
    }

    @Test("a large file in JSON is read, a huge one is not")
    func large() throws {
        let comment = String(repeating: "// a comment that says nothing\n", count: 330_000)
        #expect(comment.utf8.count > 10_000_000)
        #expect(try Self.refusal("a.json", comment + "{script: 'a.js'}") == "accepted: 1")
        #expect(try Self.refusal("a.json", comment + comment).contains("is larger than 16 MiB"))
    }

    @Test("YAML is read as YAML 1.2")
    func yaml() throws {
        let text = """
            a: yes
            b: ~
            c: 0o17
            d: 1e3
            e: 2020-01-01
            f: "1"
            g: !!str 5
            h: .5
            i: -0x10
            j: 1_000
            k: |
              two
              lines
            """
        let bytes = try CompanionProgram.json(of: Array(text.utf8), kind: .yaml, file: "x", timeout: Self.limit)
        #expect(
            try JSONParser.parse(bytes)
                == .object([
                    "a": .string("yes"), "b": .null, "c": .integer(15), "d": .integer(1000), "e": .string("2020-01-01"),
                    "f": .string("1"), "g": .string("5"), "h": .number(0.5), "i": .integer(-16), "j": .string("1_000"),
                    "k": .string("two\nlines"),
                ]))
    }

    @Test("what is written as YAML or TOML reads as it was", arguments: [FileKind.yaml, .toml])
    func writing(kind: FileKind) throws {
        let value = JSONValue.object([
            "apps": .array([
                .object([
                    "name": .string("on"), "script": .string("a b.js"), "instances": .integer(2),
                    "env": .object([
                        "A": .string("1"), "B": .string(""), "C": .string("é \"x\"\nnext"), "D": .number(1.5),
                        "E": .bool(true), "F": .string("-1"), "G": .string("1e3"), "H": .string("~"),
                        "I": .string("a: b"),
                    ]),
                ])
            ])
        ])
        let text = try CompanionProgram.text(of: value, as: kind)
        let bytes = try CompanionProgram.json(of: Array(text.utf8), kind: kind, file: "x", timeout: Self.limit)
        #expect(try JSONParser.parse(bytes) == value, "\(text)")
    }

    // MARK: - PM2's words

    @Test("PM2's words for a file that is not there or can't be understood")
    func foreignWords() throws {
        let scratch = try Scratch()
        let bad = try scratch.file("bad.json", "{apps: [")
        let missing = "\(scratch.path)/none.json"
        for (path, message) in [
            (missing, "File \(missing) not found"),
            (
                bad,
                "File \(bad) malformated\n\(bad): is not valid JSON: a value is missing at line 1, column 9"
            ),
        ] {
            let error = #expect(throws: ConfigurationError.self) { try AppFile.load(path: path, dialect: .pm2) }
            #expect(error?.description == message)
            #expect(error?.subject == .file)
        }
    }
}
