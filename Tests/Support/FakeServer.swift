import CLinux
import Foundation
import Synchronization

/// A control socket whose other end follows a script, on a thread of its own: one call of the script per connection.
package final class FakeServer: Sendable {
    /// What the script sees of a connection.
    package final class Peer {
        package let number: Int
        private let fd: Int32
        private var buffer: [UInt8] = []

        init(fd: Int32, number: Int) {
            self.fd = fd
            self.number = number
        }

        deinit { close(fd) }

        /// The next call as an object; nil when the client has gone.
        package func receive() -> [String: Any]? {
            while true {
                if let end = buffer.firstIndex(of: 0) {
                    let message = Data(buffer[..<end])
                    buffer.removeSubrange(...end)
                    return try? JSONSerialization.jsonObject(with: message) as? [String: Any]
                }
                var chunk = [UInt8](repeating: 0, count: 65_536)
                let count = read(fd, &chunk, chunk.count)
                guard count > 0 else { return nil }
                buffer += chunk[..<count]
            }
        }

        package func send(_ text: String, terminated: Bool = true) {
            let bytes = Array(text.utf8) + (terminated ? [0] : [])
            _ = bytes.withUnsafeBytes { Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        }

        package func reply(_ parameters: String) { send("{\"parameters\":\(parameters)}") }

        /// Answers `Hello` as a daemon of this version does.
        package func greet(protocol version: Int = 1, ready: Bool = true) {
            _ = receive()
            reply(FakeServer.hello(protocol: version, ready: ready))
        }
    }

    package static func hello(protocol version: Int = 1, ready: Bool = true) -> String {
        """
        {"version":"0.1.0","protocol":\(version),"pid":77,"keeperPid":null,"home":"/h","ready":\(ready),"uptimeMs":5}
        """
    }

    package let directory: String
    package var path: String { directory + "/hearth.sock" }
    private let listener: Int32
    /// Calls that the script noted.
    private let notes = Mutex<[String]>([])

    package static func listen(_ path: String) -> Int32 {
        clinux_unix_listen(path, Int32(SOCK_STREAM.rawValue), 0o600, 16)
    }

    package init(_ script: @escaping @Sendable (Peer, FakeServer) -> Void) throws {
        directory = FileManager.default.temporaryDirectory.path + "/hearth-fake-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        listener = Self.listen(directory + "/hearth.sock")
        _ = clinux_set_nonblocking(listener, 0)
        let fd = listener
        Thread.detachNewThread { [self] in
            var number = 0
            while true {
                let connection = accept(fd, nil, nil)
                guard connection >= 0 else { return }
                script(Peer(fd: connection, number: number), self)
                number += 1
            }
        }
    }

    /// Ends the thread and removes the socket.
    package func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        try? FileManager.default.removeItem(atPath: directory)
    }

    package func note(_ text: String) { notes.withLock { $0.append(text) } }
    package var noted: [String] { notes.withLock { $0 } }
}
