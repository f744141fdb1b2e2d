/// The help texts of the `pm2` name.
enum PM2Help {
    static func write(_ console: PM2Console) {
        var lines = ["", "  Usage: pm2 [cmd] app", "", "  Options:", ""]
        let general = PM2Options.table.filter { $0.commands == nil }
        lines += columns(general.map { (label($0), $0.help) })
        lines += ["", "  Commands:", ""]
        lines += columns(PM2Command.table.map { (label($0), $0.help) })
        lines += ["", "  Hearth keeps these apps: https://hearth.dev; `hearth help` has more than PM2 knows.", ""]
        console.output(lines.joined(separator: "\n") + "\n")
    }

    static func write(_ command: PM2Command, _ console: PM2Console) {
        var lines = [
            "", "  Usage: \(command.name) [options] \(command.operands)".trimmingEnd, "", "  \(command.help)", "",
        ]
        let names = Set([command.name] + command.aliases)
        let own = PM2Options.table.filter { !($0.commands?.isDisjoint(with: names) ?? true) }
        lines +=
            ["  Options:", ""]
            + columns(own.map { (label($0), $0.help) } + [("-h, --help", "output usage information")])
        console.output((lines + [""]).joined(separator: "\n") + "\n")
    }

    static func examples(_ console: PM2Console) {
        let groups: [(String, [String])] = [
            (
                "- Start and add a process to the pm2 process list:",
                [
                    "pm2 start app.js --name app", "pm2 start app.js -i max", "pm2 start \"npm run start\"",
                ]
            ),
            ("- Save the process list and restore it:", ["pm2 save", "pm2 resurrect"]),
            ("- Look at what runs:", ["pm2 list", "pm2 describe app", "pm2 logs app --lines 100"]),
            ("- Stop, restart and remove:", ["pm2 stop app", "pm2 restart all", "pm2 delete app"]),
        ]
        for (title, commands) in groups {
            console.output("\(title)\n\n" + commands.map { "  $ \($0)\n" }.joined() + "\n")
        }
    }

    private static func label(_ option: PM2Options.Option) -> String {
        let short = option.short.map { "-\($0), " } ?? ""
        return (short + "--\(option.long) \(option.placeholder)").trimmingEnd
    }

    private static func label(_ command: PM2Command) -> String {
        let names = ([command.name] + command.aliases).joined(separator: "|")
        return (names + (command.operands.isEmpty ? "" : " \(command.operands)"))
    }

    private static func columns(_ rows: [(String, String)]) -> [String] {
        let width = min(46, (rows.map(\.0.count).max() ?? 0) + 2)
        return rows.map { label, help in
            "    " + label + String(repeating: " ", count: max(2, width - label.count)) + help
        }
    }
}

extension String {
    fileprivate var trimmingEnd: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
