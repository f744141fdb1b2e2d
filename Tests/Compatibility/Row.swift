import Records
import TestSupport
import Testing

/// One line of shell, and what PM2 answers to it.
///
/// In expected lines `*` is any text, `{H}` the home of PM2's and `{D}` the user's directory.
struct Row: Sendable, CustomTestStringConvertible {
    let line: String
    let code: Int32
    /// The lines of standard output, without those of the table; a last `…` leaves open what follows. Nil: any.
    let says: [String]?
    /// Whether the process table is printed.
    let table: Bool
    /// The lines of standard error.
    let errors: [String]
    let environment: [String: String]

    init(
        _ line: String, _ code: Int32 = 0, says: [String]? = [], table: Bool = false, errors: [String] = [],
        environment: [String: String] = [:]
    ) {
        self.line = line
        self.code = code
        self.says = says
        self.table = table
        self.errors = errors
        self.environment = environment
    }

    var testDescription: String { line }
}

extension PM2Home {
    /// Runs rows one after the other.
    func check(_ rows: [Row], sourceLocation: SourceLocation = #_sourceLocation) throws {
        for row in rows { try check(row, sourceLocation: sourceLocation) }
    }

    @discardableResult
    func check(_ row: Row, sourceLocation: SourceLocation = #_sourceLocation) throws -> CommandResult {
        let result = try sh(row.line, environment: row.environment)
        let told: Comment = "$ \(row.line)\n\(result.output)-- errors\n\(result.errors)-- exit \(result.code)"
        #expect(result.code == row.code, told, sourceLocation: sourceLocation)
        let lines = Self.lines(of: result.output)
        #expect(lines.contains(where: Self.isTable) == row.table, told, sourceLocation: sourceLocation)
        if let says = row.says {
            let words = lines.filter { !Self.isTable($0) }
            #expect(agrees(words, says), "expected \(says)\n\(told)", sourceLocation: sourceLocation)
        }
        let errors = Self.lines(of: result.errors)
        #expect(agrees(errors, row.errors), "expected errors \(row.errors)\n\(told)", sourceLocation: sourceLocation)
        return result
    }

    static func lines(of text: String) -> [String] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    private static func isTable(_ line: String) -> Bool { line.first.map { "┌│├└".contains($0) } ?? false }

    func agrees(_ lines: [String], _ expected: [String]) -> Bool {
        var expected = expected[...]
        var lines = lines[...]
        if expected.last == "…" {
            expected.removeLast()
            lines = lines.prefix(expected.count)
        }
        return lines.count == expected.count && zip(lines, expected).allSatisfy { matches($0, $1) }
    }

    /// Whether a line is as expected.
    func matches(_ line: String, _ pattern: String) -> Bool {
        let pattern = pattern.replacing("{H}", with: paths.home).replacing("{D}", with: directory)
        let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
        guard parts.count > 1, let first = parts.first, let last = parts.last else { return line == pattern }
        guard line.count >= first.count + last.count, line.hasPrefix(first), line.hasSuffix(last) else { return false }
        var rest = line.dropFirst(first.count).dropLast(last.count)
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }
}
