import CLinux
import Foundation
import Glibc
import Testing

/// The built keeper with a fake hearthd. One at a time: each starts Python programs, and some measure time.
@Suite("Keeper", .serialized)
struct KeeperTests {
    @Test("a daemon that was ready is started again at once, however often it dies")
    func restartsAtOnce() throws {
        let home = try Home("ready crash", later: [15: "ready serve"])
        try home.startKeeper()
        // With any back-off 14 restarts would take 50 ms · 2^14.
        #expect(try home.wait(15, "ready", within: 15) == "", home.log)
    }

    @Test("a daemon that dies before it is ready is started again after a growing delay")
    func backsOff() throws {
        let home = try Home("exit:1", later: [5: "ready crash", 6: "ready serve"])
        let begin = clinux_boottime_ns()
        try home.startKeeper()
        _ = try home.wait(5, "ready")
        #expect(clinux_boottime_ns() - begin >= 750_000_000, "50 + 100 + 200 + 400 ms")
        _ = try home.wait(6, "ready")
        #expect(home.read("keeper.log").contains("hearthd ended with exit code 1\n"))
    }

    @Test("a daemon gets the vault, its keeper's pid, the original limit and clean signals")
    func startingConditions() throws {
        let home = try Home("descriptors ready serve")
        let keeper = try home.startKeeper()
        #expect(try home.wait(1, "masks").split(separator: " ").first == "0000000000000000")
        #expect(home.told(1, "descriptors") == ["0 1 2 3"])
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        #expect(home.told(1, "limit") == ["\(limit.rlim_cur)"])
        let comm = try String(contentsOfFile: "/proc/\(keeper)/comm", encoding: .utf8)
        #expect(comm == "hearth-keeper\n")
        #expect(getsid(keeper) == keeper)
    }

    @Test("what was deposited survives a SIGKILL of the daemon, with its label and content")
    func vault() throws {
        let home = try Home(
            "list deposit:5,1,old deposit:5,1,treasure deposit:3,2,channel deposit:4,9,gone drop:4,9 drop:4,9"
                + " silent-deposit:last ready crash",
            later: [2: "list ready serve"])
        try home.startKeeper()
        #expect(try home.wait(2, "listed") == "3", home.log)
        #expect(home.told(1, "listed") == ["0"])
        #expect(home.told(1, "deposit") == [String](repeating: "ack 3", count: 4))
        #expect(home.told(1, "drop") == ["ack 4", "ack 4"])
        #expect(Set(home.told(2, "item")) == ["5 1 3 4 treasure", "3 2 3 4 channel", "1 99 0 0 last"])
    }

    @Test("a full vault refuses, and a daemon that does not read its list stops nobody")
    func fullVault() throws {
        let home = try Home("fill:8193 ready slow-list serve", later: [2: "list serve"])
        let keeper = try home.startKeeper()
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let fits = limit.rlim_max > 8300
        #expect(try home.wait(1, "filled").hasSuffix(fits ? "nack 3 28" : "nack 3 24"), home.log)
        _ = try home.wait(1, "asked")
        // The keeper still reaps: it is not waiting for room in the socket.
        try home.write("", to: "go")
        let count = home.told(1, "filled").first?.split(separator: " ").first ?? "?"
        #expect(try home.wait(1, "slowly") == "\(count) \(count)")
        #expect(kill(keeper, 0) == 0)
    }

    @Test("a descriptor that the keeper has no room for is refused as such")
    func descriptorLimit() throws {
        let home = try Home("squeeze:20 fill:40 ready serve")
        try home.startKeeper()
        let words = try home.wait(1, "filled")
        #expect(words.hasSuffix("nack 3 24"), "EMFILE, not \(words)")
    }

    @Test("nonsense is refused and harms nothing")
    func malformed() throws {
        let home = try Home("malformed deposit:5,1,fine list ready serve")
        let keeper = try home.startKeeper()
        _ = try home.wait(1, "ready")
        #expect(
            home.told(1, "malformed") == [
                "nack 0 22", "nack 3 22", "nack 5 22", "nack 77 22", "nack 3 22", "nack 3 22", "nack 2 22",
            ])
        #expect(home.told(1, "listed") == ["1"])
        // 0-2, signalfd, the vault, hearthd's pidfd, the deposit: none of the others was kept.
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(keeper)/fd")
        #expect(descriptors.count == 7, "\(descriptors)")
    }

    @Test("an app that ends while no daemon lives is told to the next one, with start time and status")
    func exits() throws {
        let home = try Home("app:7 ready serve", later: [2: "app:3 exits ready serve"])
        try home.startKeeper()
        let app = try home.wait(1, "app").split(separator: " ").map(String.init)
        _ = try home.wait(1, "ready")
        kill(try #require(home.startedPids.first), SIGSTOP)  // it must not reap
        try home.write("", to: "go")
        let stat = "/proc/\(app[0])/stat"
        #expect(eventually { (try? String(contentsOfFile: stat, encoding: .utf8))?.contains(") Z ") == true })
        kill(try #require(home.startedPids.first), SIGKILL)
        _ = try home.wait(2, "told")
        let seen = home.told(2, "exit") + home.told(2, "unasked")
        #expect(seen == ["\(app[0]) \(app[1]) \(7 << 8)"], home.log)
    }

    @Test("an orphan's end is told at once, unasked")
    func unaskedExits() throws {
        let home = try Home("app:7 ready crash", later: [2: "ready exits serve"])
        try home.startKeeper()
        let app = try home.wait(1, "app")
        #expect(try home.wait(2, "told") == "0")
        try home.write("", to: "go")
        #expect(try home.wait(2, "unasked") == "\(app) \(7 << 8)")
    }

    @Test("a daemon that hangs is killed and replaced; one that answers is not")
    func hang() throws {
        let home = try Home("ready serve")
        try home.startKeeper(heartbeat: 100)
        #expect(eventually { home.told(1, "pinged").count >= 8 }, home.log)
        #expect(home.startedPids.count == 1)
        kill(try #require(home.startedPids.first), SIGSTOP)
        _ = try home.wait(2, "pinged")
        #expect(home.read("keeper.log").contains("does not answer and is killed"))
        #expect(home.startedPids.count == 2)
    }

    @Test("a daemon that hangs before it is ready is replaced, with more patience each time")
    func hangAtStart() throws {
        let home = try Home("hang", later: [3: "ready serve"])
        let begin = clinux_boottime_ns()
        try home.startKeeper(heartbeat: 100)
        _ = try home.wait(3, "ready")
        // First answer due after 600 ms, then 3, and with the next daemon 6 intervals.
        #expect(clinux_boottime_ns() - begin >= 1_900_000_000, home.log)
    }

    @Test("standing down on SIGTERM ends the keeper with 0, whatever the daemon's own status")
    func standDown() throws {
        let home = try Home("ready serve")
        let keeper = try home.startKeeper()
        _ = try home.wait(1, "ready")
        kill(keeper, SIGHUP)
        kill(keeper, SIGTERM)
        #expect(home.exitCode(of: keeper) == 0, home.log)
        #expect(home.told(1, "stand-down") == ["ack 15"])
        #expect(home.startedPids.count == 1)
    }

    @Test("exit 0 without standing down is a crash")
    func exitWithoutWord() throws {
        let home = try Home("ready exit:0", later: [2: "ready serve"])
        try home.startKeeper()
        _ = try home.wait(2, "ready")
    }

    @Test("a daemon that cannot run here ends the keeper with its code")
    func configuration() throws {
        let home = try Home("exit:78")
        #expect(home.exitCode(of: try home.startKeeper()) == 78)
    }

    @Test("a daemon that found the home locked is no crash: its keeper looks again soon")
    func locked() throws {
        let home = try Home("exit:75", later: [9: "ready serve"])
        try home.startKeeper()
        // 20 + 40 + … + 640 + 1000 + 1000 ms; as crashes it would be 50 ms · 255.
        #expect(try home.wait(9, "ready", within: 10) == "", home.log)
    }

    @Test("without a daemon SIGTERM ends the keeper, and a missing home is said once")
    func missingHome() throws {
        let home = try Home("ready serve")
        let keeper = try home.startKeeper()
        let pid = try home.wait(1, "start").split(separator: " ").first.flatMap { pid_t($0) }
        _ = try home.wait(1, "ready")
        let log = open(home.file("keeper.log"), O_RDONLY)
        defer { close(log) }
        try FileManager.default.moveItem(atPath: home.path, toPath: home.path + ".away")
        defer { try? FileManager.default.removeItem(atPath: home.path + ".away") }
        kill(try #require(pid), SIGKILL)
        var buffer = [UInt8](repeating: 0, count: 4096)
        var text = ""
        #expect(
            eventually {
                text = String(decoding: buffer.prefix(max(0, pread(log, &buffer, 4096, 0))), as: UTF8.self)
                return text.contains("cannot be opened")
            })
        kill(keeper, SIGTERM)
        #expect(home.exitCode(of: keeper) == 0)
        #expect(text.components(separatedBy: "cannot be opened").count == 2)
    }

    @Test("a second keeper is refused while the first one lives")
    func secondKeeper() throws {
        let home = try Home("ready serve")
        let first = try home.startKeeper()
        _ = try home.wait(1, "ready")
        #expect(home.exitCode(of: try home.startKeeper()) == 0, home.log)
        #expect(home.told(1, "refused").count == 1)
        #expect(kill(first, 0) == 0)
        #expect(home.startedPids.count == 1)
    }

    @Test("after a SIGKILL of the keeper another one attaches, and is the parent of the next daemon")
    func attaches() throws {
        let home = try Home("ready serve", later: [2: "list ready serve"])
        let first = try home.startKeeper()
        _ = try home.wait(1, "ready")
        kill(first, SIGKILL)
        #expect(home.exitCode(of: first) == -SIGKILL)
        _ = try home.wait(1, "lost")
        let second = try home.startKeeper()
        #expect(try home.wait(1, "attached") == "2 \(second)")
        #expect(home.startedPids.count == 1)
        kill(try #require(home.startedPids.first), SIGKILL)
        _ = try home.wait(2, "ready")
        // As its child it stands down with the keeper.
        kill(second, SIGTERM)
        #expect(home.exitCode(of: second) == 0, home.log)
    }

    @Test("a daemon that lost the connection but lives is attached again, not doubled")
    func reconnects() throws {
        let home = try Home("ready close serve")
        let keeper = try home.startKeeper()
        #expect(try home.wait(1, "attached") == "2 \(keeper)", home.log)
        kill(keeper, SIGTERM)
        #expect(home.exitCode(of: keeper) == 0, home.log)
        #expect(home.startedPids.count == 1)
    }

    @Test("wrong arguments are refused with 2", arguments: [[], ["--home"], ["--home", ""], ["--verbose", "1"]])
    func arguments(arguments: [String]) throws {
        let home = try Home("")
        #expect(home.exitCode(of: try home.startKeeper(arguments: arguments)) == 2)
    }
}
