import CLinux
import Glibc

/// One log file while it is followed: gives whole lines, and bears truncation, replacement and absence.
struct FollowedFile {
    let path: String
    private var descriptor: Int32 = -1
    private var device: dev_t = 0
    private var inode: ino_t = 0
    private var offset: Int64
    private var partial: [UInt8] = []

    /// A line longer than this is given out in pieces.
    private static let longestLine = 1 << 20

    /// - Parameter offset: where to begin in the file that is there now; one that appears later is read from its start.
    init(path: String, offset: Int64) {
        self.path = path
        self.offset = offset
        open()
        if descriptor < 0 { self.offset = 0 }
    }

    mutating func close() {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        descriptor = -1
    }

    /// Lines that were completed since the last time, handed out block by block.
    mutating func readLines(_ emit: ([ArraySlice<UInt8>]) throws -> Void) throws {
        if descriptor >= 0 {
            try drain(emit)
            guard isReplaced else { return }
            // What the old file ends with will not be completed any more.
            if !partial.isEmpty { try emit([partial[...]]) }
            close()
        }
        partial = []
        offset = 0
        open()
        if descriptor >= 0 { try drain(emit) }
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
        var status = stat()
        if fstat(descriptor, &status) == 0, Int64(status.st_size) < offset {
            // Emptied (`flush`, `> file`): what follows begins a new line.
            offset = 0
            partial = []
        }
        var block = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = block.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            offset += Int64(count)
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
}
