import Foundation
import Records
import TestSupport
import Testing

@Suite("docs/pm2-compatibility.md")
struct PageTests {
    private static func page(_ file: String = #filePath) throws -> String {
        let root = URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent("docs/pm2-compatibility.md"), encoding: .utf8)
    }

    /// What stands in code in the first cells of a section's table.
    private static func entries(_ section: String) throws -> [String] {
        let lines = try page().split(separator: "\n", omittingEmptySubsequences: false)
        let body = lines.drop { $0 != "## \(section)" }.dropFirst().prefix { !$0.hasPrefix("## ") }
        return body.filter { $0.hasPrefix("| `") }.flatMap { row -> [String] in
            let cell = row.dropFirst().prefix { $0 != "|" }
            return cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
                .filter { $0.offset % 2 == 1 }.map { String($0.element) }
        }
    }

    @Test("every command of the help has a row, and no command has two")
    func commands() throws {
        try withPM2 { pm2 in
            let help = PM2Home.lines(of: try pm2.sh("pm2 --help").output)
            let listed = help.drop { $0 != "  Commands:" }.dropFirst(2).prefix { $0.hasPrefix("    ") }
            let names = listed.flatMap { line in
                line.split(separator: " ")[0].split(separator: "|").map(String.init)
            }
            #expect(names.count > 50)
            let rows = try Self.entries("Commands")
            #expect(Set(names).subtracting(rows) == [], "without a row")
            #expect(Set(rows).count == rows.count, "twice")
        }
    }

    @Test("every option of the help has a row")
    func options() throws {
        try withPM2 { pm2 in
            let help = PM2Home.lines(of: try pm2.sh("pm2 --help").output)
            let listed = help.drop { $0 != "  Options:" }.dropFirst(2).prefix { $0.hasPrefix("    ") }
            let names = listed.compactMap { line in
                line.split(whereSeparator: { $0 == " " || $0 == "," }).first { $0.hasPrefix("--") }.map(String.init)
            }
            #expect(names.count > 40)
            #expect(Set(names).subtracting(try Self.entries("Options")) == [])
        }
    }
}
