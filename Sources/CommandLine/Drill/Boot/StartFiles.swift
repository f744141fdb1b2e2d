import Configuration
import Glibc
import Model
import Platform

/// What the start of an app reads: its directory, its program, the interpreter of that. Seen with the rights that this
/// process has at the moment.
struct StartFiles {
    let spec: AppSpec
    let environment: [String]

    struct Finding: Equatable {
        /// What would be executed; nil: it was not found.
        var program: String?
        var problems: [String] = []
    }

    /// Words that a shell knows itself.
    private static let builtins: Set<String> = [
        ".", ":", "[", "[[", "alias", "case", "cd", "command", "echo", "eval", "exec", "exit", "export", "false", "for",
        "function", "if", "local", "printf", "pwd", "read", "readonly", "set", "shift", "source", "test", "time",
        "trap",
        "true", "type", "ulimit", "umask", "unset", "until", "wait", "while", "{",
    ]

    func look() -> Finding {
        var finding = Finding()
        // The dot: entering a directory takes another right than seeing it.
        var status = stat()
        if stat(spec.cwd + "/.", &status) != 0 {
            finding.problems.append(
                "its working directory '\(spec.cwd)' cannot be entered: \(FileProbe.describe(errno))")
        }
        switch Spawner.locate(spec.interpreter ?? spec.script, environment: environment, cwd: spec.cwd) {
        case .failure(let failure): finding.problems.append(failure.message)
        case .success(let program):
            finding.program = program
            if let problem = Self.executionProblem(program) {
                finding.problems.append(problem)
            } else if let problem = shebangProblem(of: program) {
                finding.problems.append(problem)
            }
        }
        if spec.interpreter != nil, spec.script.hasPrefix("/"), access(spec.script, R_OK) {
            finding.problems.append("its script '\(spec.script)' cannot be read: \(FileProbe.describe(errno))")
        }
        if let problem = shellProblem() { finding.problems.append(problem) }
        return finding
    }

    /// Whether it is refused.
    private func access(_ path: String, _ mode: Int32) -> Bool { faccessat(AT_FDCWD, path, mode, AT_EACCESS) != 0 }

    private static func executionProblem(_ path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return "'\(path)' cannot be executed: \(FileProbe.describe(errno))" }
        guard status.st_mode & S_IFMT == S_IFREG else { return "'\(path)' cannot be executed: it is no file" }
        guard faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 else {
            return "'\(path)' cannot be executed: \(FileProbe.describe(errno))"
        }
        return nil
    }

    /// `#!/usr/bin/env node`: the program is another one.
    private func shebangProblem(of program: String) -> String? {
        // The kernel looks at 256 bytes, too.
        guard let head = Self.head(of: program, count: 256), head.starts(with: Array("#!".utf8)) else { return nil }
        let line = head.dropFirst(2).prefix { $0 != 0x0a }
        let words = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init)
        guard let interpreter = words.first else { return nil }
        if let problem = Self.executionProblem(interpreter) { return "in the first line of '\(program)': \(problem)" }
        guard interpreter.hasSuffix("/env"), let name = words.dropFirst().first(where: { !$0.hasPrefix("-") }),
            !name.contains("=")
        else { return nil }
        if case .failure(let failure) = Spawner.locate(name, environment: environment, cwd: spec.cwd) {
            return "in the first line of '\(program)': \(failure.message)"
        }
        return nil
    }

    /// `sh -c "npm start"`: the shell would be there, and npm not.
    private func shellProblem() -> String? {
        let shells = ["/sh", "/bash", "/dash"]
        guard spec.interpreter == nil, shells.contains(where: spec.script.hasSuffix), spec.arguments.first == "-c",
            spec.arguments.count > 1
        else { return nil }
        var words = spec.arguments[1].split(separator: " ").map(String.init)[...]
        if words.first == "exec" { words = words.dropFirst() }
        guard let word = words.first, !Self.builtins.contains(word),
            word.utf8.allSatisfy({ Self.isPlain($0) })
        else { return nil }
        if word.contains("/") {
            let path = word.hasPrefix("/") ? word : spec.cwd + "/" + word
            return Self.executionProblem(path).map { "of '\(spec.arguments[1])': \($0)" }
        }
        if case .failure(let failure) = Spawner.locate(word, environment: environment, cwd: spec.cwd) {
            return "of '\(spec.arguments[1])': \(failure.message)"
        }
        return nil
    }

    /// In nothing but these a word cannot mean something else to the shell.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"),
            UInt8(ascii: "/"), UInt8(ascii: "+"):
            true
        default: false
        }
    }

    private static func head(of path: String, count: Int) -> [UInt8]? {
        let fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard fd >= 0 else { return nil }
        defer { close(fd) }
        var bytes = [UInt8](repeating: 0, count: count)
        let length = read(fd, &bytes, count)
        return length > 0 ? Array(bytes.prefix(length)) : nil
    }
}
