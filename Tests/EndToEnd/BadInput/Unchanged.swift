import Control
import Foundation
import TestSupport
import Testing

/// What must be the same before and after a command or message that was refused.
struct Unchanged: Equatable {
    let daemon: Int32
    let entries: [String]

    init(_ home: Home) throws {
        let hello = try home.hello(timeout: 10_000)
        daemon = hello.pid
        entries = try home.list().map {
            "\($0.id) \($0.name) \($0.namespace) \($0.status) \($0.pid ?? 0) \($0.restarts)"
        }
    }
}

extension Home {
    /// A home for tables of bad input: one app that must not notice anything, and files to trip over.
    func prepareForBadInput() throws {
        try write("#!/bin/sh\nexec sleep 100000\n", to: "ok.sh", executable: true)
        try write("#!/bin/sh\nexec sleep 100000\n", to: "not-executable.sh")
        try write("only text", to: "plain")
        try FileManager.default.createDirectory(atPath: file("directory"), withIntermediateDirectories: false)
        try start(sleeper("witness"))
    }
}

/// One line of the table: what is typed, and what must come of it.
struct BadCommand {
    let name: String
    let line: String
    let code: Int32
    let words: [String]

    init(_ name: String, _ line: String, _ code: Int32, _ words: String...) {
        self.name = name
        self.line = line
        self.code = code
        self.words = words
    }

    /// Runs the line, and holds the result against the table and the home against what it was.
    func check(in home: Home, _ before: Unchanged) throws {
        let result = try home.shellRun(line)
        #expect(
            result.code == code,
            "\(name): \(line.prefix(120))\n\(result.output.prefix(400))\(result.errors.prefix(400))")
        for word in words {
            #expect(result.errors.contains(word), "\(name): '\(word)' is not in: \(result.errors.prefix(400))")
        }
        // A person reads it: no trace of a trap, and not the 100 KiB that were typed.
        #expect(!result.errors.contains("Fatal error"), "\(name)")
        #expect(result.errors.utf8.count < 4096, "\(name): \(result.errors.utf8.count) bytes of complaint")
        #expect(try Unchanged(home) == before, "\(name) changed something")
    }
}
