/// A failure that crosses the socket: the small closed set of errors of the interface.
package struct ControlError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable, CaseIterable {
        case notFound = "NotFound"
        case badRequest = "BadRequest"
        case notPermitted = "NotPermitted"
        case failed = "Failed"
        case timedOut = "TimedOut"
        case refused = "Refused"

        package var qualifiedName: String { "\(Interface.name).\(rawValue)" }
    }

    package var code: Code
    /// What failed, with the value in quotes; lower case, no full stop.
    package var message: String
    /// What to do.
    package var hint: String?

    package init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    package var description: String { hint.map { "\(message); \($0)" } ?? message }
}
