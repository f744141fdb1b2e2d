import Foundation
import Model
import Testing

@testable import Control

/// The interface text is a promise to clients in other languages: it must say what is really sent.
@Suite("Interface text and Codable types")
struct InterfaceTests {
    private static let exit = ExitView(
        LastExit(
            status: .signalled(.kill, coreDumped: true), cause: .oom, at: Instant(milliseconds: 1),
            uptime: Milliseconds(2), pid: 3, detail: "d"), wallClockOffset: 0)
    private static let port = PortView(protocol: "tcp", address: "::", port: 1, pid: 2, command: "c")
    private static let instance = InstanceView(
        id: InstanceID(1), name: "n", namespace: "default", number: 0, generation: Generation(1), pid: 2,
        status: .online, wanted: .running, reason: "r", reasonKind: "started", restarts: 0, unstableRestarts: 0,
        uptimeMs: 1, startedAt: 1, createdAt: 1, cpuPercent: 1.5, memoryBytes: 1, ports: [port], cwd: "/",
        command: "c", outLog: "o", errorLog: "e", nextStartAt: 1, lastExit: exit, statusText: "s")
    private static let restart = RestartPolicy(
        restartDelay: Milliseconds(1), exponentialBackoff: Milliseconds(1), stopExitCodes: [1])
    private static let detail = InstanceDetail(
        instance: instance, script: "s", interpreter: "i", interpreterArguments: [], arguments: [], user: "u",
        memoryPeakBytes: 1, cpuSeconds: 1, tasks: 1, fds: 1, processes: [1], restart: restart, stop: StopPolicy(),
        autostart: true, report: report, job: job)
    private static let run = RunView(startedAt: 1, endedAt: 2, pid: 3, exit: exit, note: "n", by: "b")
    private static let jobPolicy = {
        var policy = JobPolicy(pattern: "@daily", every: Milliseconds(1))
        policy.overlap = .replace
        policy.catchUp = true
        policy.timeout = Milliseconds(1)
        policy.jitter = Milliseconds(1)
        policy.history = 1
        return policy
    }()
    private static let job = JobView(jobPolicy, nextAt: 1, isPaused: false, skipped: 1, runs: [run])
    private static let metric = AppMetric(name: "n", value: .number(1.5), unit: "u", type: "t", historic: true)
    private static let action = AppAction(name: "n", type: "t", arity: 1, options: "{}")
    private static let report = AppReport(metrics: [metric], actions: [action], options: "{}", nodeVersion: "v")
    private static let answer = ActionAnswer(id: InstanceID(1), name: "n", namespace: "default", value: "null")
    private static let holder = PortHolderView(
        port: 1, address: "::", pid: 1, user: "u", command: "c", ageSeconds: 1, ours: "o")
    private static let explanation = Explanation(
        instance: instance, cause: .exit, summary: "s", advice: [], lastErrorLines: [], nextStartAt: 1,
        portHolders: [holder])
    private static let spec = AppSpec(
        name: "n", script: "/s", interpreter: "i", cwd: "/", uid: "u", gid: "g", expectedPort: 1)
    /// With a value in every field.
    private static let fullSpec = {
        var spec = Self.spec
        spec.memoryLimit = 1
        spec.schedule = schedule
        spec.watch = watch
        spec.environmentFiles = ["/e"]
        spec.environmentFilter = EnvironmentFilter()
        spec.instanceVariable = "I"
        spec.incrementVariable = "P"
        spec.pidFile = "/p"
        spec.mode = .cluster
        spec.stop = stop
        spec.readiness = readiness
        spec.listen = [listen]
        spec.drain = drain
        spec.reload = reload
        spec.dependsOn = ["db"]
        spec.watchdog = Milliseconds(1000)
        spec.memoryMax = 1
        spec.job = jobPolicy
        spec.source = "/f"
        spec.kept = ["time": "true"]
        return spec
    }()
    private static let stop = StopPolicy(withMessage: true)
    private static let readiness = ReadinessPolicy(timeout: Milliseconds(1), notify: true)
    private static let listen = ListenSpec(
        name: "web", address: .tcp(host: "::1", port: 1), backlog: 1, reusePort: true, mode: 0o600)
    private static let drain = DrainPolicy(isOn: true, grace: Milliseconds(1))
    private static let reload = ReloadPolicy(overlaps: true, parallel: 1)
    private static let schedule = RestartSchedule(pattern: "0 3 * * *")
    private static let watch = WatchPolicy(paths: ["/w"], ignore: ["*.log"], extensions: ["js"])
    private static let entry = InventoryEntry(
        instance: instance, spec: fullSpec, environment: "e", uniqueId: "u", user: "u", report: report)
    private static let change = SpecChange(id: InstanceID(1), spec: fullSpec, environment: ["k": "v"])
    private static let snapshot = SnapshotView(name: "n", at: 1, apps: 1, instances: 1, kind: "saved")
    private static let difference = Difference(name: "n", change: "added", details: [])
    private static let event = EventView(at: 1, kind: "k", id: InstanceID(1), name: "n", pid: 1, message: "m")
    private static let result = ActionResult(id: InstanceID(1), name: "n", ok: true, message: "m")
    private static let variable = EnvironmentReply.Variable(name: "n", value: "v", origin: "app")

    private static let types: [String: any Encodable & Sendable] = [
        "Exit": exit, "Port": port, "Instance": instance, "Detail": detail, "RestartPolicy": restart,
        "StopPolicy": stop, "ReadinessPolicy": readiness, "OutputPolicy": OutputPolicy(outFile: "o", errorFile: "e"),
        "AppSpec": fullSpec,
        "RestartSchedule": schedule, "WatchPolicy": watch, "EnvironmentFilter": EnvironmentFilter(), "Entry": entry,
        "Change": change,
        "PortHolder": holder, "Explanation": explanation, "Variable": variable, "Result": result,
        "Metric": metric, "AppAction": action, "Report": report, "Answer": answer, "ListenSpec": listen,
        "DrainPolicy": drain, "JobPolicy": jobPolicy, "Run": run, "Job": job, "ReloadPolicy": reload,
        "Snapshot": snapshot, "Difference": difference, "Event": event,
    ]

    private static let instances = InstancesReply(instances: [], durable: false, notDurableReason: "r")
    private static let selectors = SelectorParameters(selectors: [])
    private static let origin = OriginParameters(origin: "o")

    /// Parameters and reply of every method, with a value in every field.
    private static let methods:
        [Interface.Method: (input: any Encodable & Sendable, output: any Encodable & Sendable)] = [
            .hello: (
                NoParameters(),
                HelloReply(version: "v", protocol: 1, pid: 1, keeperPid: 1, home: "h", ready: true, uptimeMs: 1)
            ),
            .list: (selectors, ListReply(instances: [], notes: [])),
            .show: (selectors, ShowReply(details: [])),
            .why: (selectors, WhyReply(explanations: [])),
            .start: (
                StartParameters(apps: [], environment: [:], token: "t", origin: "o", restores: true), instances
            ),
            .act: (
                ActParameters(
                    action: .stop, selectors: [], environment: [:], token: "t", origin: "o", parallel: 1,
                    sparesJobs: true),
                ActReply(results: [], instances: [], durable: false, notDurableReason: "r")
            ),
            .configure: (
                ConfigureParameters(
                    changes: [], then: .restart, token: "t", origin: "o", parallel: 1, keep: true),
                ActReply(results: [], instances: [], durable: false, notDurableReason: "r")
            ),
            .inventory: (selectors, InventoryReply(entries: [], environments: [:], notes: [])),
            .trigger: (
                TriggerParameters(selectors: [], action: "a", parameters: "p", timeout: 1, origin: "o"),
                TriggerReply(results: [], answer: answer)
            ),
            .send: (
                SendParameters(selectors: [], line: "l", message: "m", origin: "o"), SendReply(results: [])
            ),
            .signal: (SignalParameters(signal: "s", selectors: [], origin: "o"), SignalReply(results: [])),
            .scale: (ScaleParameters(name: "n", count: 1, change: 1, origin: "o"), instances),
            .environment: (selectors, EnvironmentReply(id: InstanceID(1), name: "n", variables: [])),
            .save: (SaveParameters(name: "n", force: true, origin: "o"), SaveReply(snapshot: snapshot)),
            .snapshots: (NoParameters(), SnapshotsReply(snapshots: [])),
            .compare: (CompareParameters(from: "a", to: "b"), CompareReply(differences: [])),
            .undo: (
                SnapshotParameters(name: "n", origin: "o"),
                UndoReply(differences: [], instances: [], durable: false, notDurableReason: "r")
            ),
            .resurrect: (
                SnapshotParameters(name: "n", origin: "o"),
                ResurrectReply(instances: [], notes: [], durable: false, notDurableReason: "r")
            ),
            .events: (EventsParameters(replay: 1, selectors: []), EventReply(event: event)),
            .kill: (origin, KillReply(stopped: 1)),
            .detach: (origin, DetachReply(running: 1)),
            .upgrade: (UpgradeParameters(path: "p", origin: "o"), UpgradeReply(version: "v", pid: 1)),
        ]

    @Test("every type of the text has exactly the fields that are encoded", arguments: types.keys.sorted())
    func type(name: String) throws {
        let fields = try #require(InterfaceText().types[name], "the text has no type \(name)")
        #expect(try Self.keys(try #require(Self.types[name])) == Set(fields.keys))
    }

    @Test("no type of the text is left out here")
    func allTypes() {
        #expect(Set(InterfaceText().types.keys) == Set(Self.types.keys))
    }

    @Test("every method's parameters and reply are those of the text", arguments: Interface.Method.allCases)
    func method(method: Interface.Method) throws {
        let (input, output) = try #require(InterfaceText().methods[method.rawValue], "not in the text")
        let sample = try #require(Self.methods[method], "no sample for \(method)")
        #expect(try Self.keys(sample.input) == Set(input.keys))
        #expect(try Self.keys(sample.output) == Set(output.keys))
    }

    @Test("every error of the text has a code")
    func errors() {
        #expect(Set(InterfaceText().errors) == Set(ControlError.Code.allCases.map(\.rawValue)))
    }

    @Test("a field that may be null is written as null, not left out, wherever --json shows it")
    func nulls() throws {
        var instance = Self.instance
        instance.pid = nil
        instance.cpuPercent = nil
        instance.lastExit = nil
        let event = EventView(at: 1, kind: "k", id: nil, name: nil, pid: nil, message: "m")
        var detail = Self.detail
        detail.user = nil
        detail.restart = RestartPolicy()
        var explanation = Self.explanation
        explanation.nextStartAt = nil
        #expect(try Self.keys(instance) == Set(try #require(InterfaceText().types["Instance"]).keys))
        #expect(try Self.keys(event) == Set(try #require(InterfaceText().types["Event"]).keys))
        #expect(try Self.keys(detail) == Set(try #require(InterfaceText().types["Detail"]).keys))
        #expect(try Self.keys(explanation) == Set(try #require(InterfaceText().types["Explanation"]).keys))
        let object = try #require(try Self.object(detail)["restart"] as? [String: Any])
        #expect(Set(object.keys) == Set(try #require(InterfaceText().types["RestartPolicy"]).keys))
        #expect(object["restartDelay"] is NSNull)
    }

    private static func object(_ value: any Encodable) throws -> [String: Any] {
        let data = try Varlink.encoder().encode(value)
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private static func keys(_ value: any Encodable) throws -> Set<String> { Set(try object(value).keys) }
}

/// A reader of Varlink's definition language, as far as this interface uses it.
struct InterfaceText {
    private(set) var types: [String: [String: String]] = [:]
    private(set) var methods: [String: (input: [String: String], output: [String: String])] = [:]
    private(set) var errors: [String] = []

    init() {
        let lines = Interface.description.split(separator: "\n").filter { !$0.drop { $0 == " " }.hasPrefix("#") }
        let text = lines.joined(separator: " ")
        var rest = text[...]
        while let word = Self.word(&rest) {
            switch word {
            case "type": if let name = Self.word(&rest) { types[name] = Self.fields(&rest) }
            case "error":
                if let name = Self.word(&rest) {
                    errors.append(name)
                    _ = Self.fields(&rest)
                }
            case "method":
                if let name = Self.word(&rest) {
                    let input = Self.fields(&rest)
                    _ = Self.word(&rest)
                    methods[name] = (input, Self.fields(&rest))
                }
            default: break
            }
        }
    }

    private static func word(_ rest: inout Substring) -> String? {
        rest = rest.drop { $0 == " " }
        guard !rest.isEmpty else { return nil }
        let word = rest.prefix { $0 != " " && $0 != "(" }
        if word.isEmpty {
            rest = rest.dropFirst()
            return ""
        }
        rest = rest.dropFirst(word.count)
        return String(word)
    }

    private static func fields(_ rest: inout Substring) -> [String: String] {
        rest = rest.drop { $0 != "(" }.dropFirst()
        let body = rest.prefix { $0 != ")" }
        rest = rest.dropFirst(body.count + 1)
        var fields: [String: String] = [:]
        for field in body.split(separator: ",") {
            let parts = field.split(separator: ":").map { $0.trimmingCharacters(in: .whitespaces) }
            if parts.count == 2 { fields[parts[0]] = parts[1] }
        }
        return fields
    }
}
