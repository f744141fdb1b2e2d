import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("FDSTORE: what an app leaves with Hearth for its next process", .waiting)
struct StoreTests {
    /// Stores a listening socket and a memfd with a word in it at its first start, and later tells what it was given.
    private static let app = """
        def found():
            names = os.environ.get("LISTEN_FDNAMES", "").split(":")
            count = int(os.environ.get("LISTEN_FDS", "0"))
            if count: assert os.environ["LISTEN_PID"] == str(os.getpid())
            return dict((names[index], index + 3) for index in range(count))

        kept = found()
        if not kept:
            listener = socket.socket()
            listener.bind(("127.0.0.1", 0))
            listener.listen(10)
            state = os.memfd_create("state")
            os.write(state, b"precious")
            say("FDSTORE=1\\nFDNAME=web", [listener.fileno()])
            say("FDSTORE=1\\nFDNAME=state", [state])
        else:
            listener = socket.socket(fileno=kept["web"])
            state = kept["state"]
            # Once more, as an app may that does so at each start.
            say("FDSTORE=1\\nFDNAME=web", [listener.fileno()])
        note("%d %s %d" % (listener.getsockname()[1], os.pread(state, 100, 0).decode(), len(kept)))
        say("READY=1")
        """

    private func words(_ home: Home, _ count: Int) throws -> [[String]] {
        try home.eventually("it noted") { home.notes.count == count }
        return home.notes.map { $0.split(separator: " ").map(String.init) }
    }

    @Test("the next process finds it again, also after hearthd was killed, after the keeper was, and after an upgrade")
    func survives() throws {
        try withHome { home in
            try home.start(home.speaker("api", Self.app, restart: RestartPolicy()).notifying())
            let port = try #require(try words(home, 1).first?.first)
            try home.act(.restart, "api")
            #expect(try words(home, 2).last == [port, "precious", "2"])
            // The socket listens while nobody accepts.
            kill(try home.pid("api"), SIGKILL)
            #expect(try words(home, 3).last == [port, "precious", "2"])
            try home.withoutDaemon {}
            try home.act(.restart, "api")
            #expect(try words(home, 4).last == [port, "precious", "2"])
            let keeper = try #require(home.keeperPids.first)
            kill(keeper, SIGKILL)
            try home.eventually("another keeper is attached") {
                let present = try home.hello().keeperPid
                return present != nil && present != keeper
            }
            try home.withoutDaemon {}
            _ = try home.upgrade()
            try home.act(.restart, "api")
            #expect(try words(home, 5).last == [port, "precious", "2"])
        }
    }

    @Test("a stop lets go of it; FDSTOREREMOVE does so by name")
    func released() throws {
        try withHome { home in
            try home.start(home.speaker("api", Self.app).notifying())
            let port = try #require(try words(home, 1).first?.first.flatMap { UInt16($0) })
            try home.act(.stop, "api")
            try home.eventually("nobody listens any more") { !Self.listens(port) }
            try home.act(.start, "api")
            #expect(try words(home, 2).last?.last == "0")

            try home.start(
                home.speaker(
                    "forgets",
                    """
                    note(os.environ.get("LISTEN_FDNAMES"))
                    say("FDSTORE=1\\nFDNAME=a", [0, 1, 2])
                    say("FDSTORE=1", [os.memfd_create("b")])
                    say("FDSTOREREMOVE=1\\nFDNAME=a")
                    say("READY=1")
                    """
                ).notifying())
            try home.act(.restart, "forgets")
            try home.eventually("it noted twice") { home.notes.count == 4 }
            #expect(home.notes.suffix(2) == ["None", "stored"])
        }
    }

    @Test("64 are kept, and an event tells of those that are not")
    func most() throws {
        try withHome { home in
            try home.start(
                home.speaker(
                    "greedy",
                    """
                    note(os.environ.get("LISTEN_FDS"))
                    for number in range(8): say("FDSTORE=1\\nFDNAME=n%d" % number, [os.memfd_create("x") for _ in range(10)])
                    say("READY=1")
                    """
                ).notifying())
            try home.eventually("it is told") { home.log.contains("descriptors were not stored: 64 is the most") }
            try home.act(.restart, "greedy")
            #expect(home.notes == ["None", "64"])
        }
    }

    private static func listens(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
