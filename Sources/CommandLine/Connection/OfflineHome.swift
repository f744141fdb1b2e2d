import Control
import Model
import Platform
import Records

/// A home as its files and /proc tell it, when no daemon does. Read only.
struct OfflineHome {
    /// Why the daemon does not answer.
    enum Absence: Equatable {
        case noDaemon
        case hung(pid: Int32?)

        var exit: Exit { self == .noDaemon ? .noDaemon : .notAnswering }
    }

    let paths: HomePaths
    let absence: Absence
    let desired: [DesiredInstance]
    /// What is wrong with the files.
    let notes: [String]
    private let killed: DesiredState.Killed?
    private let records: [InstanceID: InstanceRecord]
    private let processes: ProcessTable
    private let sameBoot: Bool

    init(paths: HomePaths, absence: Absence) {
        self.paths = paths
        self.absence = absence
        let reading = DesiredStateFile.read(paths)
        let machine = MachineIdentity.current()
        desired = (reading.state?.instances ?? []).sorted { $0.id < $1.id }
        notes = reading.notes
        killed = reading.state?.killed
        sameBoot = reading.state.map { $0.boot == machine.boot } ?? false
        let known = InstanceTable.read(paths, machine) ?? []
        records = Dictionary(known.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        processes = ProcessTable.read()
    }

    /// `hearth: no daemon is running in HOME; …`, and what is wrong with the files.
    func announce() {
        switch absence {
        case .noDaemon: Output.complain("no daemon is running in '\(paths.home)'; shown from its records")
        case .hung(let pid):
            let who = pid.map { "the daemon (pid \($0))" } ?? "the daemon"
            Output.complain("\(who) of '\(paths.home)' does not answer; shown from its records")
        }
        for note in notes { Output.complain(note) }
    }

    // MARK: - Instances

    func selected(_ selectors: [String]) throws -> [DesiredInstance] {
        let ids = Set(try Selection.ids(selectors, among: desired.map(\.candidate)))
        return desired.filter { ids.contains($0.id) }
    }

    /// The recorded process of an instance, if it lives and is the same.
    func process(of id: InstanceID) -> ProcessIdentity? {
        guard sameBoot, let identity = records[id]?.process, let entry = processes.entry(of: identity),
            entry.isAlive
        else { return nil }
        return identity
    }

    /// Every living process of an instance, the main one last.
    func members(of instance: DesiredInstance) -> [ProcessIdentity] { members(of: instance, in: processes) }

    /// The recorded main processes, alive or not: more than one in the middle of a reload.
    func mainProcesses(of id: InstanceID) -> [(generation: Generation, process: ProcessIdentity)] {
        guard let record = records[id] else { return [] }
        let all =
            [(record.generation, record.process)]
            + (record.successor.map { [($0.generation, $0.process)] } ?? [])
            + (record.leaving ?? []).map { ($0.generation, $0.process) }
        return all.compactMap { generation, process in process.map { (generation, $0) } }
    }

    func members(of instance: DesiredInstance, in processes: ProcessTable) -> [ProcessIdentity] {
        guard sameBoot else { return [] }
        let scan = MembershipScan(processes, daemon: Self.recordedDaemon(paths))
        return mainProcesses(of: instance.id).flatMap { generation, main in
            let tag = InstanceTag(homeID: paths.id, instance: instance.id, generation: generation)
            let uid = processes.entry(of: main)?.uid ?? Caller.userID
            return scan.members(
                of: MembershipScan.Query(main: main, notBefore: main.startTime, uid: uid, tag: tag))
        }
    }

    func view(of instance: DesiredInstance) -> InstanceView {
        var record = records[instance.id]
        let isAlive = process(of: instance.id) != nil
        var ended = false
        if var found = record, found.status.isRunning, !isAlive {
            found.phase = .stopped
            ended = true
            record = found
        }
        var usage = InstanceView.Usage()
        if isAlive {
            usage.memoryBytes = ResourceUsage.measure(members(of: instance), in: processes).memoryBytes
        }
        var view = InstanceView(
            instance, sameBoot ? record : nil, now: SystemClock.now(),
            wallClockOffset: SystemClock.wallClockOffset(),
            logs: paths.logFiles(of: instance.spec, id: instance.id), usage: usage)
        if ended {
            view.reasonKind = Reason.Kind.endedUnseen.rawValue
            view.reason =
                killed.map { "stopped with the daemon by \($0.by)" }
                ?? (absence == .noDaemon
                    ? "ended while no daemon was running" : "ended; the daemon has not taken notice")
        } else if !sameBoot {
            view.reason = instance.wanted == .running ? "not started since the machine was booted" : "stopped"
            view.reasonKind = Reason.Kind.endedUnseen.rawValue
        }
        // Nobody is there to do it.
        if absence == .noDaemon { view.nextStartAt = nil }
        return view
    }

    func detail(of instance: DesiredInstance) -> InstanceDetail {
        let members = members(of: instance)
        let usage = ResourceUsage.measure(members, in: processes, detail: .full)
        let main = process(of: instance.id)
        let spec = instance.spec
        return InstanceDetail(
            instance: view(of: instance), script: spec.script, interpreter: spec.interpreter,
            interpreterArguments: spec.interpreterArguments, arguments: spec.arguments,
            user: main.flatMap { processes.entry(of: $0) }.map { UserNames.name(of: $0.uid) } ?? spec.uid,
            memoryPeakBytes: usage.memoryPeakBytes, cpuSeconds: main == nil ? nil : usage.cpuSeconds,
            tasks: main == nil ? nil : usage.tasks, fds: main == nil ? nil : usage.fds,
            processes: members.reversed().map(\.pid), restart: spec.restart, stop: spec.stop,
            autostart: spec.autostart, job: job(of: instance))
    }

    /// What is remembered of a job. Nobody is there to run it again.
    private func job(of instance: DesiredInstance) -> JobView? {
        guard let policy = instance.spec.job, let key = instance.uniqueID else { return nil }
        let record = JobRecordFile.read(paths, boot: MachineIdentity.current().boot).jobs[key]
        return JobView(
            policy, nextAt: nil, isPaused: !policy.isOnce && instance.wanted == .stopped,
            skipped: record?.skipped ?? 0, runs: (record?.runs ?? []).map { RunView($0) })
    }

    func explanation(of instance: DesiredInstance) -> Explanation {
        let view = view(of: instance)
        var summary = "\(view.name) (id \(view.id)) is \(view.status.rawValue): \(view.reason)"
        if let exit = view.lastExit { summary += "; it last ended with \(exit.sentence)" }
        let advice =
            absence == .noDaemon
            ? ["no daemon watches it: 'hearth up' starts one, which takes over what runs"]
            : ["the daemon does not answer: its keeper replaces it within a minute, without touching the apps"]
        var lines: [String] = []
        if let path = view.errorLog, let tail = try? LogTail.lastLines(path, count: 10) {
            lines = tail.map { String(decoding: $0.bytes, as: UTF8.self) }
        }
        return Explanation(
            instance: view, cause: view.lastExit?.cause ?? (view.pid == nil ? .unknown : .ours), summary: summary,
            advice: advice, lastErrorLines: lines, nextStartAt: view.nextStartAt, portHolders: [])
    }

    // MARK: - Names

    /// Pid that the daemon's pid file tells; whether it lives is another question.
    static func recordedDaemon(_ paths: HomePaths) -> Int32? {
        guard let bytes = try? FileSystem.read(paths.pidFile, limit: 64) else { return nil }
        return Int32(String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self))
    }
}

extension DesiredInstance {
    var candidate: SelectorCandidate { .init(id: id, name: spec.name, namespace: spec.namespace) }
}

extension OfflineHome {
    /// The list as it lies on disk, without a look at processes.
    static func desired(in paths: HomePaths) -> [DesiredInstance] {
        (DesiredStateFile.read(paths).state?.instances ?? []).sorted { $0.id < $1.id }
    }
}
