import Glibc
import Model
import Testing

@testable import Platform

@Suite("Resource usage")
struct ResourceUsageTests {
    @Test("memory, its peak, threads, descriptors and CPU time of a real process")
    func real() throws {
        let scratch = try Scratch()
        let child = try Child.python(
            """
            import os, sys, threading, time
            peak = bytearray(os.urandom(1 << 20) * 96)
            del peak
            for _ in range(3): threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
            files = [open('/dev/null') for _ in range(20)]
            while os.times().user + os.times().system < 0.2: pass
            count = len(os.listdir('/proc/self/fd')) - 1
            open(sys.argv[1], 'w').write(f'{count}\\n')
            time.sleep(100)
            """, arguments: [scratch.file("fds")])
        let fds = try scratch.numbers(in: "fds")[0]
        let table = ProcessTable.read()
        let usage = ResourceUsage.measure([child.identity], in: table, detail: .full)
        #expect(usage.tasks == 4)
        #expect(usage.fds == Int(fds))
        #expect(usage.memoryBytes > 2 << 20)
        #expect(try #require(usage.memoryPeakBytes) > usage.memoryBytes + 60 << 20)
        #expect(usage.cpuSeconds >= 0.15)
        let summary = ResourceUsage.measure([child.identity], in: table)
        #expect(summary.memoryBytes == usage.memoryBytes)
        #expect(summary.fds == nil)
        #expect(summary.memoryPeakBytes == nil)
        let twice = ResourceUsage.measure([child.identity, child.identity], in: table)
        #expect(twice.memoryBytes == 2 * usage.memoryBytes)
        let gone = ProcessIdentity(pid: child.pid, startTime: 1)
        #expect(ResourceUsage.measure([gone], in: table).memoryBytes == 0)
    }

    @Test("CPU percent: nothing first, then the difference, and one sample a second at most")
    func sampler() {
        var sampler = CPUSampler<Int>(ticksPerSecond: 100)
        let second: Int64 = 1_000_000_000
        #expect(sampler.sample(1, ticks: 1000, at: 10 * second) == nil)
        #expect(sampler.sample(1, ticks: 1050, at: 10 * second + 1) == nil)
        #expect(sampler.sample(1, ticks: 1100, at: 12 * second) == 50)
        #expect(sampler.sample(1, ticks: 9999, at: 12 * second + second / 2) == 50)
        #expect(sampler.sample(1, ticks: 1500, at: 14 * second) == 200)
        #expect(sampler.sample(1, ticks: 10, at: 15 * second) == 0)
        #expect(sampler.sample(2, ticks: 10, at: 15 * second) == nil)
        #expect(sampler.sample(1, ticks: 10, at: 3 * second) == nil)
        sampler.keep(only: [2])
        #expect(sampler.sample(1, ticks: 10, at: 99 * second) == nil)
        sampler.forget(2)
        #expect(sampler.sample(2, ticks: 10, at: 99 * second) == nil)
        #expect(sampler.sample(3, ticks: 10, at: Int64.min) == nil)
        #expect(sampler.sample(3, ticks: UInt64.max, at: Int64.max) != nil)
    }
}

@Suite("Ports")
struct PortTests {
    /// Listens on a free port of 127.0.0.1 and, with the same number or another, on ::1; forks a worker that shares
    /// both; writes ports and pids; opens one more when told by a signal.
    private let server = """
        import os, signal, socket, sys, time
        one = socket.socket(); one.bind(('127.0.0.1', 0)); one.listen()
        two = socket.socket(socket.AF_INET6); two.bind(('::1', 0)); two.listen()
        idle = socket.socket(); idle.bind(('127.0.0.1', 0))
        def more(*_):
            global three
            three = socket.socket(); three.bind(('0.0.0.0', 0)); three.listen()
            open(sys.argv[1] + '.more', 'w').write(f'{three.getsockname()[1]}\\n')
        worker = os.fork()
        if worker == 0:
            time.sleep(100)
        signal.signal(signal.SIGUSR1, more)
        open(sys.argv[1], 'w').write(f'{one.getsockname()[1]} {two.getsockname()[1]} {worker}\\n')
        while True: time.sleep(100)
        """

    @Test("a socket that workers share is listed once, for the main process, and walks are not repeated")
    func members() throws {
        let scratch = try Scratch()
        let tag = uniqueTag()
        let child = try Child.python(server, arguments: [scratch.file("p")], tag: tag)
        let numbers = try scratch.numbers(in: "p", count: 3)
        let members = MembershipScan.now().members(of: .init(child, tag))
        #expect(members.map(\.pid) == [numbers[2], child.pid])

        var table = PortTable()
        #expect(table.ports(of: members).isEmpty)
        #expect(table.refresh() == true)
        let ports = table.ports(of: members)
        #expect(Set(ports.map(\.port)) == Set(numbers.prefix(2).map { Int($0) }))
        #expect(ports.allSatisfy { $0.pid == child.pid && $0.command.hasPrefix("/usr/bin/python3 -c import os") })
        #expect(ports.first { $0.port == Int(numbers[0]) }?.address == "127.0.0.1")
        #expect(ports.first { $0.port == Int(numbers[0]) }?.protocol == "tcp")
        #expect(ports.first { $0.port == Int(numbers[1]) }?.address == "::1")
        #expect(ports.first { $0.port == Int(numbers[1]) }?.protocol == "tcp6")
        #expect(ports == ports.sorted())
        #expect(table.walkCount == 2)
        #expect(table.ports(of: members) == ports)
        #expect(table.walkCount == 2)
        #expect(table.ports(of: members, rescanning: true) == ports)
        #expect(table.walkCount == 4)
        // Only the worker asked for: then it is the one.
        #expect(Set(table.ports(of: Array(members.prefix(1))).map(\.pid)) == [numbers[2]])

        kill(child.pid, SIGUSR1)
        let third = try scratch.numbers(in: "p.more")[0]
        table.refresh()
        #expect(table.ports(of: members).contains { $0.port == Int(third) && $0.address == "0.0.0.0" })

        kill(-child.pid, SIGKILL)
        child.wait()
        #expect(
            eventually {
                table.refresh()
                return table.ports(of: members).isEmpty
            })
    }

    @Test("the holder of a port: who, since when, and of which instance")
    func holder() throws {
        let scratch = try Scratch()
        let tag = uniqueTag(9)
        let child = try Child.python(server, arguments: [scratch.file("p")], tag: tag)
        let port = Int(try scratch.numbers(in: "p", count: 3)[0])
        let holders = PortHolder.holders(of: port, homeID: home)
        let holder = try #require(holders.first)
        #expect(holders.count == 1)
        #expect(holder.pid == child.pid)
        #expect(holder.address == "127.0.0.1")
        #expect(holder.user == UserNames.name(of: getuid()))
        #expect(holder.command.hasPrefix("/usr/bin/python3 -c import os"))
        #expect(holder.command.count <= 200)
        #expect((0...60).contains(try #require(holder.ageSeconds)))
        #expect(holder.tag == tag)
        #expect(PortHolder.holders(of: port, homeID: "another").first?.tag == nil)
        #expect(PortHolder.holders(of: 0, homeID: home).isEmpty)
        #expect(PortHolder.holders(of: -1, homeID: home).isEmpty)

        // No process that we may look into: the socket itself is still something to say.
        let unknown = try #require(
            PortHolder.holders(of: port, homeID: home, table: ProcessTable(entries: [])).first)
        #expect(unknown.pid == nil)
        #expect(unknown.address == "127.0.0.1")
        #expect(unknown.user == UserNames.name(of: getuid()))
    }

    @Test("several sockets on one port are several holders")
    func shared() throws {
        let scratch = try Scratch()
        let script = """
            import os, socket, sys, time
            one = socket.socket(); one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.bind(('127.0.0.1', int(sys.argv[2]))); one.listen()
            open(sys.argv[1], 'w').write(f'{one.getsockname()[1]}\\n')
            time.sleep(100)
            """
        let first = try Child.python(script, arguments: [scratch.file("a"), "0"])
        let port = try scratch.numbers(in: "a")[0]
        let second = try Child.python(script, arguments: [scratch.file("b"), "\(port)"])
        _ = try scratch.numbers(in: "b")
        let holders = PortHolder.holders(of: Int(port), homeID: home)
        #expect(Set(holders.compactMap(\.pid)) == [first.pid, second.pid])
    }
}
