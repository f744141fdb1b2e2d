import CLinux
import Control
import DisplayText
import Glibc
import Records

/// A command's way to the daemon: starts it where that is wanted, and repeats a call that a dying daemon took along.
final class Session {
    let paths: HomePaths
    private let timeout: Int
    private var client: Client?

    /// Milliseconds that a call may take; the daemon itself bounds each operation.
    enum Deadline {
        static let ordinary = 120_000
        /// Apps may have a long kill_timeout.
        static let stopping = 600_000
    }

    /// How long a daemon may be away after it died under a call.
    private static let comeback: Int64 = 5_000_000_000

    convenience init(_ options: CommonOptions) throws {
        self.init(paths: try options.paths(), timeout: try options.timeoutMilliseconds())
    }

    init(paths: HomePaths, timeout: Int) {
        self.paths = paths
        self.timeout = timeout
    }

    // MARK: - Connections

    func connect() throws -> Client {
        if let client { return client }
        let client = try Client.connect(socketPath: paths.controlSocket, timeout: timeout)
        self.client = client
        return client
    }

    /// Connects; starts a daemon when there is none; waits until it has adopted what runs.
    @discardableResult
    func connectStarting(takeOver: Bool = false) throws -> Client {
        do {
            let client = try connect()
            try waitUntilReady(client)
            return client
        } catch ClientError.noDaemon, ClientError.connectionLost {
            var launcher = DaemonLauncher(paths: paths, helloTimeout: timeout)
            launcher.takesOver = takeOver
            let client = try launcher.launch()
            self.client = client
            return client
        }
    }

    private func waitUntilReady(_ client: Client) throws {
        var hello = try client.greet()
        let deadline = clinux_boottime_ns() + 10_000_000_000
        while !hello.ready {
            guard clinux_boottime_ns() < deadline else { throw ClientError.notAnswering(waited: 10_000) }
            usleep(5000)
            hello = try client.greet(again: true)
        }
    }

    /// The next call looks for the daemon anew.
    func disconnect() { client = nil }

    // MARK: - Calls

    func read<Parameters: Encodable, Reply: Decodable>(
        _ method: Interface.Method, _ parameters: Parameters, as: Reply.Type = Reply.self
    ) throws -> Reply {
        try repeating(true) {
            try self.connect().call(
                method, parameters, as: Reply.self, kind: .reading, deadline: Deadline.ordinary)
        }
    }

    /// Answers as they come, until the handler says false or there are no more.
    func stream<Parameters: Encodable, Reply: Decodable>(
        _ method: Interface.Method, _ parameters: Parameters, as: Reply.Type, _ handler: (Reply) -> Bool
    ) throws {
        let client = try connect()
        try waitUntilReady(client)
        try client.stream(method, parameters, as: Reply.self, handler)
    }

    /// - Parameter repeats: the same call twice is the same as once (it carries a token, or sets a state).
    func change<Parameters: Encodable, Reply: Decodable>(
        _ method: Interface.Method, _ parameters: Parameters, as: Reply.Type = Reply.self, repeats: Bool,
        deadline: Int = Deadline.ordinary
    ) throws -> Reply {
        try connectStarting()
        return try repeating(repeats) {
            let client = try self.connect()
            try self.waitUntilReady(client)
            return try client.call(method, parameters, as: Reply.self, kind: .changing, deadline: deadline)
        }
    }

    private func repeating<Reply>(_ repeats: Bool, _ call: () throws -> Reply) throws -> Reply {
        do {
            return try call()
        } catch ClientError.connectionLost where repeats {
            // The keeper brings a new daemon within milliseconds; it knows what the old one had done.
            let deadline = clinux_boottime_ns() + Self.comeback
            while true {
                client = nil
                usleep(20_000)
                do {
                    return try call()
                } catch ClientError.connectionLost where clinux_boottime_ns() < deadline {
                } catch ClientError.noDaemon where clinux_boottime_ns() < deadline {
                }
            }
        }
    }

    /// Text that tells one command from every other: a call repeated with it is done once.
    static func makeToken() -> String {
        var generator = SystemRandomNumberGenerator()
        let words = [generator.next() as UInt64, generator.next() as UInt64]
        return words.map { word in
            let text = String(word, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
    }

    /// The command as reasons show it: `hearth stop api`. Options are left out, as they may hold secrets.
    static func origin(_ verb: String, _ operands: [String] = []) -> String {
        let words = operands.map { $0.contains { $0.isWhitespace } ? "\"\($0)\"" : $0 }
        let text = (["hearth", verb] + words).joined(separator: " ")
        return String(DisplayText.escape(text, unicode: true).prefix(80))
    }
}
