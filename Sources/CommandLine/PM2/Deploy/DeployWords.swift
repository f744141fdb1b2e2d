import Configuration

/// What follows `deploy` on the command line. All of it belongs to the deployment, options included.
struct DeployWords: Equatable {
    enum Task: Equatable {
        case setup
        /// Nil: the `ref` of the environment.
        case update(ref: String?)
        /// This many deployments back.
        case revert(Int)
        case current
        case previous
        case list
        case execute(String)
    }

    /// The file that was named; nil: the first of the default ones.
    var file: String?
    var environment: String
    var task = Task.update(ref: nil)
    /// `--force`: whether local changes are committed and pushed does not matter.
    var isForced = false
    /// `--chdir`: where local commands are run.
    var directory: String?

    /// Words that are no deployment.
    enum Other: Error, Equatable {
        case help
        case version
        case invalid(String)
    }

    init(_ words: [String]) throws(Other) {
        var operands: [String] = []
        var isForced = false
        var directory: String?
        var rest = words[...]
        // What stands behind `exec` is a command of its own, with its own options.
        while !Self.isComplete(operands), let word = rest.popFirst() {
            switch word {
            case "--force", "-F", "-f": isForced = true
            case "-C", "--chdir":
                guard let value = rest.popFirst() else {
                    throw .invalid("option `-C, --chdir <dir>' argument missing")
                }
                directory = value
            case "-h", "--help": throw .help
            case "-V", "--version": throw .version
            // Of the program, not of the deployment: nothing here has colours.
            case "--no-color": break
            default:
                if word.hasPrefix("--chdir=") {
                    directory = String(word.dropFirst("--chdir=".count))
                } else if word.hasPrefix("-"), word != "-" {
                    throw .invalid("unknown option `\(word)'")
                } else {
                    operands.append(word)
                }
            }
        }
        var words = operands[...]
        let file = words.first.flatMap { FileKind(name: $0) == nil ? nil : $0 }
        if file != nil { words.removeFirst() }
        guard let environment = words.popFirst(), environment != "help" else { throw .help }
        self.file = file
        self.environment = environment
        self.isForced = isForced
        self.directory = directory
        task = try Self.task(Array(words), command: Array(rest))
    }

    private static let executing: Set<String> = ["exec", "run"]

    /// Whether the last of these words is the `exec` of `[FILE] ENVIRONMENT exec COMMAND`.
    private static func isComplete(_ operands: [String]) -> Bool {
        guard let last = operands.last, executing.contains(last) else { return false }
        let isNamed = operands.first.map { FileKind(name: $0) != nil } ?? false
        return operands.count == (isNamed ? 3 : 2)
    }

    private static func task(_ words: [String], command: [String]) throws(Other) -> Task {
        guard let name = words.first else { return .update(ref: nil) }
        let operands = Array(words.dropFirst())
        if executing.contains(name) {
            guard !command.isEmpty else { throw .invalid("missing the command to execute") }
            return .execute(command.joined(separator: " "))
        }
        let most = ["update", "revert", "ref"].contains(name) ? 1 : 0
        guard operands.count <= most else { throw .invalid("unexpected argument `\(operands[most])'") }
        switch name {
        case "setup": return .setup
        case "update": return .update(ref: operands.first)
        case "ref":
            guard let ref = operands.first else { throw .invalid("missing the ref to deploy") }
            return .update(ref: ref)
        case "revert":
            guard let word = operands.first else { return .revert(1) }
            guard let count = Int(word), (1...1_000_000).contains(count) else {
                throw .invalid("`\(word)' is no number of deployments to go back")
            }
            return .revert(count)
        case "curr", "current": return .current
        case "prev", "previous": return .previous
        case "list": return .list
        default: return .update(ref: name)
        }
    }
}
