import Control
import Model
import Platform
import Records

/// How near everything is to its limit.
struct LimitEvidence: Sendable {
    struct Use: Hashable, Sendable {
        /// `the daemon`, `'api' (id 3)`, or the path of a cgroup.
        var who: String
        var used: UInt64
        var limit: UInt64

        var percent: Double { limit == 0 ? 100 : Double(used) / Double(limit) * 100 }
        var sentence: String { "\(who): \(used) of \(limit)" }
    }

    var files: [Use] = []
    /// Threads of the user; root has no limit.
    var processes: Use?
    var cgroupProcesses: [Use] = []
    /// In bytes.
    var cgroupMemory: [Use] = []
    /// Of the machine, in bytes: used, and all of it.
    var memory: Use?
    var killsSinceBoot: UInt64 = 0

    static func collect(_ scene: Scene) -> LimitEvidence {
        var evidence = LimitEvidence()
        var looked: [(who: String, pid: Int32)] = scene.apps.compactMap { app in app.view.pid.map { (app.label, $0) } }
        if let daemon = scene.daemon.process { looked.insert(("the daemon", daemon.pid), at: 0) }
        for (who, pid) in looked {
            guard let open = ProcessFacts.openFiles(of: pid), let limit = ProcessFacts.limit("Max open files", of: pid),
                let soft = limit.soft
            else { continue }
            evidence.files.append(Use(who: who, used: UInt64(open), limit: soft))
        }
        if let owner = scene.owner, owner != 0, let pid = looked.first?.pid,
            let soft = ProcessFacts.limit("Max processes", of: pid)?.soft
        {
            let threads = scene.processes.entries.filter { $0.uid == owner }.reduce(0) { $0 + $1.threads }
            evidence.processes = Use(who: "user \(UserNames.name(of: owner))", used: UInt64(threads), limit: soft)
        }
        if let pid = looked.first?.pid { evidence.addCgroups(of: pid) }
        evidence.memory = machineMemory()
        evidence.killsSinceBoot = number(after: "oom_kill ", in: "/proc/vmstat") ?? 0
        return evidence
    }

    /// Every cgroup above, as each may be the narrowest.
    private mutating func addCgroups(of pid: Int32) {
        guard let text = Self.text("/proc/\(pid)/cgroup") else { return }
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let controllers = fields[1].split(separator: ",")
            let isUnified = fields[0] == "0"
            let mount = isUnified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/\(fields[1])"
            var path = String(fields[2])
            while path.count > 1 {
                if isUnified || controllers.contains("pids") {
                    add(\.cgroupProcesses, mount + path, "pids.current", "pids.max")
                }
                if isUnified { add(\.cgroupMemory, mount + path, "memory.current", "memory.max") }
                path = FileSystem.parent(of: path)
            }
        }
    }

    private mutating func add(
        _ uses: WritableKeyPath<LimitEvidence, [Use]>, _ path: String, _ current: String, _ most: String
    ) {
        // `max`, or no such file: no limit.
        guard let used = Self.number("\(path)/\(current)"), let limit = Self.number("\(path)/\(most)") else { return }
        self[keyPath: uses].append(Use(who: path, used: used, limit: limit))
    }

    private static func machineMemory() -> Use? {
        guard let total = number(after: "MemTotal:", in: "/proc/meminfo"),
            let available = number(after: "MemAvailable:", in: "/proc/meminfo"), available <= total
        else { return nil }
        return Use(who: "the machine", used: (total - available) &* 1024, limit: total &* 1024)
    }

    private static func number(_ path: String) -> UInt64? {
        text(path).flatMap { UInt64($0.prefix { $0.isNumber }) }
    }

    private static func number(after key: String, in path: String) -> UInt64? {
        guard let line = text(path)?.split(separator: "\n").first(where: { $0.hasPrefix(key) }) else { return nil }
        return UInt64(line.dropFirst(key.count).drop { $0 == " " }.prefix { $0.isNumber })
    }

    private static func text(_ path: String) -> String? {
        guard let bytes = try? FileSystem.read(path, limit: 1 << 20) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Is there room to run?
enum LimitLayer {
    static func judge(_ evidence: LimitEvidence, _ scene: Scene) -> [Finding] {
        var findings: [Finding] = []
        func add(_ code: FindingCode, _ message: String, _ uses: [LimitEvidence.Use], _ fix: String?) {
            let full = uses.filter { $0.percent >= 80 }
            guard !full.isEmpty else { return }
            findings.append(Finding(code, message, full.prefix(5).map(\.sentence), fix: fix))
        }
        add(.filesLow, "open files are near their limit", evidence.files, nil)
        // A hundred apps need some thousand descriptors.
        if let daemon = evidence.files.first, daemon.who == "the daemon", daemon.percent < 80,
            daemon.limit < UInt64(256 + 16 * scene.apps.count)
        {
            findings.append(
                Finding(
                    .filesLow, "the daemon may open few files for \(Reporting.count(scene.apps.count, "app"))",
                    [daemon.sentence],
                    fix: "ulimit -n 65536 && " + scene.fix("daemon detach") + " && " + scene.fix("up")))
        }
        add(.processesLow, "the user's processes are near their limit", evidence.processes.map { [$0] } ?? [], nil)
        add(.cgroupProcessesLow, "a cgroup is near its limit of processes", evidence.cgroupProcesses, nil)
        let memory = evidence.cgroupMemory.filter { $0.percent >= 90 }
        if !memory.isEmpty {
            findings.append(
                Finding(
                    .cgroupMemoryLow, "a cgroup is near its limit of memory: beyond it the kernel kills",
                    memory.prefix(5).map(inBytes)))
        }
        if let memory = evidence.memory, memory.percent >= 95 {
            findings.append(
                Finding(
                    .memoryLow, "the machine has hardly any memory left", [inBytes(memory)],
                    fix: "ps -eo pid,user,rss,args --sort=-rss | head"))
        }
        for app in scene.apps {
            guard let exit = app.view.lastExit, exit.cause == .oom else { continue }
            findings.append(
                Finding(
                    .appOutOfMemory, "\(app.label) was killed by the kernel for want of memory",
                    [exit.detail ?? exit.sentence, Quantities.timestamp(milliseconds: exit.at)],
                    fix: scene.fix("why \(SimpleStartup.quoted(app.spec.name))")))
        }
        if evidence.killsSinceBoot > 0 {
            findings.append(
                Finding(
                    .outOfMemoryKills,
                    "the kernel has killed for want of memory since boot; not only apps of this home",
                    ["\(evidence.killsSinceBoot) of /proc/vmstat's oom_kill"], fix: "dmesg | grep -i 'killed process'"))
        }
        return findings
    }

    private static func inBytes(_ use: LimitEvidence.Use) -> String {
        "\(use.who): \(Quantities.bytes(Int64(clamping: use.used))) of \(Quantities.bytes(Int64(clamping: use.limit)))"
    }
}
