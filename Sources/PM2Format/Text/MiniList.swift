import Control
import DisplayText
import Model

/// `ls --mini-list`.
package enum MiniList {
    package static func lines(_ records: [PM2Record], order: ProcessOrder = .byName) -> [String] {
        order.sorted(records).flatMap(lines)
    }

    private static func lines(_ record: PM2Record) -> [String] {
        let entry = record.entry
        let rows = [
            ("namespace", entry.spec.namespace), ("version", record.version),
            ("pid", String(entry.instance.pid ?? 0)), ("pm2 id", entry.instance.id.description),
            ("status", entry.instance.status.pm2Name), ("mode", entry.spec.mode == .cluster ? "cluster" : "fork"),
            ("restarted", String(entry.instance.restarts)), ("uptime", record.uptime),
            ("memory usage", record.memory), ("error log", record.shownText("pm_err_log_path")),
            ("watching", entry.spec.watch == nil ? "no" : "yes"), ("PID file", record.shownText("pm_pid_path")),
        ]
        return ["+--- \(DisplayText.escape(entry.spec.name, unicode: true))"]
            + rows.map { "\($0) : \(DisplayText.escape($1, unicode: true))" } + [""]
    }
}
