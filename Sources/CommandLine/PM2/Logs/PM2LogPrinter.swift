import Control
import DisplayText
import Model

/// Writes lines of logs as PM2's `logs` does.
struct PM2LogPrinter: LogSink {
    enum Format: Hashable {
        /// `0|api  | text`
        case prefixed
        /// The text alone; errors go to standard error.
        case raw
        /// One object a line.
        case json
        /// `timestamp=… app=… id=… type=… message=…`
        case pairs
    }

    let format: Format
    let terminal: Terminal
    /// In front of each line of the stream, in `prefixed`.
    var timestamp: DayFormat?
    /// What is marked in each line.
    var highlight: String?
    /// PM2 leaves empty lines out.
    var keepsEmptyLines = false
    /// Where bytes go: descriptor 1 or 2.
    var write: ([UInt8], Int32) throws -> Void = Output.write
    /// For tests; otherwise now.
    var clock: (local: () -> CalendarTime, utc: () -> CalendarTime) = (CalendarTime.local, CalendarTime.utc)
    /// The longest name that was printed so far, in columns.
    private var longest = 3

    private static let historyWidth = 10
    private static let pairsTimestamp = DayFormat("YYYY-MM-DD-HH:mm:ssZZ")
    private static let isoTimestamp = DayFormat("YYYY-MM-DD[T]HH:mm:ss.SSS[Z]")

    init(format: Format, terminal: Terminal, timestamp: DayFormat? = nil, highlight: String? = nil) {
        self.format = format
        self.terminal = terminal
        self.timestamp = timestamp
        self.highlight = highlight.flatMap { $0.isEmpty ? nil : $0 }
    }

    func prepare(for sources: [LogSource]) {}

    // MARK: - History

    func title(_ text: String) throws { try write(Array((terminal.paint(terminal.escape(text), .dim) + "\n").utf8), 1) }

    /// The last lines of a file; empty lines are part of it.
    func history(_ lines: [ArraySlice<UInt8>], of source: LogSource) throws {
        var bytes: [UInt8] = []
        let name = DisplayText.truncate(label(of: source), to: Self.historyWidth, ellipsis: "")
        let prefix = format == .raw ? [] : prefix(name, width: Self.historyWidth, of: source)
        for line in lines { bytes += prefix + line + [0x0a] }
        if !bytes.isEmpty { try write(bytes, descriptor(for: source)) }
        if !lines.isEmpty { try write([0x0a], 1) }
    }

    // MARK: - Stream

    mutating func print(_ lines: [ArraySlice<UInt8>], of source: LogSource) throws {
        var bytes: [UInt8] = []
        for line in lines where !line.isEmpty || keepsEmptyLines {
            switch format {
            case .raw: bytes += line
            case .json:
                // The daemon's own log is text about the others.
                guard !source.ids.isEmpty else { return }
                bytes += json(line, of: source)
            case .pairs: bytes += pairs(line, of: source)
            case .prefixed:
                if let timestamp { bytes += Array(terminal.paint(timestamp.text(clock.local()) + " ", .dim).utf8) }
                let name = label(of: source)
                longest = max(longest, DisplayText.width(name))
                bytes += prefix(name, width: longest + 1, of: source) + highlighted(line)
            }
            bytes.append(0x0a)
        }
        guard !bytes.isEmpty else { return }
        try write(bytes, descriptor(for: source))
    }

    /// A process event, which only the JSON stream has.
    func event(_ event: EventView) throws {
        guard format == .json, let name = event.name, let status = Self.status(of: event.kind) else { return }
        let time = CalendarTime(nanoseconds: event.at &* 1_000_000, local: false)
        let text =
            "{\"timestamp\":\"\(Self.isoTimestamp.text(time))\",\"type\":\"process_event\","
            + "\"status\":\"\(status)\",\"app_name\":\(Self.quoted(name))}\n"
        try write(Array(text.utf8), 1)
    }

    /// Kinds of events in PM2's words; the others are Hearth's own.
    private static func status(of kind: String) -> String? {
        switch kind {
        case "online", "exit", "start", "stop", "restart", "delete": kind
        case "errored": "restart overlimit"
        default: nil
        }
    }

    private func json(_ line: ArraySlice<UInt8>, of source: LogSource) -> [UInt8] {
        let message = Self.quoted(String(decoding: line, as: UTF8.self))
        let id = source.ids.first.map(\.description) ?? "null"
        return Array(
            ("{\"message\":\(message),\"timestamp\":\"\(Self.isoTimestamp.text(clock.utc()))\","
                + "\"type\":\"\(source.stream == .error ? "err" : "out")\",\"process_id\":\(id),"
                + "\"app_name\":\(Self.quoted(source.name))}").utf8)
    }

    private func pairs(_ line: ArraySlice<UInt8>, of source: LogSource) -> [UInt8] {
        var text = "timestamp=\(Self.pairsTimestamp.text(clock.local())) "
        if let id = source.ids.first {
            text += "app=\(terminal.escape(source.name)) id=\(id) type=\(source.stream.rawValue) message="
        } else {
            text += "app=pm2 message="
        }
        return Array(text.utf8) + line
    }

    /// JSON text of a string, without line breaks.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n", "\r": break
            case "\t": result += "\\t"
            case "\u{8}": result += "\\b"
            case "\u{c}": result += "\\f"
            case "\u{0}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    // MARK: - Parts

    private func label(of source: LogSource) -> String {
        terminal.escape(source.ids.first.map { "\($0)|\(source.name)" } ?? source.name)
    }

    private func prefix(_ name: String, width: Int, of source: LogSource) -> [UInt8] {
        let padded = name + String(repeating: " ", count: max(0, width - DisplayText.width(name)))
        let style: Terminal.Style = source.ids.isEmpty ? .blue : source.stream == .error ? .red : .green
        return Array(terminal.paint(padded + " | ", style).utf8)
    }

    /// Where nobody sees colours, there is nothing to mark with.
    private func highlighted(_ line: ArraySlice<UInt8>) -> [UInt8] {
        guard terminal.color, let highlight, let range = line.firstRange(of: Array(highlight.utf8)) else {
            return Array(line)
        }
        return line[..<range.lowerBound] + Array("\u{1b}[100m".utf8) + line[range] + Array("\u{1b}[49m".utf8)
            + line[range.upperBound...]
    }

    private func descriptor(for source: LogSource) -> Int32 { format == .raw && source.stream == .error ? 2 : 1 }
}
