import Control
import Model
import Platform
import Records
import Supervision

#if canImport(Glibc)
    import Glibc
#endif

/// Finds out why: the kernel's log after a SIGKILL, the last lines of stderr, who holds a port.
final class Explainer {
    struct Findings: Sendable {
        var lastErrorLines: [String]
        var addressInUse: AddressInUse?
        var holders: [PortHolder]
        var kernelKill: String?
    }

    private struct Question: Sendable {
        var errorLog: String?
        /// Lines before it belong to an older generation.
        var from: Int64
        var expectedPort: Int?
        var killed: ProcessIdentity?
        var homeID: String
        var members: Set<Int32>
        /// Look for the holder of the expected port also when stderr says nothing about an address.
        var alwaysChecksPort: Bool
    }

    private let services: Services
    private let fleet: Fleet
    private var explainedAt: [InstanceID: Instant] = [:]

    init(_ services: Services, _ fleet: Fleet) {
        self.services = services
        self.fleet = fleet
    }

    /// After an exit that nobody asked for. At most once a second per instance: a crash loop must not become a walk
    /// over all descriptors of the machine at every turn.
    func explainExit(_ id: InstanceID, _ generation: Generation, _ status: ExitStatus) {
        guard let member = fleet[id] else { return }
        let now = SystemClock.now()
        if let last = explainedAt[id], now.since(last).rawValue < 1000, member.machine.status != .errored { return }
        explainedAt[id] = now
        let main = member.processes[generation]?.tree.main
        let killed: ProcessIdentity? = if case .signalled(.kill, _) = status { main } else { nil }
        // At once: the cgroup goes when its last process has.
        let limit = killed == nil ? nil : services.cgroup(of: id, generation).flatMap(Cgroups.memoryKill)
        if let limit { return tellOutOfMemory(id, generation, limit) }
        let start = member.present?.errorLogStart ?? 0
        ask(member, id, from: start, killed: killed, alwaysChecksPort: false) { [unowned self] findings in
            if let sentence = findings.kernelKill {
                self.tellOutOfMemory(id, generation, sentence)
            } else if let conflict = Self.conflict(findings, own: []) {
                self.fleet.send(.explained(generation, .exit, detail: conflict), to: id)
                self.services.journal.add("port-conflict", id: id, name: member.desired.spec.name, conflict)
            }
        }
    }

    private func tellOutOfMemory(_ id: InstanceID, _ generation: Generation, _ sentence: String) {
        fleet.send(.explained(generation, .oom, detail: sentence), to: id)
        services.journal.add("exit", id: id, name: fleet[id]?.desired.spec.name, "out of memory: \(sentence)")
    }

    /// For `why`.
    func findings(on id: InstanceID, _ done: @escaping (Findings) -> Void) {
        guard let member = fleet[id] else {
            return done(Findings(lastErrorLines: [], addressInUse: nil, holders: [], kernelKill: nil))
        }
        let isDown = member.machine.process == nil
        var process = member.present
        // In a restart loop the present process has not failed yet: the one before it tells why.
        if let started = member.machine.startedAt,
            SystemClock.now().since(started) < member.machine.spec.restart.minUptime,
            member.machine.counters.unstable > 0
        {
            process = member.former
        }
        ask(member, id, from: process?.errorLogStart ?? 0, killed: nil, alwaysChecksPort: isDown, done)
    }

    /// The last lines that a generation wrote to its error log, 20 at most: a stack trace fits.
    func lastLines(of id: InstanceID, _ generation: Generation, _ done: @escaping ([String]) -> Void) {
        guard let member = fleet[id], let path = services.paths.logFiles(of: member.desired.spec, id: id).error else {
            return done([])
        }
        let start = member.processes[generation]?.errorLogStart ?? 0
        services.loop.offload(to: services.inspectionThread) { () -> [String] in
            let lines = (try? LogTail.lastLines(path, count: 20, maxBytes: 64 << 10)) ?? []
            return lines.filter { $0.offset >= start }.map { String(decoding: $0.bytes, as: UTF8.self) }
        } then: {
            done($0)
        }
    }

    /// The sentence about a port that somebody else holds.
    static func conflict(_ findings: Findings, own: Set<Int32>) -> String? {
        guard let holder = findings.holders.first(where: { $0.pid.map { !own.contains($0) } ?? true }) else {
            return nil
        }
        return sentence(holder)
    }

    static func sentence(_ holder: PortHolder) -> String {
        let who = holder.pid.map { "pid \($0)" } ?? "a process that cannot be seen from here"
        let age = holder.ageSeconds.map { ", for \(Milliseconds.seconds($0))" } ?? ""
        let command = holder.command.isEmpty ? "" : " '\(holder.command)'"
        return "port \(holder.port) on \(holder.address) is held by \(who) of user \(holder.user)\(command)\(age)"
    }

    private func ask(
        _ member: Fleet.Member, _ id: InstanceID, from start: Int64, killed: ProcessIdentity?,
        alwaysChecksPort: Bool, _ done: @escaping (Findings) -> Void
    ) {
        let question = Question(
            errorLog: services.paths.logFiles(of: member.desired.spec, id: id).error,
            from: start, expectedPort: member.desired.spec.expectedPort, killed: killed,
            homeID: services.homeID, members: Set(member.tree.remembered.map(\.pid)), alwaysChecksPort: alwaysChecksPort
        )
        services.loop.offload(to: services.inspectionThread) {
            Self.answer(question)
        } then: {
            done($0)
        }
    }

    private static func answer(_ question: Question) -> Findings {
        var findings = Findings(lastErrorLines: [], addressInUse: nil, holders: [], kernelKill: nil)
        if let path = question.errorLog,
            let lines = try? LogTail.lastLines(path, count: 40, maxBytes: 64 << 10)
        {
            let recent = lines.filter { $0.offset >= question.from }
            findings.addressInUse = AddressInUse.find(in: recent.map(\.bytes))
            findings.lastErrorLines = lines.suffix(20).map { String(decoding: $0.bytes, as: UTF8.self) }
        }
        if let killed = question.killed { findings.kernelKill = OOMEvidence.kernelKill(killed) }
        let port = findings.addressInUse?.port ?? question.expectedPort
        if let port, findings.addressInUse != nil || question.alwaysChecksPort {
            findings.holders = PortHolder.holders(of: port, homeID: question.homeID)
                .filter { holder in holder.pid.map { !question.members.contains($0) } ?? true }
        }
        return findings
    }

    // MARK: The answer for a person

    func explanation(_ view: InstanceView, _ findings: Findings, job: JobView?) -> Explanation {
        let exit = view.lastExit
        var summary = "\(view.name) (id \(view.id)) is \(view.status.rawValue): \(view.reason)."
        if let exit {
            summary += " Its last end: \(exit.sentence), after running \(Milliseconds(exit.uptimeMs))"
            summary += exit.detail.map { " (\($0))." } ?? "."
        }
        if let job { summary += " " + job.story(of: view, at: Jobs.text) }
        let holders = findings.holders.map { holder in
            PortHolderView(
                port: holder.port, address: holder.address, pid: holder.pid, user: holder.user,
                command: holder.command, ageSeconds: holder.ageSeconds, ours: holder.tag.map(owner))
        }
        return Explanation(
            instance: view, cause: exit?.cause ?? .ours, summary: summary,
            advice: advice(view, holders, job), lastErrorLines: findings.lastErrorLines,
            nextStartAt: view.nextStartAt, portHolders: holders)
    }

    /// Whether a process that carries one of our tags still belongs to what runs.
    private func owner(_ tag: InstanceTag) -> String {
        guard tag.homeID == services.homeID else { return "started by another Hearth home" }
        guard let member = fleet[tag.instance] else { return "orphan of instance \(tag.instance), which was deleted" }
        let name = member.desired.spec.name
        if member.machine.generation == tag.generation, member.machine.process != nil {
            return "instance \(name) (id \(tag.instance))"
        }
        return "orphan of \(name) (id \(tag.instance))"
    }

    private func advice(_ view: InstanceView, _ holders: [PortHolderView], _ job: JobView?) -> [String] {
        var advice: [String] = []
        for holder in holders {
            guard let pid = holder.pid else {
                advice.append("port \(holder.port) is held by a process of \(holder.user): find it as root")
                continue
            }
            let whose = holder.ours.map { ", \($0)" } ?? ""
            advice.append(
                "port \(holder.port) is held by pid \(pid) ('\(holder.command)'\(whose)): stop that, or give this app another port"
            )
        }
        switch view.lastExit?.cause {
        case .oom: advice.append("the kernel killed it for memory: give it more, or find what grows (`hearth show`)")
        case .outside:
            advice.append(
                "the signal came from outside Hearth: look for `kill`, another manager or a deploy script at that time")
        case .signal: advice.append("the program crashed by a fault of its own: look at its last lines and core dump")
        case .unknown: advice.append("nobody was there to see how it ended")
        case .exit, .ours, nil: break
        }
        switch view.status {
        case .errored: advice.append("`hearth restart \(view.name)` starts it again now")
        case .stopped where job?.isPaused == true:
            advice.append("its schedule is paused: `hearth start \(view.name)` runs it now and lets the schedule go on")
        case .scheduled,
            .stopped where job != nil:
            advice.append("`hearth start \(view.name)` runs it now, `hearth logs \(view.name)` shows what it wrote")
        case .stopped where view.wanted == .running:
            advice.append("`hearth start \(view.name)` starts it")
        default: break
        }
        return advice
    }
}
