import Control
import Foundation
import Model
import TestSupport
import Testing

/// What the tests of app files do with a home.
extension Home {
    /// Writes `{"apps": […]}` of JSON objects.
    @discardableResult
    func apps(_ apps: String..., to name: String = "apps.json") throws -> String {
        try write("{\"apps\": [\(apps.joined(separator: ",\n"))]}\n", to: name)
    }

    /// An app that runs until it is stopped.
    func steady(_ name: String, _ more: String = "") -> String {
        let rest = more.isEmpty ? "" : ", \(more)"
        return "{\"name\": \"\(name)\", \"script\": \"/bin/sleep\", \"args\": [\"100000\"]\(rest)}"
    }

    /// Runs a command that must end with `code`; returns what it printed.
    @discardableResult
    func expect(
        _ code: Int32 = 0, _ line: String, environment: [String: String] = [:],
        _ location: SourceLocation = #_sourceLocation
    ) throws -> String {
        let result = try shellRun(line, environment: environment, within: 240)
        #expect(result.code == code, "\(line): \(result.output)\(result.errors)", sourceLocation: location)
        return result.output + result.errors
    }

    func pids(_ name: String) throws -> [Int32] { try list(name).compactMap(\.pid) }

    func names() throws -> [String] { try list().map(\.name).sorted() }
}
