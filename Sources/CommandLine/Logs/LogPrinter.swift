import DisplayText
import Glibc
import Model

/// Writes lines of logs as `logs` shows them.
struct LogPrinter: LogSink {
    enum Format {
        /// `0|api | text`
        case prefixed
        /// The text alone; errors go to standard error.
        case raw
        /// One object a line.
        case json
    }

    let format: Format
    let terminal: Terminal
    private var width = 0

    private struct Entry: Encodable {
        var ids: [InstanceID]
        var name: String
        var stream: String
        var line: String
    }

    init(format: Format, terminal: Terminal) {
        self.format = format
        self.terminal = terminal
    }

    /// Prefixes are as wide as the widest of those known so far.
    mutating func prepare(for sources: [LogSource]) {
        for source in sources { width = max(width, DisplayText.width(terminal.escape(source.label))) }
    }

    func header(_ source: LogSource, lines: Int) throws {
        guard format == .prefixed, lines > 0 else { return }
        let title = "\(terminal.escape(source.path)) last \(lines) lines:"
        try Output.line(terminal.paint(title, .dim))
    }

    /// Bytes pass unchanged: an app may colour its own lines.
    func print(_ lines: some Sequence<some Collection<UInt8>>, of source: LogSource) throws {
        var bytes: [UInt8] = []
        let prefix = prefix(of: source)
        for line in lines {
            switch format {
            case .prefixed:
                bytes += prefix
                bytes += line
                bytes.append(0x0a)
            case .raw:
                bytes += line
                bytes.append(0x0a)
            case .json:
                let entry = Entry(
                    ids: source.ids, name: source.name, stream: source.stream.rawValue,
                    line: String(decoding: line, as: UTF8.self))
                bytes += try JSONOutput.encode(entry, pretty: false)
                bytes.append(0x0a)
            }
        }
        guard !bytes.isEmpty else { return }
        try Output.write(bytes, to: format == .raw && source.stream == .error ? 2 : 1)
    }

    private func prefix(of source: LogSource) -> [UInt8] {
        guard format == .prefixed else { return [] }
        let label = terminal.escape(source.label)
        let padding = String(repeating: " ", count: max(0, width - DisplayText.width(label)))
        return Array((terminal.paint(label, source.stream == .error ? .red : .green) + padding + " | ").utf8)
    }
}
