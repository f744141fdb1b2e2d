import Configuration
import Glibc

/// hearth-companion: what the command line needs libraries for that would make it slow to start.
///
///     hearth-companion render --from yaml|toml    reads it on standard input, writes JSON
///     hearth-companion render --to yaml|toml      reads JSON, writes it
@main
struct Companion {
    static func main() {
        signal(SIGPIPE, SIG_IGN)
        limitItself()
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.count == 3, arguments[0] == "render", ["--from", "--to"].contains(arguments[1]),
            let format = Format(rawValue: arguments[2])
        else {
            end(2, "usage: hearth-companion render --from|--to yaml|toml")
        }
        do {
            let input = try FileProbe.contents(of: 0, name: "standard input", limit: 32 << 20)
            let text = arguments[1] == "--from" ? try format.json(of: input) : try format.text(of: input)
            try write(Array(text.utf8))
        } catch let error as Refusal {
            end(1, error.message)
        } catch {
            end(1, "\(error)")
        }
    }

    /// A file that is written to exhaust its reader ends this process, not the machine.
    private static func limitItself() {
        var time = rlimit(rlim_cur: 30, rlim_max: 30)
        setrlimit(__rlimit_resource_t(RLIMIT_CPU.rawValue), &time)
        var memory = rlimit(rlim_cur: 2 << 30, rlim_max: 2 << 30)
        setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &memory)
    }

    private static func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(1, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Refusal("cannot write: \(FileProbe.describe(errno))") }
            rest = rest.dropFirst(count)
        }
    }

    private static func end(_ code: Int32, _ message: String) -> Never {
        let line = Array((message + "\n").utf8)
        _ = line.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
        exit(code)
    }
}

/// Why a text can't be read or written, for the person who wrote it.
struct Refusal: Error {
    var message: String

    init(_ message: String) { self.message = message }
}

enum Format: String {
    case yaml
    case toml

    func json(of bytes: [UInt8]) throws -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Refusal("it is not UTF-8") }
        switch self {
        case .yaml: return try YAMLReader.value(of: text).text
        case .toml: return try TOML.json(of: text)
        }
    }

    func text(of bytes: [UInt8]) throws -> String {
        let value = try JSONValue(parsing: bytes)
        switch self {
        case .yaml: return try YAMLWriter.text(of: value)
        case .toml: return try TOML.text(of: value)
        }
    }
}
