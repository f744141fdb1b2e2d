import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("reload of Node's workers", .waiting)
struct ClusterReloadTests {
    /// A server that knows nothing of Hearth, and says which version it was when it started.
    private func server(_ home: Home, _ port: Int) throws -> AppSpec {
        let source = """
            const version = require('fs').readFileSync('version', 'utf8');
            require('http').createServer((q, r) => {
                const answer = () => r.end(version + ' ' + process.pid);
                if (q.url === '/slow') setTimeout(answer, 5 + Math.random() * 20); else answer();
            }).listen(\(port), '127.0.0.1');
            """
        var spec = home.app("web", try home.script("server.js", source), interpreter: "node")
        spec.mode = .cluster
        spec.instances = 2
        return spec
    }

    /// Asks over connections that it keeps, until the file `enough` is there; then it writes what came of it.
    private static let keeper = """
        const http = require('http'), fs = require('fs');
        const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
        const tally = { answered: 0, errors: [], versions: {} };
        let open = 0;
        const ask = slow => {
            if (fs.existsSync('enough')) {
                if (--open === 0) { fs.writeFileSync('tally', JSON.stringify(tally)); process.exit(); }
                return;
            }
            const again = () => setTimeout(() => ask(!slow), 1);
            http.get({ port: PORT, host: '127.0.0.1', path: slow ? '/slow' : '/', agent }, response => {
                let text = '';
                response.on('data', part => text += part).on('end', () => {
                    tally.answered++;
                    tally.versions[text.split(' ')[0]] = true;
                    again();
                });
            }).on('error', error => { tally.errors.push(error.message); again(); });
        };
        for (; open < 4; open++) ask(open % 2 === 0);
        """

    private struct Tally: Decodable {
        var answered: Int
        var errors: [String]
        var versions: [String: Bool]
    }

    @Test("five reloads under load, new connections and kept ones: no request fails, every pid is new")
    func noneLost() throws {
        try withHome { home in
            let port = try freePort()
            try home.setVersion("v0")
            try home.start(server(home, port))
            try home.eventually("it answers") { fetched(port) != nil }
            let load = RequestLoad(ports: [UInt16(port)], threads: 1)
            let source = Self.keeper.replacingOccurrences(of: "PORT", with: String(port))
            let client = try Processes.start(
                "/bin/sh", ["-c", "cd '\(home.path)' && exec node -e \"$SOURCE\""],
                environment: home.environment.merging(["SOURCE": source]) { _, new in new }, output: home.file("client")
            )
            defer { Processes.wait(client, within: 1) }
            var pids = try home.workerPids("web")
            for round in 1...5 {
                let answered = load.answered
                try home.eventually("requests are answered") { load.answered > answered + 20 }
                try home.setVersion("v\(round)")
                let reply = try home.act(.reload, "web")
                #expect(reply.results.map(\.ok) == [true, true], "\(reply.results)")
                let next = try home.workerPids("web")
                #expect(next.count == 2 && next.isDisjoint(with: pids) && pids.allSatisfy { !Processes.isRunning($0) })
                #expect(fetched(port)?.hasPrefix("v\(round) ") == true)
                pids = next
            }
            let answered = load.answered
            try home.eventually("requests are answered afterwards") { load.answered > answered + 20 }
            #expect(load.stop().failures == [])
            try home.write("", to: "enough")
            #expect(Processes.wait(client) == 0, "\(home.read("client"))")
            let tally = try JSONDecoder().decode(Tally.self, from: Data(home.read("tally").utf8))
            #expect(tally.errors == [], "of \(tally.answered)")
            #expect(tally.answered > 200 && tally.versions.count == 6, "\(tally)")
        }
    }

    @Test("a version that does not listen is not given to anybody")
    func broken() throws {
        try withHome { home in
            let port = try freePort()
            try home.setVersion("old")
            var app = try server(home, port)
            app.readiness = ReadinessPolicy(timeout: Milliseconds(3000))
            try home.start(app)
            try home.eventually("it answers") { fetched(port) != nil }
            let pids = try home.list("web").map(\.pid)
            try home.write("setInterval(() => {}, 1000); console.error('forgot to listen');\n", to: "server.js")
            let result = try home.hearth("reload", "web")
            #expect(result.code == 1 && result.errors.contains("did not listen within"), "\(result.errors)")
            #expect(result.errors.split(separator: "\n").contains("hearth:     forgot to listen"), "\(result.errors)")
            #expect(try home.list("web").map(\.pid) == pids)
            #expect(fetched(port)?.hasPrefix("old ") == true)
        }
    }

    @Test(
        "whoever dies, between online and listening, or while one drains: one generation is left",
        arguments: [["hearthd"], ["keeper"], ["hearthd", "keeper"]], [30, 250, 700])
    func interrupted(victims: [String], after milliseconds: UInt32) throws {
        try withHome { home in
            let port = try freePort()
            try home.setVersion("v0")
            try home.start(server(home, port))
            try home.eventually("it answers") { fetched(port) != nil }
            let load = RequestLoad(ports: [UInt16(port)], threads: 1)
            try home.setVersion("v1")
            let before = try home.workerPids("web")
            let run = try home.startHearth(["reload", "web"])
            // On a busy machine a look at all processes may take longer than a reload: any new one will do.
            try home.eventually("the reload has begun", every: 1) { !workers(home).isSubset(of: before) }
            usleep(milliseconds * 1000)
            let pids =
                (victims.contains("hearthd") ? home.daemonPids : [])
                + (victims.contains("keeper") ? home.keeperPids : [])
            for pid in pids { kill(pid, SIGKILL) }
            _ = try home.result(of: run)
            _ = try home.hearth("up")
            try home.eventually("one generation serves", within: 30) {
                let versions = Set((0..<20).compactMap { _ in fetched(port)?.split(separator: " ").first })
                let listed = try home.workerPids("web")
                return listed.count == 2 && workers(home) == listed && versions.count == 1
            }
            #expect(load.stop().failures == [])
            try home.setVersion("v2")
            let next = try home.hearth("reload", "web")
            #expect(next.code == 0 && fetched(port)?.hasPrefix("v2 ") == true, "\(next.errors)")
        }
    }

    private func workers(_ home: Home) -> Set<Int32> {
        Set(Processes.all.filter { Processes.commandLine($0).contains(home.file("server.js")) })
    }
}
