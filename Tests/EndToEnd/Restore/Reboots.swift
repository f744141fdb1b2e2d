import Control
import Foundation
import Glibc
import Model
import Platform
import Records
import TestSupport

extension Home {
    /// What a reboot leaves: no process, and a list and a table of another boot.
    func loseBoot() throws {
        let pids = try list().compactMap(\.pid)
        try killBoth()
        for pid in pids { kill(pid, SIGKILL) }
        try eventually("the apps are gone") { pids.allSatisfy { !Processes.isRunning($0) } }
        let present = MachineIdentity.current()
        let former = MachineIdentity(
            machine: present.machine, boot: "11111111-2222-3333-4444-555555555555", pidNamespace: present.pidNamespace)
        try forgeList { $0.boot = former.boot }
        try forgeTable(as: former) { _ in }
    }

    func isOnline(_ name: String) throws -> Bool { try instance(name).status == .online }
}

extension AppSpec {
    func depending(on names: String...) -> AppSpec {
        var spec = self
        spec.dependsOn = names
        return spec
    }
}
