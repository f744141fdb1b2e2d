package import Model

extension InstanceView {
    /// What was measured of a running instance.
    package struct Usage: Sendable {
        package var cpuPercent: Double?
        package var memoryBytes: Int64
        package var ports: [PortView]

        package init(cpuPercent: Double? = nil, memoryBytes: Int64 = 0, ports: [PortView] = []) {
            self.cpuPercent = cpuPercent
            self.memoryBytes = memoryBytes
            self.ports = ports
        }
    }

    /// The row of an entry, from what is wanted and what is recorded: the same for the daemon and for a client that
    /// answers from the files.
    ///
    /// - Parameter wallClockOffset: milliseconds to add to an `Instant` to get milliseconds since 1970.
    package init(
        _ desired: DesiredInstance, _ record: InstanceRecord?, now: Instant, wallClockOffset: Int64,
        logs: (out: String?, error: String?), usage: Usage = Usage(), statusText: String? = nil
    ) {
        let running = record?.status.isRunning ?? false
        let pid = running ? record?.process?.pid : nil
        let started = running && pid != nil ? record?.startedAt : nil
        let status = record?.status ?? .stopped
        self.init(
            id: desired.id, name: desired.spec.name, namespace: desired.spec.namespace, number: desired.number,
            generation: record?.generation ?? Generation(0), pid: pid, status: status, wanted: desired.wanted,
            reason: record?.reason.text ?? "registered, not started",
            reasonKind: (record?.reason.kind ?? .registered).rawValue,
            restarts: record?.restarts ?? 0, unstableRestarts: record?.unstableRestarts ?? 0,
            uptimeMs: started.map { max(0, now.since($0).rawValue) } ?? 0,
            startedAt: started.map { $0.milliseconds &+ wallClockOffset }, createdAt: desired.createdAt,
            cpuPercent: pid == nil ? nil : usage.cpuPercent, memoryBytes: pid == nil ? 0 : usage.memoryBytes,
            ports: pid == nil ? [] : usage.ports, cwd: desired.spec.cwd, command: desired.spec.command,
            outLog: logs.out, errorLog: logs.error,
            nextStartAt: (status == .waitingRestart || status == .errored)
                ? record?.due.map { $0.milliseconds &+ wallClockOffset } : nil,
            lastExit: record?.lastExit.map { ExitView($0, wallClockOffset: wallClockOffset) },
            statusText: pid == nil ? nil : statusText)
    }
}
