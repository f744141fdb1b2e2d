import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("How an app ended, and who ended it", .waiting)
struct ExitCauseTests {
    @Test("an app that exits at once is started 16 times, is errored, and `why` tells of the slow retry")
    func exitsAtOnce() throws {
        try withHome { home in
            try home.start(home.shell("dies", "echo started >> '\(home.file("starts"))'; echo no luck >&2; exit 3"))
            try home.eventually("it is given up") { try home.instance("dies").status == .errored }
            #expect(home.read("starts").split(separator: "\n").count == 16)
            let result = try home.hearth("why", "dies")
            #expect(result.code == 0)
            for word in ["errored", "exit code 3", "next start: in", "no luck", "hearth restart dies"] {
                #expect(result.output.contains(word), "'\(word)' in \(result.output)")
            }
            let explanation = try home.why("dies")
            #expect(explanation.cause == .exit)
            #expect(explanation.instance.lastExit?.code == 3)
            let next = try #require(explanation.nextStartAt)
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            #expect(next - now > 5_000 && next - now < 60_000)
            // One of no retry stays down.
            try home.start(home.shell("gives-up", "exit 4", restart: RestartPolicy(maxRestarts: 2, slowRetry: false)))
            try home.eventually("it is given up") { try home.instance("gives-up").status == .errored }
            #expect(try home.why("gives-up").nextStartAt == nil)
        }
    }

    @Test("ours, exit, signal and outside are told apart")
    func causes() throws {
        try withHome { home in
            let never = RestartPolicy(mode: .never)
            try home.start(
                home.sleeper("ours"), home.shell("exit", "exit 7", restart: never),
                home.shell("signal", "kill -SEGV $$", restart: never),
                home.shell("outside", "exec sleep 100000", restart: never),
                home.shell("signalled", "exec sleep 100000", restart: never))
            kill(try home.pid("outside"), SIGTERM)
            try home.act(.stop, "ours")
            let sent = try home.call(
                .signal, SignalParameters(signal: "SIGINT", selectors: ["signalled"], origin: "hearth signal"),
                as: SignalReply.self)
            #expect(sent.results.allSatisfy { $0.ok })
            let expected: [(String, ExitCause, String?, Int?)] = [
                ("ours", .ours, "SIGTERM", nil), ("exit", .exit, nil, 7), ("signal", .signal, "SIGSEGV", nil),
                ("outside", .outside, "SIGTERM", nil), ("signalled", .ours, "SIGINT", nil),
            ]
            for (name, cause, signal, code) in expected {
                try home.eventually("'\(name)' has ended") { try home.instance(name).lastExit != nil }
                let explanation = try home.why(name)
                let exit = explanation.instance.lastExit
                #expect(explanation.cause == cause, "\(name): \(explanation.summary)")
                #expect(exit?.signal == signal && exit?.code == code, "\(name): \(explanation.summary)")
            }
            let json = try home.hearth("why", "outside", "--json")
            #expect(json.output.contains("\"cause\":\"outside\""), "\(json.output)")
        }
    }

    @Test("the signal command reaches the main process")
    func signalCommand() throws {
        try withHome { home in
            try home.start(
                home.shell(
                    "traps",
                    "trap 'echo usr1 >> \"\(home.file("got"))\"' USR1; echo up > '\(home.file("up"))'; "
                        + "while :; do sleep 0.02; done"))
            try home.eventually("the trap is set") { home.read("up") == "up\n" }
            let pid = try home.pid("traps")
            for spelling in ["USR1", "sigusr1", "10"] {
                let former = home.read("got").count
                #expect(try home.hearth("signal", spelling, "traps").code == 0)
                try home.eventually("\(spelling) has come") { home.read("got").count > former }
            }
            #expect(try home.pid("traps") == pid)
            try home.act(.stop, "traps")
            let result = try home.hearth("signal", "USR1", "traps")
            #expect(result.code == 1 && result.errors.contains("does not run"), "\(result.errors)")
        }
    }

    @Test(
        "a process that the kernel killed for memory has the cause oom",
        .enabled(if: MemoryCgroup.isWritable, "needs root, a writable memory cgroup and a readable kernel log"))
    func outOfMemory() throws {
        try withHome { home in
            let group = try MemoryCgroup(limit: 64 << 20)
            home.atEnd { group.remove() }
            // It enters the group and takes more than it may have.
            let program = try home.script(
                "hungry.py",
                "open('\(group.path)/cgroup.procs', 'w').write('0')\n"
                    + "data = []\nwhile True:\n    data.append(bytearray(4 << 20))\n")
            try home.start(home.app("hungry", program, interpreter: "python3", restart: RestartPolicy(mode: .never)))
            try home.eventually("it has ended") { try home.instance("hungry").lastExit != nil }
            #expect(try home.instance("hungry").lastExit?.signal == "SIGKILL")
            try home.eventually("the cause is found") { try home.instance("hungry").lastExit?.cause == .oom }
            #expect(try home.why("hungry").advice.contains { $0.contains("memory") })
        }
    }
}

/// A memory cgroup of a test, version 1 or 2.
struct MemoryCgroup {
    let path: String

    private static var parent: (path: String, file: String)? {
        if access("/sys/fs/cgroup/memory/memory.limit_in_bytes", R_OK) == 0 {
            return ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
        }
        let enabled = (try? String(contentsOfFile: "/sys/fs/cgroup/cgroup.subtree_control", encoding: .utf8)) ?? ""
        return enabled.contains("memory") ? ("/sys/fs/cgroup", "memory.max") : nil
    }

    static var isWritable: Bool {
        guard geteuid() == 0, let parent, access(parent.path, W_OK) == 0, access("/dev/kmsg", R_OK) == 0,
            let group = try? MemoryCgroup(limit: 1 << 30)
        else { return false }
        group.remove()
        return true
    }

    init(limit: Int) throws {
        struct Refused: Error {}
        guard let parent = Self.parent else { throw Refused() }
        path = parent.path + "/hearth-e2e-\(UUID().uuidString.prefix(8))"
        guard mkdir(path, 0o755) == 0 else { throw Refused() }
        do {
            try String(limit).write(toFile: path + "/" + parent.file, atomically: false, encoding: .utf8)
        } catch {
            rmdir(path)
            throw error
        }
    }

    func remove() { rmdir(path) }
}

extension Home {
    func why(_ name: String) throws -> Explanation {
        let found = try call(.why, SelectorParameters(selectors: [name]), as: WhyReply.self).explanations
        guard let only = found.first else { throw Unexpected("`why` says nothing of '\(name)'", in: self) }
        return only
    }
}
