import Model

/// hearth-companion, which reads and writes the formats whose libraries would make `hearth` slow to start.
package enum CompanionProgram {
    package static let name = "hearth-companion"

    /// What a text in `kind` says, as JSON. `file` is its name in messages.
    static func json(
        of bytes: [UInt8], kind: FileKind, file: String, timeout: Milliseconds
    ) throws(ConfigurationError) -> [UInt8] {
        try render(bytes, ["render", "--from", kind.title.lowercased()], file: file, timeout: timeout) {
            "is not valid \(kind.title): \($0)"
        }
    }

    /// A value in the words of `kind`, YAML or TOML.
    package static func text(of value: JSONValue, as kind: FileKind) throws(ConfigurationError) -> String {
        let arguments = ["render", "--to", kind.title.lowercased()]
        let bytes = try render(
            Array(value.text.utf8), arguments, file: "the configuration", timeout: JavaScriptRuntime.timeout()
        ) { "can't be written as \(kind.title): \($0)" }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func render(
        _ bytes: [UInt8], _ arguments: [String], file: String, timeout: Milliseconds, complaint: (String) -> String
    ) throws(ConfigurationError) -> [UInt8] {
        let program = try InstalledProgram.path(of: name)
        let child = BoundedChild(program: program, arguments: arguments, input: bytes, timeout: timeout)
        let answer: BoundedChild.Answer
        do throws(BoundedChild.Failure) {
            answer = try child.run()
        } catch {
            var hint: String?
            let message: String
            switch error {
            case .cannotStart(let code): message = "cannot start '\(program)': \(FileProbe.describe(code))"
            case .timedOut:
                message = complaint("it took longer than \(timeout.rawValue) ms")
                hint = "is it the right file?"
            case .answerTooLarge:
                message = complaint("what it comes to is larger than \(child.largestAnswer >> 20) MiB")
            }
            throw ConfigurationError(message, hint: hint, location: file, subject: .file)
        }
        guard answer.code == 0 else {
            let why =
                answer.complaint.isEmpty ? "'\(program)' was ended by signal \(answer.signal)" : answer.complaint
            throw ConfigurationError(complaint(why), location: file, subject: .file)
        }
        return answer.bytes
    }
}
