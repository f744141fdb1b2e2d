import Control
import Glibc
import Model
import Platform
import Testing

@testable import CommandLine

@Suite("doctor: what each fault is called")
struct DoctorTests {
    @Test("a healthy home has no finding") func healthy() {
        #expect(World.healthy.findings == [])
    }

    @Test("the fault is found, with evidence; without it it is not", arguments: Fault.all)
    func fault(_ fault: Fault) throws {
        var world = World.healthy
        #expect(!world.findings.contains { $0.code == fault.code })
        fault.spoil(&world)
        let found = world.findings.filter { $0.code == fault.code }
        #expect(found.count == 1, "\(world.findings)")
        let finding = try #require(found.first)
        let text = ([finding.message] + finding.evidence).joined(separator: "\n")
        #expect(text.contains(fault.says), "\(text)")
        #expect(finding.layer == fault.code.layer)
        #expect(finding.severity != .note || fault.code.severity == .note, "a fault must not be shown as a note")
    }

    @Test("every finding has a fault that makes it") func complete() {
        let made = Set(Fault.all.map(\.code))
        let missing = FindingCode.allCases.filter { !made.contains($0) && $0 != .notLookedAt }
        #expect(missing == [])
    }

    @Test("a fix that starts something comes with what else is needed; a HOSTNAME that was meant is none")
    func details() throws {
        var world = World.healthy
        world.silence("T")
        #expect(world.findings.first { $0.code == .daemonStopped }?.fix == "kill -KILL 100")
        world.scene.daemon.keepers = []
        #expect(world.findings.first { $0.code == .daemonStopped }?.fix == "kill -KILL 100 && hearth up")
        world = .healthy
        world.ports.hostnames = [InstanceID(0): "127.0.0.1"]
        #expect(world.findings == [])
    }

    @Test("a look that hangs is left behind, and the others are not") func hanging() {
        let start = SystemClock.now()
        let looks: [@Sendable () -> Int] = [
            { 1 },
            {
                sleep(3600)
                return 2
            }, { 3 },
        ]
        let results = BoundedLooks.all(within: 300, looks)
        #expect(results == [1, nil, 3])
        #expect(SystemClock.now().since(start).rawValue < 60_000)
    }

    @Test("text: by layer, evidence and fix beneath; what was looked at when nothing is found") func text() {
        let finding = Finding(.daemonStopped, "it is stopped", ["pid 1\u{1b}[31m"], fix: "kill 1")
        let other = Finding(.homeOpen, "it is open")
        let terminal = Terminal(columns: 80, color: false, unicode: true)
        let diagnosis = Doctor.Diagnosis(findings: Doctor.ordered([finding, other]), looked: ["5 apps"])
        #expect(!diagnosis.isFine)
        #expect(
            DoctorReport.text(diagnosis, terminal) == """
                home
                  warning  it is open [home-open]
                daemon
                  error    it is stopped [daemon-stopped]
                           pid 1\\e[31m
                           → kill 1

                1 error, 1 warning; looked at: 5 apps

                """)
        let none = Doctor.Diagnosis(findings: [], looked: ["5 apps"])
        #expect(none.isFine)
        #expect(DoctorReport.text(none, terminal) == "nothing found; looked at: 5 apps\n")
    }
}
