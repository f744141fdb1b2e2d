import CLinux
import Glibc

/// Names of users from /etc/passwd, without the name service (which loads libraries and may ask the network).
package enum UserNames {
    /// The name of `uid`; its number where /etc/passwd has none.
    package static func name(of uid: UInt32, file: String = "/etc/passwd") -> String {
        let fd = clinux_open(file, O_RDONLY | O_NONBLOCK, 0)
        guard fd >= 0 else { return String(uid) }
        defer { close(fd) }
        var content: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 16 * 1024)
        // A directory service that dumps everybody into the file is still below this.
        while content.count < 4 * 1024 * 1024 {
            let count = block.withUnsafeMutableBytes { read(fd, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            content.append(contentsOf: block[..<count])
        }
        return content.withUnsafeBytes { name(of: uid, inPasswd: $0) } ?? String(uid)
    }

    static func name(of uid: UInt32, inPasswd bytes: UnsafeRawBufferPointer) -> String? {
        var start = 0
        while start < bytes.count {
            let end = bytes.firstIndex(of: 0x0A, from: start) ?? bytes.count
            defer { start = end &+ 1 }
            let line = bytes.part(start, end)
            let colon = UInt8(ascii: ":")
            guard let afterName = line.firstIndex(of: colon, from: 0), afterName > 0,
                let afterPassword = line.firstIndex(of: colon, from: afterName &+ 1)
            else { continue }
            var cursor = ByteCursor(line, at: afterPassword &+ 1)
            guard cursor.unsigned() == UInt64(uid), cursor.current == colon else { continue }
            return Array(line.part(0, afterName)).printable(limit: 64)
        }
        return nil
    }
}
