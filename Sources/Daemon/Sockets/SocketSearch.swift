import Glibc

/// Which sockets a process has open.
enum SocketSearch {
    /// Inode of a socket to the number of a descriptor; empty when the process may not be looked into.
    static func descriptors(of pid: Int32) -> [UInt64: Int32] {
        let directory = "/proc/\(pid)/fd"
        guard let listing = opendir(directory) else { return [:] }
        defer { closedir(listing) }
        var numbers: [UInt64: Int32] = [:]
        var link = [CChar](repeating: 0, count: 64)
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let number = Int32(name) else { continue }
            let count = readlinkat(dirfd(listing), name, &link, link.count)
            guard count > 0 else { continue }
            let target = String(decoding: link.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard target.hasPrefix("socket:["), let inode = UInt64(target.dropFirst(8).dropLast()) else { continue }
            numbers[inode] = number
        }
        return numbers
    }
}
