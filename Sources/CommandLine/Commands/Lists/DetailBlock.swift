import Control
import Model

/// What `show` prints of an instance.
enum DetailBlock {
    static func make(_ detail: InstanceDetail) -> Block {
        let view = detail.instance
        var block = Block(title: "\(view.name) (id \(view.id))")
        addState(detail, &block)
        addProgram(detail, &block)
        addPolicies(detail, &block)
        addJob(detail.job, &block)
        addReport(detail.report, &block)
        block.add("output log", view.outLog ?? "nowhere")
        block.add("error log", view.errorLog ?? "nowhere")
        block.add("created", Quantities.timestamp(milliseconds: view.createdAt))
        block.add("environment", "hearth env \(view.id)", .dim)
        return block
    }

    private static func addState(_ detail: InstanceDetail, _ block: inout Block) {
        let view = detail.instance
        block.add("status", view.status.rawValue, ListTable.style(of: view.status))
        block.add("reason", view.reason)
        if let text = view.statusText { block.add("it says", text) }
        if view.namespace != "default" { block.add("namespace", view.namespace) }
        if let pid = view.pid {
            block.add("pid", String(pid))
            block.add("uptime", Quantities.duration(milliseconds: view.uptimeMs))
            let others = detail.processes.filter { $0 != pid }
            if !others.isEmpty { block.add("other processes", others.map(String.init).joined(separator: " ")) }
        }
        if let user = detail.user { block.add("user", user) }
        block.add("restarts", "\(view.restarts) (\(view.unstableRestarts) unstable)")
        if let next = view.nextStartAt { block.add("next start", Quantities.timestamp(milliseconds: next)) }
        if let exit = view.lastExit { block.add("last exit", sentence(exit)) }
        if view.pid != nil {
            var memory = Quantities.bytes(view.memoryBytes)
            if let peak = detail.memoryPeakBytes { memory += ", peak \(Quantities.bytes(peak))" }
            block.add("memory", memory)
            var cpu = Quantities.percent(view.cpuPercent, unknown: "not measured yet")
            if let seconds = detail.cpuSeconds {
                cpu += ", \(Quantities.duration(milliseconds: Int64(seconds * 1000))) used"
            }
            block.add("cpu", cpu)
            if let tasks = detail.tasks { block.add("threads", String(tasks)) }
            if let fds = detail.fds { block.add("open files", String(fds)) }
        }
        for port in view.ports {
            let address = port.address.contains(":") ? "[\(port.address)]" : port.address
            block.add("listens on", "\(port.protocol) \(address):\(port.port), pid \(port.pid) (\(port.command))")
        }
    }

    private static func addProgram(_ detail: InstanceDetail, _ block: inout Block) {
        block.add("script", detail.script)
        block.add("interpreter", ([detail.interpreter ?? "none"] + detail.interpreterArguments).joined(separator: " "))
        block.add("arguments", detail.arguments.joined(separator: " "))
        block.add("cwd", detail.instance.cwd)
    }

    private static func addPolicies(_ detail: InstanceDetail, _ block: inout Block) {
        let policy = detail.restart
        var parts = [policy.mode.rawValue]
        parts.append("given up after \(policy.maxRestarts) restarts within \(policy.minUptime) of uptime")
        if let delay = policy.restartDelay { parts.append("delay \(delay)") }
        if let delay = policy.exponentialBackoff { parts.append("back-off from \(delay)") }
        if !policy.stopExitCodes.isEmpty {
            parts.append(
                "stays stopped after exit code \(policy.stopExitCodes.map(String.init).joined(separator: ", "))")
        }
        parts.append(policy.slowRetry ? "then slow retries" : "then none")
        if detail.job == nil {
            block.add("restart policy", policy.mode == .never ? "never" : parts.joined(separator: "; "))
        }
        let request =
            detail.stop.withMessage == true
            ? "message 'shutdown'"
            : "\(detail.stop.signal) to \(detail.stop.wholeTree ? "the whole tree" : "the main process")"
        block.add("stop", "\(request), SIGKILL after \(detail.stop.killTimeout)")
        if !detail.autostart { block.add("autostart", "no") }
    }

    private static func addJob(_ job: JobView?, _ block: inout Block) {
        guard let job else { return }
        var parts = [job.schedule]
        if job.isPaused { parts.append("paused") }
        if job.overlap == .replace { parts.append("a run that is due replaces the one before") }
        if job.catchUp { parts.append("a missed run is made up") }
        if let timeout = job.timeout { parts.append("ended after \(timeout)") }
        block.add("schedule", parts.joined(separator: "; "))
        if job.skipped > 0 { block.add("skipped", "\(job.skipped) times: the run before went on") }
        for run in job.runs.suffix(10).reversed() {
            block.add("run", "\(Quantities.timestamp(milliseconds: run.startedAt)) \(run.outcome), by \(run.by)")
        }
    }

    private static func addReport(_ report: AppReport?, _ block: inout Block) {
        guard let report else { return }
        for metric in report.metrics {
            block.add("metric", "\(metric.name): \(metric.value.shown)" + (metric.unit.map { " \($0)" } ?? ""))
        }
        block.add("actions", report.actions.map(\.name).joined(separator: ", "))
        block.add("node", report.nodeVersion)
    }

    static func sentence(_ exit: ExitView) -> String {
        var text = "\(exit.sentence) at \(Quantities.timestamp(milliseconds: exit.at))"
        text += " after \(Quantities.duration(milliseconds: exit.uptimeMs)), pid \(exit.pid)"
        text += ", cause: \(exit.cause.rawValue)"
        if let detail = exit.detail { text += " (\(detail))" }
        return text
    }
}
