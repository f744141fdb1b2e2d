import Testing

@testable import NodeBridge

@Suite("Order of what goes out, and who has which socket")
struct BookkeepingTests {
    private func line(_ name: String, _ descriptor: Int32? = nil) -> Outbox.Outgoing {
        Outbox.Outgoing(line: Array(name.utf8), descriptor: descriptor)
    }

    @Test("behind a descriptor everything waits for its acknowledgement")
    func gating() {
        var outbox = Outbox()
        outbox.add(line("a", 7))
        outbox.add(line("b"))
        #expect(outbox.next == line("a", 7))
        outbox.sent()
        #expect(outbox.next == nil && !outbox.isEmpty)
        outbox.add(line("ack"), isUrgent: true)
        #expect(outbox.next == line("ack"))
        outbox.sent()
        #expect(outbox.next == nil)
        #expect(outbox.acknowledged() == 7)
        #expect(outbox.next == line("b"))
        outbox.sent()
        #expect(outbox.isEmpty)
        #expect(outbox.acknowledged() == nil, "one that nobody waits for")
    }

    @Test("a lost descriptor is sent four times in all, then given back")
    func refusals() {
        var outbox = Outbox()
        outbox.add(line("a", 7))
        outbox.add(line("b"))
        for _ in 0..<3 {
            outbox.sent()
            #expect(outbox.refused() == nil)
            #expect(outbox.next == line("a", 7))
        }
        outbox.sent()
        #expect(outbox.refused() == 7)
        #expect(outbox.next == line("b"))
        outbox.add(line("c", 8))
        #expect(outbox.removeAll() == [8] && outbox.isEmpty)
    }

    @Test("a socket is given up when the last one that has it closes it")
    func ledger() {
        var ledger = ClusterLedger<Int>()
        ledger.enter(1, isNew: true)
        ledger.enter(2, isNew: true)
        ledger.gave("k", to: 1)
        ledger.gave("k", to: 2)
        #expect(!ledger.closed("k", by: 1))
        #expect(ledger.closed("k", by: 2))
        ledger.gave("k", to: 1)
        ledger.enter(3, isNew: false)
        #expect(!ledger.closed("k", by: 1), "one that was there before may have it")
        ledger.leave(3)
        #expect(ledger.closed("k", by: 1))
    }

    @Test("all get the data of the first")
    func sharedData() {
        var ledger = ClusterLedger<Int>()
        ledger.enter(1, isNew: true)
        #expect(ledger.agreed("k", #"{"ticketKeys":"a"}"#) == #"{"ticketKeys":"a"}"#)
        #expect(ledger.agreed("k", #"{"ticketKeys":"b"}"#) == #"{"ticketKeys":"a"}"#)
        #expect(ledger.agreed("other", "null") == "null")
        #expect(ledger.agreed("other", "{}") == "{}")
    }

    @Test("worker numbers are positive, small at first, and unique among what can run at once")
    func workerNumbers() {
        #expect((0..<4).map { WorkerNumber.make(instance: $0, generation: 1) } == [1, 2, 3, 4])
        var seen: Set<Int> = []
        for instance in 0..<1024 {
            for generation: UInt32 in [1, 2, 3] {
                seen.insert(WorkerNumber.make(instance: instance, generation: generation))
            }
        }
        #expect(seen.count == 3 * 1024)
        let largest = WorkerNumber.make(instance: .max, generation: .max)
        #expect(largest > 0 && largest <= Int(Int32.max))
        #expect(WorkerNumber.make(instance: -5, generation: 0) == 1)
    }

    @Test("inspector ports are one for each worker")
    func inspectorPorts() {
        let arguments = [
            "--inspect", "--inspect-brk=9300", "--inspect=0.0.0.0:9400", "--inspect=[::1]:9500", "--inspect=[::1]",
            "--inspect=host", "--inspect=0", "--inspect=65535", "--inspect-port=1000", "--inspect-port", "-r", "x",
        ]
        #expect(InspectorPorts.moved(arguments, by: 0) == arguments)
        #expect(
            InspectorPorts.moved(arguments, by: 2) == [
                "--inspect=9231", "--inspect-brk=9302", "--inspect=0.0.0.0:9402", "--inspect=[::1]:9502",
                "--inspect=[::1]:9231", "--inspect=host:9231", "--inspect=0", "--inspect=65535", "--inspect-port=1002",
                "--inspect-port", "-r", "x",
            ])
    }
}
