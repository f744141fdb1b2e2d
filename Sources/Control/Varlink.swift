#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// Envelopes of the Varlink protocol: one JSON object and a NUL byte a message.
package enum Varlink {
    /// A message longer than this is refused: the largest legitimate one (1,000 apps with an environment) is below it.
    package static let maximumMessageBytes = 32 << 20

    package static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        return encoder
    }

    /// A call, NUL-terminated.
    package static func call<Parameters: Encodable>(
        _ method: String, _ parameters: Parameters, more: Bool = false
    ) throws -> Data {
        var data = try encoder().encode(Call(method: method, parameters: parameters, more: more ? true : nil))
        data.append(0)
        return data
    }

    /// A reply, NUL-terminated.
    package static func reply<Parameters: Encodable>(_ parameters: Parameters, continues: Bool = false) throws -> Data {
        var data = try encoder().encode(Reply(parameters: parameters, continues: continues ? true : nil))
        data.append(0)
        return data
    }

    /// An error reply, NUL-terminated. Encoding two strings can't fail; an empty object stands in if it did.
    package static func error(_ name: String, _ parameters: [String: String]) -> Data {
        var data = (try? encoder().encode(ErrorReply(error: name, parameters: parameters))) ?? Data("{}".utf8)
        data.append(0)
        return data
    }

    package static func error(_ error: ControlError) -> Data {
        var parameters = ["message": error.message]
        if let hint = error.hint { parameters["hint"] = hint }
        return Self.error(error.code.qualifiedName, parameters)
    }

    private struct Call<Parameters: Encodable>: Encodable {
        var method: String
        var parameters: Parameters
        var more: Bool?
    }

    private struct Reply<Parameters: Encodable>: Encodable {
        var parameters: Parameters
        var continues: Bool?
    }

    private struct ErrorReply: Encodable {
        var error: String
        var parameters: [String: String]
    }

    /// What stands around the parameters of a call.
    package struct CallHeader: Decodable, Sendable {
        package var method: String
        package var more: Bool?
        package var oneway: Bool?
    }

    /// The parameters of a call; an absent object counts as an empty one.
    package static func parameters<Parameters: Decodable>(
        _ type: Parameters.Type, of message: Data
    ) throws -> Parameters {
        if let parameters = try JSONDecoder().decode(Body<Parameters>.self, from: message).parameters {
            return parameters
        }
        return try JSONDecoder().decode(Parameters.self, from: Data("{}".utf8))
    }

    /// The parameters of one message, whatever stands around them.
    package struct Body<Parameters: Decodable>: Decodable { package var parameters: Parameters? }

    /// A reply as a client reads it: either parameters or an error.
    package struct ReplyHeader: Decodable, Sendable {
        package var error: String?
        package var continues: Bool?
    }

    package struct ErrorBody: Decodable, Sendable {
        package struct Parameters: Decodable, Sendable {
            package var message: String?
            package var hint: String?
            package var method: String?
            package var interface: String?
            package var parameter: String?
        }
        package var parameters: Parameters?
    }
}

/// Splits a byte stream into NUL-terminated messages.
package struct MessageFramer: Sendable {
    private var buffer: [UInt8] = []
    private var searched = 0

    package init() {}

    /// Bytes of the message that is not complete yet.
    package var pendingBytes: Int { buffer.count }

    package mutating func append(_ bytes: UnsafeRawBufferPointer) { buffer.append(contentsOf: bytes) }

    /// The next complete message without its NUL; nil when more bytes are needed.
    package mutating func next() -> Data? {
        guard let end = buffer[searched...].firstIndex(of: 0) else {
            searched = buffer.count
            return nil
        }
        let message = Data(buffer[..<end])
        buffer.removeSubrange(...end)
        searched = 0
        return message
    }
}
