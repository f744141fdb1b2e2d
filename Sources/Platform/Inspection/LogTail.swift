import CLinux
import Glibc

/// The end of a file by lines, however large the file is.
package enum LogTail {
    package struct Line: Hashable, Sendable {
        /// Where it starts in the file, as the file was when it was read.
        package var offset: Int64
        /// Without the newline. Whatever the app wrote: not necessarily UTF-8.
        package var bytes: [UInt8]
        /// False for the last line of a file that does not end with a newline: more of it may come.
        package var isComplete: Bool
        /// Whether its beginning is missing, as it alone is longer than what was asked for.
        package var isCut: Bool

        package init(offset: Int64, bytes: [UInt8], isComplete: Bool = true, isCut: Bool = false) {
            self.offset = offset
            self.bytes = bytes
            self.isComplete = isComplete
            self.isCut = isCut
        }
    }

    private static let blockSize: Int64 = 64 * 1024

    /// The last `count` lines, the oldest first, from at most the last `maxBytes` of the file. Only whole lines, unless
    /// the very last one does not fit: then its end. Empty for what is no regular file (a log that goes to /dev/null).
    package static func lastLines(
        _ path: String, count: Int, maxBytes: Int = 1024 * 1024
    ) throws(SystemError) -> [Line] {
        let fd = clinux_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0)
        guard fd >= 0 else { throw SystemError(-fd, "open '\(path)'") }
        defer { close(fd) }
        var information = stat()
        guard fstat(fd, &information) == 0 else { throw SystemError(errno, "look at '\(path)'") }
        guard information.st_mode & S_IFMT == S_IFREG, count > 0, maxBytes > 0 else { return [] }

        let (start, bytes) = readEnd(fd, size: Int64(information.st_size), newlines: count, maxBytes: Int64(maxBytes))
        return bytes.withUnsafeBytes { lines(in: $0, at: start, count: count) }
    }

    /// Reads blocks backwards until they hold enough newlines. The bytes are those of the file from the offset on.
    private static func readEnd(
        _ fd: Int32, size: Int64, newlines wanted: Int, maxBytes: Int64
    ) -> (start: Int64, bytes: [UInt8]) {
        var blocks: [[UInt8]] = []
        var start = size
        let lowest = max(0, size &- maxBytes)
        var newlines = 0
        // One more than lines wanted: the one before the first line. The last byte may be one that ends the last line.
        while start > lowest, newlines <= wanted {
            let blockStart = max(lowest, start &- blockSize)
            var block = [UInt8](repeating: 0, count: Int(start &- blockStart))
            guard fill(&block, fd, at: blockStart) else { break }
            newlines = block.reduce(newlines) { $1 == 0x0A ? $0 &+ 1 : $0 }
            blocks.append(block)
            start = blockStart
        }
        return (start, Array(blocks.reversed().joined()))
    }

    /// False when the file became shorter meanwhile.
    private static func fill(_ block: inout [UInt8], _ fd: Int32, at offset: Int64) -> Bool {
        block.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return true }
            var filled = 0
            while filled < bytes.count {
                let count = pread(fd, base + filled, bytes.count &- filled, off_t(offset) &+ filled)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                filled &+= count
            }
            return true
        }
    }

    private static func lines(in bytes: UnsafeRawBufferPointer, at start: Int64, count: Int) -> [Line] {
        var lines: [Line] = []
        var isComplete = bytes.last == 0x0A
        var end = isComplete ? bytes.count &- 1 : bytes.count
        while lines.count < count, !bytes.isEmpty, end >= 0 {
            var begin = end
            while begin > 0, bytes[begin &- 1] != 0x0A { begin &-= 1 }
            // What starts with the first byte read is whole only at the start of the file.
            let isCut = begin == 0 && start > 0
            if isCut, !lines.isEmpty { break }
            lines.append(
                Line(
                    offset: start &+ Int64(begin), bytes: Array(bytes.part(begin, end)), isComplete: isComplete,
                    isCut: isCut))
            isComplete = true
            end = begin &- 1
        }
        return lines.reversed()
    }
}
