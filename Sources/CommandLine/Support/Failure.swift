import Configuration
import Control
import Platform

/// Exit codes of `hearth` (docs/exit-codes.md).
enum Exit: Int32 {
    case done = 0
    case failed = 1
    case usage = 2
    case noDaemon = 3
    case notAnswering = 4
    case notPermitted = 5
    case incompatible = 6
    /// Of `plan` alone: something would change.
    case changes = 10
}

/// Ends a command: what goes to standard error, line by line, and the exit code. No lines: everything was said.
struct Failure: Error, Equatable {
    var exit: Exit
    var lines: [String]

    init(_ exit: Exit, _ lines: String...) {
        self.exit = exit
        self.lines = lines
    }

    init(_ exit: Exit, lines: [String]) {
        self.exit = exit
        self.lines = lines
    }

    static func usage(_ message: String) -> Failure { Failure(.usage, message) }

    /// Whatever a command may throw, as a person and a script need it. Nil: not one of ours.
    init?(_ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as ClientError: self.init(client: error)
        case let error as ConfigurationError: self.init(.failed, error.description)
        case let error as ConfigurationProblems: self.init(.failed, lines: error.problems.map(\.description))
        case let error as SystemError: self.init(.failed, error.description)
        default: return nil
        }
    }

    private init(client error: ClientError) {
        switch error {
        case .noDaemon(let socket):
            self.init(.noDaemon, "no daemon is running (nobody listens on '\(socket)'); start one with 'hearth up'")
        case .notAnswering(let milliseconds):
            self.init(
                .notAnswering,
                "the daemon does not answer within \(milliseconds) ms; its keeper replaces a daemon that hangs, "
                    + "try again in a moment")
        case .notPermitted(let why): self.init(.notPermitted, lines: ["not permitted: \(why)"] + ForeignHome.hint)
        case .otherVersion(let why):
            self.init(.incompatible, "incompatible version: \(why); run 'hearth upgrade' with the newer one")
        case .connectionLost:
            self.init(
                .failed, "the daemon went away in the middle of the command; look at 'hearth list' before repeating it")
        case .malformed(let why): self.init(.failed, "the daemon's answer makes no sense: \(why)")
        case .remote(let error):
            self.init(error.code == .notPermitted ? .notPermitted : .failed, error.description)
        }
    }
}
