/// Something a person gave that can't become an app: an option, a key of a file, a path on disk.
package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What the error is about, for a caller that words errors differently by it.
    package enum Subject: Hashable, Sendable {
        /// An app as a whole: its script, its interpreter, its directory.
        case app
        /// The value of one key.
        case setting
        /// The file itself is not there, or can't be read or understood.
        case file
    }

    /// Where it was given, for example `apps.json: apps[1].max_restarts`. Nil on the command line, and for messages in
    /// the words of PM2.
    package var location: String?
    /// What is wrong, with the value in quotes; lower case, no full stop.
    package var message: String
    /// What to do.
    package var hint: String?
    package var subject: Subject

    package init(_ message: String, hint: String? = nil, location: String? = nil, subject: Subject = .app) {
        self.message = message
        self.hint = hint
        self.location = location
        self.subject = subject
    }

    /// The same error, said of a place in a file.
    package func at(_ location: String) -> ConfigurationError {
        ConfigurationError(
            message, hint: hint, location: self.location.map { "\(location)\($0)" } ?? location, subject: subject)
    }

    package func about(_ subject: Subject) -> ConfigurationError {
        ConfigurationError(message, hint: hint, location: location, subject: subject)
    }

    package var description: String {
        let sentence = hint.map { "\(message); \($0)" } ?? message
        return location.map { "\($0): \(sentence)" } ?? sentence
    }
}

/// Every problem of one app file: a person wants to mend them in one go.
package struct ConfigurationProblems: Error, Hashable, Sendable, CustomStringConvertible {
    package var problems: [ConfigurationError]

    package init(_ problems: [ConfigurationError]) { self.problems = problems }

    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
