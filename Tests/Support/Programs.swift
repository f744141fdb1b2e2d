import Foundation
import Platform

/// The built binaries: in the directory that HEARTH_TEST_BIN names, or beside the test products.
package enum Programs {
    package struct Missing: Error, CustomStringConvertible {
        package let description: String
    }

    package static func keeper() throws -> String { try find("hearth-keeper") }
    package static func daemon() throws -> String { try find("hearthd") }
    /// The command line.
    package static func hearth() throws -> String { try find("hearth") }

    private static func find(_ name: String) throws -> String {
        let environment = ProcessInfo.processInfo.environment
        var candidates = environment["HEARTH_TEST_BIN"].map { [$0 + "/" + name] } ?? []
        for start in [CommandLine.arguments.first ?? "", Bundle.main.bundlePath, Bundle.main.executablePath ?? ""] {
            var url = URL(fileURLWithPath: start)
            while url.path != "/" {
                candidates.append(url.appendingPathComponent(name).path)
                url.deleteLastPathComponent()
            }
        }
        guard let found = candidates.first(where: FileSystem.isExecutable) else {
            throw Missing(description: "'\(name)' is not built, or HEARTH_TEST_BIN is wrong")
        }
        return found
    }
}
