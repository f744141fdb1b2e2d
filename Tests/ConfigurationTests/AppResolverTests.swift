import Foundation
import Model
import Testing

@testable import Configuration

@Suite("From a description to a specification")
struct AppResolverTests {
    static func resolver(_ directory: String, environment: [String: String] = [:], isRoot: Bool = false) -> AppResolver
    {
        var variables = environment
        if variables["PATH"] == nil { variables["PATH"] = "\(directory)/bin:/usr/bin:/bin" }
        return AppResolver(
            workingDirectory: directory, environment: variables, home: "/home/me", processors: 4, isRoot: isRoot)
    }

    static func draft(_ script: String, _ change: (inout AppDraft) -> Void = { _ in }) -> AppDraft {
        var draft = AppDraft()
        draft.script = script
        change(&draft)
        return draft
    }

    /// A PATH in which the interpreters are ours.
    static func scratchWithPrograms() throws -> Scratch {
        let scratch = try Scratch()
        for name in ["node", "python3", "php", "ruby", "bash", "sh", "npm", "bun"] {
            try scratch.file("bin/\(name)", "#!/bin/sh\n", mode: 0o755)
        }
        return scratch
    }

    @Test(
        "the interpreter follows from the extension",
        arguments: [
            ("a.js", "node"), ("a.cjs", "node"), ("a.mjs", "node"), ("a.ts", "bun"), ("a.py", "python3"),
            ("a.php", "php"), ("a.rb", "ruby"), ("a.sh", "bash"),
        ])
    func interpreters(file: String, interpreter: String) throws {
        let scratch = try Self.scratchWithPrograms()
        try scratch.file(file, "x")
        let spec = try Self.resolver(scratch.path).resolve(Self.draft(file))
        #expect(spec.interpreter == interpreter)
        #expect(spec.script == "\(scratch.path)/\(file)")
        #expect(spec.name == "a")
        #expect(spec.environment["PYTHONUNBUFFERED"] == (interpreter == "python3" ? "1" : nil))
    }

    @Test("a program in PATH, an executable with a #! line, and a binary run by themselves")
    func programs() throws {
        let scratch = try Self.scratchWithPrograms()
        try scratch.file("tool", "#!/usr/bin/env bash\n", mode: 0o755)
        try scratch.file("binary", "\u{7f}ELF\0", mode: 0o755)
        let resolver = Self.resolver(scratch.path)
        for (script, path) in [("npm", "bin/npm"), ("tool", "tool"), ("binary", "binary")] {
            let spec = try resolver.resolve(Self.draft(script))
            #expect(spec.interpreter == nil)
            #expect(spec.script == "\(scratch.path)/\(path)")
        }
    }

    @Test("a text file that is not executable runs by its #! line")
    func shebang() throws {
        let scratch = try Self.scratchWithPrograms()
        try scratch.file("job", "#!/usr/bin/env -S python3 -u\n")
        let spec = try Self.resolver(scratch.path).resolve(Self.draft("job"))
        #expect(spec.interpreter == "python3")
        #expect(spec.interpreterArguments == ["-u"])
        #expect(spec.environment == ["PYTHONUNBUFFERED": "1"])
    }

    @Test("a string with blanks runs through a shell, named by its first word")
    func shell() throws {
        let scratch = try Self.scratchWithPrograms()
        let spec = try Self.resolver(scratch.path).resolve(Self.draft("PORT=1 ./run/server.js --x | cat"))
        #expect(spec.script == "\(scratch.path)/bin/bash")
        #expect(spec.arguments == ["-c", "PORT=1 ./run/server.js --x | cat"])
        #expect(spec.interpreter == nil)
        #expect(spec.name == "server")
    }

    @Test("a file with a blank in its name is a file")
    func blankInName() throws {
        let scratch = try Self.scratchWithPrograms()
        try scratch.file("my app.js")
        #expect(try Self.resolver(scratch.path).resolve(Self.draft("my app.js")).name == "my app")
    }

    @Test("policies, logs and the port are taken over")
    func policies() throws {
        let scratch = try Self.scratchWithPrograms()
        try scratch.file("srv/a.js")
        let spec = try Self.resolver(scratch.path, isRoot: true).resolve(
            Self.draft("a.js") {
                $0.cwd = "srv"
                $0.instances = .exactly(2)
                $0.autorestart = false
                $0.killTimeout = Milliseconds(10)
                $0.outFile = "logs/o.log"
                $0.errorFile = "NULL"
                $0.environment = ["PORT": "99"]
                $0.uid = "nobody"
            })
        #expect(spec.cwd == "\(scratch.path)/srv")
        #expect(spec.instances == 2)
        #expect(spec.restart.mode == .never)
        #expect(spec.stop.killTimeout == Milliseconds(10))
        #expect(
            spec.output == OutputPolicy(outFile: "\(scratch.path)/srv/logs/o.log", errorFile: "/dev/null", merge: false)
        )
        #expect(spec.expectedPort == 99)
        #expect(spec.uid == "nobody")
    }

    @Test("environment files stay files, are read once to find errors, and tell the port")
    func environment() throws {
        let scratch = try Self.scratchWithPrograms()
        try scratch.file("srv/a.js")
        try scratch.file("srv/one", "A=1\nPORT=1\n")
        try scratch.file("two", "PORT=${A}22\n")
        let spec = try Self.resolver(scratch.path).resolve(
            Self.draft("a.js") {
                $0.cwd = "srv"
                $0.environmentFiles = ["one", "two"]
                $0.environment = ["C": "3"]
            })
        #expect(spec.environment == ["C": "3"])
        #expect(spec.environmentFiles == ["\(scratch.path)/srv/one", "\(scratch.path)/two"])
        #expect(spec.expectedPort == 122)
    }

    @Test("a file named .env is not read by itself")
    func noEnvironmentFile() throws {
        let scratch = try Self.scratchWithPrograms()
        try scratch.file("a.js")
        try scratch.file(".env", "PORT=1\n")
        let spec = try Self.resolver(scratch.path).resolve(Self.draft("a.js"))
        #expect(spec.environmentFiles == nil)
        #expect(spec.expectedPort == nil)
    }

    @Test("a missing environment file and one with a mistake are named, with the line")
    func badEnvironmentFile() throws {
        let scratch = try Self.scratchWithPrograms()
        try scratch.file("a.js")
        try scratch.file("bad", "A=1\nnonsense\n")
        for (file, message) in [
            ("bad", "\(scratch.path)/bad:2: 'nonsense' has no value; write nonsense=value, or # before a comment"),
            ("none", "cannot read '\(scratch.path)/none': no such file or directory; check the path"),
        ] {
            let error = #expect(throws: ConfigurationError.self) {
                try Self.resolver(scratch.path).resolve(Self.draft("a.js") { $0.environmentFiles = [file] })
            }
            #expect(error?.description == message)
        }
    }

    @Test(
        "what can't work is refused with a sentence that says what to do",
        arguments: [
            (draft("none.js"), "the script 'DIR/none.js' does not exist; no program of that name is in PATH either"),
            (draft("./none.js"), "the script 'DIR/none.js' does not exist; check the path"),
            (draft("bin/"), "the script 'DIR/bin' is a directory; name the file to run in it"),
            (
                draft("a.js") { $0.cwd = "nowhere" },
                "the working directory 'DIR/nowhere' does not exist; create it, or correct cwd"
            ),
            (draft("a.js") { $0.cwd = "a.js" }, "the working directory 'DIR/a.js' is not a directory; correct cwd"),
            (
                draft("a.js") { $0.interpreter = "noade" },
                "the interpreter 'noade' is not in PATH ('DIR/bin'); install it, or give its full path"
            ),
            (
                draft("a.js") { $0.interpreter = "/x/node" },
                "the interpreter '/x/node' does not exist or is not executable; correct --interpreter"
            ),
            (
                draft("a.js") { $0.interpreter = "none" },
                "'DIR/a.js' is not executable; run 'chmod +x DIR/a.js', or name its interpreter with --interpreter"
            ),
            (
                draft("a.pl"),
                "the interpreter 'perl' for 'DIR/a.pl' is not in PATH ('DIR/bin'); install it, or name another one with --interpreter"
            ),
            (
                draft("notes"),
                "'DIR/notes' is not executable; run 'chmod +x DIR/notes', or name its interpreter with --interpreter"
            ),
            (
                draft("text"),
                "'DIR/text' is a text file without a #! line; add one, or name its interpreter with --interpreter"
            ),
            (
                draft("lost"),
                "'DIR/lost' begins with '#!…/no/such/sh', which is not there; install it, or name another interpreter with --interpreter"
            ),
            (draft("a.js") { $0.name = "" }, "the name is empty; give one with --name"),
            (draft("a.js") { $0.name = "all" }, "the name 'all' means every app; choose another name"),
            (draft("a.js") { $0.name = "/x/" }, "the name '/x/' would be read as a pattern; choose another name"),
            (
                draft("a.js") { $0.uid = "www" },
                "only root can run an app under another uid ('www'); leave uid out, or use sudo"
            ),
            (draft("a.js") { $0.arguments = ["a\0b"] }, "an argument contains a NUL byte; no program can be given one"),
            (draft("a.js") { $0.environment = ["": "x"] }, "'' is not the name of a variable; give NAME=value"),
            (draft("a.js") { $0.outFile = "bin" }, "the log file 'DIR/bin' is a directory; name a file in it"),
        ])
    func refusals(draft: AppDraft, message: String) throws {
        let scratch = try Self.scratchWithPrograms()
        for name in ["a.js", "a.pl", "notes"] { try scratch.file(name, "hello\n") }
        try scratch.file("text", "hello\n", mode: 0o755)
        try scratch.file("lost", "#!/no/such/sh\n", mode: 0o755)
        let resolver = Self.resolver(scratch.path, environment: ["PATH": "\(scratch.path)/bin"])
        let error = #expect(throws: ConfigurationError.self) { try resolver.resolve(draft) }
        #expect(error?.description == message.replacingOccurrences(of: "DIR", with: scratch.path))
    }

    @Test("one argument is limited")
    func oneArgument() throws {
        let scratch = try Self.scratchWithPrograms()
        try scratch.file("a.js")
        let error = #expect(throws: ConfigurationError.self) {
            try Self.resolver(scratch.path).resolve(
                Self.draft("a.js") { $0.arguments = [String(repeating: "x", count: 131_072)] })
        }
        #expect(error?.message == "the argument '\(String(repeating: "x", count: 40))…' has 131072 bytes")
    }

    @Test("arguments and environment together are limited, too")
    func total() throws {
        let scratch = try Self.scratchWithPrograms()
        try scratch.file("a.js")
        let many = [String](repeating: String(repeating: "x", count: 100_000), count: 22)
        let error = #expect(throws: ConfigurationError.self) {
            try Self.resolver(scratch.path).resolve(Self.draft("a.js") { $0.arguments = many })
        }
        #expect(error?.hint == "Linux allows 2097152; put long values in a file")
    }
}
