import CLinux
import Foundation
import Glibc
import Testing

/// What systemd is to its services: a socket for their messages, and descriptors that it keeps for them.
final class ServiceManager {
    let name = "hearth-test-\(UUID().uuidString)"
    private let socket: Int32
    private(set) var messages: [String] = []
    private(set) var stored: [(name: String, descriptor: Int32)] = []

    init() throws {
        socket = clinux_notify_socket(name)
        try #require(socket >= 0)
    }

    deinit {
        close(socket)
        for item in stored { close(item.descriptor) }
    }

    /// Takes what has come.
    func receive() {
        var bytes = [UInt8](repeating: 0, count: 4096)
        var descriptors = [Int32](repeating: -1, count: Int(CLINUX_NOTIFY_DESCRIPTORS))
        var about = clinux_notification()
        while true {
            let count = clinux_notify_receive(socket, &bytes, bytes.count, &about, &descriptors)
            guard count >= 0 else { return }
            let text = String(decoding: bytes[..<count], as: UTF8.self)
            messages.append(text)
            let lines = text.split(separator: "\n").map(String.init)
            let label = lines.first { $0.hasPrefix("FDNAME=") }.map { String($0.dropFirst(7)) } ?? ""
            if lines.contains("FDSTOREREMOVE=1") {
                for item in stored where item.name == label { close(item.descriptor) }
                stored.removeAll { $0.name == label }
            }
            for descriptor in descriptors.prefix(Int(about.descriptor_count)) {
                if lines.contains("FDSTORE=1") { stored.append((label, descriptor)) } else { close(descriptor) }
            }
        }
    }

    /// Until `condition` holds for what has come.
    func wait(within seconds: Double = 20, _ condition: (ServiceManager) -> Bool) -> Bool {
        eventually(within: seconds) {
            receive()
            return condition(self)
        }
    }

    /// Names of what is stored, sorted.
    var names: [String] { stored.map(\.name).sorted() }
}
