import Control
import Foundation
import Glibc
import Model
import Platform
import Records
import TestSupport
import Testing

@Suite("Restored after a boot", .waiting)
struct RestoreTests {
    @Test("what is missing is its app's state, with the reason, and holds nobody; when it is there, the app comes")
    func missing() throws {
        try withHome { home in
            func at(_ name: String, _ change: (inout AppSpec) -> Void) -> AppSpec {
                var spec = home.sleeper(name)
                // Under PM2's rules, too, nothing is given up so early.
                spec.restart.slowRetry = false
                change(&spec)
                return spec
            }
            for name in ["cwd", "place"] { mkdir(home.file(name), 0o755) }
            try home.write("#!/bin/sh\nexec sleep 100000\n", to: "script.sh", executable: true)
            try home.write("#!/bin/sh\nexec sleep 100000\n", to: "interpreter", executable: true)
            try home.write("A=1\n", to: "app.env")
            var apps = [
                at("cwd") { $0.cwd = home.file("cwd") },
                at("script") { $0.script = home.file("script.sh") },
                at("interpreter") { $0.interpreter = home.file("interpreter") },
                at("env") { $0.environmentFiles = [home.file("app.env")] },
                at("log") { $0.output.outFile = home.file("place/out.log") },
                at("never") {
                    $0.cwd = home.file("cwd")
                    $0.restart.mode = .never
                },
            ]
            apps.append(home.sleeper("sound"))
            try home.start(apps)
            #expect(try home.list().allSatisfy { $0.status == .online })
            try home.loseBoot()
            let away = ["cwd", "place", "script.sh", "interpreter", "app.env"]
            for name in away { rename(home.file(name), home.file(name + ".away")) }

            try home.up()
            try home.eventually("the sound one runs") { try home.isOnline("sound") }
            try home.eventually("each of the others says what is missing") {
                try home.list().filter { $0.name != "sound" }.allSatisfy {
                    $0.status == .errored && $0.reason.contains(home.path) && $0.nextStartAt != nil
                }
            }
            for name in away { rename(home.file(name + ".away"), home.file(name)) }
            try home.eventually("all run", within: 60) { try home.list().allSatisfy { $0.status == .online } }
        }
    }

    @Test("a user that is not known yet is waited for, too", .enabled(if: geteuid() == 0))
    func unknownUser() throws {
        try withHome { home in
            try home.start(home.sleeper("app"), home.sleeper("other"))
            try home.loseBoot()
            try home.forgeList { state in
                for index in state.instances.indices where state.instances[index].spec.name == "app" {
                    state.instances[index].spec.uid = "no-such-user-here"
                }
            }
            try home.up()
            try home.eventually("the other one runs") { try home.isOnline("other") }
            try home.eventually("the app says who is missing") {
                let app = try home.instance("app")
                return app.status == .errored && app.reason.contains("no-such-user-here") && app.nextStartAt != nil
            }
        }
    }

    @Test("a hundred apps are restored at once, in the order that they need")
    func hundred() throws {
        try withHome { home in
            var apps = (0..<100).map { home.sleeper("app\($0)") }
            for index in 1..<20 { apps[index].dependsOn = ["app\(index - 1)"] }
            for index in 20..<100 { apps[index].dependsOn = index % 2 == 0 ? ["app19"] : nil }
            // The list says the opposite of the order.
            try home.start(apps.reversed())
            try home.eventually("all run") { try home.list().allSatisfy { $0.status == .online } }
            try home.loseBoot()
            let clock = ContinuousClock.now
            try home.up()
            try home.eventually("all run", every: 20) { try home.list().filter { $0.status == .online }.count == 100 }
            report("100 apps restored, 20 of them in a row", ContinuousClock.now - clock)
            let starts = try Dictionary(uniqueKeysWithValues: home.list().map { ($0.name, $0.startedAt ?? 0) })
            for app in apps {
                for name in app.dependsOn ?? [] {
                    #expect((starts[name] ?? .max) <= (starts[app.name] ?? 0), "\(app.name) before \(name)")
                }
            }
        }
    }

    @Test("what a former boot left in the home is gone, and what another machine's has there is not")
    func leftovers() throws {
        try withHome { home in
            try home.start(home.sleeper("app"))
            try home.loseBoot()
            let present = MachineIdentity.current()
            func runtime(_ machine: String, _ boot: String, _ namespace: UInt64) throws -> String {
                let identity = MachineIdentity(machine: machine, boot: boot, pidNamespace: namespace)
                let path = home.paths.runtime(of: identity)
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
                try InstanceTable(descriptor: nil, machine: identity).reader.save(to: path + "/instances.table")
                return path
            }
            let old = try runtime(present.machine, "a-former-boot", 1)
            let neighbour = try runtime(present.machine, present.boot, 2)
            let elsewhere = try runtime("ffffffffffffffffffffffffffffffff", "a-former-boot", 3)
            try home.up()
            try home.eventually("the app runs") { try home.isOnline("app") }
            let left = [old, neighbour, elsewhere].map { FileManager.default.fileExists(atPath: $0) }
            #expect(left == [false, true, true])
        }
    }
}
