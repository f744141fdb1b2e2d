package import Model

// What a client is shown of an instance. Every key is always present in JSON: null where there is no value.

/// How a process ended, with times on the wall clock.
package struct ExitView: Codable, Sendable, Equatable {
    package var code: Int?
    package var signal: String?
    package var coreDumped: Bool
    package var cause: ExitCause
    /// Wall clock, milliseconds since 1970.
    package var at: Int64
    package var uptimeMs: Int64
    package var pid: Int32
    package var detail: String?

    package init(
        code: Int?, signal: String?, coreDumped: Bool, cause: ExitCause, at: Int64, uptimeMs: Int64, pid: Int32,
        detail: String?
    ) {
        self.code = code
        self.signal = signal
        self.coreDumped = coreDumped
        self.cause = cause
        self.at = at
        self.uptimeMs = uptimeMs
        self.pid = pid
        self.detail = detail
    }

    package init(_ exit: LastExit, wallClockOffset: Int64) {
        code = nil
        signal = nil
        coreDumped = false
        switch exit.status {
        case .exited(let exitCode): code = exitCode
        case .signalled(let number, let dumped):
            signal = number.description
            coreDumped = dumped
        case .unknown: break
        }
        cause = exit.cause
        at = exit.at.milliseconds &+ wallClockOffset
        uptimeMs = exit.uptime.rawValue
        pid = exit.pid
        detail = exit.detail
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(code, forKey: .code)
        try container.encode(signal, forKey: .signal)
        try container.encode(coreDumped, forKey: .coreDumped)
        try container.encode(cause, forKey: .cause)
        try container.encode(at, forKey: .at)
        try container.encode(uptimeMs, forKey: .uptimeMs)
        try container.encode(pid, forKey: .pid)
        try container.encode(detail, forKey: .detail)
    }

    /// `exit code 1`, `SIGKILL`, `an unknown exit status`.
    package var sentence: String {
        if let code { return "exit code \(code)" }
        if let signal { return coreDumped ? "\(signal) (core dumped)" : signal }
        return "an unknown exit status"
    }
}

/// A listening socket of an instance's process tree.
package struct PortView: Codable, Sendable, Equatable {
    /// `tcp` or `tcp6`.
    package var `protocol`: String
    package var address: String
    package var port: Int
    package var pid: Int32
    package var command: String

    package init(protocol: String, address: String, port: Int, pid: Int32, command: String) {
        self.protocol = `protocol`
        self.address = address
        self.port = port
        self.pid = pid
        self.command = command
    }
}

/// One row of `list`.
package struct InstanceView: Codable, Sendable, Equatable {
    package var id: InstanceID
    package var name: String
    package var namespace: String
    package var number: Int
    package var generation: Generation
    package var pid: Int32?
    package var status: Status
    package var wanted: Wanted
    package var reason: String
    package var reasonKind: String
    package var restarts: Int
    package var unstableRestarts: Int
    /// 0 unless it runs.
    package var uptimeMs: Int64
    package var startedAt: Int64?
    package var createdAt: Int64
    /// Percent of one core since the last sample; null for the first.
    package var cpuPercent: Double?
    /// Resident bytes of the whole tree; 0 unless it runs.
    package var memoryBytes: Int64
    package var ports: [PortView]
    package var cwd: String
    package var command: String
    /// Null: nowhere.
    package var outLog: String?
    package var errorLog: String?
    /// When the next automatic start is due, wall clock.
    package var nextStartAt: Int64?
    package var lastExit: ExitView?
    /// What the app says of itself (`STATUS=` of `sd_notify`).
    package var statusText: String?

    package init(
        id: InstanceID, name: String, namespace: String, number: Int, generation: Generation, pid: Int32?,
        status: Status, wanted: Wanted, reason: String, reasonKind: String, restarts: Int, unstableRestarts: Int,
        uptimeMs: Int64, startedAt: Int64?, createdAt: Int64, cpuPercent: Double?, memoryBytes: Int64,
        ports: [PortView], cwd: String, command: String, outLog: String?, errorLog: String?, nextStartAt: Int64?,
        lastExit: ExitView?, statusText: String? = nil
    ) {
        self.id = id
        self.name = name
        self.namespace = namespace
        self.number = number
        self.generation = generation
        self.pid = pid
        self.status = status
        self.wanted = wanted
        self.reason = reason
        self.reasonKind = reasonKind
        self.restarts = restarts
        self.unstableRestarts = unstableRestarts
        self.uptimeMs = uptimeMs
        self.startedAt = startedAt
        self.createdAt = createdAt
        self.cpuPercent = cpuPercent
        self.memoryBytes = memoryBytes
        self.ports = ports
        self.cwd = cwd
        self.command = command
        self.outLog = outLog
        self.errorLog = errorLog
        self.nextStartAt = nextStartAt
        self.lastExit = lastExit
        self.statusText = statusText
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(name, forKey: .name)
        try container.encode(namespace, forKey: .namespace)
        try container.encode(number, forKey: .number)
        try container.encode(generation, forKey: .generation)
        try container.encode(pid, forKey: .pid)
        try container.encode(status, forKey: .status)
        try container.encode(wanted, forKey: .wanted)
        try container.encode(reason, forKey: .reason)
        try container.encode(reasonKind, forKey: .reasonKind)
        try container.encode(restarts, forKey: .restarts)
        try container.encode(unstableRestarts, forKey: .unstableRestarts)
        try container.encode(uptimeMs, forKey: .uptimeMs)
        try container.encode(startedAt, forKey: .startedAt)
        try container.encode(createdAt, forKey: .createdAt)
        try container.encode(cpuPercent, forKey: .cpuPercent)
        try container.encode(memoryBytes, forKey: .memoryBytes)
        try container.encode(ports, forKey: .ports)
        try container.encode(cwd, forKey: .cwd)
        try container.encode(command, forKey: .command)
        try container.encode(outLog, forKey: .outLog)
        try container.encode(errorLog, forKey: .errorLog)
        try container.encode(nextStartAt, forKey: .nextStartAt)
        try container.encode(lastExit, forKey: .lastExit)
        try container.encode(statusText, forKey: .statusText)
    }
}

/// What `show` adds to a row.
package struct InstanceDetail: Codable, Sendable {
    package var instance: InstanceView
    package var script: String
    package var interpreter: String?
    package var interpreterArguments: [String]
    package var arguments: [String]
    package var user: String?
    package var memoryPeakBytes: Int64?
    package var cpuSeconds: Double?
    package var tasks: Int?
    package var fds: Int?
    /// Every process of the tree, the main one first.
    package var processes: [Int32]
    package var restart: RestartPolicy
    package var stop: StopPolicy
    package var autostart: Bool
    /// What the app tells of itself; nil: nothing.
    package var report: AppReport?
    /// Nil: it is none.
    package var job: JobView?

    package init(
        instance: InstanceView, script: String, interpreter: String?, interpreterArguments: [String],
        arguments: [String], user: String?, memoryPeakBytes: Int64?, cpuSeconds: Double?, tasks: Int?, fds: Int?,
        processes: [Int32], restart: RestartPolicy, stop: StopPolicy, autostart: Bool, report: AppReport? = nil,
        job: JobView? = nil
    ) {
        self.instance = instance
        self.script = script
        self.interpreter = interpreter
        self.interpreterArguments = interpreterArguments
        self.arguments = arguments
        self.user = user
        self.memoryPeakBytes = memoryPeakBytes
        self.cpuSeconds = cpuSeconds
        self.tasks = tasks
        self.fds = fds
        self.processes = processes
        self.restart = restart
        self.stop = stop
        self.autostart = autostart
        self.report = report
        self.job = job
    }
}

/// A process that holds a port which an app wants.
package struct PortHolderView: Codable, Sendable, Equatable {
    package var port: Int
    package var address: String
    package var pid: Int32?
    package var user: String
    package var command: String
    package var ageSeconds: Int64?
    /// `orphan of api (id 3)` when the process was once started by this home.
    package var ours: String?

    package init(
        port: Int, address: String, pid: Int32?, user: String, command: String, ageSeconds: Int64?, ours: String?
    ) {
        self.port = port
        self.address = address
        self.pid = pid
        self.user = user
        self.command = command
        self.ageSeconds = ageSeconds
        self.ours = ours
    }
}

/// The answer to "why is it in this state".
package struct Explanation: Codable, Sendable {
    package var instance: InstanceView
    /// Of the last end; `ours` for an instance that runs and never ended.
    package var cause: ExitCause
    /// One paragraph for a person.
    package var summary: String
    /// What the person can do.
    package var advice: [String]
    package var lastErrorLines: [String]
    package var nextStartAt: Int64?
    package var portHolders: [PortHolderView]

    package init(
        instance: InstanceView, cause: ExitCause, summary: String, advice: [String], lastErrorLines: [String],
        nextStartAt: Int64?, portHolders: [PortHolderView]
    ) {
        self.instance = instance
        self.cause = cause
        self.summary = summary
        self.advice = advice
        self.lastErrorLines = lastErrorLines
        self.nextStartAt = nextStartAt
        self.portHolders = portHolders
    }
}
