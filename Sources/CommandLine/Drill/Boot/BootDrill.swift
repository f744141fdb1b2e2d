import Configuration
import Control
import FoundationEssentials
import Glibc
import Model
import Platform
import Records

/// Looks whether everything would come back after a boot, and what would be otherwise. Nothing is stopped or started.
///
/// The look itself is done by this program once more, in the environment and as the user that a start after a boot has:
/// what a shell's PATH or another user's rights made possible is not there then.
struct BootDrill {
    let drill: Drill
    /// This is the program in that environment.
    let isRehearsed: Bool
    private var session: Session { drill.session }

    func run() throws {
        if isRehearsed { return try rehearse() }
        // The daemon is needed to say what each app is started with.
        try session.connectStarting()
        let stage = try RehearsalStage(paths: session.paths)
        drill.strike("rehearsed \(stage.story)")
        let inner = try perform(stage)
        drill.outcome.apps = inner.apps
        drill.outcome.problems = inner.problems
        drill.outcome.notes = stage.notes + inner.notes
        drill.outcome.problems += BootUnit.problems(of: session.paths, notes: &drill.outcome.notes)
        // Asked from here: the rehearsal is about what an app starts with, not about the network.
        try drill.look()
        drill.askBefore()
    }

    private func perform(_ stage: RehearsalStage) throws -> DrillOutcome {
        let words = ["drill", "--boot", "--rehearsed", "--json", "--home", session.paths.home]
        // A rehearsal reads files: a disk that hangs must not hang it.
        guard let output = ProgramOutput.of(stage.program, stage.arguments(words), seconds: 60) else {
            throw Failure(.failed, "the rehearsal (\(stage.story)) did not start, or not end within 60 s")
        }
        guard let outcome = try? JSONDecoder().decode(DrillOutcome.self, from: Data(output.text.utf8)) else {
            throw Failure(
                .failed,
                "the rehearsal (\(stage.story)) failed: \(output.complaint.isEmpty ? "it printed nothing" : output.complaint)"
            )
        }
        return outcome
    }

    // MARK: - In the environment of a start

    private func rehearse() throws {
        try drill.look()
        let stored = StoredList(session.paths)
        drill.outcome.problems += stored.problems
        let names = Set(drill.subjects.map(\.name))
        drill.outcome.apps = drill.subjects.map { subject in
            var app = subject.result(subject.entry.instance, recoveredMs: nil)
            app.pidAfter = nil
            let findings = AppRehearsal(
                entry: subject.entry, process: subject.process, variables: variables(of: subject.id), names: names,
                paths: session.paths
            ).findings()
            let lost = stored.problem(with: subject.entry)
            let problems = [lost].compactMap { $0 } + findings.problems
            app.problem = problems.isEmpty ? nil : problems.joined(separator: "; ")
            app.differences = findings.differences
            return app
        }
        drill.outcome.problems += sharedPorts()
    }

    /// What the app would be started with now. The daemon reads its env files for that.
    private func variables(of id: InstanceID) -> Result<[EnvironmentReply.Variable], Failure> {
        do {
            let selector = SelectorMatching.exactly(id)
            let reply: EnvironmentReply = try session.read(.environment, SelectorParameters(selectors: [selector]))
            return .success(reply.variables)
        } catch {
            return .failure(Failure(error) ?? Failure(.failed, "\(error)"))
        }
    }

    /// Two apps that expect the same port: after a boot the quicker one has it.
    private func sharedPorts() -> [String] {
        var owners: [Int: Set<String>] = [:]
        for subject in drill.subjects where subject.entry.instance.wanted == .running {
            guard let port = subject.entry.spec.expectedPort else { continue }
            owners[port, default: []].insert(subject.name)
        }
        return owners.sorted { $0.key < $1.key }.filter { $0.value.count > 1 }.map { port, names in
            "\(names.sorted().joined(separator: " and ")) expect the same port \(port): whichever starts first has it"
        }
    }
}
