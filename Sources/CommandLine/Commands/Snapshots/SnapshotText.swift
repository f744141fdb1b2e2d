import Control

/// Snapshots and differences for a person.
enum SnapshotText {
    static func table(_ snapshots: [SnapshotView]) -> Table {
        Table(columns: [
            .init("name", dropRank: 0, minimum: 12, cells: snapshots.map { .init($0.name, .bold) }),
            .init("made", dropRank: 0, cells: snapshots.map { .init(Quantities.timestamp(milliseconds: $0.at)) }),
            .init("apps", dropRank: 1, alignsRight: true, cells: snapshots.map { .init(String($0.apps)) }),
            .init("instances", dropRank: 2, alignsRight: true, cells: snapshots.map { .init(String($0.instances)) }),
            .init("kind", dropRank: 3, cells: snapshots.map { .init($0.kind) }),
        ])
    }

    static func differences(_ differences: [Difference], _ terminal: Terminal) -> String {
        if differences.isEmpty { return "no differences\n" }
        var text = ""
        for difference in differences {
            let (mark, style): (String, Terminal.Style) =
                switch difference.change {
                case "added": ("+", .green)
                case "removed": ("-", .red)
                default: ("~", .yellow)
                }
            text += terminal.paint("\(mark) \(terminal.escape(difference.name))", style)
            text += " \(terminal.escape(difference.change))\n"
            for detail in difference.details { text += "    \(terminal.escape(detail))\n" }
        }
        return text
    }
}
