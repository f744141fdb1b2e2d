import DisplayText

/// A table that fits the terminal: columns of little worth go first, then wide ones are cut.
struct Table {
    struct Cell: Equatable {
        var text: String
        var style: Terminal.Style?

        init(_ text: String, _ style: Terminal.Style? = nil) {
            self.text = text
            self.style = style
        }
    }

    struct Column {
        var title: String
        /// 0 is never dropped; the highest goes first.
        var dropRank: Int
        /// May be cut down to so many columns; nil: shown whole.
        var minimum: Int?
        var alignsRight = false
        var cells: [Cell]

        init(_ title: String, dropRank: Int, minimum: Int? = nil, alignsRight: Bool = false, cells: [Cell]) {
            self.title = title
            self.dropRank = dropRank
            self.minimum = minimum
            self.alignsRight = alignsRight
            self.cells = cells
        }
    }

    var columns: [Column]

    func render(_ terminal: Terminal) -> String {
        let columns = self.columns.map { column in
            var column = column
            column.title = terminal.escape(column.title)
            column.cells = column.cells.map { Cell(terminal.escape($0.text), $0.style) }
            return column
        }
        let (shown, widths) = layout(columns, available: terminal.columns)
        let lines = Lines(unicode: terminal.unicode)
        var text = lines.border(widths, .top)
        text += row(shown, widths, lines, terminal) { Cell($0.title, .bold) }
        text += lines.border(widths, .middle)
        for index in 0..<(shown.first?.cells.count ?? 0) {
            text += row(shown, widths, lines, terminal) { $0.cells[index] }
        }
        return text + lines.border(widths, .bottom)
    }

    private func layout(_ all: [Column], available: Int) -> ([Column], [Int]) {
        var columns = all
        func natural(_ column: Column) -> Int {
            column.cells.reduce(DisplayText.width(column.title)) { max($0, DisplayText.width($1.text)) }
        }
        func least(_ column: Column) -> Int { min(natural(column), column.minimum ?? Int.max) }
        func total(_ widths: [Int]) -> Int { widths.reduce(1) { $0 + $1 + 3 } }
        while total(columns.map(least)) > available, let rank = columns.map(\.dropRank).max(), rank > 0 {
            columns.removeAll { $0.dropRank == rank }
        }
        var widths = columns.map(natural)
        var excess = total(widths) - available
        // The last column (the reason) gives way first, then those before it.
        for index in widths.indices.reversed() where excess > 0 {
            let give = min(excess, widths[index] - least(columns[index]))
            widths[index] -= give
            excess -= give
        }
        return (columns, widths)
    }

    private func row(
        _ columns: [Column], _ widths: [Int], _ lines: Lines, _ terminal: Terminal, _ cell: (Column) -> Cell
    ) -> String {
        var text = lines.vertical
        for (column, width) in zip(columns, widths) {
            let cell = cell(column)
            let content = DisplayText.truncate(cell.text, to: width, ellipsis: terminal.ellipsis)
            let padding = String(repeating: " ", count: max(0, width - DisplayText.width(content)))
            let painted = terminal.paint(content, cell.style)
            text += " " + (column.alignsRight ? padding + painted : painted + padding) + " " + lines.vertical
        }
        return text + "\n"
    }

    /// The characters that borders are made of.
    private struct Lines {
        enum Place: Int {
            case top, middle, bottom
        }

        let unicode: Bool
        var vertical: String { unicode ? "│" : "|" }

        func border(_ widths: [Int], _ place: Place) -> String {
            let corners =
                unicode ? [["┌", "┬", "┐"], ["├", "┼", "┤"], ["└", "┴", "┘"]][place.rawValue] : ["+", "+", "+"]
            let horizontal = unicode ? "─" : "-"
            let bars = widths.map { String(repeating: horizontal, count: $0 + 2) }
            return corners[0] + bars.joined(separator: corners[1]) + corners[2] + "\n"
        }
    }
}
