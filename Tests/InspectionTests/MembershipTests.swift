import Glibc
import Model
import Testing

@testable import Platform

@Suite("Membership")
struct MembershipTests {
    /// Leaves its parent's session by a double fork and writes its pid; with `env -i` it also loses the tag.
    private func daemon(_ pidFile: String, prefix: String = "") -> String {
        "( \(prefix) setsid /bin/sh -c 'echo $$ > \(pidFile); while :; do sleep 100; done' & ) "
    }

    @Test("children and grandchildren belong, the deepest first and the main process last")
    func tree() throws {
        let scratch = try Scratch()
        let tag = uniqueTag()
        let child = try Child.shell(
            "/bin/sh -c 'echo $$ > \(scratch.file("a")); sleep 100 & echo $! > \(scratch.file("b")); wait' & wait",
            tag: tag)
        let middle = try scratch.numbers(in: "a")[0]
        let leaf = try scratch.numbers(in: "b")[0]
        #expect(MembershipScan.now().members(of: .init(child, tag)).map(\.pid) == [leaf, middle, child.pid])
    }

    @Test("a daemon that left session and parents is found by its tag, and only in its generation and for its uid")
    func daemonised() throws {
        let scratch = try Scratch()
        let tag = uniqueTag(2)
        let child = try Child.shell(daemon(scratch.file("d")) + "; exec sleep 100", tag: tag)
        let pid = try scratch.numbers(in: "d")[0]
        child.adopt(pid)
        let leaf = try #require(eventuallyChild(of: pid))
        child.adopt(leaf)
        #expect(eventually { ProcessTable.entry(of: pid)?.parent != child.pid })

        let query = MembershipScan.Query(child, tag)
        #expect(MembershipScan.now().members(of: query).map(\.pid) == [leaf, pid, child.pid])
        var other = query
        other.tag.generation = Generation(3)
        #expect(MembershipScan.now().members(of: other).map(\.pid) == [child.pid])
        other = query
        other.uid = 12345
        #expect(MembershipScan.now().members(of: other).map(\.pid) == [child.pid])
        other = query
        other.notBefore = UInt64.max
        #expect(MembershipScan.now().members(of: other).map(\.pid) == [child.pid])

        // The main process has ended: what is left is still found, and nothing claims that it lives.
        kill(child.pid, SIGKILL)
        child.wait()
        #expect(MembershipScan.now().members(of: query).map(\.pid) == [leaf, pid])
    }

    @Test("a daemon without a tag is found as long as a former scan saw it, with what it started since")
    func remembered() throws {
        let scratch = try Scratch()
        let tag = uniqueTag()
        let child = try Child.shell(daemon(scratch.file("d"), prefix: "env -i") + "; exec sleep 100", tag: tag)
        let pid = try scratch.numbers(in: "d")[0]
        child.adopt(pid)
        let leaf = try #require(eventuallyChild(of: pid))
        child.adopt(leaf)
        #expect(eventually { ProcessTable.entry(of: pid)?.parent != child.pid })
        #expect(MembershipScan.now().members(of: .init(child, tag)).map(\.pid) == [child.pid])
        let identity = try #require(ProcessIdentity.current(of: pid))
        let stale = ProcessIdentity(pid: identity.pid, startTime: identity.startTime &+ 1)
        #expect(
            MembershipScan.now().members(of: .init(child, tag, remembered: [stale])).map(\.pid) == [child.pid])
        #expect(
            MembershipScan.now().members(of: .init(child, tag, remembered: [identity])).map(\.pid)
                == [leaf, pid, child.pid])
    }

    @Test("what stays in the session belongs when all its ancestors are gone, and a stranger with the pid has no part")
    func session() throws {
        let scratch = try Scratch()
        let tag = uniqueTag()
        let child = try Child.shell("( env -i sleep 100 & echo $! > \(scratch.file("s")) ); exec sleep 100", tag: tag)
        let pid = try scratch.numbers(in: "s")[0]
        child.adopt(pid)
        let query = MembershipScan.Query(child, tag)
        #expect(Set(MembershipScan.now().members(of: query).map(\.pid)) == [pid, child.pid])
        var reused = query
        reused.main = ProcessIdentity(pid: child.pid, startTime: child.identity.startTime &+ 1)
        #expect(!MembershipScan.now().members(of: reused).contains { $0.pid == pid })
        kill(child.pid, SIGKILL)
        #expect(eventually { !child.identity.isAlive() })
        #expect(MembershipScan.now().members(of: query).map(\.pid) == [pid], "main process is a zombie")
        child.wait()
        #expect(MembershipScan.now().members(of: query).map(\.pid) == [pid], "main process is gone")
    }

    @Test("a process group of the main process's number belongs, whatever its session")
    func group() {
        let table = ProcessTable(entries: [
            .init(pid: 1, parent: 0), .init(pid: 70, parent: 1, group: 70, session: 70, startTime: 100),
            .init(pid: 71, parent: 1, group: 70, session: 60, startTime: 101),
            .init(pid: 72, parent: 1, group: 70, session: 60, startTime: 99),
        ])
        let query = MembershipScan.Query(
            main: ProcessIdentity(pid: 70, startTime: 100), notBefore: 100, uid: 0, tag: uniqueTag())
        #expect(MembershipScan(table).members(of: query).map(\.pid) == [71, 70])
    }

    @Test("a shell in which somebody tries the app's environment is no part of the app")
    func borrowedEnvironment() throws {
        let scratch = try Scratch()
        let tag = uniqueTag()
        let app = try Child.shell("exec sleep 100", tag: tag)
        let shell = try Child.shell(
            "env \(tag.environmentEntry) sleep 100 & echo $! > \(scratch.file("p")); wait")
        let pid = try scratch.numbers(in: "p")[0]
        #expect(eventually { MembershipScan.now().tag(of: pid) == tag })
        #expect(MembershipScan.now().members(of: .init(app, tag)).map(\.pid) == [app.pid])
        // Once it stands alone it cannot be told from a daemon of the app.
        kill(shell.pid, SIGKILL)
        shell.wait()
        shell.adopt(pid)
        #expect(Set(MembershipScan.now().members(of: .init(app, tag)).map(\.pid)) == [pid, app.pid])
    }

    @Test("a hearthd or keeper below an app is never a member, nor is what runs under it")
    func nestedDaemon() throws {
        for name in ["hearthd", "hearth-keeper"] {
            let scratch = try Scratch()
            let tag = uniqueTag()
            try #require(Child(["/bin/cp", "/bin/sh", scratch.file(name)]).wait() == 0)
            let child = try Child.shell(
                "\(scratch.file(name)) -c 'setsid sleep 100 & echo $$ $! > \(scratch.file("n")); wait' & sleep 100 & "
                    + "echo $! > \(scratch.file("s")); wait", tag: tag)
            let nested = try scratch.numbers(in: "n", count: 2)
            child.adopt(nested[1])
            #expect(eventually { ProcessTable.entry(of: nested[1])?.session == nested[1] })
            #expect(eventually { MembershipScan.now().tag(of: nested[1]) == tag })
            let own = try scratch.numbers(in: "s")[0]
            let members = MembershipScan.now().members(of: .init(child, tag)).map(\.pid)
            #expect(members.contains(own))
            #expect(members.last == child.pid)
            #expect(!members.contains(nested[0]))
            #expect(!members.contains(nested[1]), "the nested one's app, though it has our tag")
        }
    }

    @Test("keeper, hearthd, their ancestors and this process are never members, even where every rule names them")
    func neverUs() {
        let tag = uniqueTag()
        let all: [ProcessTable.Entry] = [
            .init(pid: 1, parent: 0, group: 50, session: 50, startTime: 5),
            .init(pid: 10, parent: 1, group: 50, session: 50, startTime: 10, name: "login"),
            .init(pid: 11, parent: 10, group: 50, session: 50, startTime: 11, name: "renamed keeper"),
            .init(pid: 12, parent: 11, group: 50, session: 50, startTime: 12, name: "renamed daemon"),
            .init(pid: 50, parent: 12, group: 50, session: 50, startTime: 50, name: "app"),
            .init(pid: 51, parent: 50, group: 50, session: 50, startTime: 51, name: "worker"),
            .init(pid: getpid(), parent: 50, group: 50, session: 50, startTime: 52, name: "hearth"),
        ]
        let query = MembershipScan.Query(
            main: ProcessIdentity(pid: 50, startTime: 50), notBefore: 0, uid: 0, tag: tag,
            remembered: all.map(\.identity))
        let scan = MembershipScan(ProcessTable(entries: all), keeper: 11, daemon: 12)
        #expect(scan.members(of: query).map(\.pid) == [51, 50])
    }

    @Test("tagged processes of a home: the oldest session leader is the main one")
    func adoption() throws {
        let scratch = try Scratch()
        let tag = uniqueTag(4)
        let child = try Child.shell(daemon(scratch.file("d")) + "; sleep 100 & wait", tag: tag)
        let pid = try scratch.numbers(in: "d")[0]
        child.adopt(pid)
        let leaf = try #require(eventuallyChild(of: pid))
        child.adopt(leaf)
        #expect(eventually { ProcessTable.read().children(of: child.pid).contains { $0.name == "sleep" } })
        let found = MembershipScan.now().taggedProcesses(homeID: home).filter { $0.instance == tag.instance }
        #expect(found.count == 4)
        #expect(found.allSatisfy { $0.generation == tag.generation && $0.uid == getuid() })
        #expect(found.filter(\.isMain).map(\.identity.pid) == [child.pid])
        #expect(MembershipScan.now().taggedProcesses(homeID: "another").isEmpty)
    }

    @Test("many queries share one scan and do not disturb one another")
    func many() throws {
        let children = try (0..<8).map { _ in
            let tag = uniqueTag()
            return (tag, try Child.shell("sleep 100 & wait", tag: tag))
        }
        for (_, child) in children {
            #expect(eventually { ProcessTable.read().children(of: child.pid).first?.name == "sleep" })
        }
        let scan = MembershipScan.now()
        for _ in 0..<2 {
            for (tag, child) in children {
                let members = scan.members(of: .init(child, tag)).map(\.pid)
                #expect(members == scan.table.descendants(of: child.pid).map(\.pid) + [child.pid])
                #expect(members.count == 2)
            }
        }
    }

    @Test("a tag is found behind megabytes of environment, and a name that only ends like it is none")
    func largeEnvironment() throws {
        let tag = uniqueTag()
        let filler = (0..<12).map { "F\($0)=" + String(repeating: "x", count: 100_000) }
        let child = try Child(
            ["/bin/sleep", "100"], environment: filler + ["X\(uniqueTag().environmentEntry)", tag.environmentEntry])
        #expect(eventually { MembershipScan.now().tag(of: child.pid) == tag })
    }

    @Test("tags are read back as they were written, and malformed ones refused")
    func tags() {
        let tag = InstanceTag(homeID: "a:b", instance: InstanceID(3), generation: Generation(5))
        #expect(tag.environmentEntry == "HEARTH_INSTANCE=a:b:3:5")
        #expect(InstanceTag(value: Array("a:b:3:5".utf8)) == tag)
        for text in ["", ":", "::", "3:5", "a:3:", "a::5", "a:3:x", "a:3:99999999999", "a:-3:5"] {
            #expect(InstanceTag(value: Array(text.utf8)) == nil, "\(text)")
        }
    }

    private func eventuallyChild(of pid: Int32) -> Int32? {
        var found: Int32?
        _ = eventually {
            found = ProcessTable.read().children(of: pid).first { $0.name == "sleep" }?.pid
            return found != nil
        }
        return found
    }
}
