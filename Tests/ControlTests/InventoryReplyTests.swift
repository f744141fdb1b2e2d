import Control
import FoundationEssentials
import Model
import Testing

@Suite("The answer to Inventory")
struct InventoryReplyTests {
    private static let view = InstanceView(
        id: InstanceID(7), name: "api", namespace: "default", number: 1, generation: Generation(3), pid: 4711,
        status: .online, wanted: .running, reason: "started", reasonKind: "started", restarts: 2, unstableRestarts: 1,
        uptimeMs: 12, startedAt: 5, createdAt: 1_795_270_760_471, cpuPercent: 1.5, memoryBytes: 1 << 33, ports: [],
        cwd: "/srv/app", command: "node /srv/app/index.js", outLog: "/a/b-out.log", errorLog: nil, nextStartAt: nil,
        lastExit: nil, statusText: "works: \"3\"\n")

    private static let report = AppReport(
        metrics: [
            AppMetric(name: "a", value: .integer(1 << 40)), AppMetric(name: "b", value: .number(0.5), unit: "ms"),
            AppMetric(name: "c", value: .flag(true), historic: false), AppMetric(name: "d", value: .text("1")),
        ], actions: [AppAction(name: "gc", options: "{\"a\":1}")], nodeVersion: "22.1.0")

    private static let plain = AppSpec(name: "api", script: "/srv/app/index.js", cwd: "/srv/app")

    /// A value in every field.
    private static let full: AppSpec = {
        var spec = AppSpec(
            name: "naïve \"api\"", namespace: "shop", script: "/srv/ä\n/index.js", arguments: ["--a", "b c"],
            interpreter: "node", interpreterArguments: ["--inspect"], cwd: "/srv",
            environment: ["A": "1", "B": "x=\"y\"\\"], instances: 4, autostart: false,
            restart: RestartPolicy(
                mode: .onFailure, maxRestarts: 3, minUptime: Milliseconds(5), restartDelay: Milliseconds(6),
                exponentialBackoff: Milliseconds(7), stopExitCodes: [0, 143], slowRetry: false),
            stop: StopPolicy(signal: .int, killTimeout: Milliseconds(1600), wholeTree: false, withMessage: true),
            output: OutputPolicy(outFile: "/o", errorFile: "/e", merge: false), stdin: .null, uid: "deploy",
            gid: "www", expectedPort: 3000)
        spec.memoryLimit = 1 << 30
        spec.schedule = RestartSchedule(pattern: "0 3 * * *", startsStopped: true)
        spec.watch = WatchPolicy(paths: ["/srv"], ignore: ["*.log"], delay: Milliseconds(9), extensions: ["js"])
        spec.environmentFiles = ["/srv/.env"]
        spec.environmentFilter = EnvironmentFilter(names: ["SECRET"], fragments: ["AWS"])
        spec.instanceVariable = "NUMBER"
        spec.incrementVariable = "PORT"
        spec.pidFile = "/run/api.pid"
        spec.mode = .cluster
        spec.readiness = ReadinessPolicy(waitReady: true, timeout: Milliseconds(8), notify: true)
        spec.watchdog = Milliseconds(10)
        spec.memoryMax = 1 << 29
        spec.job = JobPolicy(pattern: "@daily")
        spec.source = "/srv/apps.yml"
        spec.kept = ["time": "true", "env_production": "{\"A\":\"2\"}"]
        return spec
    }()

    private func reply(_ specs: [AppSpec]) -> InventoryReply {
        InventoryReply(
            entries: specs.map {
                InventoryEntry(
                    instance: Self.view, spec: $0, environment: "e1", uniqueId: "95a725e2", user: "deploy",
                    report: $0 == Self.plain ? nil : Self.report)
            }, environments: ["e1": ["PATH": "/bin", "QUOTED": "a \"b\"\n"]], notes: ["a note"])
    }

    private func text(_ entry: InventoryEntry) -> Data { (try? Varlink.encoder().encode(entry.spec)) ?? Data() }

    @Test("is read back as it was written, by JSONDecoder and by the fast reader", arguments: [plain, full])
    func roundTrip(spec: AppSpec) throws {
        let written = reply([spec, spec])
        let message = written.message(specification: text)
        #expect(message.last == 0)
        let slow = try Varlink.parameters(InventoryReply.self, of: message.dropLast())
        let fast = try #require(InventoryReply(fast: message.dropLast()))
        for read in [slow, fast] {
            #expect(read.entries.map(\.spec) == [spec, spec])
            #expect(read.entries.map(\.instance) == [Self.view, Self.view])
            #expect(
                read.entries.map(\.environment) == ["e1", "e1"] && read.entries.map(\.user) == ["deploy", "deploy"])
            #expect(read.entries.map(\.uniqueId) == ["95a725e2", "95a725e2"])
            #expect(read.environments == written.environments && read.notes == written.notes)
        }
    }

    @Test(
        "leaves to JSONDecoder what it does not expect",
        arguments: [
            "", "{}", #"{"error":"x","parameters":{}}"#,
            #"{"parameters":{"entries":[{}],"environments":{},"notes":[]}}"#,
            #"{"parameters":{"entries":[],"environments":{}}}"#,
            #"{"parameters":{"entries":[{"spec":{"name":"a","unheardOf":[1,{"b":null}]}}],"environments":{},"notes":[]}}"#,
            #"{"parameters":{"entries":[],"environments":{"e":{"a":1}},"notes":[]}}"#,
        ])
    func givesUp(text: String) {
        #expect(InventoryReply(fast: Data(text.utf8))?.entries.count == nil)
    }
}
