import Control
import Foundation
import Model
import Records
import Testing

@testable import CommandLine

@Suite("Logs")
struct LogTests {
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

    @Test("only whole lines are given out")
    func wholeLines() throws {
        let scratch = try Scratch()
        let path = try scratch.file("a.log", "old\n")
        var file = FollowedFile(path: path, offset: 4)
        defer { file.close() }
        #expect(try lines(&file) == [])
        try append("one\ntw", to: path)
        #expect(try lines(&file) == ["one"])
        try append("o\n\nthree", to: path)
        #expect(try lines(&file) == ["two", ""])
    }

    @Test("an emptied file begins anew")
    func truncated() throws {
        let scratch = try Scratch()
        let path = try scratch.file("a.log", "a long line before\npart")
        var file = FollowedFile(path: path, offset: 0)
        defer { file.close() }
        #expect(try lines(&file) == ["a long line before"])
        #expect(truncate(path, 0) == 0)
        try append("new\n", to: path)
        #expect(try lines(&file) == ["new"])
    }

    @Test("a replaced file is read to its end, then the new one from its start")
    func replaced() throws {
        let scratch = try Scratch()
        let path = try scratch.file("a.log", "")
        var file = FollowedFile(path: path, offset: 0)
        defer { file.close() }
        try append("last\nunfinished", to: path)
        #expect(rename(path, path + ".1") == 0)
        try scratch.file("a.log", "first\n")
        #expect(try lines(&file) == ["last", "unfinished", "first"])
    }

    @Test("a file that appears later is read from its start")
    func appears() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/a.log"
        var file = FollowedFile(path: path, offset: 0)
        defer { file.close() }
        #expect(try lines(&file) == [])
        try scratch.file("a.log", "hello\n")
        #expect(try lines(&file) == ["hello"])
    }

    @Test("a line without an end is given out in pieces rather than kept for ever")
    func endless() throws {
        let scratch = try Scratch()
        let path = try scratch.file("a.log", String(repeating: "x", count: 3 << 20))
        var file = FollowedFile(path: path, offset: 0)
        defer { file.close() }
        #expect(try !lines(&file).isEmpty)
    }

    private static func write(_ instances: [DesiredInstance], to home: String) throws -> HomePaths {
        let paths = HomePaths(home: home)
        try FileManager.default.createDirectory(atPath: paths.state, withIntermediateDirectories: true)
        var state = DesiredState(machine: "m", boot: "b")
        state.instances = instances
        try DesiredStateFile.write(state, to: paths, sync: false)
        return paths
    }

    private static func instance(_ id: UInt32, _ name: String, output: OutputPolicy = OutputPolicy()) -> DesiredInstance
    {
        DesiredInstance(
            id: InstanceID(id), spec: AppSpec(name: name, script: "/x", cwd: "/", output: output), number: 0,
            wanted: .running, environment: nil, createdAt: 0, token: nil)
    }

    @Test("each file is shown once, under the ids that write to it")
    func sources() throws {
        let scratch = try Scratch()
        let paths = try Self.write(
            [
                Self.instance(0, "api"), Self.instance(1, "api"),
                Self.instance(2, "job", output: OutputPolicy(merge: false)),
                Self.instance(3, "quiet", output: OutputPolicy(outFile: "/dev/null", errorFile: "/both.log")),
            ], to: scratch.path)
        let all = try LogSource.find([], in: paths, streams: [.out, .error])
        #expect(
            all.map { "\($0.label) \($0.stream.rawValue) \($0.path.split(separator: "/").last ?? "")" } == [
                "0,1|api out api-out.log", "0,1|api error api-error.log", "2|job out job-out-2.log",
                "2|job error job-error-2.log", "3|quiet error both.log",
            ])
        #expect(try LogSource.find(["job"], in: paths, streams: [.error]).map(\.label) == ["2|job"])
        #expect(try LogSource.find(["hearthd"], in: paths, streams: [.out]).map(\.path) == [paths.daemonLog])
        #expect(throws: Failure.self) { try LogSource.find(["nobody"], in: paths, streams: [.out]) }
    }

    @Test("without a daemon the list comes from the records")
    func offline() throws {
        let scratch = try Scratch()
        let paths = try Self.write([Self.instance(0, "api"), Self.instance(4, "job")], to: scratch.path)
        let home = OfflineHome(paths: paths, absence: .noDaemon)
        let views = try home.selected([]).map(home.view)
        #expect(views.map(\.name) == ["api", "job"])
        #expect(views.allSatisfy { $0.status == .stopped && $0.pid == nil })
        #expect(try home.selected(["4"]).map(home.explanation).first?.advice.isEmpty == false)
    }
}
