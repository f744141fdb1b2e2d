import Glibc
import Testing

@testable import Platform

@Suite("Log tail")
struct LogTailTests {
    private func text(_ lines: [LogTail.Line]) -> [String] { lines.map { String(decoding: $0.bytes, as: UTF8.self) } }

    private func tail(_ content: String, _ count: Int, maxBytes: Int = 1 << 20) throws -> [LogTail.Line] {
        let scratch = try Scratch()
        scratch.write(Array(content.utf8), to: "log")
        return try LogTail.lastLines(scratch.file("log"), count: count, maxBytes: maxBytes)
    }

    @Test("the last lines, oldest first, with where they start")
    func simple() throws {
        let lines = try tail("one\ntwo\n\nfour\n", 3)
        #expect(text(lines) == ["two", "", "four"])
        #expect(lines.map(\.offset) == [4, 8, 9])
        #expect(lines.allSatisfy { $0.isComplete && !$0.isCut })
        #expect(text(try tail("one\ntwo\n", 9)) == ["one", "two"])
        #expect(try tail("one\ntwo\n", 0).isEmpty)
        #expect(try tail("", 5).isEmpty)
        #expect(text(try tail("\n", 5)) == [""])
        #expect(text(try tail("\n\n", 1)) == [""])
        #expect(text(try tail("\nx", 5)) == ["", "x"])
    }

    @Test("a last line without a newline is shown and said to be unfinished")
    func unfinished() throws {
        let lines = try tail("one\ntwo", 2)
        #expect(
            lines == [
                .init(offset: 0, bytes: Array("one".utf8)),
                .init(offset: 4, bytes: Array("two".utf8), isComplete: false),
            ])
    }

    @Test("the limit drops a line that it would cut, unless that line is the only one")
    func limit() throws {
        #expect(text(try tail("aaaa\nbbbb\ncccc\n", 3, maxBytes: 7)) == ["cccc"])
        #expect(text(try tail("aaaa\nbbbb\ncccc\n", 3, maxBytes: 10)) == ["cccc"])
        let cut = try tail("aaaa\nbbbbbbbb\n", 3, maxBytes: 5)
        #expect(cut == [.init(offset: 9, bytes: Array("bbbb".utf8), isCut: true)])
    }

    @Test("lines across blocks, and any size against a plain split")
    func blocks() throws {
        for _ in 0..<40 {
            let scratch = try Scratch()
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...60) {
                let length = Int.random(in: 0...8) == 0 ? Int.random(in: 0...150_000) : Int.random(in: 0...200)
                bytes += [UInt8](repeating: UInt8.random(in: 0x80...0xFF), count: length) + [0x0A]
            }
            if Bool.random() { bytes += [0, 1, 2] }
            scratch.write(bytes, to: "log")
            var expected = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
            if expected.last?.isEmpty == true { expected.removeLast() }
            let count = Int.random(in: 1...70)
            let lines = try LogTail.lastLines(scratch.file("log"), count: count, maxBytes: 100 << 20)
            #expect(lines.map(\.bytes) == expected.suffix(count).map { Array($0) })
            for line in lines {
                #expect(Array(bytes[Int(line.offset)...].prefix(line.bytes.count)) == line.bytes)
            }
        }
    }

    @Test("a file of many gigabytes costs no more than its end")
    func large() throws {
        let scratch = try Scratch()
        let offset = 20 << 30
        scratch.write(Array("\nsecond last\nlast\n".utf8), to: "log", at: offset)
        let lines = try LogTail.lastLines(scratch.file("log"), count: 2)
        #expect(text(lines) == ["second last", "last"])
        #expect(lines.first?.offset == Int64(offset) + 1)
        // A hole before them is one line without an end: bounded, and left out.
        #expect(text(try LogTail.lastLines(scratch.file("log"), count: 9)) == ["second last", "last"])
    }

    @Test("what is no regular file has no lines; what is not there is an error that names it")
    func others() throws {
        #expect(try LogTail.lastLines("/dev/null", count: 5).isEmpty)
        #expect(try LogTail.lastLines("/tmp", count: 5).isEmpty)
        let scratch = try Scratch()
        mkfifo(scratch.file("fifo"), 0o600)
        #expect(try LogTail.lastLines(scratch.file("fifo"), count: 5).isEmpty)
        let failure = #expect(throws: SystemError.self) { try LogTail.lastLines(scratch.file("none"), count: 5) }
        #expect(failure?.errno == ENOENT)
        #expect(failure?.operation.contains(scratch.file("none")) == true)
    }
}
