import Control
import DisplayText
import Model

/// `describe`.
package enum Description {
    /// - Parameter local: the environment of whoever asks.
    package static func lines(_ record: PM2Record, local: [String: String], _ screen: Screen) -> [String] {
        let id = record.entry.instance.id
        let name = DisplayText.escape(record.entry.spec.name, unicode: true)
        var lines = [screen.paint(" Describing process with id \(id) - name \(name) ", .inverse, .bold)]
        lines += table(rows(record, screen), screen)
        if let report = record.entry.report {
            if !report.actions.isEmpty {
                lines.append(screen.paint(" Actions available ", .inverse, .bold))
                lines += column(report.actions.map(\.name), screen)
                lines.append(" Trigger via: pm2 trigger \(name) <action_name>")
                lines.append("")
            }
            if !report.metrics.isEmpty {
                lines.append(screen.paint(" Code metrics value ", .inverse, .bold))
                lines += table(
                    report.metrics.map { ($0.name, ProcessTable.Cell("\($0.value.shown) \($0.unit ?? "")")) }, screen)
            }
        }
        lines.append(screen.paint(" Divergent env variables from local env ", .inverse, .bold))
        lines += table(divergent(record, local: local), screen)
        lines += [
            "",
            " Add your own code metrics: http://bit.ly/code-metrics",
            " Use `pm2 logs \(name) [--lines 1000]` to display logs",
            " Use `pm2 env \(id)` to display environment variables",
            " Use `pm2 monit` to monitor CPU and Memory usage \(name)",
        ]
        return lines
    }

    private typealias Row = (label: String, cell: ProcessTable.Cell)

    private static func rows(_ record: PM2Record, _ screen: Screen) -> [Row] {
        let entry = record.entry
        var rows: [Row] = []
        func add(_ label: String, _ text: String, _ styles: [Screen.Style] = []) {
            rows.append((label, ProcessTable.Cell(text, styles)))
        }
        func addIfSet(_ label: String, _ key: String) {
            if record.settings[key] != nil { add(label, record.shownText(key)) }
        }
        add("status", entry.instance.status.pm2Name, ProcessTable.style(of: entry.instance.status))
        add("name", entry.spec.name)
        add("namespace", entry.spec.namespace)
        add("version", record.version)
        add("restarts", String(entry.instance.restarts))
        addIfSet("max memory restart", "max_memory_restart")
        addIfSet("cron restart", "cron_restart")
        add("uptime", record.uptime)
        addIfSet("entire log path", "pm_log_path")
        add("script path", entry.spec.script)
        add("script args", record.shownWords(entry.spec.arguments))
        add("error log path", record.shownText("pm_err_log_path"))
        add("out log path", record.shownText("pm_out_log_path"))
        add("pid path", record.shownText("pm_pid_path"))
        add("interpreter", record.shownText("exec_interpreter"))
        add("interpreter args", record.shownWords(entry.spec.interpreterArguments))
        add("script id", entry.instance.id.description)
        add("exec cwd", entry.spec.cwd)
        add("exec mode", record.shownText("exec_mode"))
        add("node.js version", record.shownText("node_version"))
        add("node env", record.environment["NODE_ENV"]?.scalarText ?? "N/A")
        add("watch & reload", entry.spec.watch == nil ? "✘" : "✔", [entry.spec.watch == nil ? .red : .green, .bold])
        add("unstable restarts", String(entry.instance.unstableRestarts))
        add("created at", Timestamp.utc(milliseconds: entry.instance.createdAt))
        return rows
    }

    /// Variables that the app has with another value than whoever asks.
    private static func divergent(_ record: PM2Record, local: [String: String]) -> [Row] {
        var stored: [String: String] = [:]
        for member in record.environment.members { stored[member.key] = member.value.scalarText }
        return local.keys.sorted().compactMap { name in
            guard let value = stored[name], !value.isEmpty, value != local[name] else { return nil }
            return (name, ProcessTable.Cell(value))
        }
    }

    private static func column(_ names: [String], _ screen: Screen) -> [String] {
        let width = names.reduce(0) { max($0, DisplayText.width(DisplayText.escape($1, unicode: true))) } + 2
        let line = String(repeating: "─", count: width)
        let bar = screen.paint("│", .gray)
        let rows = names.map { bar + ProcessTable.padded(ProcessTable.Cell($0, [.cyan, .bold]), width, screen) + bar }
        return [screen.paint("┌\(line)┐", .gray)] + rows + [screen.paint("└\(line)┘", .gray)]
    }

    /// Two columns, each as wide as its longest text.
    private static func table(_ rows: [Row], _ screen: Screen) -> [String] {
        // What PM2 prints for a table without rows.
        if rows.isEmpty { return ["┌┐", "└┘"] }
        let left = rows.reduce(0) { max($0, DisplayText.width(DisplayText.escape($1.label, unicode: true))) } + 2
        let right = rows.reduce(0) { max($0, DisplayText.width(DisplayText.escape($1.cell.text, unicode: true))) } + 2
        func border(_ begin: String, _ middle: String, _ end: String) -> String {
            let bars = [left, right].map { String(repeating: "─", count: $0) }
            return screen.paint(begin + bars.joined(separator: middle) + end, .gray)
        }
        let bar = screen.paint("│", .gray)
        var lines = [border("┌", "┬", "┐")]
        for row in rows {
            let label = ProcessTable.padded(ProcessTable.Cell(row.label, [.cyan, .bold]), left, screen)
            lines.append(bar + label + bar + ProcessTable.padded(row.cell, right, screen) + bar)
        }
        lines.append(border("└", "┴", "┘"))
        return lines
    }
}

/// Times as JavaScript's `toISOString` writes them.
enum Timestamp {
    static func utc(milliseconds: Int64) -> String {
        let days = Int64((Double(milliseconds) / 86_400_000).rounded(.down))
        // Beyond what JavaScript has a date for.
        guard abs(days) < 3_000_000 else { return "N/A" }
        let rest = milliseconds - days * 86_400_000
        let date = civil(days)
        func pad(_ number: Int64, _ width: Int = 2) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let time = "\(pad(rest / 3_600_000)):\(pad(rest / 60_000 % 60)):\(pad(rest / 1000 % 60)).\(pad(rest % 1000, 3))"
        return "\(pad(date.year, 4))-\(pad(date.month))-\(pad(date.day))T\(time)Z"
    }

    /// Days since 1970 to a date, by Howard Hinnant's algorithm: years begin in March, so the leap day is the last.
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let year = yearOfEra + era * 400 + (month >= 10 ? 1 : 0)
        return (year, month < 10 ? month + 3 : month - 9, day)
    }
}
