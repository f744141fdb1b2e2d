import CLinux
import Glibc

/// A TCP socket that listens, as the kernel lists it. Which process has it is another question.
package struct ListeningSocket: Hashable, Comparable, Sendable {
    /// `tcp` or `tcp6`.
    package var `protocol`: String
    /// Without brackets: `0.0.0.0`, `::`.
    package var address: String
    package var port: Int
    package var inode: UInt32
    /// Whose process made it.
    package var uid: UInt32

    package static func < (left: Self, right: Self) -> Bool {
        (left.port, left.protocol, left.address, left.inode) < (right.port, right.protocol, right.address, right.inode)
    }

    /// All of this network namespace, sorted; nil when the kernel does not tell.
    package static func all() -> [ListeningSocket]? {
        rawSockets()?.map(ListeningSocket.init).sorted()
    }

    /// The kernel's list, whose order does not matter to anybody.
    static func rawSockets() -> [clinux_socket]? {
        var capacity = 256
        // Twice is enough unless sockets come faster than they can be listed.
        for _ in 0..<4 {
            var raw = [clinux_socket](repeating: clinux_socket(), count: capacity)
            let count = raw.withUnsafeMutableBufferPointer {
                Int(clinux_listening_sockets($0.baseAddress, Int32(truncatingIfNeeded: $0.count)))
            }
            if count < 0 { return nil }
            if count <= capacity {
                raw.removeLast(capacity &- count)
                return raw
            }
            capacity = count &+ 256
        }
        return nil
    }

    init(_ raw: clinux_socket) {
        let isIPv6 = Int32(raw.family) == AF_INET6
        let isUDP = Int32(raw.protocol) == Int32(IPPROTO_UDP)
        self.protocol = (isUDP ? "udp" : "tcp") + (isIPv6 ? "6" : "")
        address = Self.text(of: raw, family: isIPv6 ? AF_INET6 : AF_INET)
        port = Int(raw.port)
        inode = raw.inode
        uid = raw.uid
    }

    private static func text(of raw: clinux_socket, family: Int32) -> String {
        withUnsafeBytes(of: raw.address) { address in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
                guard let start = address.baseAddress, let end = text.baseAddress,
                    inet_ntop(family, start, end, socklen_t(INET6_ADDRSTRLEN)) != nil
                else { return "?" }
                return String(cString: end)
            }
        }
    }
}

/// Inodes of the sockets that a process has open; nil when we may not look (or it is gone).
func socketInodes(of pid: Int32, _ reader: ProcReader) -> Set<UInt32>? {
    let fd = reader.open(pid, "fd", flags: O_RDONLY | O_DIRECTORY)
    guard fd >= 0 else { return nil }
    var inodes: Set<UInt32> = []
    let isRead = withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { target in
        forEachName(inDirectory: fd) { name in
            guard let start = target.baseAddress else { return false }
            let length = readlinkat(fd, name, start.assumingMemoryBound(to: CChar.self), target.count)
            let link = UnsafeRawBufferPointer(target).part(0, length)
            guard link.has("socket:[", at: 0) else { return true }
            var cursor = ByteCursor(link, at: 8)
            if let inode = cursor.unsigned() { inodes.insert(UInt32(truncatingIfNeeded: inode)) }
            return true
        }
    }
    return isRead ? inodes : nil
}
