import Foundation
import Glibc
import TestSupport

/// Runs the commands of one page, one after the other in one shell, in a scratch home directory.
///
/// The shell starts in a copy of `examples/`, with the scripts of its directories at the top too, and another copy as
/// `examples`. Ports of the examples become free ones, so that pages can run side by side.
struct PageRun {
    struct Outcome {
        var command: DocumentPage.Command
        /// Nil: the shell did not get so far.
        var code: Int32?
        var output: String
    }

    struct Trouble: Error, CustomStringConvertible {
        let description: String
    }

    /// Seconds for a page (it takes a few; on a machine under load it may take long), and for a command that runs until
    /// it is interrupted.
    private static let patience = 180.0
    private static let endlessSeconds = 0.5

    private let page: DocumentPage
    private let scratch: URL
    private let ports: [String: String]

    private var home: URL { scratch.appendingPathComponent("home") }
    private var work: URL { scratch.appendingPathComponent("work") }

    /// Runs the page and removes everything that it left behind.
    static func perform(_ page: DocumentPage) throws -> [Outcome] {
        let run = try PageRun(page)
        defer { try? FileManager.default.removeItem(at: run.scratch) }
        defer { run.killLeftovers() }
        try run.prepare()
        return try run.run()
    }

    private init(_ page: DocumentPage) throws {
        self.page = page
        let temporary = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        scratch = URL(fileURLWithPath: "\(temporary)/hearth-docs-\(UUID().uuidString.prefix(8))")
        let texts = page.commands.map(\.text) + page.files.map(\.text)
        let named = Set(texts.flatMap(Self.examplePorts) + ["48101", "48102", "48103"])
        ports = Dictionary(uniqueKeysWithValues: try named.sorted().map { ($0, String(try freePort())) })
    }

    // MARK: - Surroundings

    private func prepare() throws {
        let files = FileManager.default
        // The copy of a link would be a link, and what is written below it would land in the checkout.
        let examples = DocumentPage.root.appendingPathComponent("examples").resolvingSymlinksInPath()
        for directory in [home, scratch.appendingPathComponent("bin")] {
            try files.createDirectory(at: directory, withIntermediateDirectories: true)
        }
        try files.copyItem(at: examples, to: work)
        for directory in ["node-api", "php-site", "python-worker", "shell-script"] {
            let source = examples.appendingPathComponent(directory)
            for name in try files.contentsOfDirectory(atPath: source.path) {
                try files.copyItem(at: source.appendingPathComponent(name), to: work.appendingPathComponent(name))
            }
        }
        try files.copyItem(at: examples, to: work.appendingPathComponent("examples"))
        for file in page.files {
            try file.text.write(to: work.appendingPathComponent(file.name), atomically: true, encoding: .utf8)
        }
        try files.createSymbolicLink(
            at: scratch.appendingPathComponent("bin/hearth"),
            withDestinationURL: URL(fileURLWithPath: try Self.hearth()))
        try replacePorts(below: work)
    }

    private func replacePorts(below directory: URL) throws {
        guard let walk = FileManager.default.enumerator(atPath: directory.path) else { return }
        for case let name as String in walk {
            let path = directory.appendingPathComponent(name).path
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { continue }
            let changed = withFreePorts(text)
            guard changed != text, let handle = FileHandle(forWritingAtPath: path) else { continue }
            // In place: the permissions stay.
            try handle.truncate(atOffset: 0)
            try handle.write(contentsOf: Data(changed.utf8))
            try handle.close()
        }
    }

    private func withFreePorts(_ text: String) -> String {
        ports.reduce(text) { $0.replacingOccurrences(of: $1.key, with: $1.value) }
    }

    private static func examplePorts(_ text: String) -> [String] {
        text.split { !$0.isNumber }.filter { $0.count == 5 && $0.hasPrefix("481") }.map(String.init)
    }

    /// The built command line: in the directory that HEARTH_TEST_BIN names, or beside the test products.
    private static func hearth() throws -> String {
        var candidates = ProcessInfo.processInfo.environment["HEARTH_TEST_BIN"].map { ["\($0)/hearth"] } ?? []
        for start in [CommandLine.arguments.first ?? "", Bundle.main.bundlePath, Bundle.main.executablePath ?? ""] {
            var url = URL(fileURLWithPath: start)
            while url.path != "/" {
                candidates.append(url.appendingPathComponent("hearth").path)
                url.deleteLastPathComponent()
            }
        }
        // A directory may be called so, too: that of the checkout.
        var isDirectory: ObjCBool = false
        let found = candidates.first { path in
            FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && !isDirectory.boolValue
                && access(path, X_OK) == 0
        }
        guard let found else { throw Trouble(description: "'hearth' is not built, or HEARTH_TEST_BIN is wrong") }
        return found
    }

    /// The Python that `make test` gave the package `varlink` comes first, also when the tests are run without it.
    private var searchPath: String {
        let python = DocumentPage.root.appendingPathComponent(".build/python/bin").path
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        return "\(scratch.path)/bin:\(python):\(path)"
    }

    // MARK: - Running

    private func run() throws -> [Outcome] {
        let commands = page.commands.filter { if case .notRun = $0.expectation { false } else { true } }
        let script = scratch.appendingPathComponent("page.sh")
        try self.script(for: commands).write(to: script, atomically: true, encoding: .utf8)
        let environment = [
            "PATH": searchPath, "HOME": home.path, "LANG": "C.UTF-8", "USER": "tester", "SHELL": "/bin/bash",
        ]
        let shell = try Processes.start(
            "/bin/bash", ["-c", "cd '\(work.path)' && . '\(script.path)'"], environment: environment,
            output: "/dev/null")
        Processes.wait(shell, within: Self.patience)
        return commands.enumerated().map { index, command in
            let code = try? String(contentsOf: scratch.appendingPathComponent("\(index).code"), encoding: .utf8)
            let output = try? Data(contentsOf: scratch.appendingPathComponent("\(index).output"))
            return Outcome(
                command: command, code: code.flatMap { Int32($0.trimmingCharacters(in: .newlines)) },
                output: String(decoding: output ?? Data(), as: UTF8.self))
        }
    }

    /// One shell for the page: `cd` and variables last. Each command leaves its exit code and output in files. Code 4 (no
    /// answer in time) is tried again, as the documents advise: on a machine under load it says nothing about the page.
    private func script(for commands: [DocumentPage.Command]) -> String {
        var script = ""
        for (index, command) in commands.enumerated() {
            var text = withFreePorts(command.text)
            if command.expectation == .endless {
                // `swift test` ignores SIGINT, and hands that on.
                text =
                    "env --default-signal=INT timeout --signal=INT --kill-after=5 \(Self.endlessSeconds) \(text)"
            }
            let quoted = "'" + text.replacingOccurrences(of: "'", with: "'\\''") + "'"
            script += """
                for attempt in 1 2 3; do
                    eval \(quoted) >\(scratch.path)/\(index).output 2>&1
                    code=$?
                    [ "$code" -eq 4 ] || break
                    sleep 1
                done
                echo "$code" >\(scratch.path)/\(index).code

                """
        }
        return script + "hearth kill >/dev/null 2>&1\n"
    }

    /// Ends what a page that failed half-way left running: it has the scratch directory in its environment.
    private func killLeftovers() {
        let mark = Array(scratch.path.utf8)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        for pid in names.compactMap(Int32.init) where pid != getpid() {
            guard let environment = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/environ")),
                environment.range(of: Data(mark)) != nil
            else { continue }
            kill(pid, SIGKILL)
        }
    }
}
