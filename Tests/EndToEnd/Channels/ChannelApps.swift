import Control
import Foundation
import Model
import TestSupport
import Testing

// Apps that speak with their parent as Node has it: unmodified ones on the real Node, and Python on descriptor 3.

extension Home {
    /// JavaScript on Node. `note(word)` appends a word and the instance's number to the file `notes`.
    func node(_ name: String, _ body: String, killTimeout: Milliseconds = Milliseconds(20_000)) throws -> AppSpec {
        let prelude = """
            const fs = require('fs');
            const note = word => fs.appendFileSync('notes', word + ' ' + process.env.NODE_APP_INSTANCE + '\\n');
            process.on('disconnect', () => note('disconnect'));
            process.on('uncaughtException', error => { note('exception'); process.exit(99); });
            const when = (file, body) => {
                const timer = setInterval(() => { if (fs.existsSync(file)) { clearInterval(timer); body(); } }, 10);
            };
            setInterval(() => {}, 1000);

            """
        return app(
            name,
            try script("\(name).js", prelude + body + "\nfs.writeFileSync('\(name).up.' + process.pid, '');\n"),
            interpreter: "node", restart: RestartPolicy(mode: .never),
            killTimeout: killTimeout)
    }

    func python(_ name: String, _ body: String) throws -> AppSpec {
        app(
            name, try script("\(name).py", "import os, signal, sys, time\n" + body + "\nwhile True: time.sleep(1)\n"),
            interpreter: "python3", restart: RestartPolicy(mode: .never))
    }

    var notes: [String] { read("notes").split(separator: "\n").map(String.init) }

    /// Begins a start whose end the caller does not wait for.
    func beginStart(_ app: AppSpec) throws {
        let parameters = StartParameters(apps: [app], environment: environment, token: nil, origin: "test")
        #expect(throws: (any Error).self) {
            try call(.start, parameters, as: InstancesReply.self, timeout: 300)
        }
        try eventually("'\(app.name)' is launching") { try instance(app.name).pid != nil }
    }

    /// Kills the daemon while its keeper is held; `body` runs while there is none.
    func withoutDaemon(_ body: () throws -> Void) throws {
        let former = try hello()
        let keeper = try #require(keeperPids.first)
        kill(keeper, SIGSTOP)
        defer { kill(keeper, SIGCONT) }
        kill(former.pid, SIGKILL)
        try eventually("hearthd is gone") { !Processes.isRunning(former.pid) }
        try body()
        kill(keeper, SIGCONT)
        try ready(after: former.pid)
    }
}

extension AppSpec {
    func waitingForReady(_ milliseconds: Int64? = nil) -> AppSpec {
        var spec = self
        spec.readiness = ReadinessPolicy(waitReady: true, timeout: milliseconds.map { Milliseconds($0) })
        return spec
    }

    func stoppedByMessage() -> AppSpec {
        var spec = self
        spec.stop.withMessage = true
        return spec
    }
}
