import Control
import Foundation
import Glibc
import TestSupport
import Testing

@Suite("doctor: programs that are replaced, or that do not start", .waiting)
struct DoctorProgramTests {
    /// Copies of the programs that a test may spoil, and a home whose keeper and daemon they are.
    private func withOwnPrograms(_ body: (Home, String) throws -> Void) throws {
        try withHome(starting: false) { home in
            let directory = home.file("programs")
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            for program in [try Programs.keeper(), try Programs.daemon()] {
                #expect(try home.shellRun("cp '\(program)' '\(directory)/'").code == 0)
            }
            #expect(try home.hearth("up", environment: ["HEARTH_LIBEXEC": directory]).code == 0)
            try home.start(home.sleeper("one"))
            try body(home, directory)
        }
    }

    /// The program under its name is another file from now on; the old one goes on where it runs.
    private func replace(_ path: String, with program: String, in home: Home) throws {
        let result = try home.shellRun("cp '\(program)' '\(path).new' && mv '\(path).new' '\(path)'")
        #expect(result.code == 0, "\(result.errors)")
    }

    @Test("the daemon's program was replaced on disk; upgrade makes it run")
    func replaced() throws {
        try withOwnPrograms { home, directory in
            #expect(try home.doctor().faults == [])
            try replace(directory + "/hearthd", with: try Programs.daemon(), in: home)
            let examination = try home.doctor()
            #expect(examination.faults == ["daemon-replaced"], "\(examination.output)")
            #expect(examination.text(of: "daemon-replaced").contains("hearth upgrade"))
            let upgrade = try home.hearth(
                ["upgrade", "--path", directory + "/hearthd"], environment: ["HEARTH_LIBEXEC": directory])
            #expect(upgrade.code == 0, "\(upgrade.errors)")
            let after = try home.doctor()
            #expect(after.faults == [], "\(after.output)")
        }
    }

    @Test("no keeper, as its program does not start; --fix starts one when it does")
    func keeper() throws {
        try withOwnPrograms { home, directory in
            try replace(directory + "/hearth-keeper", with: "/bin/false", in: home)
            for keeper in home.keeperPids { kill(keeper, SIGKILL) }
            try home.eventually("the keeper is missed") {
                try home.doctor().faults == ["keeper-missing"]
            }
            try replace(directory + "/hearth-keeper", with: try Programs.keeper(), in: home)
            let fixed = try home.doctor("--fix", environment: ["HEARTH_LIBEXEC": directory])
            #expect(!fixed.faults.contains("daemon-missing"), "\(fixed.output)")
            try home.eventually("a keeper is there") { try home.doctor().faults == [] }
        }
    }

    @Test("a keeper whose daemon ends at once")
    func daemon() throws {
        try withOwnPrograms { home, directory in
            try replace(directory + "/hearthd", with: "/bin/false", in: home)
            for daemon in home.daemonPids { kill(daemon, SIGKILL) }
            try home.eventually("the daemon is missed") {
                try home.doctor().faults.isSuperset(of: ["keeper-alone", "daemon-missing"])
            }
            try replace(directory + "/hearthd", with: try Programs.daemon(), in: home)
            try home.eventually("the next start succeeds", within: 90) { try home.doctor().faults == [] }
        }
    }
}
