import CLinux
import Control
import FoundationEssentials
import Glibc
import Records

/// A call whose answers are read as they come, for a loop that has other things to do meanwhile.
final class PendingCall<Reply: Decodable> {
    let descriptor: Int32
    private let request: Data
    private var framer = MessageFramer()
    private var isGreeted = false
    /// The daemon still adopts what runs, and has to be asked again: a change must not come before that.
    private(set) var mustGreetAgain = false

    /// What came while it settled.
    private var early = Received()

    /// Answers that have come, in their order; `isOver` when no more will.
    struct Received {
        var replies: [Reply] = []
        var isOver = false
    }

    /// - Parameter more: the daemon answers for as long as the connection lasts.
    init<Parameters: Encodable>(
        _ paths: HomePaths, _ method: Interface.Method, _ parameters: Parameters, more: Bool = false
    ) throws(ClientError) {
        do {
            request = try Varlink.call(method.qualifiedName, parameters, more: more)
        } catch {
            throw ClientError.malformed("the request can't be written as JSON: \(error)")
        }
        let fd = clinux_unix_connect(paths.controlSocket, Int32(SOCK_STREAM.rawValue), 500)
        guard fd >= 0 else { throw ClientError.noDaemon(socket: paths.controlSocket) }
        descriptor = fd
        var pid: pid_t = 0
        var uid: uid_t = 0
        guard clinux_peer_credentials(fd, &pid, &uid, nil) == 0 else { throw ClientError.connectionLost }
        guard uid == geteuid() || uid == 0 || geteuid() == 0 else {
            throw ClientError.notPermitted("the process \(pid) that listens there belongs to another user")
        }
        try greet()
        _ = clinux_set_nonblocking(fd, 1)
    }

    deinit { close(descriptor) }

    /// Asks again whether the daemon is ready, a little after `mustGreetAgain`.
    func greet() throws(ClientError) {
        mustGreetAgain = false
        guard let hello = try? Varlink.call(Interface.Method.hello.qualifiedName, NoParameters()) else { return }
        try send(hello)
    }

    /// Waits until the daemon has greeted and the request itself has gone out, for at most half a second.
    func settle() throws(ClientError) {
        let deadline = clinux_boottime_ns() + 500_000_000
        while !isGreeted, clinux_boottime_ns() < deadline {
            if mustGreetAgain { try greet() }
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 50) > 0 else { continue }
            early = try receive()
        }
    }

    /// Requests are small: they fit into the socket.
    private func send(_ message: Data) throws(ClientError) {
        let bytes = [UInt8](message)
        let count = bytes.withUnsafeBytes {
            Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard count == bytes.count else { throw ClientError.connectionLost }
    }

    /// Reads what has come. Throws what the daemon refuses, and `connectionLost` when it is gone.
    func receive() throws(ClientError) -> Received {
        var received = early
        early = Received()
        var block = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &block, block.count, 0)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return received }
            guard count > 0 else {
                guard received.replies.isEmpty else { return received }
                throw ClientError.connectionLost
            }
            block.withUnsafeBytes { framer.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            while let message = framer.next() {
                guard isGreeted else {
                    try takeHello(message)
                    continue
                }
                let (reply, continues) = try Self.decode(Reply.self, message)
                received.replies.append(reply)
                received.isOver = !continues
            }
            if received.isOver { return received }
        }
    }

    private func takeHello(_ message: Data) throws(ClientError) {
        let hello = try Self.decode(HelloReply.self, message).value
        guard hello.protocol == Interface.protocolVersion else {
            throw ClientError.otherVersion("hearthd \(hello.version) speaks version \(hello.protocol) of the interface")
        }
        guard hello.ready else {
            mustGreetAgain = true
            return
        }
        isGreeted = true
        try send(request)
    }

    private static func decode<Value: Decodable>(
        _ type: Value.Type, _ message: Data
    ) throws(ClientError) -> (value: Value, continues: Bool) {
        do {
            let decoder = JSONDecoder()
            let header = try decoder.decode(Varlink.ReplyHeader.self, from: message)
            if let name = header.error {
                let body = try decoder.decode(Varlink.ErrorBody.self, from: message).parameters
                let code = ControlError.Code.allCases.first { $0.qualifiedName == name } ?? .failed
                throw ClientError.remote(ControlError(code, body?.message ?? name, hint: body?.hint))
            }
            guard let value = try decoder.decode(Varlink.Body<Value>.self, from: message).parameters else {
                throw ClientError.malformed("the reply has no parameters")
            }
            return (value, header.continues ?? false)
        } catch let error as ClientError {
            throw error
        } catch {
            throw ClientError.malformed("the reply can't be read: \(error)")
        }
    }
}
