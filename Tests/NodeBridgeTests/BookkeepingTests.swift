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
        _ = outbox.add(line("a", 7))
        _ = outbox.add(line("b"))
        #expect(outbox.next == line("a", 7))
        outbox.sent()
        #expect(outbox.next == nil && !outbox.isEmpty)
        _ = outbox.add(line("ack"), isUrgent: true)
        #expect(outbox.next == line("ack"))
        outbox.sent()
        #expect(outbox.next == nil)
        let result1 = outbox.acknowledged()
        #expect(result1 == 7)
        #expect(outbox.next == line("b"))
        outbox.sent()
        #expect(outbox.isEmpty)
        let result2 = outbox.acknowledged()
        #expect(result2 == nil, "one that nobody waits for")
    }

    @Test("a lost descriptor is sent four times in all, then given back")
    func refusals() {
        var outbox = Outbox()
        _ = outbox.add(line("a", 7))
        _ = outbox.add(line("b"))
        for _ in 0..<3 {
            outbox.sent()
            let result3 = outbox.refused()
            #expect(result3 == nil)
            #expect(outbox.next == line("a", 7))
        }
        outbox.sent()
        let result4 = outbox.refused()
        #expect(result4 == 7)
        #expect(outbox.next == line("b"))
        _ = outbox.add(line("c", 8))
        let result5 = outbox.removeAll()
        #expect(result5 == [8] && outbox.isEmpty)
    }

    @Test("who takes no answers gets no more of them")
    func bounds() {
        var outbox = Outbox()
        var added = 0
        while added < 100_000, outbox.add(line("x")) { added += 1 }
        #expect(added == 4096)
        _ = outbox.removeAll()
        added = 0
        while added < 100_000, outbox.add(line("x", 7)) { added += 1 }
        #expect(added == 256)
        outbox.sent()
        _ = outbox.acknowledged()
        let hasRoom = outbox.add(line("x", 7))
        #expect(hasRoom)
        let isTooLong = outbox.add(line(String(repeating: "x", count: 1 << 20)))
        #expect(!isTooLong)
    }

    @Test("a socket is given up when the last one that has it closes it")
    func ledger() {
        var ledger = ClusterLedger<Int>()
        ledger.enter(1, isNew: true)
        ledger.enter(2, isNew: true)
        ledger.gave("k", to: 1)
        ledger.gave("k", to: 2)
        let result6 = ledger.closed("k", by: 1)
        #expect(!result6)
        let result7 = ledger.closed("k", by: 2)
        #expect(result7)
        ledger.gave("k", to: 1)
        ledger.enter(3, isNew: false)
        let result8 = ledger.closed("k", by: 1)
        #expect(!result8, "one that was there before may have it")
        ledger.leave(3)
        let result9 = ledger.closed("k", by: 1)
        #expect(result9)
    }

    @Test("all get the data of the first")
    func sharedData() {
        var ledger = ClusterLedger<Int>()
        ledger.enter(1, isNew: true)
        let result10 = ledger.agreed("k", #"{"ticketKeys":"a"}"#)
        #expect(result10 == #"{"ticketKeys":"a"}"#)
        let result11 = ledger.agreed("k", #"{"ticketKeys":"b"}"#)
        #expect(result11 == #"{"ticketKeys":"a"}"#)
        let result12 = ledger.agreed("other", "null")
        #expect(result12 == "null")
        let result13 = ledger.agreed("other", "{}")
        #expect(result13 == "{}")
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
