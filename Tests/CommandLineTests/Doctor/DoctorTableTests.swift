import Foundation
import Testing

@testable import CommandLine

@Suite("doctor: the table of findings")
struct DoctorTableTests {
    @Test("docs/doctor.md has every finding, with its layer and severity, and no other")
    func table() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("docs/doctor.md"), encoding: .utf8)
        let rows = text.split(separator: "\n").compactMap { line -> String? in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 4, cells[1].hasPrefix("`") else { return nil }
            return cells[..<3].joined(separator: " ")
        }
        let codes = FindingCode.allCases.map {
            "\($0.layer?.rawValue ?? "any") `\($0.rawValue)` \($0.severity.rawValue)"
        }
        #expect(Set(rows).symmetricDifference(codes) == [])
        #expect(rows.count == codes.count)
    }
}
