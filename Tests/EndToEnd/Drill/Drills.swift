import Foundation
import TestSupport
import Testing

/// What a drill printed with `--json`.
struct PrintedDrill: Decodable {
    struct App: Decodable {
        var id: Int
        var name: String
        var pidBefore: Int32?
        var pidAfter: Int32?
        var recoveredMs: Int64?
        var problem: String?
        var differences: [String]
    }

    struct Check: Decodable {
        var url: String
        var before: Int?
        var after: Int?
        var failure: String?
    }

    var ok: Bool
    var level: String
    var apps: [App]
    var checks: [Check]
    var problems: [String]
    var notes: [String]
    var tookMs: Int64

    func app(_ name: String) throws -> App { try #require(apps.first { $0.name == name }) }
}

extension Home {
    /// Runs `hearth drill … --json`, which must end with `code`.
    func drill(
        _ arguments: String..., code: Int32 = 0, environment: [String: String] = [:],
        _ location: SourceLocation = #_sourceLocation
    ) throws -> PrintedDrill {
        let result = try hearth(["drill", "--json"] + arguments, environment: environment, within: 120)
        #expect(result.code == code, "\(result.output)\(result.errors)", sourceLocation: location)
        return try JSONDecoder().decode(PrintedDrill.self, from: Data(result.output.utf8))
    }
}
