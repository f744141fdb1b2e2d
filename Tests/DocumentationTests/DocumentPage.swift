import Foundation
import Testing

/// A document, taken apart into what its test needs.
///
/// A line in a `console` or `sh` block that begins with `$ ` is a command; lines that begin with `> ` continue it; all
/// others are its output, which is not compared. Two spaces and `# …` behind a command say what is special about it.
struct DocumentPage: Sendable, CustomTestStringConvertible {
    struct Command: Hashable, Sendable {
        enum Expectation: Hashable, Sendable {
            case exit(Int32)
            /// Runs until it is interrupted.
            case endless
            /// The reason why it cannot be run by a test.
            case notRun(String)
        }

        var text: String
        var line: Int
        var expectation: Expectation
    }

    /// A block that names a file in the second word of its first line.
    struct File: Sendable {
        var name: String
        var text: String
    }

    let name: String
    private(set) var commands: [Command] = []
    private(set) var files: [File] = []
    /// Lines that look like commands and stand in a block where nobody runs them.
    private(set) var strays: [String] = []

    var testDescription: String { name }

    init(name: String, text: String) {
        self.name = name
        var language: String?
        var file: File?
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init).enumerated()
        {
            if line.hasPrefix("```") {
                if let ended = file { files.append(ended) }
                file = nil
                let words = line.dropFirst(3).split(separator: " ").map(String.init)
                language = language == nil ? words.first ?? "" : nil
                if language != nil, words.count > 1 { file = File(name: words[1], text: "") }
                continue
            }
            guard let language else { continue }
            if file != nil {
                file?.text += line + "\n"
            } else if language == "console" || language == "sh" {
                read(line, number: index + 1)
            } else if language != "text", line.hasPrefix("$ ") {
                strays.append("\(name):\(index + 1): \(line)")
            }
        }
    }

    private mutating func read(_ line: String, number: Int) {
        if line.hasPrefix("> "), !commands.isEmpty {
            commands[commands.count - 1].text += "\n" + line.dropFirst(2)
        } else if line.hasPrefix("$ ") {
            commands.append(Self.command(String(line.dropFirst(2)), line: number))
        }
    }

    private static func command(_ line: String, line number: Int) -> Command {
        guard let mark = line.range(of: "  # ") else { return Command(text: line, line: number, expectation: .exit(0)) }
        let text = String(line[..<mark.lowerBound])
        let remark = String(line[mark.upperBound...])
        var expectation = Command.Expectation.exit(0)
        if remark.hasPrefix("exit "), let code = Int32(remark.dropFirst(5)) {
            expectation = .exit(code)
        } else if remark.hasPrefix("Ctrl-C") {
            expectation = .endless
        } else if remark.hasPrefix("not run: ") {
            expectation = .notRun(String(remark.dropFirst(9)))
        }
        return Command(text: text, line: number, expectation: expectation)
    }

    // MARK: - All of them

    /// The top of the repository.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// README.md, examples/README.md and docs/*.md.
    static let all: [DocumentPage] = {
        let docs =
            (try? FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent("docs").path)) ?? []
        let names =
            ["README.md", "examples/README.md"] + docs.filter { $0.hasSuffix(".md") }.sorted().map { "docs/\($0)" }
        return names.compactMap { name in
            let text = try? String(contentsOf: root.appendingPathComponent(name), encoding: .utf8)
            return text.map { DocumentPage(name: name, text: $0) }
        }
    }()
}
