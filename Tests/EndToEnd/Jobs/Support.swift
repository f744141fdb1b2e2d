import Control
import Foundation
import Glibc
import Model
import Platform
import Records
import TestSupport

extension Home {
    static let everySecond = "* * * * * *"
    /// Far away, whenever the test runs.
    static let never = "0 0 29 2 *"

    func job(_ name: String, _ line: String, _ policy: JobPolicy) -> AppSpec {
        var spec = shell(name, line, restart: RestartPolicy(mode: .never))
        spec.job = policy
        return spec
    }

    func runs(of name: String) throws -> [RunView] { try jobView(name).runs }

    func jobView(_ name: String) throws -> JobView {
        let reply = try call(.show, SelectorParameters(selectors: [name]), as: ShowReply.self)
        guard let job = reply.details.first?.job else { throw Unexpected("'\(name)' is no job", in: self) }
        return job
    }

    /// How many lines a file of the home has.
    func lines(_ name: String) -> Int { read(name).split(separator: "\n").count }

    /// Keeper and daemon are gone, and all processes with them, as after a power cut.
    func loseMachine() throws {
        let pids = appPids.values.flatMap { $0 }
        try killBoth()
        for pid in pids { kill(pid, SIGKILL) }
        try eventually("the apps are gone") { pids.allSatisfy { !Processes.isRunning($0) } }
    }

    /// What lies on disk is of another boot.
    func becomeAnotherBoot() throws {
        let present = MachineIdentity.current()
        let former = MachineIdentity(
            machine: present.machine, boot: "11111111-2222-3333-4444-555555555555",
            pidNamespace: present.pidNamespace)
        try forgeList { $0.boot = former.boot }
        try forgeTable(as: former) { _ in }
        try forgeJobs(boot: former.boot) { $0.boot = former.boot }
    }

    /// Rewrites what is remembered of jobs.
    func forgeJobs(boot: String? = nil, _ change: (inout JobRecord) -> Void) throws {
        let present = MachineIdentity.current().boot
        let (jobs, complaint) = JobRecordFile.read(paths, boot: present)
        if let complaint { throw Unexpected(complaint, in: self) }
        let changed = jobs.mapValues { record in
            var record = record
            change(&record)
            return record
        }
        try JobRecordFile.write(changed, boot: boot ?? present, to: paths)
    }

    func storedJobCount() -> Int { JobRecordFile.read(paths, boot: MachineIdentity.current().boot).jobs.count }
}
