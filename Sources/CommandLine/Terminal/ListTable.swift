import Control
import Model
import Platform

/// The table of `list`, also shown after commands that change something.
enum ListTable {
    static func render(_ instances: [InstanceView], _ terminal: Terminal) -> String {
        table(of: instances, terminal).render(terminal)
    }

    private static func table(of instances: [InstanceView], _ terminal: Terminal) -> Table {
        func cells(_ cell: (InstanceView) -> Table.Cell) -> [Table.Cell] { instances.map(cell) }
        var columns: [Table.Column] = [
            Table.Column("id", dropRank: 0, alignsRight: true, cells: cells { .init($0.id.description, .cyan) }),
            Table.Column("name", dropRank: 0, minimum: 12, cells: cells { .init($0.name, .bold) }),
        ]
        if instances.contains(where: { $0.namespace != "default" }) {
            columns.append(Table.Column("namespace", dropRank: 6, minimum: 9, cells: cells { .init($0.namespace) }))
        }
        columns += [
            Table.Column("status", dropRank: 0, cells: cells { .init($0.status.rawValue, style(of: $0.status)) }),
            Table.Column(
                terminal.unicode ? "↺" : "restarts", dropRank: 3, alignsRight: true,
                cells: cells { .init(String($0.restarts), $0.unstableRestarts > 0 ? .yellow : nil) }),
            Table.Column(
                "uptime", dropRank: 2, alignsRight: true,
                cells: cells { .init($0.pid == nil ? "-" : Quantities.duration(milliseconds: $0.uptimeMs)) }),
            Table.Column(
                "cpu", dropRank: 5, alignsRight: true,
                cells: cells { .init($0.pid == nil ? "-" : Quantities.percent($0.cpuPercent)) }),
            Table.Column(
                "mem", dropRank: 4, alignsRight: true,
                cells: cells { .init($0.memoryBytes == 0 ? "-" : Quantities.bytes($0.memoryBytes)) }),
            Table.Column("pid", dropRank: 7, alignsRight: true, cells: cells { .init($0.pid.map(String.init) ?? "-") }),
            Table.Column("ports", dropRank: 8, minimum: 5, cells: cells { .init(ports($0.ports)) }),
            Table.Column("reason", dropRank: 9, minimum: 16, cells: cells { .init(reason(of: $0), .dim) }),
        ]
        return Table(columns: columns)
    }

    /// Of a job between two runs: when the next one is, and how the last one went.
    private static func reason(of view: InstanceView) -> String {
        guard view.status == .scheduled else { return view.reason }
        let next = view.nextStartAt.map {
            "next in \(Quantities.duration(milliseconds: max(0, $0 - SystemClock.wallClock())))"
        }
        return ([next].compactMap { $0 } + [view.reason]).joined(separator: "; ")
    }

    static func style(of status: Status) -> Terminal.Style {
        switch status {
        case .online: .green
        case .launching, .stopping, .waitingRestart, .waiting: .yellow
        case .stopped: .dim
        case .scheduled: .cyan
        case .errored: .red
        }
    }

    /// `3000`, `3000 8080`, `3000 8080 +2`.
    static func ports(_ ports: [PortView]) -> String {
        let numbers = Set(ports.map(\.port)).sorted()
        if numbers.isEmpty { return "-" }
        let shown = numbers.prefix(3).map(String.init).joined(separator: " ")
        return numbers.count > 3 ? "\(shown) +\(numbers.count - 3)" : shown
    }
}
