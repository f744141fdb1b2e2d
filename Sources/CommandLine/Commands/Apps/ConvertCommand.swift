import ArgumentParser
import Configuration
import PM2Format

extension AppFileText.Format: ExpressibleByArgument {}

struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: "Print an app file in another format.",
        discussion: """
            A JavaScript file is evaluated: what it says now is what is printed. Comments are not kept; keys keep their
            spelling, and stand in the order of docs/app-files.md.
            """)

    @Argument(help: "An app file, or '-' for JSON on standard input.", completion: .file())
    var file: String

    @Option(help: ArgumentHelp("yaml, toml or json.", valueName: "format"))
    var to: AppFileText.Format

    @Option(name: [.customShort("o"), .long], help: "Write into this file instead (mode 0600).", completion: .file())
    var output: String?

    @Flag(help: "Replace the file that is there.")
    var force = false

    func run() throws {
        let target = output.map { NewFile(path: $0, replaces: force) }
        try target?.check()
        let value = try AppFile.value(path: file, name: file == "-" ? "standard input" : file)
        // Whether it is an app file at all, and what is wrong with it, is found out as everywhere else.
        let checked = try AppFile.parse(Array(value.text.utf8), name: file)
        for warning in checked.warnings { Output.complain("warning: \(warning)") }
        let text = try to.text(of: AppFileOrder.document(value, isTable: to == .toml))
        guard let target else { return try Output.write(text) }
        try target.write(text)
        try Output.line(Terminal.detect().escape("wrote '\(target.path)'"))
    }
}

/// Puts keys in an order that a person reads with pleasure: a script and a name first.
enum AppFileOrder {
    private static let lists = ["apps", "pm2", "static"]

    /// - Parameter isTable: the format holds nothing but an object at the top.
    static func document(_ value: JSONValue, isTable: Bool) -> OrderedJSON {
        switch value {
        case .array(let values):
            let apps = OrderedJSON.array(values.map(app))
            return isTable ? .object(["apps": apps]) : apps
        case .object(let members):
            let present = lists.filter { members[$0].map { $0 != .null } ?? false }
            guard !present.isEmpty else { return app(value) }
            // A package.json says more than an app file does.
            let others = members.keys.filter { !lists.contains($0) }.sorted()
            let kept = members["name"] != nil && members["version"] != nil ? others.filter { $0 == "deploy" } : others
            return .object(
                OrderedObject(
                    (present + kept).compactMap { key in members[key].map { .init(key, list($0, key)) } }))
        default: return plain(value)
        }
    }

    private static func list(_ value: JSONValue, _ key: String) -> OrderedJSON {
        guard lists.contains(key) else { return plain(value) }
        if case .array(let values) = value { return .array(values.map(app)) }
        return app(value)
    }

    static func app(_ value: JSONValue) -> OrderedJSON {
        guard case .object(let members) = value else { return plain(value) }
        let keys = members.keys.sorted { left, right in
            let ranks = (rank(left), rank(right))
            return ranks.0 == ranks.1 ? left < right : ranks.0 < ranks.1
        }
        return .object(OrderedObject(keys.compactMap { key in members[key].map { .init(key, plain($0)) } }))
    }

    /// The name before everything else: that is what one looks for.
    private static func rank(_ key: String) -> Int { key == "name" ? -1 : AppKeys.rank(of: key) }

    static func plain(_ value: JSONValue) -> OrderedJSON {
        switch value {
        case .null: .null
        case .bool(let flag): .bool(flag)
        case .integer(let number): .integer(number)
        case .number(let number): .number(number)
        case .string(let text): .string(text)
        case .array(let values): .array(values.map(plain))
        case .object(let members):
            .object(
                OrderedObject(
                    members.sorted { $0.key < $1.key }.map { .init($0.key, plain($0.value)) }))
        }
    }
}
