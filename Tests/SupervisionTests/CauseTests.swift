import Model
import Testing

@testable import Supervision

@Suite("Why an instance ended")
struct CauseTests {
    private func online(_ stop: StopPolicy = StopPolicy()) -> Bench {
        var bench = Bench(spec(stop: stop))
        bench.send(.start(alice))
        bench.now += 1500
        return bench
    }

    @Test(
        "what Hearth was asked for is ours, whatever the status",
        arguments: [Event.stop(bob), .restart(bob), .delete(bob), .killWithDaemon(bob)],
        [ExitStatus.exited(code: 0), .exited(code: 1), .killed(by: 9), .killed(by: 15), .killed(by: 11), .unknown])
    func ours(event: Event, status: ExitStatus) {
        var bench = online()
        bench.send(event)
        bench.send(.exited(bench.generation, status))
        let exit = bench.machine.lastExit
        #expect(exit?.cause == .ours)
        #expect(exit?.status == status)
        #expect(exit?.detail?.contains("bob") == true)
        #expect(exit?.uptime == Milliseconds(1500))
        #expect(exit?.pid == 101)
        #expect(exit?.at == instant(bench.now))
    }

    @Test("the stop's latest owner is named: a delete after a restart")
    func takenOver() {
        var bench = online()
        bench.send(.restart(alice))
        bench.send(.delete(bob))
        bench.send(.exited(bench.generation, .killed(by: 15)))
        #expect(bench.machine.lastExit?.detail == "deleted by bob")
    }

    @Test("a second stop does not change who stopped it")
    func firstStopper() {
        var bench = online()
        bench.send(.stop(alice))
        bench.send(.stop(bob))
        bench.send(.killWithDaemon(bob))
        bench.send(.exited(bench.generation, .killed(by: 15)))
        bench.send(.treeGone(bench.generation))
        bench.send(.stop(bob))
        #expect(bench.machine.reason.text == "stopped by alice")
    }

    @Test("an end by a signal that was sent through Hearth is ours and names who sent it")
    func signalSent() {
        var bench = online()
        bench.send(.signalSent(.usr2, bob))
        bench.send(.exited(bench.generation, .killed(by: 12)))
        #expect(bench.machine.lastExit?.cause == .ours)
        #expect(bench.machine.lastExit?.detail == "SIGUSR2 sent by bob")
        #expect(bench.machine.wanted == .running)
        #expect(bench.status == .online, "a signal is no stop")
    }

    @Test("a signal sent through Hearth explains no other end, and none of the next generation")
    func signalSentExplainsOnlyItself() {
        var bench = online()
        bench.send(.signalSent(.usr2, bob))
        bench.send(.exited(bench.generation, .killed(by: 15)))
        #expect(bench.machine.lastExit?.cause == .outside)
        bench.send(.signalSent(.usr2, bob))
        bench.send(.exited(bench.generation, .exited(code: 1)))
        #expect(bench.machine.lastExit?.cause == .exit)
        bench.send(.exited(bench.generation, .killed(by: 12)))
        #expect(bench.machine.lastExit?.cause == .outside)
    }

    @Test("a core dump by a sent signal is ours, too")
    func signalSentWithCore() {
        var bench = online()
        bench.send(.signalSent(.number(6), bob))
        bench.send(.exited(bench.generation, .signalled(.number(6), coreDumped: true)))
        #expect(bench.machine.lastExit?.cause == .ours)
    }

    @Test(
        "a fault is the program's own signal",
        arguments: [Int32(4), 5, 6, 7, 8, 11, 13, 14, 16, 24, 25, 26, 27, 31], [false, true])
    func faults(signal: Int32, core: Bool) {
        var bench = online()
        bench.send(.exited(bench.generation, .signalled(.number(signal), coreDumped: core)))
        #expect(bench.machine.lastExit?.cause == .signal)
    }

    @Test("any other signal came from outside", arguments: [Int32(1), 2, 3, 9, 10, 12, 15, 30, 34, 64])
    func outside(signal: Int32) {
        var bench = online()
        bench.send(.exited(bench.generation, .killed(by: signal)))
        #expect(bench.machine.lastExit?.cause == .outside)
    }

    @Test("an exit code is an exit; nobody having seen it is unknown")
    func exitAndUnknown() {
        var bench = online()
        bench.send(.exited(bench.generation, .exited(code: 0)))
        #expect(bench.machine.lastExit?.cause == .exit)
        bench.send(.exited(bench.generation, .unknown))
        #expect(bench.machine.lastExit?.cause == .unknown)
    }

    @Test("an exit that nobody asked for is looked into; one that was asked for is not")
    func explain() {
        var bench = online()
        let ended = bench.generation
        #expect(bench.send(.exited(ended, .killed(by: 9))).contains(.explain(ended, .killed(by: 9))))
        bench.send(.stop(bob))
        let asked = bench.send(.exited(bench.generation, .killed(by: 9)))
        #expect(!asked.contains { if case .explain = $0 { true } else { false } })
    }

    @Test("an explanation replaces cause and detail of the exit, and is recorded")
    func explained() {
        var bench = online()
        let ended = bench.generation
        bench.send(.exited(ended, .killed(by: 9)))
        #expect(bench.send(.explained(ended, .oom, detail: "killed by the kernel for memory")) == [.record])
        #expect(bench.machine.lastExit?.cause == .oom)
        #expect(bench.machine.lastExit?.detail == "killed by the kernel for memory")
        #expect(bench.machine.lastExit?.status == .killed(by: 9))
        #expect(bench.machine.record.lastExit == bench.machine.lastExit)
    }

    @Test("a late explanation of one exit is not taken for the next one")
    func lateExplanation() {
        var bench = Bench(spec(RestartPolicy(mode: .onFailure)))
        bench.send(.start(alice))
        let first = bench.generation
        bench.runs(for: 10, then: .killed(by: 9))
        bench.runs(for: 10, then: .exited(code: 0))
        #expect(bench.generation == first.next)
        #expect(bench.send(.explained(first, .oom, detail: "memory")).isEmpty)
        #expect(bench.machine.lastExit?.cause == .exit)
    }

    @Test("what ended on its own terms was not killed with the daemon, whatever it left behind")
    func endedBeforeTheDaemon() {
        var bench = Bench(spec(RestartPolicy(mode: .never)))
        bench.send(.start(alice))
        bench.runs(for: 5000, then: .exited(code: 0))
        bench.send(.killWithDaemon(bob))
        #expect(bench.status == .stopping, "its children are ended")
        bench.send(.treeGone(bench.generation))
        #expect(bench.status == .stopped)
        #expect(bench.machine.reason.kind == .notRestarted)
        #expect(bench.machine.wanted == .running)
    }
}
