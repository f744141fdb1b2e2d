import Configuration
import DisplayText
import Glibc

/// The command line before the parser sees it.
enum Arguments {
    /// The name under which this process was called: `hearth`, `pm2`.
    static var programName: String {
        guard let path = Swift.CommandLine.unsafeArgv[0].flatMap({ String(validatingCString: $0) }) else { return "" }
        return Paths.baseName(path)
    }

    /// Arguments of this process. One that is not UTF-8 would reach an app changed: it is refused.
    static func ofProcess() throws -> [String] {
        var arguments: [String] = []
        for index in 1..<max(1, Int(Swift.CommandLine.argc)) {
            guard let pointer = Swift.CommandLine.unsafeArgv[index] else { break }
            guard let text = String(validatingCString: pointer) else {
                let shown = DisplayText.escape(String(cString: pointer), unicode: true)
                throw Failure.usage("argument \(index) ('\(shown)') is not valid UTF-8")
            }
            arguments.append(text)
        }
        return arguments
    }

    /// A command that does not exist, in words; the parser would call it an unexpected argument.
    static func requireKnownCommand(_ arguments: [String]) throws {
        guard let word = arguments.first, !word.hasPrefix("-") else { return }
        let names = ["help"] + Hearth.commandNames
        guard !names.contains(word) else { return }
        let near = Spelling.nearest(to: word, among: names)
        throw Failure.usage(
            "there is no command '\(word)'; "
                + (near.map { "did you mean '\($0)'?" } ?? "run 'hearth help' to see them"))
    }

    /// Moves options that stand before the command behind it, where the parser expects them; spells `scale api -1` so
    /// that the number is not taken for an option, and what follows `start … --` so that it is not read at all.
    static func normalised(_ arguments: [String]) -> [String] {
        var leading: [String] = []
        var rest = arguments[...]
        while let first = rest.first {
            if ["--home", "--timeout"].contains(first), rest.count > 1 {
                leading += rest.prefix(2)
                rest = rest.dropFirst(2)
            } else if ["--home=", "--timeout="].contains(where: first.hasPrefix) || first == "--json" {
                leading.append(first)
                rest = rest.dropFirst()
            } else {
                break
            }
        }
        var words = Array(rest)
        // Nothing to attach them to: the parser's own complaint is better.
        guard let command = words.first, !command.hasPrefix("-") else { return leading + words }
        if !leading.isEmpty {
            // All that stands behind `deploy … exec` is a command of the user's.
            let end = command == "deploy" ? 1 : words.firstIndex(of: "--") ?? words.endIndex
            words.insert(contentsOf: leading, at: end)
        }
        if ["start", "run", "run-once"].contains(command), let terminator = words.firstIndex(of: "--") {
            let own = words[(terminator + 1)...].flatMap { ["--app-argument", $0] }
            words.replaceSubrange(terminator..., with: own)
        }
        if command == "scale" {
            words = words.map { word in
                word.hasPrefix("-") && Int(word) != nil ? "--by=\(word)" : word
            }
        }
        return words
    }
}
