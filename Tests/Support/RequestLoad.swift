import Foundation
import Glibc
import Synchronization

/// Asks HTTP servers on 127.0.0.1 without a pause worth the name, from threads of its own.
package final class RequestLoad: Sendable {
    package struct Tally: Sendable {
        package var answered = 0
        /// Each request that got no `200`, with the time it happened and why.
        package var failures: [String] = []
    }

    private struct State {
        var tally = Tally()
        var isStopping = false
        var threads = 0
    }

    private let state = Mutex(State())
    private let ports: [UInt16]

    /// Begins at once.
    package init(ports: [UInt16], threads: Int = 2) {
        self.ports = ports
        state.withLock { $0.threads = threads }
        for thread in 0..<threads { Thread { self.run(from: thread) }.start() }
    }

    package var answered: Int { state.withLock { $0.tally.answered } }

    /// Ends the requests; those that are under way are waited for.
    package func stop() -> Tally {
        state.withLock { $0.isStopping = true }
        while state.withLock({ $0.threads > 0 }) { usleep(2000) }
        return state.withLock { $0.tally }
    }

    private func run(from start: Int) {
        var next = start
        while !state.withLock({ $0.isStopping }) {
            let port = ports[next % ports.count]
            next += 1
            let failure = Self.request(port)
            state.withLock { state in
                if let failure {
                    state.tally.failures.append("\(Date()) port \(port): \(failure)")
                } else {
                    state.tally.answered += 1
                }
            }
            // A millisecond: some hundred requests a second leave the machine to the other tests.
            usleep(1000)
        }
        state.withLock { $0.threads -= 1 }
    }

    /// Nil when it was answered with 200; else what went wrong.
    private static func request(_ port: UInt16) -> String? {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard fd >= 0 else { return "socket: \(errno)" }
        defer { close(fd) }
        var patience = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = loopback(port: port)
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { return "connect: errno \(errno)" }
        let question = Array("GET / HTTP/1.0\r\n\r\n".utf8)
        guard send(fd, question, question.count, Int32(MSG_NOSIGNAL)) == question.count else {
            return "send: errno \(errno)"
        }
        var answer = [UInt8](repeating: 0, count: 512)
        let count = recv(fd, &answer, answer.count, 0)
        guard count > 0 else { return "receive: \(count), errno \(errno)" }
        let text = String(decoding: answer[..<count], as: UTF8.self)
        return text.contains(" 200 ") ? nil : "answered \(text.prefix(40))"
    }
}
