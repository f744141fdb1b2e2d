import Model

extension AppResolver {
    /// What will be executed.
    struct Command {
        var name: String
        var script: String
        var arguments: [String]
        var interpreter: String?
        var interpreterArguments: [String] = []
        /// Variables that the interpreter needs.
        var variables: [String: String] = [:]
        /// Where it runs, when not in the directory of the description.
        var cwd: String?
    }

    func command(for draft: AppDraft, cwd: String, search: String) throws(ConfigurationError) -> Command {
        if let site = draft.staticSite { return try serve(site, draft) }
        guard let script = draft.script, !script.isEmpty else {
            throw ConfigurationError("no script is given", hint: "name a file or a command")
        }
        if Self.isShellString(script), find(script, cwd: cwd) == nil {
            return try shell(script, draft: draft, search: search, cwd: cwd)
        }
        let path = try locate(script, cwd: cwd, search: search)
        var command = Command(
            name: Self.derivedName(path), script: path, arguments: draft.arguments, interpreter: nil,
            interpreterArguments: draft.interpreterArguments)
        switch dialect {
        case .hearth: try chooseInterpreter(for: &command, asked: draft.interpreter, search: search, cwd: cwd)
        case .pm2: try chooseForeignInterpreter(for: &command, asked: draft.interpreter, search: search, cwd: cwd)
        }
        if let interpreter = command.interpreter, Paths.baseName(interpreter).contains("python") {
            // Otherwise a worker's output sits in a buffer for minutes.
            command.variables["PYTHONUNBUFFERED"] = "1"
        }
        return command
    }

    private func serve(_ site: StaticSite, _ draft: AppDraft) throws(ConfigurationError) -> Command {
        guard let program = staticServer?.first else {
            throw ConfigurationError(
                "the directory '\(site.path)' can't be served by this version", hint: "run a web server as an app")
        }
        let path = absolute(site.path, base: draft.cwd.map { absolute($0) } ?? workingDirectory)
        guard FileProbe.kind(of: path) == .directory else {
            throw ConfigurationError("the directory '\(path)' to be served does not exist", hint: "check the path")
        }
        return Command(
            name: site.name, script: program, arguments: Array(staticServer?.dropFirst() ?? []), interpreter: nil,
            variables: site.variables(path: path), cwd: path)
    }

    /// A command line rather than a file name.
    package static func isShellString(_ text: String) -> Bool { text.contains { $0.isWhitespace } }

    /// Base name less the last extension.
    static func derivedName(_ path: String) -> String {
        let name = Paths.baseName(path)
        let suffix = Paths.fileExtension(name)
        return suffix.isEmpty ? name : String(name.dropLast(suffix.count))
    }

    /// The name of an app with this script: PM2 takes a command line for a path, too; ours is called by its first word.
    static func derivedName(script: String, dialect: Dialect) -> String {
        guard dialect == .hearth, isShellString(script), FileProbe.kind(of: script) != .file else {
            return derivedName(script)
        }
        return derivedName(TextValues.words(script).first { !$0.contains("=") } ?? script)
    }

    private func shell(
        _ text: String, draft: AppDraft, search: String, cwd: String
    ) throws(ConfigurationError) -> Command {
        guard
            let shell = Paths.program("bash", path: search, base: cwd) ?? Paths.program("sh", path: search, base: cwd)
        else {
            throw ConfigurationError("neither bash nor sh is in PATH ('\(search)') to run '\(text)'")
        }
        // With arguments of its own, "$1" and on are theirs in the string: the word before them is $0.
        let extra = draft.arguments.isEmpty || dialect == .pm2 ? [] : [Paths.baseName(shell)] + draft.arguments
        return Command(
            name: Self.derivedName(script: text, dialect: dialect), script: shell, arguments: ["-c", text] + extra,
            interpreter: nil)
    }

    /// The existing path of a script: under the app's directory, then under the caller's.
    private func find(_ script: String, cwd: String) -> String? {
        for base in dialect == .pm2 ? [cwd] : [cwd, workingDirectory] {
            let path = Paths.absolute(script, base: base, home: home)
            if FileProbe.kind(of: path) != .missing { return path }
        }
        return nil
    }

    private func locate(_ script: String, cwd: String, search: String) throws(ConfigurationError) -> String {
        let found = find(script, cwd: cwd)
        if let found, FileProbe.kind(of: found) == .file { return found }
        // A directory of the same name does not hide a program: `hearth start npm` beside a folder `npm`.
        if !script.contains("/"), let program = Paths.program(script, path: search, base: cwd) { return program }
        guard let path = found else {
            let wanted = Paths.absolute(script, base: cwd, home: home)
            if dialect == .pm2 { throw ConfigurationError("Script not found: \(wanted)") }
            let hint = script.contains("/") ? "check the path" : "no program of that name is in PATH either"
            throw ConfigurationError("the script '\(wanted)' does not exist", hint: hint)
        }
        switch FileProbe.kind(of: path) {
        // Node finds the module in it.
        case .directory where dialect == .pm2: return path
        case .directory:
            throw ConfigurationError("the script '\(path)' is a directory", hint: "name the file to run in it")
        case .unreachable(let code):
            throw ConfigurationError("cannot reach the script '\(path)': \(FileProbe.describe(code))")
        default:
            throw ConfigurationError("the script '\(path)' is not a regular file", hint: "name a file to run")
        }
    }

    private func chooseInterpreter(
        for command: inout Command, asked: String?, search: String, cwd: String
    ) throws(ConfigurationError) {
        let path = command.script
        if let asked, asked != "none" {
            command.interpreter = try interpreter(asked, search: search, cwd: cwd)
            return
        }
        if asked == nil, let candidates = Interpreters.candidates(forExtension: Paths.fileExtension(path)) {
            guard let found = candidates.first(where: { Paths.program($0, path: search, base: cwd) != nil }) else {
                throw ConfigurationError(
                    "the interpreter '\(candidates[0])' for '\(path)' is not in PATH ('\(search)')",
                    hint: "install it, or name another one with --interpreter")
            }
            command.interpreter = found
            return
        }
        let head = FileProbe.head(of: path)
        let shebang = Interpreters.shebang(of: head)
        if FileProbe.isExecutable(path) {
            if let shebang { try requireShebang(shebang.interpreter, of: path, search: search, cwd: cwd) }
            guard shebang != nil || Interpreters.isBinary(head) || head.isEmpty else {
                throw ConfigurationError(
                    "'\(path)' is a text file without a #! line",
                    hint: "add one, or name its interpreter with --interpreter")
            }
            return
        }
        guard asked == nil, let shebang else {
            throw ConfigurationError(
                "'\(path)' is not executable",
                hint: "run 'chmod +x \(path)', or name its interpreter with --interpreter")
        }
        command.interpreter = try interpreter(shebang.interpreter, search: search, cwd: cwd)
        command.interpreterArguments = shebang.arguments + command.interpreterArguments
    }

    /// PM2's choice: by extension, and node for every text that has none.
    private func chooseForeignInterpreter(
        for command: inout Command, asked: String?, search: String, cwd: String
    ) throws(ConfigurationError) {
        let path = command.script
        let candidates: [String]
        if let asked {
            guard asked != "none" else { return }
            candidates = [asked.contains("/") ? absolute(asked) : asked]
        } else if let known = Interpreters.foreignCandidates(forExtension: Paths.fileExtension(path)) {
            candidates = known
        } else {
            guard !Interpreters.looksBinary(FileProbe.head(of: path)) else { return }
            candidates = ["node"]
        }
        guard let found = candidates.first(where: { Paths.program($0, path: search, base: cwd) != nil }) else {
            let name = candidates.first ?? ""
            throw ConfigurationError(
                "Interpreter \(name) is NOT AVAILABLE in PATH. (type 'which \(name)' to double check.)")
        }
        command.interpreter = found
    }

    /// Checks that a named interpreter exists. A bare name stays one: the daemon looks it up at each start.
    private func interpreter(_ name: String, search: String, cwd: String) throws(ConfigurationError) -> String {
        if name.contains("/") || name.hasPrefix("~") {
            let path = Paths.absolute(name, base: workingDirectory, home: home)
            guard Paths.program(path, path: search, base: cwd) != nil else {
                throw ConfigurationError(
                    "the interpreter '\(path)' does not exist or is not executable", hint: "correct --interpreter")
            }
            return path
        }
        guard Paths.program(name, path: search, base: cwd) != nil else {
            throw ConfigurationError(
                "the interpreter '\(name)' is not in PATH ('\(search)')", hint: "install it, or give its full path")
        }
        return name
    }

    private func requireShebang(
        _ interpreter: String, of path: String, search: String, cwd: String
    ) throws(ConfigurationError) {
        guard Paths.program(interpreter, path: search, base: cwd) == nil else { return }
        throw ConfigurationError(
            "'\(path)' begins with '#!…\(interpreter)', which is not there",
            hint: "install it, or name another interpreter with --interpreter")
    }
}
