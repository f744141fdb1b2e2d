import DisplayText

/// What `doctor` prints.
enum DoctorReport {
    /// `--json`.
    struct View: Encodable {
        struct Item: Encodable {
            let finding: Finding

            enum Key: String, CodingKey { case layer, code, severity, message, evidence, fix }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: Key.self)
                try container.encode(finding.layer.rawValue, forKey: .layer)
                try container.encode(finding.code.rawValue, forKey: .code)
                try container.encode(finding.severity.rawValue, forKey: .severity)
                try container.encode(finding.message, forKey: .message)
                try container.encode(finding.evidence, forKey: .evidence)
                try container.encode(finding.fix, forKey: .fix)
            }
        }

        var ok: Bool
        var findings: [Item]
        /// What `--fix` did.
        var fixed: [String]

        init(_ diagnosis: Doctor.Diagnosis, fixed: [String]) {
            ok = diagnosis.isFine
            findings = diagnosis.findings.map(Item.init)
            self.fixed = fixed
        }
    }

    static func text(_ diagnosis: Doctor.Diagnosis, _ terminal: Terminal) -> String {
        var text = ""
        var layer: DoctorLayer?
        for finding in diagnosis.findings {
            if finding.layer != layer {
                layer = finding.layer
                text += terminal.paint(finding.layer.rawValue, .bold) + "\n"
            }
            text += lines(of: finding, terminal)
        }
        let looked = terminal.escape(diagnosis.looked.joined(separator: ", "))
        return text + (diagnosis.findings.isEmpty ? "" : "\n")
            + "\(summary(diagnosis.findings)); looked at: \(looked)\n"
    }

    private static func lines(of finding: Finding, _ terminal: Terminal) -> String {
        let severity = finding.severity.rawValue
        let padding = String(repeating: " ", count: max(0, 9 - severity.count))
        let indent = String(repeating: " ", count: 11)
        var text = "  " + terminal.paint(severity, style(finding.severity)) + padding
        text += terminal.escape(finding.message) + terminal.paint(" [\(finding.code.rawValue)]", .dim) + "\n"
        for line in finding.evidence { text += indent + terminal.paint(terminal.escape(line), .dim) + "\n" }
        if let fix = finding.fix { text += indent + (terminal.unicode ? "→ " : "> ") + terminal.escape(fix) + "\n" }
        return text
    }

    private static func style(_ severity: Finding.Severity) -> Terminal.Style {
        switch severity {
        case .error: .red
        case .warning: .yellow
        case .note: .cyan
        }
    }

    static func summary(_ findings: [Finding]) -> String {
        guard !findings.isEmpty else { return "nothing found" }
        let counts = Finding.Severity.allCases.compactMap { severity -> String? in
            let count = findings.count { $0.severity == severity }
            return count == 0 ? nil : Reporting.count(count, severity.rawValue)
        }
        return counts.joined(separator: ", ")
    }
}
