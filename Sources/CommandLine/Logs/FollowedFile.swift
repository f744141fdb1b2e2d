import CLinux
import Glibc
import Platform

/// One log file while it is followed: gives whole lines, and bears truncation, replacement and absence.
///
/// What was read last is compared with the file each time: only so a file that was emptied and has grown beyond the old
/// place since is told from one that only grew, and one whose beginning was cut off (rotation) is taken up where it was
/// left.
struct FollowedFile {
    let path: String
    private var descriptor: Int32 = -1
    private var device: dev_t = 0
    private var inode: ino_t = 0
    private(set) var offset: Int64
    private var partial: [UInt8] = []
    /// There is more to read at once: an app that writes faster than it is read must not keep its reader for ever.
    private(set) var hasMore = false
    /// The last bytes before `offset`.
    private var mark: [UInt8] = []

    /// A line longer than this is given out in pieces.
    private static let longestLine = 1 << 20
    /// Blocks that are read in one go.
    private static let blocksAtOnce = 64
    /// So many bytes are hardly twice in a log by chance.
    private static let markBytes = 128
    /// Beginnings are cut off files in blocks of the file system: multiples of this.
    private static let blockBytes: Int64 = 4096

    /// - Parameter offset: where to begin in the file that is there now; one that appears later is read from its start.
    init(path: String, offset: Int64) {
        self.path = path
        self.offset = offset
        open()
        if descriptor < 0 { self.offset = 0 }
        mark = before(self.offset)
    }

    mutating func close() {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        descriptor = -1
    }

    /// The last lines, and what is read from now on begins behind them: nothing is missing and nothing comes twice.
    ///
    /// - Parameter complete: leave out a line that is not ended yet: following completes it.
    mutating func history(_ count: Int, complete: Bool) throws(SystemError) -> [LogTail.Line] {
        guard descriptor >= 0 else {
            let fd = clinux_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0)
            if fd >= 0 { _ = Glibc.close(fd) }
            // An app that has not written anything yet has no file; a directory or a device has no lines.
            guard fd < 0, fd != -ENOENT else { return [] }
            throw SystemError(-fd, "open '\(path)'")
        }
        // By the descriptor: another file may stand under the name already.
        var lines = try LogTail.lastLines("/proc/self/fd/\(descriptor)", count: max(1, count), maxBytes: 64 << 20)
        guard let last = lines.last else {
            offset = 0
            return []
        }
        offset = last.offset + Int64(last.bytes.count) + (last.isComplete ? 1 : 0)
        if complete, !last.isComplete {
            offset = last.offset
            lines.removeLast()
        }
        partial = []
        mark = before(offset)
        return count > 0 ? lines : []
    }

    /// Lines that were completed since the last time, handed out block by block.
    mutating func readLines(_ emit: ([ArraySlice<UInt8>]) throws -> Void) throws {
        if descriptor >= 0 {
            try drain(emit)
            guard !hasMore, isReplaced else { return }
            // What was written into the old file until it was left.
            repeat { try drain(emit) } while hasMore
            // What it ends with will not be completed any more.
            if !partial.isEmpty { try emit([partial[...]]) }
            close()
        }
        partial = []
        offset = 0
        mark = []
        open()
        if descriptor >= 0 { try drain(emit) }
    }

    /// Gives out what stands behind the last newline, when nothing will follow any more.
    mutating func readRest(_ emit: ([ArraySlice<UInt8>]) throws -> Void) throws {
        repeat { try readLines(emit) } while hasMore
        if !partial.isEmpty { try emit([partial[...]]) }
        partial = []
    }

    private mutating func open() {
        let fd = clinux_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0)
        guard fd >= 0 else { return }
        var status = stat()
        guard fstat(fd, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            _ = Glibc.close(fd)
            return
        }
        descriptor = fd
        device = status.st_dev
        inode = status.st_ino
    }

    /// Another file stands under the name; a name without a file is no reason yet, as it may come back.
    private var isReplaced: Bool {
        var status = stat()
        return stat(path, &status) == 0 && (status.st_dev != device || status.st_ino != inode)
    }

    private mutating func drain(_ emit: ([ArraySlice<UInt8>]) throws -> Void) throws {
        checkPlace()
        hasMore = false
        var block = [UInt8](repeating: 0, count: 65_536)
        var blocks = 0
        while true {
            guard blocks < Self.blocksAtOnce else {
                hasMore = true
                return
            }
            blocks += 1
            let count = block.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            offset += Int64(count)
            mark = Array((mark + block[..<count].suffix(Self.markBytes)).suffix(Self.markBytes))
            partial += block[..<count]
            try emitWholeLines(emit)
        }
    }

    private mutating func emitWholeLines(_ emit: ([ArraySlice<UInt8>]) throws -> Void) throws {
        guard let last = partial.lastIndex(of: 0x0a) else {
            guard partial.count > Self.longestLine else { return }
            try emit([partial[...]])
            partial = []
            return
        }
        try emit(partial[..<last].split(separator: 0x0a, omittingEmptySubsequences: false))
        partial.removeSubrange(...last)
    }

    // MARK: - The place in the file

    private func before(_ offset: Int64) -> [UInt8] {
        guard descriptor >= 0, offset > 0 else { return [] }
        return bytes(before: offset, count: Int(min(offset, Int64(Self.markBytes))))
    }

    /// Fewer than `count` when the file ends earlier.
    private func bytes(before offset: Int64, count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = max(0, pread(descriptor, buffer.baseAddress, count, off_t(offset) - off_t(count)))
        }
    }

    /// Finds the place again when the file is not what it was.
    private mutating func checkPlace() {
        guard !mark.isEmpty, bytes(before: offset, count: mark.count) != mark else { return }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return }
        let size = Int64(status.st_size)
        // The first candidate that lies within the file.
        var blocks = max(1, (offset - size + Self.blockBytes - 1) / Self.blockBytes)
        while true {
            let candidate = offset - blocks * Self.blockBytes
            guard candidate >= Int64(mark.count) else { break }
            if bytes(before: candidate, count: mark.count) == mark {
                offset = candidate
                return
            }
            blocks += 1
        }
        // Emptied (`flush`, `> file`): what follows begins a new line.
        offset = 0
        partial = []
        mark = []
    }
}
