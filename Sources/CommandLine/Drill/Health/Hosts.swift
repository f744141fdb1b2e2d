import Glibc
import Platform

/// Names that need no name service: this program is linked statically, and has none.
enum Hosts {
    enum Address: Equatable {
        case v4(UInt32)
        case v6([UInt8])

        var isV6: Bool { if case .v6 = self { true } else { false } }

        /// 0, or errno: EINPROGRESS on a socket that does not block.
        func connect(_ fd: Int32, port: UInt16) -> Int32 {
            switch self {
            case .v4(let address):
                var name = sockaddr_in()
                name.sin_family = sa_family_t(AF_INET)
                name.sin_port = port.bigEndian
                name.sin_addr.s_addr = address
                return Self.connect(fd, &name)
            case .v6(let bytes):
                var name = sockaddr_in6()
                name.sin6_family = sa_family_t(AF_INET6)
                name.sin6_port = port.bigEndian
                withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: bytes.prefix($0.count)) }
                return Self.connect(fd, &name)
            }
        }

        private static func connect<Name>(_ fd: Int32, _ name: inout Name) -> Int32 {
            let size = socklen_t(MemoryLayout<Name>.size)
            let code = withUnsafePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(fd, $0, size) }
            }
            return code == 0 ? 0 : errno
        }
    }

    static func address(of host: String) -> Address? {
        if let address = numeric(host) { return address }
        let entries = (try? FileSystem.read("/etc/hosts", limit: 1 << 20)) ?? []
        if let address = address(of: host, in: String(decoding: entries, as: UTF8.self)) { return address }
        return host.lowercased() == "localhost" ? numeric("127.0.0.1") : nil
    }

    /// The first address of a name in a file like /etc/hosts; an IPv4 one before an IPv6 one, as `127.0.0.1 localhost` is
    /// what people mean.
    static func address(of host: String, in hosts: String) -> Address? {
        let wanted = host.lowercased()
        var found: Address?
        for line in hosts.split(whereSeparator: \.isNewline) {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            guard let first = words.first, words.dropFirst().contains(where: { $0.lowercased() == wanted }),
                let address = numeric(String(first))
            else { continue }
            if !address.isV6 { return address }
            found = found ?? address
        }
        return found
    }

    private static func numeric(_ text: String) -> Address? {
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 { return .v4(v4.s_addr) }
        var v6 = [UInt8](repeating: 0, count: 16)
        return inet_pton(AF_INET6, text, &v6) == 1 ? .v6(v6) : nil
    }
}
