import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("A cluster without its primary", .waiting)
struct ClusterSurvivalTests {
    enum Victim: String, CaseIterable { case daemon, keeper, both }

    @Test("at rest: workers go on answering, crash and scale are as before", arguments: Victim.allCases)
    func atRest(_ victim: Victim) throws {
        try withHome { home in
            try home.start(home.webWorkers("web"))
            let port = try home.port(of: "web")
            try home.everyWorkerAnswers("web", count: 2, at: port)
            let before = try home.workerPids("web")

            let load = RequestLoad(ports: [port])
            try home.strike(victim)
            #expect(try home.workerPids("web") == before)
            try home.everyWorkerAnswers("web", count: 2, at: port)
            let victimPid = try #require(before.first)
            kill(victimPid, SIGKILL)
            try home.eventually("the crashed worker is another one") {
                let now = try home.workerPids("web")
                return now.count == 2 && !now.contains(victimPid)
            }
            try home.everyWorkerAnswers("web", count: 2, at: port)
            try home.scale("web", to: 3)
            try home.everyWorkerAnswers("web", count: 3, at: port)
            try home.scale("web", to: 1)
            try home.everyWorkerAnswers("web", count: 1, at: port)
            let tally = load.stop()
            // The kills of workers may cost the requests that these were answering.
            #expect(tally.answered > 0 && tally.failures.count <= 10, "\(tally.failures)")
            #expect(!home.log.contains("channel:"))
        }
    }

    @Test("between online and listening: the next hearthd answers what was asked", arguments: Victim.allCases)
    func whileAsking(_ victim: Victim) throws {
        try withHome { home in
            let app = try home.workers(
                "web",
                """
                const timer = setInterval(() => {
                    if (!fs.existsSync('go')) return;
                    clearInterval(timer);
                    const server = http.createServer(answer).listen(0, () => said(server.address().port));
                    note('asked');
                }, 5);
                note('up');
                """)
            try home.start(app)
            try home.eventually("both are up") { home.clusterNotes == ["up", "up"] }
            let before = try home.workerPids("web")
            try home.strike(victim) {
                try home.write("", to: "go")
                try home.eventually("both have asked") { home.clusterNotes == ["asked", "asked", "up", "up"] }
            }
            try home.everyWorkerAnswers("web", count: 2, at: home.port(of: "web"))
            #expect(try home.workerPids("web") == before)
            try home.scale("web", to: 3)
            try home.everyWorkerAnswers("web", count: 3, at: home.port(of: "web"))
        }
    }

    @Test("an upgrade in place leaves the cluster as it is")
    func upgrade() throws {
        try withHome { home in
            try home.start(home.webWorkers("web"))
            let port = try home.port(of: "web")
            try home.everyWorkerAnswers("web", count: 2, at: port)
            let before = try home.workerPids("web")
            let load = RequestLoad(ports: [port])
            _ = try home.upgrade()
            try home.everyWorkerAnswers("web", count: 2, at: port)
            #expect(try home.workerPids("web") == before)
            try home.scale("web", to: 3)
            try home.everyWorkerAnswers("web", count: 3, at: port)
            let tally = load.stop()
            #expect(tally.answered > 0 && tally.failures.isEmpty, "\(tally.failures)")
        }
    }
}

extension Home {
    /// Kills; `body` runs while the victim is dead, if it is the daemon. Afterwards all is there again.
    fileprivate func strike(_ victim: ClusterSurvivalTests.Victim, _ body: () throws -> Void = {}) throws {
        switch victim {
        case .daemon: try withoutDaemon(body)
        case .both:
            try killBoth()
            try body()
            try up()
        case .keeper:
            let keeper = try #require(keeperPids.first)
            kill(keeper, SIGKILL)
            try body()
            try eventually("another keeper is attached") {
                let present = try hello().keeperPid
                return present != nil && present != keeper
            }
        }
    }
}
