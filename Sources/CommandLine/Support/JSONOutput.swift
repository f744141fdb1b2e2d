import FoundationEssentials
import Glibc

/// `--json`: the views of the control interface as they are, keys sorted, indented for a person on a terminal.
enum JSONOutput {
    static func write<Value: Encodable>(_ value: Value) throws {
        try write(value, pretty: isatty(1) == 1)
    }

    /// One object on one line, for streams.
    static func writeLine<Value: Encodable>(_ value: Value) throws {
        try write(value, pretty: false)
    }

    private static func write<Value: Encodable>(_ value: Value, pretty: Bool) throws {
        try Output.write(try encode(value, pretty: pretty) + [0x0a], to: 1)
    }

    static func encode<Value: Encodable>(_ value: Value, pretty: Bool) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        return [UInt8](try encoder.encode(value))
    }
}
