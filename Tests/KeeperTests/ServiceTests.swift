import CLinux
import Foundation
import Glibc
import Testing

/// The built keeper as the main process of a service.
@Suite("Keeper of a service", .serialized)
struct ServiceTests {
    @Test("the manager is told when the daemon is ready, not before, and that the keeper lives")
    func ready() throws {
        let manager = try ServiceManager()
        let home = try Home("deposit:5,1,treasure slow-list ready serve")
        try home.startKeeper(service: manager)
        _ = try home.wait(1, "asked")
        let isAlive = manager.wait { $0.messages.contains("WATCHDOG=1") }
        #expect(isAlive, home.log)
        #expect(!manager.messages.contains("READY=1"))
        try home.write("", to: "go")
        let isReady = manager.wait { $0.messages.contains("READY=1") }
        #expect(isReady, home.log)
    }

    @Test("what is deposited outlives keeper and daemon together, and what was dropped does not")
    func store() throws {
        let manager = try ServiceManager()
        let home = try Home(
            "deposit:5,1,treasure deposit:4,2,gone deposit:3,7,old deposit:3,7,new drop:4,2 ready serve",
            later: [2: "list ready serve"])
        let keeper = try home.startKeeper(service: manager)
        _ = try home.wait(1, "ready")
        let isStored = manager.wait { $0.names == ["3-7-3-4", "5-1-3-4"] }
        #expect(isStored, "stored: \(manager.names)")
        kill(keeper, SIGKILL)
        for pid in home.startedPids { kill(pid, SIGKILL) }
        #expect(home.exitCode(of: keeper) == -SIGKILL)
        try home.startKeeper(service: manager)
        #expect(try home.wait(2, "listed") == "2", home.log)
        #expect(Set(home.told(2, "item")) == ["5 1 3 4 treasure", "3 7 3 4 new"])
        // Given again is not stored again.
        manager.receive()
        #expect(manager.names == ["3-7-3-4", "5-1-3-4"])
    }

    @Test("a daemon does not inherit what was meant for the keeper")
    func environment() throws {
        let manager = try ServiceManager()
        let home = try Home("descriptors ready serve")
        try home.startKeeper(service: manager)
        _ = try home.wait(1, "ready")
        #expect(home.told(1, "descriptors") == ["0 1 2 3"])
        let pid = try #require(home.startedPids.first)
        let variables = try String(contentsOfFile: "/proc/\(pid)/environ", encoding: .utf8)
        #expect(!variables.contains("NOTIFY_SOCKET"))
        #expect(!variables.contains("LISTEN_"))
    }

    @Test("counts become the status text")
    func counts() throws {
        let manager = try ServiceManager()
        let home = try Home("counts:2,3,1 ready serve")
        try home.startKeeper(service: manager)
        let isTold = manager.wait { $0.messages.contains("STATUS=2 of 3 apps online, 1 errored") }
        #expect(isTold, "\(manager.messages)")
    }
}
