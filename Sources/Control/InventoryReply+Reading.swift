import Model

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

// The counterpart of InventoryReply+Text.swift. What it does not expect it leaves to JSONDecoder, as ListReply does.

extension InventoryReply {
    /// Nil when the message is anything but a plain answer to Inventory.
    package init?(fast message: Data) {
        let reply = message.withContiguousStorageIfAvailable { bytes -> InventoryReply? in
            var reader = ReplyReader(UnsafeRawBufferPointer(bytes))
            return try? reader.inventory()
        }
        guard let parsed = reply ?? nil else { return nil }
        self = parsed
    }
}

extension ReplyReader {
    fileprivate mutating func inventory() throws(Unexpected) -> InventoryReply {
        var reply = InventoryReply(entries: [], environments: [:], notes: [])
        var found: Set<String> = []
        try object { (reader, key) throws(Unexpected) in
            guard key == "parameters" else { throw Unexpected() }
            try reader.object { (reader, key) throws(Unexpected) in
                found.insert(key)
                switch key {
                case "entries":
                    try reader.array { (reader) throws(Unexpected) in reply.entries.append(try reader.entry()) }
                case "environments":
                    try reader.object { (reader, key) throws(Unexpected) in reply.environments[key] = try reader.texts()
                    }
                case "notes": reply.notes = try reader.strings()
                default: throw Unexpected()
                }
            }
        }
        guard found.count == 3, isAtEnd else { throw Unexpected() }
        return reply
    }

    private mutating func entry() throws(Unexpected) -> InventoryEntry {
        var texts: [String: String] = [:]
        var numbers: [String: Int64] = [:]
        var instance: InstanceView?
        var spec: AppSpec?
        var report: AppReport?
        try object { (reader, key) throws(Unexpected) in
            switch key {
            case "instance": instance = try reader.instance()
            case "spec": spec = try reader.spec()
            case "report": report = try reader.isNull() ? nil : reader.decoded(AppReport.self)
            default: try reader.scalar(key, &texts, &numbers)
            }
        }
        guard let instance, let spec, let user = texts["user"] else { throw Unexpected() }
        return InventoryEntry(
            instance: instance, spec: spec, environment: texts["environment"], uniqueId: texts["uniqueId"], user: user,
            report: report)
    }

    private mutating func spec() throws(Unexpected) -> AppSpec {
        var spec = AppSpec(name: "", script: "", cwd: "")
        var count = 0
        try object { (reader, key) throws(Unexpected) in
            count += 1
            switch key {
            case "name": spec.name = try reader.string()
            case "namespace": spec.namespace = try reader.string()
            case "script": spec.script = try reader.string()
            case "arguments": spec.arguments = try reader.strings()
            case "interpreter": spec.interpreter = try reader.string()
            case "interpreterArguments": spec.interpreterArguments = try reader.strings()
            case "cwd": spec.cwd = try reader.string()
            case "environment": spec.environment = try reader.texts()
            case "instances": spec.instances = Int(try reader.integer())
            case "autostart": spec.autostart = try reader.flag()
            case "restart": spec.restart = try reader.restartPolicy()
            case "stop": spec.stop = try reader.stopPolicy()
            case "output": spec.output = try reader.outputPolicy()
            case "stdin":
                guard let stdin = StandardInput(rawValue: try reader.string()) else { throw Unexpected() }
                spec.stdin = stdin
            case "uid": spec.uid = try reader.string()
            case "gid": spec.gid = try reader.string()
            case "expectedPort": spec.expectedPort = Int(try reader.integer())
            case "memoryLimit": spec.memoryLimit = try reader.integer()
            case "schedule": spec.schedule = try reader.decoded(RestartSchedule.self)
            case "watch": spec.watch = try reader.decoded(WatchPolicy.self)
            case "environmentFiles": spec.environmentFiles = try reader.strings()
            case "environmentFilter": spec.environmentFilter = try reader.decoded(EnvironmentFilter.self)
            case "instanceVariable": spec.instanceVariable = try reader.string()
            case "incrementVariable": spec.incrementVariable = try reader.string()
            case "pidFile": spec.pidFile = try reader.string()
            case "mode": spec.mode = try reader.decoded(ExecutionMode.self)
            case "readiness": spec.readiness = try reader.decoded(ReadinessPolicy.self)
            case "listen": spec.listen = try reader.decoded([ListenSpec].self)
            case "watchdog": spec.watchdog = Milliseconds(try reader.integer())
            case "drain": spec.drain = try reader.decoded(DrainPolicy.self)
            case "reload": spec.reload = try reader.decoded(ReloadPolicy.self)
            case "memoryMax": spec.memoryMax = try reader.integer()
            case "job": spec.job = try reader.decoded(JobPolicy.self)
            case "dependsOn": spec.dependsOn = try reader.strings()
            case "source": spec.source = try reader.string()
            case "kept": spec.kept = try reader.texts()
            default: throw Unexpected()
            }
        }
        // As many keys are never missing: it is no specification then.
        guard count >= 13, !spec.name.isEmpty, !spec.script.isEmpty else { throw Unexpected() }
        return spec
    }

    private mutating func restartPolicy() throws(Unexpected) -> RestartPolicy {
        var policy = RestartPolicy()
        try object { (reader, key) throws(Unexpected) in
            switch key {
            case "mode":
                guard let mode = RestartPolicy.Mode(rawValue: try reader.string()) else { throw Unexpected() }
                policy.mode = mode
            case "maxRestarts": policy.maxRestarts = Int(try reader.integer())
            case "minUptime": policy.minUptime = Milliseconds(try reader.integer())
            case "restartDelay": policy.restartDelay = Milliseconds(try reader.integer())
            case "exponentialBackoff": policy.exponentialBackoff = Milliseconds(try reader.integer())
            case "stopExitCodes": policy.stopExitCodes = try reader.decoded([Int].self)
            case "slowRetry": policy.slowRetry = try reader.flag()
            default: throw Unexpected()
            }
        }
        return policy
    }

    private mutating func stopPolicy() throws(Unexpected) -> StopPolicy {
        var policy = StopPolicy()
        try object { (reader, key) throws(Unexpected) in
            switch key {
            case "signal":
                guard let signal = Signal(parsing: try reader.string()) else { throw Unexpected() }
                policy.signal = signal
            case "killTimeout": policy.killTimeout = Milliseconds(try reader.integer())
            case "wholeTree": policy.wholeTree = try reader.flag()
            case "withMessage": policy.withMessage = try reader.flag()
            default: throw Unexpected()
            }
        }
        return policy
    }

    private mutating func outputPolicy() throws(Unexpected) -> OutputPolicy {
        var policy = OutputPolicy()
        try object { (reader, key) throws(Unexpected) in
            switch key {
            case "outFile": policy.outFile = try reader.string()
            case "errorFile": policy.errorFile = try reader.string()
            case "merge": policy.merge = try reader.flag()
            default: throw Unexpected()
            }
        }
        return policy
    }

    private mutating func strings() throws(Unexpected) -> [String] {
        var texts: [String] = []
        try array { (reader) throws(Unexpected) in texts.append(try reader.string()) }
        return texts
    }

    private mutating func texts() throws(Unexpected) -> [String: String] {
        var texts: [String: String] = [:]
        try object { (reader, key) throws(Unexpected) in texts[key] = try reader.string() }
        return texts
    }
}
