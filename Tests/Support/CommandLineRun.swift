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
        try startRun(Programs.hearth(), arguments, environment)
    }

    /// Runs a line of shell in the home directory, in which `hearth` is the built command line.
    @discardableResult
    package func shellRun(
        _ line: String, environment: [String: String] = [:], within seconds: Double = 60
    ) throws -> CommandResult {
        try result(of: try startShell(line, environment: environment), within: seconds)
    }

    package func startShell(_ line: String, environment: [String: String] = [:]) throws -> Run {
        let prelude = """
            cd '\(path)' || exit 99
            HEARTH='\(try Programs.hearth())'
            hearth() { "$HEARTH" "$@"; }

            """
        return try startRun("/bin/sh", ["-c", prelude + line], environment)
    }

    /// A line of shell in `directory`, with just this environment.
    package func startRun(_ line: String, in directory: String, environment: [String: String]) throws -> Run {
        try startRun("/bin/sh", ["-c", "cd '\(directory)' || exit 99\n\(line)"], environment, isWhole: true)
    }

    private func startRun(
        _ program: String, _ arguments: [String], _ environment: [String: String], isWhole: Bool = false
    ) throws -> Run {
        let stem = NSTemporaryDirectory() + "/hearth-e2e-run-\(UUID().uuidString.prefix(13))"
        var all = self.environment.merging(["HEARTH_HOME": path]) { _, new in new }
        all["HEARTH_LIBEXEC"] = (try Programs.keeper() as NSString).deletingLastPathComponent
        if isWhole { all = environment } else { all.merge(environment) { _, new in new } }
        // Not in the home: that may be on a full disk, or somebody else's.
        let pid = try startProcess(
            program, arguments, environment: all, output: stem + ".out", errors: stem + ".err")
        atEnd {
            unlink(stem + ".out")
            unlink(stem + ".err")
        }
        return Run(pid: pid, output: stem + ".out", errors: stem + ".err")
    }

    /// What a run has printed so far.
    package func output(of run: Run) -> String { read(run.output) }

    package func result(of run: Run, within seconds: Double = 60) throws -> CommandResult {
        let code = try exitCode(of: run.pid, within: seconds)
        defer {
            unlink(run.output)
            unlink(run.errors)
        }
        return CommandResult(code: code, output: read(run.output), errors: read(run.errors))
    }
}
