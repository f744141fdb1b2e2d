/// A signal by number, with its name as in signal(7).
package struct Signal: Hashable, Sendable, Codable, CustomStringConvertible {
    package let rawValue: Int32

    package init?(rawValue: Int32) {
        guard rawValue > 0, rawValue <= 64 else { return nil }
        self.rawValue = rawValue
    }

    private init(_ rawValue: Int32) { self.rawValue = rawValue }

    package static let hup = Signal(1)
    package static let int = Signal(2)
    package static let kill = Signal(9)
    package static let usr1 = Signal(10)
    package static let usr2 = Signal(12)
    package static let term = Signal(15)

    /// Linux numbers on x86-64 and arm64.
    private static let names: [String] = [
        "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ]

    /// Reads `SIGTERM`, `term`, `15`. Nil for anything else.
    package init?(parsing text: String) {
        if let number = Int32(text) {
            self.init(rawValue: number)
            return
        }
        var name = text.uppercased()
        if name.hasPrefix("SIG") { name.removeFirst(3) }
        if name == "POLL" { name = "IO" }
        guard !name.isEmpty, let index = Self.names.firstIndex(of: name) else { return nil }
        self.init(Int32(index))
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let signal = Signal(parsing: text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is not a signal")
        }
        self = signal
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    package var description: String {
        let index = Int(rawValue)
        return index < Self.names.count ? "SIG" + Self.names[index] : String(rawValue)
    }
}
