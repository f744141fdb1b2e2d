import Platform
import Testing

@Suite("Lines of a channel")
struct MessageLinesTests {
    private func lines(of pieces: [[UInt8]], limit: Int) -> (lines: [String], skipped: Int) {
        var reader = MessageLines(limit: limit)
        var found: [String] = []
        for piece in pieces {
            piece.withUnsafeBytes { reader.feed($0) { found.append(String(decoding: $0, as: UTF8.self)) } }
        }
        return (found, reader.skipped)
    }

    @Test("lines come out whole, wherever the pieces are cut")
    func cuts() {
        let text = Array("\"ready\"\n\n{\"a\":1}\nrest".utf8)
        for size in 1...text.count {
            let pieces = stride(from: 0, to: text.count, by: size).map { Array(text[$0..<min($0 + size, text.count)]) }
            #expect(lines(of: pieces, limit: 16).lines == ["\"ready\"", "", "{\"a\":1}"], "\(size)")
        }
    }

    @Test("a line above the limit is left out, and the next one is read", arguments: [1, 3, 100])
    func tooLong(size: Int) {
        let text = Array("12345678\n123456789\nabc\n123456789012345678901234567890\nx\n".utf8)
        let pieces = stride(from: 0, to: text.count, by: size).map { Array(text[$0..<min($0 + size, text.count)]) }
        let found = lines(of: pieces, limit: 8)
        #expect(found.lines == ["12345678", "abc", "x"])
        #expect(found.skipped == 2)
    }
}
