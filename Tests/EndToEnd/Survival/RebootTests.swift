import Control
import Foundation
import Glibc
import Model
import Platform
import Records
import TestSupport
import Testing

@Suite("Another boot, another machine")
struct RebootTests {
    @Test("after a reboot what is wanted is started; records of the former boot are not believed")
    func reboot() throws {
        try withHome { home in
            let stranger = try home.startProcess("/bin/sleep", ["1000"])
            let start = try #require(ProcessIdentity.current(of: stranger))
            try home.start(home.sleeper("one"), home.sleeper("two"), home.sleeper("stopped"))
            try home.act(.stop, "stopped")
            try home.expectRestartIsCounted("one")
            let former = [try home.pid("one"), try home.pid("two")]
            try home.killBoth()
            for pid in former { kill(pid, SIGKILL) }
            try home.eventually("the apps are gone") { former.allSatisfy { !Processes.isRunning($0) } }
            let present = MachineIdentity.current()
            let formerBoot = MachineIdentity(
                machine: present.machine, boot: "11111111-2222-3333-4444-555555555555",
                pidNamespace: present.pidNamespace)
            try home.forgeList { $0.boot = formerBoot.boot }
            // The numbers of the former boot belong to others in this one, even with the same start time.
            try home.forgeTable(as: formerBoot) { $0.process = start }

            try home.up()
            try home.eventually("what is wanted runs") {
                try home.instance("one").status == .online && home.instance("two").status == .online
            }
            #expect(try home.instance("stopped").status == .stopped)
            #expect(home.appPids.values.map(\.count) == [1, 1])
            #expect(Processes.isRunning(stranger))
            let pids = [try home.pid("one"), try home.pid("two")]
            #expect(!pids.contains(stranger))

            // The present boot is noted: the next daemon adopts.
            try home.killBoth()
            try home.up()
            #expect([try home.pid("one"), try home.pid("two")] == pids)
        }
    }

    @Test("a list that another machine drove is refused with exit 78, and taken over with HEARTH_TAKE_OVER=1")
    func otherMachine() throws {
        try withHome { home in
            try home.start(home.sleeper("app"))
            let pid = try home.pid("app")
            try home.detach()
            try home.eventually("both have ended") { home.keeperPids.isEmpty && home.daemonPids.isEmpty }
            kill(pid, SIGKILL)
            try home.forgeList {
                $0.machine = "0123456789abcdef0123456789abcdef"
                $0.boot = "another machine's"
            }
            let keeper = try home.startKeeper()
            try home.eventually("the keeper gives up") { home.exitCode(ofKeeper: keeper) != nil }
            #expect(home.exitCode(ofKeeper: keeper) == 78)
            #expect(home.log.contains("another machine"))
            #expect(home.appPids.isEmpty)

            try home.startKeeper(adding: ["HEARTH_TAKE_OVER": "1"])
            try home.ready()
            try home.eventually("the app runs") { try home.instance("app").status == .online }
            // It is ours now.
            try home.killBoth()
            try home.up()
            #expect(try home.instance("app").status == .online)
        }
    }
}
