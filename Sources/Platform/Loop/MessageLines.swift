#if canImport(Glibc)
    import Glibc
#endif

/// Cuts a stream of bytes into lines, in bounded memory: what is longer than the limit is left out.
package struct MessageLines: Sendable {
    package let limit: Int
    /// The beginning of a line whose end has not come yet.
    private var held: [UInt8] = []
    private var isSkipping = false
    /// How many lines were left out.
    package private(set) var skipped = 0

    /// In the middle of a line.
    package var isCollecting: Bool { isSkipping || !held.isEmpty }

    package init(limit: Int) { self.limit = limit }

    /// Calls `line` with each line that `bytes` ends, without its newline.
    package mutating func feed(_ bytes: UnsafeRawBufferPointer, _ line: (UnsafeRawBufferPointer) -> Void) {
        guard let base = bytes.baseAddress else { return }
        var start = 0
        while start < bytes.count, let newline = memchr(base + start, 0x0a, bytes.count - start) {
            let end = UnsafeRawPointer(newline) - base
            finish(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), line)
            start = end + 1
        }
        hold(UnsafeRawBufferPointer(rebasing: bytes[start...]))
    }

    private mutating func finish(_ piece: UnsafeRawBufferPointer, _ line: (UnsafeRawBufferPointer) -> Void) {
        // Most lines come whole, and need no copy.
        if held.isEmpty, !isSkipping, piece.count <= limit { return line(piece) }
        hold(piece)
        if !isSkipping { held.withUnsafeBytes(line) }
        held = []
        isSkipping = false
    }

    private mutating func hold(_ piece: UnsafeRawBufferPointer) {
        guard !isSkipping, !piece.isEmpty else { return }
        guard piece.count <= limit - held.count else {
            held = []
            isSkipping = true
            skipped &+= 1
            return
        }
        held.append(contentsOf: piece)
    }
}
