import DisplayText

/// A title and two columns, as `show` prints an instance.
struct Block {
    var title: String
    var rows: [(label: String, value: String, style: Terminal.Style?)] = []

    init(title: String) { self.title = title }

    mutating func add(_ label: String, _ value: String?, _ style: Terminal.Style? = nil) {
        guard let value, !value.isEmpty else { return }
        rows.append((label, value, style))
    }

    func render(_ terminal: Terminal) -> String {
        var text = terminal.paint(terminal.escape(title), .bold) + "\n"
        let width = rows.reduce(0) { max($0, DisplayText.width(terminal.escape($1.label))) }
        for row in rows {
            let label = terminal.escape(row.label)
            let padding = String(repeating: " ", count: width - DisplayText.width(label))
            text += "  " + terminal.paint(label, .dim) + padding + "  "
            text += terminal.paint(terminal.escape(row.value), row.style) + "\n"
        }
        return text
    }
}
