/// roff from what the argument parser tells about its commands.
enum ManualPage {
    struct Dump: Decodable {
        var command: Command
    }

    struct Command: Decodable {
        var commandName: String
        var aliases: [String]?
        var abstract: String?
        var discussion: String?
        var shouldDisplay: Bool?
        var subcommands: [Command]?
        var arguments: [Argument]?
    }

    struct Argument: Decodable {
        struct Name: Decodable {
            var kind: String
            var name: String
        }

        var kind: String
        var shouldDisplay: Bool
        var isOptional: Bool
        var isRepeating: Bool
        var names: [Name]?
        var valueName: String?
        var abstract: String?
    }

    static func render(_ root: Command) -> String {
        var page = ".TH HEARTH 1\n.SH NAME\nhearth \\- \(escape(root.abstract ?? ""))\n"
        page += ".SH SYNOPSIS\n.B hearth\n.I command\n[options] [operands]\n"
        page += ".SH DESCRIPTION\n\(lines(root.discussion ?? ""))\n"
        page += ".SH COMMANDS\n"
        for command in (root.subcommands ?? []).sorted(by: { $0.commandName < $1.commandName })
        where command.commandName != "help" { page += section(command, path: "hearth") }
        page += ".SH FILES\n.TP\n.I ~/.hearth\nThe home: control socket, logs, records.\n"
        page += ".SH ENVIRONMENT\n.TP\n.B HEARTH_HOME\nThe home, when \\-\\-home is not given.\n"
        page += ".TP\n.B HEARTH_LIBEXEC\nWhere hearth\\-keeper and hearthd are.\n"
        page += ".TP\n.B NO_COLOR\nNo colours.\n"
        return page
    }

    private static func section(_ command: Command, path: String) -> String {
        guard command.shouldDisplay ?? true else { return "" }
        let name = "\(path) \(command.commandName)"
        var text = ".SS \"\(escape(name))\"\n\(escape(command.abstract ?? ""))\n"
        if let aliases = command.aliases, !aliases.isEmpty {
            text += ".br\nAlso: \(escape(aliases.joined(separator: ", ")))\n"
        }
        if let discussion = command.discussion, !discussion.isEmpty { text += ".PP\n\(lines(discussion))\n" }
        for argument in command.arguments ?? [] where argument.shouldDisplay && !isEverywhere(argument) {
            text += ".TP\n\(title(argument))\n\(escape(argument.abstract ?? ""))\n"
        }
        for subcommand in command.subcommands ?? [] where subcommand.commandName != "help" {
            text += section(subcommand, path: name)
        }
        return text
    }

    /// `--help` and `--version` go with every command and say nothing about it.
    private static func isEverywhere(_ argument: Argument) -> Bool {
        (argument.names ?? []).contains { $0.name == "help" || $0.name == "version" }
    }

    private static func title(_ argument: Argument) -> String {
        let value = escape(argument.valueName ?? "value")
        guard argument.kind != "positional" else { return ".I \(value)\(argument.isRepeating ? " ..." : "")" }
        let names = (argument.names ?? []).map { ($0.kind == "long" ? "--" : "-") + $0.name }
        let spelled = escape(names.joined(separator: ", "))
        return argument.kind == "flag" ? ".B \(spelled)" : ".BI \"\(spelled) \" \(value)"
    }

    /// Keeps the lines of a discussion as they are.
    private static func lines(_ text: String) -> String {
        ".nf\n"
            + text.split(separator: "\n", omittingEmptySubsequences: false).map { escape(String($0)) }
            .joined(separator: "\n") + "\n.fi"
    }

    private static func escape(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "\\": result += "\\e"
            case "-": result += "\\-"
            default: result.append(character)
            }
        }
        // A line that begins with a dot or quote would be a request.
        return result.hasPrefix(".") || result.hasPrefix("'") ? "\\&" + result : result
    }
}
