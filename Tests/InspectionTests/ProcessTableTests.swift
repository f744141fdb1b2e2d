import Glibc
import Model
import Testing

@testable import Platform

@Suite("Process table")
struct ProcessTableTests {
    private func parse(_ bytes: [UInt8]) -> ProcessTable.Entry? {
        bytes.withUnsafeBytes { ProcessTable.Entry(stat: $0, uid: 7) }
    }

    private let fields =
        "S 10 20 30 0 -1 4194560 1 2 3 4 55 66 77 88 20 0 9 0 123456 999 25 18446744073709551615 1 1 0 0 0 0 0 4096 "
        + "0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 1792\n"

    @Test("a name may hold parentheses, blanks, newlines and bytes that are no UTF-8")
    func strangeNames() throws {
        let names: [[UInt8]] = [Array("sh".utf8), Array("a) R 1 (b".utf8), Array("x\n) ) Z".utf8), [0xFF, 0x28], []]
        for name in names {
            let entry = try #require(parse(Array("42 (".utf8) + name + Array(") ".utf8) + Array(fields.utf8)))
            #expect(entry.pid == 42)
            #expect(entry.parent == 10)
            #expect(entry.group == 20)
            #expect(entry.session == 30)
            #expect(entry.state == UInt8(ascii: "S"))
            #expect(entry.userTicks == 55)
            #expect(entry.systemTicks == 66)
            #expect(entry.threads == 9)
            #expect(entry.startTime == 123456)
            #expect(entry.residentBytes == 25 * ProcessTable.Entry.pageSize)
            #expect(!entry.isKernelThread)
            #expect(entry.uid == 7)
            #expect(entry.name == String(decoding: name, as: UTF8.self))
        }
        let whole = Array("42 (sh) \(fields)".utf8)
        #expect(whole.withUnsafeBytes { ProcessTable.Entry.exitCode(in: $0) } == 1792)
    }

    @Test("cut and damaged records are refused or read, never trapped on")
    func damage() {
        let whole = Array("42 (sh) \(fields)".utf8)
        for end in 0...whole.count { _ = parse(Array(whole.prefix(end))) }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<4 { bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255) }
            if let entry = parse(bytes) { #expect(entry.residentBytes >= 0) }
            _ = bytes.withUnsafeBytes { ProcessTable.Entry.exitCode(in: $0) }
        }
        #expect(parse(Array("42 (sh) S 99999999999999999999 1 1".utf8)) == nil)
    }

    @Test("a pass finds this process, its parent and its owner")
    func ourselves() throws {
        let table = ProcessTable.read()
        let entry = try #require(table.entry(of: getpid()))
        #expect(table.isComplete)
        #expect(entry.parent == getppid())
        #expect(entry.uid == geteuid())
        #expect(entry.session == getsid(0))
        #expect(entry.residentBytes > 0)
        #expect(entry.identity == ProcessIdentity.current(of: getpid()))
        #expect(entry.identity.isAlive())
        #expect(table.children(of: getppid()).contains { $0.pid == getpid() })
        #expect(zip(table.entries, table.entries.dropFirst()).allSatisfy { $0.pid < $1.pid })
    }

    @Test("a process that renames itself is still found")
    func renamed() throws {
        let scratch = try Scratch()
        let child = try Child.python(
            """
            import ctypes, os, sys, time
            ctypes.CDLL(None).prctl(15, b'a) Z 1 (\\n\\xff', 0, 0, 0)
            open(sys.argv[1], 'w').write(f'{os.getpid()}\\n')
            time.sleep(100)
            """, arguments: [scratch.file("pid")])
        _ = try scratch.numbers(in: "pid")
        let entry = try #require(ProcessTable.read().entry(of: child.pid))
        #expect(entry.parent == getpid())
        #expect(entry.name == "a) Z 1 (\n\u{FFFD}")
        #expect(entry.isAlive)
    }

    @Test("a zombie is not alive and shows its wait status; a reaped process is gone")
    func zombie() throws {
        for code in [7, 0] as [Int32] {
            let exiting = try Child.shell("exit \(code)")
            let other = exiting.identity
            #expect(eventually { !other.isAlive() })
            #expect(other.zombieWaitStatus() == code << 8)
            let stranger = ProcessIdentity(pid: other.pid, startTime: other.startTime &+ 1)
            #expect(stranger.zombieWaitStatus() == nil)
            #expect(!stranger.isAlive())
            #expect(exiting.wait() == code << 8)
            #expect(other.zombieWaitStatus() == nil)
            #expect(ProcessIdentity.current(of: other.pid) != other)
        }
        #expect(ProcessIdentity.current(of: -1) == nil)
        #expect(ProcessIdentity.current(of: 0) == nil)
        #expect(ProcessIdentity.current(of: Int32.max) == nil)
    }

    @Test("a process whose first thread has ended is alive as long as another one runs")
    func zombieLeader() throws {
        let child = try Child.python(
            """
            import ctypes, threading, time
            threading.Thread(target=time.sleep, args=(100,)).start()
            ctypes.CDLL(None).syscall(60 if __import__('platform').machine() == 'x86_64' else 93, 0)
            """)
        #expect(eventually { ProcessTable.entry(of: child.pid)?.state == UInt8(ascii: "Z") })
        #expect(child.identity.isAlive())
        #expect(child.identity.zombieWaitStatus() == nil)
        kill(child.pid, SIGKILL)
        #expect(eventually { !child.identity.isAlive() })
    }

    @Test("descendants come deepest first, also when reused pids make a cycle")
    func descendants() {
        let tree = ProcessTable(entries: [
            .init(pid: 5, parent: 3), .init(pid: 1, parent: 0), .init(pid: 2, parent: 1), .init(pid: 3, parent: 2),
            .init(pid: 4, parent: 2), .init(pid: 9, parent: 777),
        ])
        #expect(tree.descendants(of: 2).map(\.pid) == [5, 4, 3])
        #expect(tree.children(of: 2).map(\.pid) == [3, 4])
        #expect(tree.descendants(of: 9).isEmpty)
        #expect(tree.descendants(of: 8).isEmpty)
        #expect(tree.depths() == [0, 1, 2, 2, 3, 0])

        let cycle = ProcessTable(entries: [
            .init(pid: 2, parent: 4), .init(pid: 3, parent: 2), .init(pid: 4, parent: 3), .init(pid: 6, parent: 6),
        ])
        #expect(cycle.descendants(of: 2).map(\.pid) == [4, 3])
        #expect(cycle.descendants(of: 6).isEmpty)
        #expect(cycle.depths() == [0, 0, 0, 0])
    }

    @Test("command lines and names of users are fit to be shown")
    func texts() throws {
        let child = try Child(["/bin/sh", "-c", "read x < /dev/tty; kill -STOP $$; : \u{1B}[31m\n", "ü"])
        #expect(eventually { CommandLineText.read(of: child.pid).hasPrefix("/bin/sh -c read") })
        #expect(CommandLineText.read(of: child.pid).hasSuffix(":  [31m  ü"))
        #expect(CommandLineText.read(of: child.pid, limit: 7) == "/bin/sh")
        #expect(CommandLineText.read(of: Int32.max) == "")
        #expect(UserNames.name(of: 0) == "root")
        #expect(UserNames.name(of: 3_999_999_999) == "3999999999")
        let passwd = Array("root:x:0:0:::\n:x:5:\nbroken\nshort:x:\nme:x:1000x:\nyou:x:1000:1000::/:/bin/sh".utf8)
        passwd.withUnsafeBytes {
            #expect(UserNames.name(of: 1000, inPasswd: $0) == "you")
            #expect(UserNames.name(of: 5, inPasswd: $0) == nil)
        }
    }
}
