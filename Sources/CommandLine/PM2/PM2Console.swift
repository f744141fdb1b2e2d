import DisplayText
import Glibc
import Model
import PM2Format

/// What PM2 says, and where: messages and tables on standard output, errors and some warnings on standard error.
struct PM2Console {
    enum Level {
        case info, notice, warning, error

        var prefix: String {
            switch self {
            case .info: "[PM2] "
            case .notice: "[PM2][INFO] "
            case .warning: "[PM2][WARN] "
            case .error: "[PM2][ERROR] "
            }
        }

        fileprivate var colour: Int {
            switch self {
            case .info: 32
            case .notice: 36
            case .warning: 33
            case .error: 31
            }
        }
    }

    /// `--silent`, PM2_SILENT: only what was asked for is printed, such as `jlist`.
    var isSilent: Bool
    /// No messages about the daemon being started.
    var isDiscreet: Bool
    private let paints: [Int32: Bool]
    /// Columns of the terminal behind standard output; 300 when it is none.
    let columns: Int

    init(_ options: PM2Options) {
        isSilent = options.has("silent") || Self.isSet("PM2_SILENT")
        isDiscreet = Self.isSet("PM2_DISCRETE_MODE")
        let refuses = options.has("no-color") || Self.isSet("NO_COLOR")
        let insists = Self.isSet("FORCE_COLOR")
        paints = [1: !refuses && (insists || isatty(1) == 1), 2: !refuses && (insists || isatty(2) == 1)]
        columns = isatty(1) == 1 ? Terminal.detect().columns : 300
    }

    static func isSet(_ name: String) -> Bool { getenv(name).map { $0.pointee != 0 } ?? false }

    /// Standard output, for what is drawn.
    var screen: Screen { Screen(columns: columns, color: hasColour) }

    /// Whether standard output shows colours.
    var hasColour: Bool { paints[1] ?? false }

    func say(_ text: String, _ level: Level = .info, to fd: Int32? = nil) {
        guard !isSilent else { return }
        let fd = fd ?? (level == .error ? 2 : 1)
        var text = text
        // One line of a terminal, as PM2 crops it.
        let room = columns - level.prefix.count
        if fd == 1, isatty(1) == 1, !text.contains("\n"), DisplayText.width(text) > room {
            text = DisplayText.truncate(text, to: max(1, room), ellipsis: "…")
        }
        let prefix = paints[fd] ?? false ? "\u{1b}[\(level.colour)m\(level.prefix)\u{1b}[39m" : level.prefix
        try? Output.write(Array((prefix + text + "\n").utf8), to: fd)
    }

    func error(_ text: String) { say(text, .error) }
    func warn(_ text: String) { say(text, .warning) }

    /// An error of the few that PM2 has no prefix for.
    func plainError(_ text: String) { line(text, to: 2) }

    /// Words without a prefix, unless PM2 is silent.
    func line(_ text: String, to fd: Int32 = 1) {
        guard !isSilent else { return }
        try? Output.write(Array((text + "\n").utf8), to: fd)
    }

    /// Text for people that is no message: a table, an answer. Not when PM2 is silent.
    func show(_ text: String) { if !isSilent { output(text) } }

    /// What programs read, such as `jlist`: printed in any case.
    func output(_ text: String) { try? Output.write(Array(text.utf8), to: 1) }

    /// A tip, in blue on a terminal.
    func hint(_ text: String) -> String { hasColour ? "\u{1b}[34m\u{1b}[1m\(text)\u{1b}[22m\u{1b}[39m" : text }

    func bold(_ text: String) -> String { hasColour ? "\u{1b}[1m\(text)\u{1b}[22m" : text }
}

/// Ends a command of PM2's: everything was said.
struct PM2Exit: Error, Equatable {
    var code: Int32
    static let failed = PM2Exit(code: 1)
}
