import Glibc
import Synchronization

/// Below the range from which the kernel gives ports to whoever asks for any, and above those of well-known services.
private let ports: Range<Int> = 10_240..<32_768
/// Tests of another process begin elsewhere.
private let nextPort = Mutex(Int.random(in: ports))

/// A TCP port that nobody has, and that no other test of this process is given.
package func freePort() throws -> Int {
    for _ in ports {
        let port = nextPort.withLock { next in
            defer { next = next + 1 < ports.upperBound ? next + 1 : ports.lowerBound }
            return next
        }
        if isFree(port) { return port }
    }
    throw Processes.StartFailure(description: "no port is free")
}

/// Nobody has it on any address.
private func isFree(_ port: Int) -> Bool {
    let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(fd) }
    var address = loopback(port: UInt16(port))
    address.sin_addr.s_addr = 0
    return withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}

func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
}
