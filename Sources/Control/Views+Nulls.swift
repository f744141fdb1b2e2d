import Model

// Swift leaves out a key whose value is nil; our JSON always has it (docs/json.md). The views whose members need it
// say so here, the two hot ones in Views.swift.

extension PortHolderView {
    private enum Key: String, CodingKey {
        case port, address, pid, user, command, ageSeconds, ours
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(port, forKey: .port)
        try container.encode(address, forKey: .address)
        try container.encode(pid, forKey: .pid)
        try container.encode(user, forKey: .user)
        try container.encode(command, forKey: .command)
        try container.encode(ageSeconds, forKey: .ageSeconds)
        try container.encode(ours, forKey: .ours)
    }
}

extension Explanation {
    private enum Key: String, CodingKey {
        case instance, cause, summary, advice, lastErrorLines, nextStartAt, portHolders
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(instance, forKey: .instance)
        try container.encode(cause, forKey: .cause)
        try container.encode(summary, forKey: .summary)
        try container.encode(advice, forKey: .advice)
        try container.encode(lastErrorLines, forKey: .lastErrorLines)
        try container.encode(nextStartAt, forKey: .nextStartAt)
        try container.encode(portHolders, forKey: .portHolders)
    }
}

extension EventView {
    private enum Key: String, CodingKey {
        case at, kind, id, name, pid, message
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(at, forKey: .at)
        try container.encode(kind, forKey: .kind)
        try container.encode(id, forKey: .id)
        try container.encode(name, forKey: .name)
        try container.encode(pid, forKey: .pid)
        try container.encode(message, forKey: .message)
    }
}

extension HelloReply {
    private enum Key: String, CodingKey {
        case version, `protocol`, pid, keeperPid, home, ready, uptimeMs, unit
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(version, forKey: .version)
        try container.encode(`protocol`, forKey: .protocol)
        try container.encode(pid, forKey: .pid)
        try container.encode(keeperPid, forKey: .keeperPid)
        try container.encode(home, forKey: .home)
        try container.encode(ready, forKey: .ready)
        try container.encode(uptimeMs, forKey: .uptimeMs)
        try container.encode(unit, forKey: .unit)
    }
}

extension InstanceDetail {
    private enum Key: String, CodingKey {
        case instance, script, interpreter, interpreterArguments, arguments, user, memoryPeakBytes, cpuSeconds, tasks,
            fds, processes, restart, stop, autostart, report, job
    }

    /// The policy with every key.
    private struct Policy: Encodable {
        var mode: RestartPolicy.Mode
        var maxRestarts: Int
        var minUptime: Milliseconds
        var restartDelay: ValueOrNull<Milliseconds>
        var exponentialBackoff: ValueOrNull<Milliseconds>
        var stopExitCodes: [Int]
        var slowRetry: Bool
    }

    private struct Ending: Encodable {
        var signal: Signal
        var killTimeout: Milliseconds
        var wholeTree: Bool
        var withMessage: Bool
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(instance, forKey: .instance)
        try container.encode(script, forKey: .script)
        try container.encode(interpreter, forKey: .interpreter)
        try container.encode(interpreterArguments, forKey: .interpreterArguments)
        try container.encode(arguments, forKey: .arguments)
        try container.encode(user, forKey: .user)
        try container.encode(memoryPeakBytes, forKey: .memoryPeakBytes)
        try container.encode(cpuSeconds, forKey: .cpuSeconds)
        try container.encode(tasks, forKey: .tasks)
        try container.encode(fds, forKey: .fds)
        try container.encode(processes, forKey: .processes)
        try container.encode(
            Policy(
                mode: restart.mode, maxRestarts: restart.maxRestarts, minUptime: restart.minUptime,
                restartDelay: ValueOrNull(restart.restartDelay),
                exponentialBackoff: ValueOrNull(restart.exponentialBackoff),
                stopExitCodes: restart.stopExitCodes, slowRetry: restart.slowRetry), forKey: .restart)
        try container.encode(
            Ending(
                signal: stop.signal, killTimeout: stop.killTimeout, wholeTree: stop.wholeTree,
                withMessage: stop.withMessage ?? false), forKey: .stop)
        try container.encode(autostart, forKey: .autostart)
        try container.encode(report, forKey: .report)
        try container.encode(job, forKey: .job)
    }
}

/// A member whose key is written as null when it has no value.
private struct ValueOrNull<Value: Encodable>: Encodable {
    let value: Value?

    init(_ value: Value?) { self.value = value }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let value { try container.encode(value) } else { try container.encodeNil() }
    }
}
