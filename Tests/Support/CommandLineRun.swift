import Foundation
import Glibc

/// What one run of the command line gave.
package struct CommandResult: Sendable {
    /// Exit code, or -SIGNAL.
    package let code: Int32
    package let output: String
    package let errors: String
}

extension Home {
    /// Runs `hearth` on this home and waits for its end.
    package func hearth(_ arguments: String..., environment: [String: String] = [:]) throws -> CommandResult {
        try hearth(arguments, environment: environment)
    }

    package func hearth(
        _ arguments: [String], environment: [String: String] = [:], within seconds: Double = 60
    ) throws -> CommandResult {
        let run = try startHearth(arguments, environment: environment)
        return try result(of: run, within: seconds)
    }

    /// A run that was begun; `result(of:)` waits for it.
    package struct Run {
        package let pid: Int32
        fileprivate let output: String
        fileprivate let errors: String
    }

    package func startHearth(_ arguments: [String], environment: [String: String] = [:]) throws -> Run {
        let stem = file("command-\(UUID().uuidString.prefix(8))")
        var all = self.environment.merging(["HEARTH_HOME": path]) { _, new in new }
        all["HEARTH_LIBEXEC"] = (try Programs.keeper() as NSString).deletingLastPathComponent
        all.merge(environment) { _, new in new }
        let run = Run(
            pid: try startProcess(
                Programs.hearth(), arguments, environment: all, output: stem + ".out", errors: stem + ".err"),
            output: stem + ".out", errors: stem + ".err")
        return run
    }

    package func result(of run: Run, within seconds: Double = 60) throws -> CommandResult {
        let code = try exitCode(of: run.pid, within: seconds)
        defer {
            unlink(run.output)
            unlink(run.errors)
        }
        return CommandResult(code: code, output: read(run.output), errors: read(run.errors))
    }
}
