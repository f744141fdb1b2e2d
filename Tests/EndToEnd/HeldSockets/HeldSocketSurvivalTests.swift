import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("Held sockets when keeper or daemon die", .waiting)
struct HeldSocketSurvivalTests {
    enum Death: CaseIterable { case daemon, keeper, keeperThenDaemon, both, upgrade }

    @Test("no request fails, and the next process gets the same socket", arguments: Death.allCases)
    func survives(death: Death) throws {
        try withHome { home in
            let path = home.file("api.sock")
            var app = try home.holder("api")
            app.listen?.append(ListenSpec(name: "path", address: .unix(path: path)))
            try home.start(app)
            let port = try home.port(of: "api")
            let links = [try home.socketLink("api"), try home.socketLink("api", 4)]
            let pid = try home.pid("api")
            let load = RequestLoad(ports: [port])
            for _ in 0..<2 { try home.perform(death) }
            #expect(try home.pid("api") == pid)
            for _ in 0..<2 {
                try home.act(.restart, "api")
                #expect([try home.socketLink("api"), try home.socketLink("api", 4)] == links)
            }
            let answered = load.answered
            try home.eventually("it answers") { load.answered > answered + 10 }
            let tally = load.stop()
            #expect(tally.failures == [])
            try home.act(.stop, "api")
            #expect(SocketAddress.port(port).request() == nil)
            var status = stat()
            try home.eventually("the path is gone") { lstat(path, &status) != 0 }
        }
    }

    @Test("what crashed and was not there when hearthd died comes back to its socket, and requests wait for it")
    func whileThereIsNone() throws {
        try withHome { home in
            try home.start(home.holder("api"))
            let port = try home.port(of: "api")
            let link = try home.socketLink("api")
            let pid = try home.pid("api")
            try home.withoutDaemon {
                kill(pid, SIGKILL)
                try home.eventually("it is gone") { !Processes.isRunning(pid) }
            }
            #expect(SocketAddress.port(port).request()?.hasPrefix("HTTP/1.1 200") == true)
            #expect(try home.socketLink("api") == link)
        }
    }

    @Test("stopped while no daemon ran: its socket is not kept")
    func nothingLeft() throws {
        try withHome { home in
            var app = try home.holder("api")
            app.restart.mode = .never
            try home.start(app)
            let port = try home.port(of: "api")
            let pid = try home.pid("api")
            try home.withoutDaemon {
                kill(pid, SIGKILL)
                try home.eventually("it is gone") { !Processes.isRunning(pid) }
            }
            try home.eventually("nobody listens") { SocketAddress.port(port).request() == nil }
        }
    }

    @Test("both dead where no process may look into another: the app serves on, its next process gets a socket beside")
    func withoutLooking() throws {
        try withHome(environment: ["HEARTH_TEST_NO_GETFD": "1"]) { home in
            let path = home.file("api.sock")
            var app = try home.holder("api", at: .tcp(host: "127.0.0.1", port: try freePort()))
            app.listen?.append(ListenSpec(name: "path", address: .unix(path: path)))
            try home.start(app)
            let port = try home.port(of: "api")
            let links = [try home.socketLink("api"), try home.socketLink("api", 4)]
            let pid = try home.pid("api")
            try home.killBoth()
            try home.up()
            #expect(try home.pid("api") == pid)
            try home.expectAnswer("api", at: .port(port))
            try home.eventually("it is told") { home.log.contains("could not be got back") }
            // Known also to the next one, which has the keeper's deposits.
            try home.perform(.daemon)
            try home.act(.restart, "api")
            try home.expectAnswer("api", at: .port(port))
            let others = [try home.socketLink("api"), try home.socketLink("api", 4)]
            #expect(others[0] != links[0] && others[1] != links[1])
            // And from then on all is as ever.
            try home.perform(.daemon)
            try home.act(.restart, "api")
            #expect(try home.socketLink("api") == others[0])
            try home.act(.stop, "api")
            #expect(SocketAddress.port(port).request() == nil)
        }
    }

    @Test("two processes of an app, of which the second gets its socket beside the lost one while the first still runs")
    func beside() throws {
        try withHome(environment: ["HEARTH_TEST_NO_GETFD": "1"]) { home in
            let path = home.file("api.sock")
            var app = try home.holder("api", at: .tcp(host: "127.0.0.1", port: try freePort()))
            app.listen?.append(ListenSpec(name: "path", address: .unix(path: path)))
            app.instances = 2
            let ids = try home.start(app).instances.map(\.id)
            let port = try home.port(of: "api")
            try home.killBoth()
            try home.up()
            try home.act(.restart, "\(ids[0])")
            let links = try home.list("api").compactMap(\.pid).map { home.socketLink(of: $0) }
            #expect(Set(links).count == 2)
            try home.act(.stop, "\(ids[1])")
            for _ in 0..<5 { #expect(SocketAddress.port(port).request()?.hasPrefix("HTTP/1.1 200") == true) }
        }
    }

    @Test("a stranger on the address of an app that is gone for good is not disturbed")
    func stranger() throws {
        try withHome(environment: ["HEARTH_TEST_NO_GETFD": "1"]) { home in
            let port = try freePort()
            var app = try home.holder("api", at: .tcp(host: "127.0.0.1", port: port))
            app.restart.mode = .never
            try home.start(app)
            let pid = try home.pid("api")
            try home.killBoth()
            kill(pid, SIGKILL)
            try home.eventually("it is gone") { !Processes.isRunning(pid) }
            try home.up()
            try home.start(home.responder("other", port: port))
            _ = try home.port(of: "other")
            #expect(try home.act(.start, "api").results.first?.ok == false)
            #expect(try home.instance("api").reason.contains("held by pid \(try home.pid("other"))"))
        }
    }
}

extension Home {
    fileprivate func perform(_ death: HeldSocketSurvivalTests.Death) throws {
        switch death {
        case .daemon:
            let former = try hello()
            kill(former.pid, SIGKILL)
            try ready(after: former.pid)
        case .keeper:
            let former = try #require(keeperPids.first)
            kill(former, SIGKILL)
            try eventually("another keeper is attached") {
                let keeper = try hello().keeperPid
                return keeper != nil && keeper != former
            }
        case .keeperThenDaemon:
            try perform(.keeper)
            try perform(.daemon)
        case .both:
            try killBoth()
            try up()
        case .upgrade:
            _ = try upgrade()
        }
    }
}
