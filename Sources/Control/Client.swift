internal import CLinux
import FoundationEssentials
internal import Glibc

/// A synchronous client of hearthd: one connection, one call at a time, a deadline on everything.
///
/// Whoever holds the socket's other end is checked before a byte is sent, as a `start` carries an environment with
/// secrets in it. Reading calls go out together with `Hello`; a changing one waits until `Hello` is answered, so that
/// nothing is changed in a daemon of another version or in one that hangs.
package final class Client {
    package struct Peer: Hashable, Sendable {
        package var pid: Int32
        package var uid: UInt32
    }

    /// What a call does to the daemon's state.
    package enum Kind: Sendable {
        case reading
        case changing
    }

    package let peer: Peer
    private let channel: ClientChannel
    private let helloTimeout: Int
    private var hello: HelloReply?

    private init(channel: ClientChannel, peer: Peer, helloTimeout: Int) {
        self.channel = channel
        self.peer = peer
        self.helloTimeout = helloTimeout
    }

    /// The daemon belongs to another user than the caller (who is root): no environment must be sent to it.
    package var isForeign: Bool { peer.uid != geteuid() }

    /// - Parameter timeout: milliseconds for the connection, and again for the daemon's first answer.
    package static func connect(socketPath: String, timeout: Int = 2000) throws(ClientError) -> Client {
        let fd = clinux_unix_connect(socketPath, Int32(SOCK_STREAM.rawValue), Int32(clamping: timeout))
        guard fd >= 0 else { throw failure(-fd, socketPath, timeout) }
        let channel = ClientChannel(adopting: fd)
        var pid: pid_t = 0
        var uid: uid_t = 0
        guard clinux_peer_credentials(fd, &pid, &uid, nil) == 0 else { throw ClientError.connectionLost }
        let own = geteuid()
        guard uid == own || uid == 0 || own == 0 else {
            throw ClientError.notPermitted(
                "the process \(pid) that listens on '\(socketPath)' belongs to another user (uid \(uid))")
        }
        return Client(channel: channel, peer: Peer(pid: pid, uid: uid), helloTimeout: timeout)
    }

    private static func failure(_ code: Int32, _ path: String, _ timeout: Int) -> ClientError {
        switch code {
        case ENOENT, ECONNREFUSED, ENOTDIR, ENOTSOCK: .noDaemon(socket: path)
        case EACCES, EPERM: .notPermitted("cannot connect to '\(path)': \(errorText(code))")
        case ETIMEDOUT, EAGAIN: .notAnswering(waited: timeout)
        default: .notPermitted("cannot connect to '\(path)': \(errorText(code))")
        }
    }

    private static func errorText(_ code: Int32) -> String {
        strerror(code).map { String(cString: $0).lowercased() } ?? "error \(code)"
    }

    // MARK: - Calls

    /// Asks the daemon who it is, unless it was asked before on this connection.
    @discardableResult
    package func greet(again: Bool = false) throws(ClientError) -> HelloReply {
        if let hello, !again { return hello }
        let deadline = ClientChannel.deadline(in: helloTimeout)
        try send(.hello, NoParameters(), more: false, by: deadline)
        return try receiveHello(by: deadline)
    }

    /// - Parameter deadline: milliseconds for the whole call.
    package func call<Parameters: Encodable, Reply: Decodable>(
        _ method: Interface.Method, _ parameters: Parameters, as: Reply.Type, kind: Kind, deadline: Int
    ) throws(ClientError) -> Reply {
        let end = ClientChannel.deadline(in: deadline)
        try begin(method, parameters, more: false, kind: kind, by: end)
        do throws(ClientError) {
            return try Self.decode(Reply.self, from: try channel.receive(by: end)).value
        } catch .notAnswering {
            throw ClientError.notAnswering(waited: deadline)
        }
    }

    /// Calls `method` with `more` and hands each reply on until the handler answers false or the stream ends.
    package func stream<Parameters: Encodable, Reply: Decodable>(
        _ method: Interface.Method, _ parameters: Parameters, as: Reply.Type, _ handler: (Reply) -> Bool
    ) throws(ClientError) {
        try begin(method, parameters, more: true, kind: .reading, by: ClientChannel.deadline(in: helloTimeout))
        while true {
            let reply = try Self.decode(Reply.self, from: try channel.receive(by: nil))
            guard handler(reply.value), reply.continues else { return }
        }
    }

    /// Waits until the daemon closes the connection: after `Kill` and `Detach` it is gone then.
    package func waitForEnd(milliseconds: Int) -> Bool {
        channel.waitForEnd(by: ClientChannel.deadline(in: milliseconds))
    }

    // MARK: - Messages

    private func begin<Parameters: Encodable>(
        _ method: Interface.Method, _ parameters: Parameters, more: Bool, kind: Kind, by end: Int64
    ) throws(ClientError) {
        guard hello == nil else { return try send(method, parameters, more: more, by: end) }
        switch kind {
        case .changing:
            try greet()
            try send(method, parameters, more: more, by: end)
        case .reading:
            let deadline = ClientChannel.deadline(in: helloTimeout)
            var messages = try Self.encode(.hello, NoParameters(), more: false)
            messages.append(try Self.encode(method, parameters, more: more))
            try deliver(messages, by: deadline)
            try receiveHello(by: deadline)
        }
    }

    private func send<Parameters: Encodable>(
        _ method: Interface.Method, _ parameters: Parameters, more: Bool, by deadline: Int64
    ) throws(ClientError) {
        try deliver(try Self.encode(method, parameters, more: more), by: deadline)
    }

    private static func encode<Parameters: Encodable>(
        _ method: Interface.Method, _ parameters: Parameters, more: Bool
    ) throws(ClientError) -> Data {
        do {
            return try Varlink.call(method.qualifiedName, parameters, more: more)
        } catch {
            throw ClientError.malformed("the request can't be written as JSON: \(error)")
        }
    }

    private func deliver(_ message: Data, by deadline: Int64) throws(ClientError) {
        guard message.count <= Varlink.maximumMessageBytes else {
            throw ClientError.remote(
                ControlError(.badRequest, "the request has \(message.count) bytes", hint: "start fewer apps at a time"))
        }
        try channel.send(message, by: deadline)
    }

    @discardableResult
    private func receiveHello(by deadline: Int64) throws(ClientError) -> HelloReply {
        let reply: HelloReply
        do throws(ClientError) {
            reply = try Self.decode(HelloReply.self, from: try channel.receive(by: deadline)).value
        } catch .notAnswering {
            throw ClientError.notAnswering(waited: helloTimeout)
        } catch .malformed {
            throw ClientError.otherVersion("what listens there does not answer like hearthd")
        } catch {
            throw error
        }
        guard reply.protocol == Interface.protocolVersion else {
            throw ClientError.otherVersion(
                "hearthd \(reply.version) (pid \(reply.pid)) speaks version \(reply.protocol) of the interface, "
                    + "this hearth speaks version \(Interface.protocolVersion)")
        }
        hello = reply
        return reply
    }

    private static func decode<Value: Decodable>(
        _ type: Value.Type, from message: Data
    ) throws(ClientError) -> (value: Value, continues: Bool) {
        if type == ListReply.self, let list = ListReply(fast: message) as? Value { return (list, false) }
        if type == InventoryReply.self, let list = InventoryReply(fast: message) as? Value { return (list, false) }
        let envelope: ReplyEnvelope<Value>
        do {
            envelope = try JSONDecoder().decode(ReplyEnvelope<Value>.self, from: message)
        } catch {
            throw ClientError.malformed("the reply can't be read: \(complaint(error))")
        }
        switch envelope.outcome {
        case .value(let value): return (value, envelope.continues)
        case .error(let name, let parameters): throw failure(name, parameters)
        }
    }

    private static func complaint(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "'\(key.stringValue)' is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
            DecodingError.dataCorrupted(let context):
            "\(context.codingPath.map(\.stringValue).joined(separator: ".")): \(context.debugDescription)"
        default: "\(error)"
        }
    }

    private static func failure(_ name: String, _ parameters: Varlink.ErrorBody.Parameters?) -> ClientError {
        if let code = ControlError.Code.allCases.first(where: { $0.qualifiedName == name }) {
            return .remote(ControlError(code, parameters?.message ?? name, hint: parameters?.hint))
        }
        switch name {
        case "org.varlink.service.MethodNotFound", "org.varlink.service.InterfaceNotFound",
            "org.varlink.service.MethodNotImplemented":
            let what = parameters?.method ?? parameters?.interface ?? "this call"
            return .otherVersion("hearthd does not know '\(what)'")
        default:
            let what = parameters?.message ?? parameters?.parameter.map { "parameter '\($0)'" }
            return .remote(ControlError(.failed, what.map { "\(name): \($0)" } ?? name))
        }
    }
}

/// A reply, read in one pass: parameters of the expected kind or an error.
private struct ReplyEnvelope<Value: Decodable>: Decodable {
    enum Outcome {
        case value(Value)
        case error(String, Varlink.ErrorBody.Parameters?)
    }

    enum Key: String, CodingKey {
        case error, continues, parameters
    }

    let outcome: Outcome
    let continues: Bool

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        continues = try container.decodeIfPresent(Bool.self, forKey: .continues) ?? false
        if let error = try container.decodeIfPresent(String.self, forKey: .error) {
            outcome = .error(error, try? container.decode(Varlink.ErrorBody.Parameters.self, forKey: .parameters))
        } else {
            outcome = .value(try container.decode(Value.self, forKey: .parameters))
        }
    }
}
