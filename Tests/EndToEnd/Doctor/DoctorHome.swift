import Foundation
import Glibc
import TestSupport
import Testing

/// What one run of `hearth doctor --json` found.
struct Examination {
    let code: Int32
    let json: JSON
    let output: String

    var codes: Set<String> { Set(json["findings"].array.compactMap { $0["code"].string }) }
    /// Without what depends on the machine that the tests run on.
    var faults: Set<String> {
        Set(json["findings"].array.filter { $0["severity"].string != "note" }.compactMap { $0["code"].string })
    }
    var fixed: [String] { json["fixed"].array.compactMap(\.string) }

    /// Message, evidence and fix of a finding; empty when there is none.
    func text(of code: String) -> String {
        json["findings"].array.filter { $0["code"].string == code }.map { finding in
            ([finding["message"]] + finding["evidence"].array + [finding["fix"]]).compactMap(\.string)
                .joined(separator: "\n")
        }.joined(separator: "\n")
    }
}

extension Home {
    func doctor(_ arguments: String..., environment: [String: String] = [:]) throws -> Examination {
        let result = try hearth(["doctor", "--json"] + arguments, environment: environment)
        guard let json = try? JSON(result.output) else {
            throw Unexpected("doctor printed '\(result.output)' and complained '\(result.errors)'", in: self)
        }
        return Examination(code: result.code, json: json, output: result.output)
    }
}

/// A systemd that has just the units that a test describes.
struct FakeSystemd {
    let directory: String

    init(in home: Home) throws {
        directory = home.file("systemd")
        for name in ["bin", "show", "units"] {
            try FileManager.default.createDirectory(
                atPath: "\(directory)/\(name)", withIntermediateDirectories: true)
        }
        // Prints what lies under the unit's name, and for every other unit what systemd says of one that is not there.
        try home.write(
            """
            #!/bin/sh
            for word; do case "$word" in *.service) unit=$word;; esac; done
            cat '\(directory)/show/'"$unit" 2>/dev/null || echo LoadState=not-found
            """, to: "systemd/bin/systemctl", executable: true)
    }

    /// For `hearth`, so that it believes in it.
    var environment: [String: String] {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return [
            "HEARTH_TEST_SYSTEMD": "1", "HEARTH_TEST_UNITS": directory + "/units", "PATH": "\(directory)/bin:\(path)",
        ]
    }

    /// A unit file, and what `systemctl show` says of it.
    func add(_ name: String, file: String, _ properties: [String: String]) throws {
        let text = properties.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined()
        try text.write(toFile: "\(directory)/show/\(name)", atomically: true, encoding: .utf8)
        try file.write(toFile: "\(directory)/units/\(name)", atomically: true, encoding: .utf8)
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: "\(directory)/show/\(name)")
        try FileManager.default.removeItem(atPath: "\(directory)/units/\(name)")
    }
}
