import CLinux
import Glibc

/// Reads /proc with one buffer that is used again for every file: what a full pass needs to stay without allocations.
///
/// Reading `environ` or `cmdline` can block for as long as the process is stuck in the kernel with its address space
/// locked: only for the inspection thread and the command line, never for hearthd's loop.
package final class ProcReader {
    // Every record of /proc that is read here fits; files of strings are read in pieces, strings beyond it are cut.
    private static let capacity = 64 * 1024

    /// Descriptor of /proc, or `-errno`.
    let directory: Int32
    private let buffer: UnsafeMutableRawBufferPointer
    private let path: UnsafeMutableBufferPointer<CChar>

    package init() {
        directory = clinux_open("/proc", O_RDONLY | O_DIRECTORY, 0)
        buffer = .allocate(byteCount: Self.capacity, alignment: 16)
        path = .allocate(capacity: 48)
    }

    deinit {
        if directory >= 0 { close(directory) }
        buffer.deallocate()
        path.deallocate()
    }

    /// The first `count` bytes of what was read last.
    func bytes(_ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(buffer).part(0, count)
    }

    /// Opens /proc/PID/NAME. Descriptor or `-errno`.
    func open(_ pid: Int32, _ name: StaticString, flags: Int32 = O_RDONLY) -> Int32 {
        guard directory >= 0 else { return directory }
        guard let path = relativePath(pid, name) else { return -EINVAL }
        return clinux_openat(directory, path, flags, 0)
    }

    /// Owner of /proc/PID: the effective uid, which the files inside do not show for a process that is not dumpable.
    func owner(of pid: Int32) -> UInt32? {
        guard directory >= 0, let path = relativePath(pid, "") else { return nil }
        var information = stat()
        return fstatat(directory, path, &information, 0) == 0 ? information.st_uid : nil
    }

    /// Reads a file that the kernel hands out in one piece (`stat`). Bytes read or `-errno`.
    func readRecord(_ pid: Int32, _ name: StaticString) -> Int {
        let fd = open(pid, name)
        guard fd >= 0 else { return Int(fd) }
        defer { close(fd) }
        return readSome(fd, at: 0)
    }

    /// Feeds `visit` every NUL-terminated string of a file of any size, until it returns false. Strings longer than
    /// the buffer are cut. Returns 0 or `-errno`.
    func forEachString(_ pid: Int32, _ name: StaticString, _ visit: (UnsafeRawBufferPointer) -> Bool) -> Int {
        let fd = open(pid, name)
        guard fd >= 0 else { return Int(fd) }
        defer { close(fd) }
        var held = 0
        var isCut = false
        while true {
            let some = readSome(fd, at: held)
            guard some > 0 else {
                if some == 0, held > 0, !isCut { _ = visit(bytes(held)) }
                return min(some, 0)
            }
            held &+= some
            var start = 0
            while let end = bytes(held).firstIndex(of: 0, from: start) {
                // The rest of a string whose beginning was visited already is not a string.
                if !isCut, !visit(bytes(held).part(start, end)) { return 0 }
                isCut = false
                start = end &+ 1
            }
            let rest = bytes(held).part(start, held)
            if rest.count == buffer.count {
                if !isCut, !visit(rest) { return 0 }
                isCut = true
                held = 0
            } else {
                if start > 0, let to = buffer.baseAddress, let from = rest.baseAddress {
                    memmove(to, from, rest.count)
                }
                held = rest.count
            }
        }
    }

    private func readSome(_ fd: Int32, at offset: Int) -> Int {
        guard let base = buffer.baseAddress, offset < buffer.count else { return 0 }
        while true {
            let count = read(fd, base + offset, buffer.count &- offset)
            if count >= 0 { return count }
            let code = errno
            if code != EINTR { return -Int(code) }
        }
    }

    /// `PID/NAME` in the reused buffer, `PID` for an empty name.
    private func relativePath(_ pid: Int32, _ name: StaticString) -> UnsafePointer<CChar>? {
        guard pid > 0, name.utf8CodeUnitCount < 32, let base = path.baseAddress else { return nil }
        var digits = 0
        var rest = pid
        repeat {
            digits &+= 1
            rest /= 10
        } while rest > 0
        rest = pid
        for index in stride(from: digits &- 1, through: 0, by: -1) {
            base[index] = CChar(truncatingIfNeeded: 0x30 &+ rest % 10)
            rest /= 10
        }
        var length = digits
        if name.utf8CodeUnitCount > 0 {
            base[length] = 0x2F
            length &+= 1
            memcpy(base + length, name.utf8Start, name.utf8CodeUnitCount)
            length &+= name.utf8CodeUnitCount
        }
        base[length] = 0
        return UnsafePointer(base)
    }
}

/// Calls `visit` with each name in an open directory, which it closes, until `visit` returns false. Whether the
/// directory could be read to its end.
@discardableResult
func forEachName(inDirectory fd: Int32, _ visit: (UnsafePointer<CChar>) -> Bool) -> Bool {
    guard let stream = fdopendir(fd) else {
        close(fd)
        return false
    }
    defer { closedir(stream) }
    let nameOffset = MemoryLayout<dirent>.offset(of: \dirent.d_name) ?? 19
    while true {
        errno = 0
        guard let entry = readdir(stream) else { return errno == 0 }
        let name = (UnsafeRawPointer(entry) + nameOffset).assumingMemoryBound(to: CChar.self)
        if name[0] == 0x2E { continue }
        if !visit(name) { return true }
    }
}

/// The number that a NUL-terminated name is; nil when it is not one, or not a pid.
func number(in name: UnsafePointer<CChar>) -> Int32? {
    var value: Int32 = 0
    var index = 0
    while case let character = UInt8(bitPattern: name[index]), character != 0 {
        let digit = character &- 0x30
        guard digit <= 9, index < 9 else { return nil }
        value = value &* 10 &+ Int32(digit)
        index &+= 1
    }
    return index > 0 ? value : nil
}
