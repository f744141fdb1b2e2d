import Foundation
import Testing

@Suite("Documents")
struct DocumentationTests {
    /// Everything that a page shows and no test runs. A new entry needs a reason as good as these.
    private static let notRun: Set<String> = [
        "README.md: make demo", "README.md: make test", "README.md: sudo make install",
        "README.md: make install PREFIX=~/.local",
        "docs/deploy.md: hearth deploy production setup", "docs/deploy.md: hearth deploy production",
        "docs/deploy.md: hearth deploy production revert 1",
        "docs/doctor.md: hearth doctor",
        "docs/troubleshooting.md: sudo -u deploy hearth list",
        "docs/troubleshooting.md: sudo HEARTH_HOME=/root/.hearth hearth list",
        "docs/varlink.md: python3 -m pip install varlink",
    ]

    @Test(
        "every command of a page ends as the page says",
        arguments: DocumentPage.all.filter { !$0.commands.isEmpty })
    func commandsWork(page: DocumentPage) throws {
        for outcome in try PageRun.perform(page) {
            let command = outcome.command
            let what: Comment = "\(page.name):\(command.line): \(command.text)\n\(outcome.output)"
            switch command.expectation {
            case .exit(let code): #expect(outcome.code == code, what)
            // 124: `timeout` ended it; 0 and 130: it ended itself when it was interrupted.
            case .endless: #expect([0, 124, 130].contains(outcome.code), what)
            case .notRun: break
            }
        }
    }

    @Test("commands that are not run are exactly the known ones")
    func exceptions() {
        let found = DocumentPage.all.flatMap { page in
            page.commands.compactMap { command -> String? in
                guard case .notRun = command.expectation else { return nil }
                return "\(page.name): \(command.text)"
            }
        }
        #expect(Set(found) == Self.notRun)
    }

    @Test("no command stands where nobody runs it")
    func strays() {
        #expect(DocumentPage.all.flatMap(\.strays) == [])
    }

    @Test("links between documents lead somewhere")
    func links() throws {
        for page in DocumentPage.all {
            let directory = DocumentPage.root.appendingPathComponent(page.name).deletingLastPathComponent()
            let text = try String(contentsOf: DocumentPage.root.appendingPathComponent(page.name), encoding: .utf8)
            for target in Self.linkTargets(in: text) where !target.contains("://") && !target.hasPrefix("#") {
                let path = directory.appendingPathComponent(String(target.split(separator: "#")[0])).path
                #expect(FileManager.default.fileExists(atPath: path), "\(page.name) links to '\(target)'")
            }
        }
    }

    private static func linkTargets(in text: String) -> [String] {
        text.components(separatedBy: "](").dropFirst().compactMap { rest in
            rest.firstIndex(of: ")").map { String(rest[..<$0]) }
        }
    }

    @Test("a page is taken apart as its conventions say")
    func parsing() {
        let page = DocumentPage(
            name: "page.md",
            text: """
                ```console
                $ hearth list  # exit 3
                some output
                $ first \\
                > second
                $ hearth events  # Ctrl-C
                ```
                ```python client.py
                $ 1
                ```
                ```text
                $ never
                ```
                ```
                $ stray
                ```
                """)
        #expect(page.commands.map(\.text) == ["hearth list", "first \\\nsecond", "hearth events"])
        #expect(page.commands.map(\.expectation) == [.exit(3), .exit(0), .endless])
        #expect(page.files.map(\.name) == ["client.py"])
        #expect(page.files.map(\.text) == ["$ 1\n"])
        #expect(page.strays == ["page.md:15: $ stray"])
    }
}
