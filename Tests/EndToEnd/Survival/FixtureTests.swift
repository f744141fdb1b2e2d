import Testing
import TestSupport

@Suite("The fixture")
struct FixtureTests {
    @Test("a home starts, runs an app, and leaves nothing behind")
    func startsAndCleansUp() throws {
        var app: Int32 = 0
        try withHome { home in
            try home.start(home.lineWriter("writer"))
            app = try home.pid("writer")
            #expect(home.keeperPids.count == 1)
            #expect(home.daemonPids.count == 1)
            try home.eventually("lines come") { home.numbers(of: "writer").count > 3 }
        }
        #expect(!Processes.isRunning(app))
    }
}
