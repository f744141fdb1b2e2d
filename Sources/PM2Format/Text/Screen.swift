/// Where text goes: how wide it is, and whether it shows colours.
package struct Screen: Hashable, Sendable {
    /// What PM2 assumes where there is no terminal.
    package static let unlimited = 300

    package var columns: Int
    package var color: Bool

    package init(columns: Int = unlimited, color: Bool = false) {
        self.columns = columns
        self.color = color
    }

    /// As the library writes them that PM2 uses: each has an end of its own.
    package enum Style: Sendable {
        case bold, inverse, red, green, blue, cyan, gray

        fileprivate var codes: (on: Int, off: Int) {
            switch self {
            case .bold: (1, 22)
            case .inverse: (7, 27)
            case .red: (31, 39)
            case .green: (32, 39)
            case .blue: (34, 39)
            case .cyan: (36, 39)
            case .gray: (90, 39)
            }
        }
    }

    package func paint(_ text: String, _ styles: Style...) -> String {
        guard color, !text.isEmpty else { return text }
        return styles.reversed().reduce(text) { "\u{1b}[\($1.codes.on)m\($0)\u{1b}[\($1.codes.off)m" }
    }
}
