import Control
import DisplayText
import Model

/// The table of `ls`. Columns have fixed widths; the widest of three layouts that fits is taken.
package enum ProcessTable {
    package static func lines(
        _ records: [PM2Record], _ screen: Screen, order: ProcessOrder = .byName
    ) -> [String] {
        let columns = layout(records, screen)
        let rows = order.sorted(records).map { record in columns.map { $0.cell(record) } }
        var lines = [border("┌", "┬", "┐", columns, screen)]
        lines.append(line(columns.map { Cell($0.title, [.cyan, .bold]) }, columns, screen))
        lines.append(border("├", "┼", "┤", columns, screen))
        lines += rows.map { line($0, columns, screen) }
        lines.append(border("└", "┴", "┘", columns, screen))
        return lines
    }

    struct Cell {
        var text: String
        var styles: [Screen.Style]

        init(_ text: String, _ styles: [Screen.Style] = []) {
            self.text = text
            self.styles = styles
        }
    }

    private struct Column {
        var title: String
        /// With a blank on both sides.
        var width: Int
        var cell: (PM2Record) -> Cell

        init(_ title: String, _ width: Int, _ cell: @escaping (PM2Record) -> Cell) {
            self.title = title
            self.width = width
            self.cell = cell
        }
    }

    // MARK: - Layouts

    private static func layout(_ records: [PM2Record], _ screen: Screen) -> [Column] {
        let digits = records.reduce(0) { max($0, $1.entry.instance.id.description.count) }
        let longest = records.reduce(0) {
            max($0, DisplayText.width(DisplayText.escape($1.entry.spec.name, unicode: true)))
        }
        let id = Column("id", max(4, digits + 2)) { Cell($0.entry.instance.id.description, [.cyan, .bold]) }
        func name(atMost limit: Int) -> Column {
            Column("name", min(limit, records.isEmpty ? 11 : longest + 5)) { Cell($0.entry.spec.name) }
        }
        let layouts = [full(id, name(atMost: 40)), condensed(id, name(atMost: 20)), mini(id, name(atMost: 16))]
        return layouts.first { total($0) <= screen.columns } ?? layouts[2]
    }

    private static func total(_ columns: [Column]) -> Int { columns.reduce(1) { $0 + $1.width + 1 } }

    private static func full(_ id: Column, _ name: Column) -> [Column] {
        [
            id, name, Column("namespace", 13) { Cell($0.entry.spec.namespace) },
            Column("version", 9) { Cell($0.version) }, mode(9),
            Column("pid", 10) { Cell(String($0.entry.instance.pid ?? 0)) }, Column("uptime", 8) { Cell($0.uptime) },
            restarts, status, cpu(10), memory("mem", 10), Column("user", 10) { Cell($0.entry.user, [.bold]) },
            Column("watching", 10) {
                $0.entry.spec.watch == nil ? Cell("disabled", [.gray]) : Cell("enabled", [.green, .bold])
            },
        ]
    }

    private static func condensed(_ id: Column, _ name: Column) -> [Column] {
        [id, name, mode(10), restarts, status, cpu(10), memory("memory", 10)]
    }

    private static func mini(_ id: Column, _ name: Column) -> [Column] {
        [id, name, status, cpu(8), memory("mem", 10)]
    }

    private static func mode(_ width: Int) -> Column {
        Column("mode", width) { $0.entry.spec.mode == .cluster ? Cell("cluster", [.blue, .bold]) : Cell("fork") }
    }

    private static var restarts: Column { Column("↺", 6) { Cell(String($0.entry.instance.restarts)) } }

    private static var status: Column {
        Column("status", 11) { Cell($0.entry.instance.status.pm2Name, style(of: $0.entry.instance.status)) }
    }

    private static func cpu(_ width: Int) -> Column { Column("cpu", width) { Cell($0.cpu) } }

    private static func memory(_ title: String, _ width: Int) -> Column {
        Column(title, width) { Cell($0.memory) }
    }

    static func style(of status: Status) -> [Screen.Style] {
        switch status {
        case .online: [.green, .bold]
        case .launching: [.blue, .bold]
        case .stopping, .stopped, .errored, .waitingRestart, .scheduled, .waiting: [.red, .bold]
        }
    }

    // MARK: - Lines

    private static func border(
        _ left: String, _ middle: String, _ right: String, _ columns: [Column], _ screen: Screen
    ) -> String {
        let bars = columns.map { String(repeating: "─", count: $0.width) }
        return screen.paint(left + bars.joined(separator: middle) + right, .gray)
    }

    private static func line(_ cells: [Cell], _ columns: [Column], _ screen: Screen) -> String {
        let bar = screen.paint("│", .gray)
        let texts = zip(cells, columns).map { cell, column in padded(cell, column.width, screen) }
        return bar + texts.joined(separator: bar) + bar
    }

    /// A cell with its blanks.
    static func padded(_ cell: Cell, _ width: Int, _ screen: Screen) -> String {
        let text = DisplayText.truncate(
            DisplayText.escape(cell.text, unicode: true), to: max(0, width - 2), ellipsis: "…")
        let padding = String(repeating: " ", count: max(0, width - 1 - DisplayText.width(text)))
        return " " + cell.styles.reversed().reduce(text) { screen.paint($0, $1) } + padding
    }
}

// MARK: - Values of several views

extension PM2Record {
    var version: String { settings["version"]?.text ?? PackageVersion.unknown }

    var isOnline: Bool { entry.instance.status == .online }

    /// `0` unless it is online.
    var uptime: String {
        isOnline ? PM2Quantities.duration(milliseconds: entry.instance.uptimeMs) : "0"
    }

    var cpu: String { PM2Quantities.percent(isOnline ? entry.instance.cpuPercent : nil) }
    var memory: String { PM2Quantities.bytes(isOnline ? entry.instance.memoryBytes : 0) }

    /// `N/A` where nothing is set.
    func shownText(_ key: String) -> String {
        guard let text = settings[key]?.scalarText, !text.isEmpty else { return "N/A" }
        return text
    }

    func shownWords(_ words: [String]) -> String { words.isEmpty ? "N/A" : words.joined(separator: " ") }
}
