import Configuration
import Control
import Glibc
import Model
import Platform
import Records

/// Whether one app could be started after a boot, and what would be otherwise then. Reads, and starts nothing.
struct AppRehearsal {
    struct Findings: Equatable {
        /// It would not come back.
        var problems: [String] = []
        /// It would, and not quite as it runs now.
        var differences: [String] = []
    }

    let entry: InventoryEntry
    /// nil: it does not run.
    let process: ProcessIdentity?
    /// What it would be started with.
    let variables: Result<[EnvironmentReply.Variable], Failure>
    /// Of all apps in the list.
    let names: Set<String>
    let paths: HomePaths

    private var spec: AppSpec { entry.spec }

    func findings() -> Findings {
        guard entry.instance.wanted == .running else {
            return Findings(differences: ["it is stopped (\(entry.instance.reason)), and stays so"])
        }
        var findings = Findings()
        let account: PasswordEntry?
        switch user() {
        case .success(let found): account = found
        case .failure(let failure):
            findings.problems.append(failure.lines.joined())
            account = nil
        }
        // The daemon opens these before it takes on the app's user.
        findings.problems += logProblems()
        switch variables {
        case .failure(let failure):
            findings.problems.append(failure.lines.joined(separator: " "))
        case .success(let variables):
            let environment = variables.map { "\($0.name)=\($0.value)" }
            let look = { StartFiles(spec: spec, environment: environment).look() }
            let start = account.map { $0.acting(look) } ?? look()
            findings.problems += start.problems
            if let process, process.isAlive() {
                findings.differences += RunningComparison(
                    spec: spec, process: process, program: start.program, variables: variables
                ).differences()
            }
        }
        findings.differences += portDifferences()
        for name in spec.dependsOn ?? [] where !names.contains(name) {
            findings.differences.append("it depends on '\(name)', which is not in the list: not waited for")
        }
        return findings
    }

    /// nil: the daemon's own.
    private func user() -> Result<PasswordEntry?, Failure> {
        guard let uid = spec.uid else { return .success(nil) }
        guard geteuid() == 0 else {
            return .failure(Failure(.failed, "it has uid '\(uid)', and the daemon would not run as root"))
        }
        let name = UInt32(uid).map { UserNames.name(of: $0) } ?? uid
        guard let entry = PasswordEntry.named(name) else {
            return .failure(Failure(.failed, "there is no user '\(uid)'"))
        }
        return .success(entry)
    }

    private func logProblems() -> [String] {
        let logs = paths.logFiles(of: spec, id: entry.instance.id)
        var problems: [String] = []
        for path in Set([logs.out, logs.error].compactMap { $0 }).sorted() {
            if FileSystem.exists(path) {
                guard faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0 else { continue }
                problems.append("its log '\(path)' cannot be written: \(FileProbe.describe(errno))")
            } else {
                let directory = FileSystem.parent(of: path)
                guard faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) != 0 else { continue }
                problems.append("its log directory '\(directory)' cannot be used: \(FileProbe.describe(errno))")
            }
        }
        return problems
    }

    private func portDifferences() -> [String] {
        let ports = entry.instance.ports.map(\.port)
        guard let expected = spec.expectedPort, !ports.isEmpty, !ports.contains(expected) else { return [] }
        let list = Set(ports).sorted().map(String.init).joined(separator: ", ")
        return ["it is told to listen on \(expected), and listens on \(list)"]
    }
}
