import Foundation
import Testing

@testable import NodeBridge

// A genuine primary asks its worker to disconnect while a client has two keep-alive connections: one with a request
// under way, one idle, on which the next request comes after the worker was asked.

@Suite("The drain preload, on the real Node")
struct DrainTests {
    static let isNodeThere = ["/usr/bin/node", "/usr/local/bin/node"].contains {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    @Test("with it no request is lost, and the worker ends by itself", .enabled(if: isNodeThere))
    func withPreload() throws {
        #expect(try run(preload: DrainPreload.text, patience: "60000") == ["late 200 close", "busy 200", "exit 0"])
    }

    @Test("without it the idle connection is lost: what it is for", .enabled(if: isNodeThere))
    func withoutPreload() throws {
        let said = try run(preload: "", patience: "3000")
        #expect(said.first != "late 200 close" && said.last == "exit SIGKILL")
    }

    private func run(preload: String, patience: String) throws -> [String] {
        let directory = FileManager.default.temporaryDirectory.path + "/hearth-drain-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for (name, text) in [("parent.cjs", Self.parent), ("worker.cjs", Self.worker), ("drain.cjs", preload)] {
            try text.write(toFile: "\(directory)/\(name)", atomically: false, encoding: .utf8)
        }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "node", "parent.cjs", "\(directory)/worker.cjs", "\(directory)/drain.cjs", "2000", patience,
        ]
        process.currentDirectoryURL = URL(filePath: directory)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return said.split(separator: "\n").map(String.init)
    }

    private static let parent = """
        const cluster = require('cluster'), http = require('http');
        cluster.schedulingPolicy = cluster.SCHED_NONE;
        cluster.setupPrimary({ exec: process.argv[2], execArgv: process.argv[3] ? ['-r', process.argv[3]] : [] });
        const worker = cluster.fork({ HEARTH_DRAIN_GRACE: process.argv[4] || '' });
        const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
        let port, busy;
        const get = path => new Promise(resolve => {
            http.get({ port, path, agent, host: '127.0.0.1' }, response => {
                const end = response.headers.connection === 'close' ? ' close' : '';
                response.resume().on('end', () => resolve(response.statusCode + end));
            }).on('error', error => resolve(error.code));
        });
        worker.on('message', async message => {
            if (message.port) {
                port = message.port;
                await Promise.all([get('/'), get('/')]);
                busy = get('/slow');
            } else if (message === 'slow') {
                worker.disconnect();
            } else if (message === 'draining') {
                console.log('late ' + await get('/'));
                worker.process.kill('SIGUSR2');
                console.log('busy ' + await busy);
            }
        });
        worker.on('exit', (code, signal) => { console.log('exit ' + (signal || code)); process.exit(); });
        setTimeout(() => { console.log('stuck'); worker.process.kill('SIGKILL'); }, process.argv[5] * 1).unref();
        """

    private static let worker = """
        const http = require('http');
        let finish;
        process.on('SIGUSR2', () => finish());
        process.on('internalMessage', message => { if (message.act === 'disconnect') setTimeout(() => process.send('draining'), 20); });
        http.createServer((request, response) => {
            if (request.url !== '/slow') return response.end('x');
            finish = () => response.end('slow');
            process.send('slow');
        }).listen(0, '127.0.0.1', function () { process.send({ port: this.address().port }); });
        """
}
