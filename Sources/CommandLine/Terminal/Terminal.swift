import CLinux
import DisplayText
import Glibc

/// What standard output can show.
struct Terminal: Equatable {
    var columns: Int
    var color: Bool
    var unicode: Bool

    /// - Parameter terminalColumns: of the terminal behind standard output, 0 when it is none.
    init(environment: [String: String], terminalColumns: Int) {
        let isTerminal = terminalColumns > 0
        if let given = environment["COLUMNS"].flatMap({ Int($0) }), given > 0 {
            columns = given
        } else {
            // Not a terminal: nothing may be lost, as with PM2.
            columns = isTerminal ? terminalColumns : 300
        }
        let refused = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        color = isTerminal && !refused && environment["TERM"] != "dumb"
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        let upper = locale.uppercased()
        unicode = upper.contains("UTF-8") || upper.contains("UTF8")
    }

    init(columns: Int, color: Bool, unicode: Bool) {
        self.columns = columns
        self.color = color
        self.unicode = unicode
    }

    static func detect() -> Terminal {
        var environment: [String: String] = [:]
        for name in ["COLUMNS", "NO_COLOR", "TERM", "LC_ALL", "LC_CTYPE", "LANG"] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        var columns = Int(clinux_terminal_columns(1))
        // A terminal that does not know its size (a serial line) is still one.
        if columns == 0, isatty(1) == 1 { columns = 80 }
        return Terminal(environment: environment, terminalColumns: columns)
    }

    enum Style: String {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case blue = "34"
        case cyan = "36"
    }

    func paint(_ text: String, _ style: Style?) -> String {
        guard color, let style, !text.isEmpty else { return text }
        return "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m"
    }

    var ellipsis: String { unicode ? "…" : ".." }

    func escape(_ text: String) -> String { DisplayText.escape(text, unicode: unicode) }
}
