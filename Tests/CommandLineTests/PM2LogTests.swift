import Control
import Foundation
import Model
import Platform
import Testing

@testable import CommandLine

@Suite("Logs as PM2 shows them")
struct PM2LogTests {
    private static func instance(
        _ id: UInt32, _ name: String, namespace: String = "default", out: String?, error: String?
    ) -> InstanceView {
        var view = Samples.instance(id, name, namespace: namespace)
        view.outLog = out
        view.errorLog = error
        return view
    }

    private static let fleet = [
        instance(0, "api", out: "/l/api-out.log", error: "/l/api-error.log"),
        instance(1, "api", out: "/l/api-out.log", error: "/l/api-error.log"),
        instance(2, "1", namespace: "shop", out: "/l/1-out.log", error: nil),
        instance(3, "worker-a", namespace: "shop", out: "/l/a.log", error: "/l/a.log"),
        instance(4, "quiet", out: "/dev/null", error: "/dev/null"),
    ]

    @Test(
        "a target is a name, a namespace and an id at once, or a pattern",
        arguments: [
            ("all", "0,1:out 0,1:error 2:out 3:out"), ("api", "0,1:out 0,1:error"), ("1", "1:out 1:error 2:out"),
            ("shop", "2:out 3:out"), ("/^w/", "3:out"), ("nobody", ""), ("quiet", ""), ("PM2", ""),
        ])
    func targets(target: String, expected: String) throws {
        let sources = try PM2LogSelection(target).sources(Self.fleet, streams: [.out, .error])
        let text = sources.map { "\($0.ids.map(\.description).joined(separator: ",")):\($0.stream.rawValue)" }
        #expect(text.joined(separator: " ") == expected)
    }

    @Test("a pattern that is none is said to be so")
    func badPattern() {
        #expect(throws: Failure.self) { try PM2LogSelection("/(/").sources(Self.fleet, streams: [.out]) }
    }

    @Test(
        "the number of lines has no sign, and is the default when it is none",
        arguments: [("3", 3), ("-4", 4), ("0", 0), ("many", 15), ("", 15)])
    func lines(text: String, count: Int) {
        #expect(PM2Logs.Options.lines(text) == count)
        #expect(PM2Logs.Options.lines(nil) == 15)
    }

    @Test("--err wins over --out")
    func streams() {
        var options = PM2Logs.Options()
        options.out = true
        #expect(options.streams == [.out])
        options.err = true
        #expect(options.streams == [.error])
    }
}

@Suite("Followed files")
struct FollowedFileTests {
    private func lines(_ file: inout FollowedFile) throws -> [String] {
        var lines: [String] = []
        try file.readLines { lines += $0.map { String(decoding: $0, as: UTF8.self) } }
        return lines
    }

    private func append(_ text: String, to path: String) throws {
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    @Test("what follows begins exactly behind the last lines", arguments: [true, false])
    func history(complete: Bool) throws {
        let scratch = try Scratch()
        let path = try scratch.file("a.log", "one\ntwo\nthr")
        var file = FollowedFile(path: path, offset: 0)
        defer { file.close() }
        let history = try file.history(2, complete: complete).map { String(decoding: $0.bytes, as: UTF8.self) }
        #expect(history == (complete ? ["two"] : ["two", "thr"]))
        try append("ee\nfour\n", to: path)
        #expect(try lines(&file) == (complete ? ["three", "four"] : ["ee", "four"]))
    }

    @Test("a file that is replaced between its last lines and the stream loses nothing")
    func replacedBetween() throws {
        let scratch = try Scratch()
        let path = try scratch.file("a.log", "one\ntwo\n")
        var file = FollowedFile(path: path, offset: 0)
        defer { file.close() }
        #expect(try file.history(15, complete: true).count == 2)
        try append("three\n", to: path)
        #expect(rename(path, path + ".1") == 0)
        try scratch.file("a.log", "a longer line than before\n")
        #expect(try lines(&file) == ["three", "a longer line than before"])
    }

    @Test("an emptied file that has grown beyond the old place is read from its start")
    func emptiedAndGrown() throws {
        let scratch = try Scratch()
        let path = try scratch.file("a.log", "old 1\n")
        var file = FollowedFile(path: path, offset: 0)
        defer { file.close() }
        #expect(try lines(&file) == ["old 1"])
        #expect(truncate(path, 0) == 0)
        try append("new 1\nnew 2\nnew 3\n", to: path)
        #expect(try lines(&file) == ["new 1", "new 2", "new 3"])
    }

    @Test("a file whose beginning was cut off is taken up where it was left")
    func beginningCut() throws {
        let scratch = try Scratch()
        let text = (0..<2000).map { "line \($0)\n" }.joined()
        let path = try scratch.file("a.log", text)
        var file = FollowedFile(path: path, offset: 0)
        defer { file.close() }
        #expect(try lines(&file).count == 2000)
        try append("half", to: path)
        #expect(try lines(&file) == [])
        // What collapsing the first blocks leaves, in the same file.
        let rest = Data((text + "half a line\nnext\n").utf8.dropFirst(3 * 4096))
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: rest)
        try handle.close()
        #expect(try lines(&file) == ["half a line", "next"])
    }

    @Test("a log that ends without a newline is given out to its last byte at the end")
    func rest() throws {
        let scratch = try Scratch()
        let path = try scratch.file("a.log", "one\nlast words")
        var file = FollowedFile(path: path, offset: 0)
        defer { file.close() }
        var all: [String] = []
        try file.readRest { all += $0.map { String(decoding: $0, as: UTF8.self) } }
        #expect(all == ["one", "last words"])
    }
}
