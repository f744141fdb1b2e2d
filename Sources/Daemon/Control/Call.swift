import Control
import Model
import Platform

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// One call of a client, to be answered exactly once (or streamed to).
final class Call {
    /// Messages over this size are decoded and encoded on a thread: a millisecond of the loop is an app's restart.
    private static let largeMessage = 64 << 10

    let connection: Connection
    let message: Data
    let header: Varlink.CallHeader
    private let services: Services

    init(_ connection: Connection, _ message: Data, _ header: Varlink.CallHeader, _ services: Services) {
        self.connection = connection
        self.message = message
        self.header = header
        self.services = services
    }

    /// Who calls, for reasons: `deploy (hearth stop api)`.
    func actor(_ origin: String?) -> Actor {
        let user = services.userName(connection.peer.uid)
        let shown = (origin ?? "").filter { !$0.isNewline }
        return Actor(shown.isEmpty ? "\(user) (pid \(connection.peer.pid))" : "\(user) (\(shown.prefix(60)))")
    }

    func withParameters<Parameters: Decodable & Sendable>(
        _ type: Parameters.Type, _ body: @escaping (Parameters) -> Void
    ) {
        if message.count < Self.largeMessage {
            switch Self.decode(type, message) {
            case .success(let parameters): body(parameters)
            case .failure(let failure): fail(invalid: failure.parameter)
            }
            return
        }
        let message = message
        services.loop.offload(to: services.codec) {
            Self.decode(type, message)
        } then: { [self] result in
            switch result {
            case .success(let parameters): body(parameters)
            case .failure(let failure): self.fail(invalid: failure.parameter)
            }
        }
    }

    private struct Invalid: Error {
        var parameter: String
    }

    private static func decode<Parameters: Decodable>(
        _ type: Parameters.Type, _ message: Data
    ) -> Result<Parameters, Invalid> {
        do { return .success(try Varlink.parameters(type, of: message)) } catch let error as DecodingError {
            let path: [any CodingKey]
            switch error {
            case .keyNotFound(let key, let context): path = context.codingPath + [key]
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                path = context.codingPath
            @unknown default: path = []
            }
            let names = path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
            let parameter = names.drop { $0 == "parameters" }.joined(separator: ".")
            // A number that does not fit its field comes without its place.
            return .failure(Invalid(parameter: parameter.isEmpty ? "parameters" : parameter))
        } catch { return .failure(Invalid(parameter: "")) }
    }

    func reply<Parameters: Encodable & Sendable>(_ parameters: Parameters, isLarge: Bool = false) {
        if header.oneway == true { return connection.answer(nil) }
        guard isLarge else { return connection.answer(Self.encode(parameters)) }
        services.loop.offload(to: services.codec) {
            Self.encode(parameters)
        } then: { [self] data in
            self.connection.answer(data)
        }
    }

    /// An answer that was made elsewhere.
    func answer(_ message: Data) {
        connection.answer(header.oneway == true ? nil : message)
    }

    private static func encode<Parameters: Encodable>(_ parameters: Parameters) -> Data {
        do { return try Varlink.reply(parameters) } catch {
            return Varlink.error(ControlError(.failed, "the answer cannot be encoded: \(error)"))
        }
    }

    func fail(_ error: ControlError) {
        connection.answer(header.oneway == true ? nil : Varlink.error(error))
    }

    private func fail(invalid parameter: String) {
        connection.answer(
            header.oneway == true
                ? nil : Varlink.error("org.varlink.service.InvalidParameter", ["parameter": parameter]))
    }
}
