import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("Node's cluster, with Hearth as its primary", .waiting)
struct ClusterTests {
    @Test("start -i 2: an app that knows nothing of it serves with both workers on one port")
    func commandLine() throws {
        try withHome { home in
            let port = try UInt16(freePort())
            let script = """
                const cluster = require('cluster');
                require('http').createServer((request, response) => response.end(String(process.pid))).listen(\(port));
                require('fs').appendFileSync('notes', [cluster.isWorker, cluster.worker.id, process.env.NODE_UNIQUE_ID,
                    process.env.NODE_APP_INSTANCE, process.env.HEARTH_DRAIN_GRACE].join(' ') + '\\n');
                """
            try home.write(script, to: "server.js")
            let run = try home.shellRun("hearth start server.js -i 2")
            #expect(run.code == 0, "\(run.output)\(run.errors)")
            try home.everyWorkerAnswers("server", count: 2, at: port)
            #expect(home.clusterNotes == ["true 1  0 ", "true 2  1 "])
        }
    }

    @Test("any port, a path and UDP are shared, each by both workers")
    func kinds() throws {
        try withHome { home in
            let app = try home.workers(
                "many",
                """
                const server = http.createServer(answer).listen(0, () => {
                    http.createServer(answer).listen('many.sock', () => {
                        const udp = require('dgram').createSocket('udp4');
                        udp.on('message', (text, from) => udp.send(String(process.pid), from.port, from.address));
                        udp.bind(0, () => {
                            fs.writeFileSync('udp.port', String(udp.address().port));
                            said(server.address().port);
                        });
                    });
                });
                """)
            try home.start(app)
            let port = try home.port(of: "many")
            try home.everyWorkerAnswers("many", count: 2, at: port)
            try home.everyWorkerAnswers("many", count: 2) { Exchange.http(path: home.file("many.sock")) }
            let udp = try #require(UInt16(home.read("udp.port")))
            // Linux gives datagrams to whoever waits first: one answer is enough.
            try home.eventually("a worker answers by UDP") { Exchange.udp(port: udp).flatMap { Int32($0) } != nil }
            try home.act(.delete, "many")
            #expect(Exchange.http(port: port) == nil, "nobody listens for an app that is gone")
            try home.eventually("its path is gone") { access(home.file("many.sock"), F_OK) != 0 }
        }
    }

    @Test("a port that another process has is EADDRINUSE in the app, on each try")
    func addressInUse() throws {
        try withHome { home in
            try home.start(home.responder("other"))
            let port = try home.port(of: "other")
            let app = try home.workers(
                "api",
                """
                const net = require('net').createServer();
                net.on('error', error => {
                    note(error.code + ' ' + error.syscall);
                    http.createServer(answer).listen(0, function () { said(this.address().port); });
                });
                net.listen(\(port), '127.0.0.1');
                """)
            try home.start(app)
            try home.everyWorkerAnswers("api", count: 2, at: home.port(of: "api"))
            #expect(home.clusterNotes == ["EADDRINUSE bind", "EADDRINUSE bind"])
        }
    }

    @Test("what a worker closes it can open again, and nobody listens in between")
    func closeAndListen() throws {
        try withHome { home in
            let app = try home.workers(
                "api",
                """
                const when = (file, body) => {
                    const timer = setInterval(() => { if (fs.existsSync(file)) { clearInterval(timer); body(); } }, 5);
                };
                const server = http.createServer(answer).listen(0, () => {
                    const port = server.address().port;
                    said(port);
                    when('close', () => server.close(() => {
                        note('closed');
                        when('open', () => server.listen(port, () => note('open')));
                    }));
                });
                """)
            try home.start(app)
            let port = try home.port(of: "api")
            try home.everyWorkerAnswers("api", count: 2, at: port)
            try home.write("", to: "close")
            try home.eventually("both have closed it") { home.clusterNotes == ["closed", "closed"] }
            try home.eventually("connections are refused") { Exchange.http(port: port) == nil }
            try home.write("", to: "open")
            try home.everyWorkerAnswers("api", count: 2, at: port)
        }
    }

    @Test("scale up and down, and a crashed worker: always the same port")
    func scale() throws {
        try withHome { home in
            try home.start(home.webWorkers("web"))
            let port = try home.port(of: "web")
            try home.everyWorkerAnswers("web", count: 2, at: port)
            try home.scale("web", to: 4)
            try home.everyWorkerAnswers("web", count: 4, at: port)
            try home.scale("web", to: 1)
            try home.everyWorkerAnswers("web", count: 1, at: port)
            let pid = try home.pid("web")
            kill(pid, SIGKILL)
            try home.eventually("it runs again") { try home.instance("web").pid.map { $0 != pid } ?? false }
            try home.everyWorkerAnswers("web", count: 1, at: port)
            try home.act(.restart, "web")
            try home.everyWorkerAnswers("web", count: 1, at: port)
            try home.act(.stop, "web")
            #expect(Exchange.http(port: port) == nil)
            #expect(UInt16(home.read("web.port")) == port)
        }
    }

    @Test("handles that an app sends are taken and closed, and it can send more")
    func handles() throws {
        try withHome { home in
            let app = try home.workers(
                "api",
                """
                const net = require('net');
                const send = left => {
                    if (left === 0) return http.createServer(answer).listen(0, function () { said(this.address().port); });
                    const server = net.createServer().listen({port: 0, exclusive: true}, () => {
                        process.send({left}, server, error => { server.close(); note(error ? 'error' : 'sent'); send(left - 1); });
                    });
                };
                send(100);
                """)
            try home.start(app)
            try home.everyWorkerAnswers("api", count: 2, at: home.port(of: "api"))
            #expect(home.clusterNotes == Array(repeating: "sent", count: 200))
            let daemon = try home.hello().pid
            try home.eventually("hearthd has closed them") {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/\(daemon)/fd").count < 100
            }
        }
    }

    @Test("a worker that writes garbage and asks for 2,000 sockets harms nobody else")
    func garbage() throws {
        try withHome { home in
            try home.start(home.webWorkers("web"))
            let port = try home.port(of: "web")
            let app = try home.workers(
                "mad",
                """
                const texts = [];
                const write = text => texts.push(Buffer.from(text));
                const next = () => {
                    while (texts.length) {
                        try {
                            texts[0] = texts[0].subarray(fs.writeSync(3, texts[0]));
                            if (!texts[0].length) texts.shift();
                        } catch (error) {
                            if (error.code !== 'EAGAIN') throw error;
                            // Answers have to be taken meanwhile.
                            return setTimeout(next, 1);
                        }
                    }
                    fs.writeFileSync('written', '');
                };
                write('garbage\\n{"cmd":\\n\\n\\0\\xff\\n[[[[\\n');
                for (const act of ['close', 'listening', 'exitedAfterDisconnect', 'online', 'nothing', 7, null])
                    write(JSON.stringify({cmd: 'NODE_CLUSTER', act, seq: 1e30, key: {}}) + '\\n');
                for (let index = 0; index < 2000; index++)
                    write(JSON.stringify({cmd: 'NODE_CLUSTER', act: 'queryServer', index, address: '127.0.0.1', port: 0, addressType: 4, seq: 100000 + index}) + '\\n');
                for (const address of [null, '', 'nowhere', 'x'.repeat(100000), '/nowhere/at/all', '\\0'])
                    for (const addressType of [4, 6, -1, 'udp4', 'udp6', null, {}])
                        write(JSON.stringify({cmd: 'NODE_CLUSTER', act: 'queryServer', index: -1, address, port: -7, addressType, fd: 1e9, data: 'y'.repeat(20000), seq: -1}) + '\\n');
                next();
                setInterval(() => {}, 1000);
                """, count: 1)
            let daemon = try home.hello().pid
            try home.start(app)
            try home.eventually("all was written", within: 60) { access(home.file("written"), F_OK) == 0 }
            try home.everyWorkerAnswers("web", count: 2, at: port)
            try home.scale("web", to: 3)
            try home.everyWorkerAnswers("web", count: 3, at: port)
            let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(daemon)/fd").count
            #expect(open < 900, "hearthd has \(open) descriptors")
            try home.act(.delete, "mad")
            try home.eventually("its sockets are closed") {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/\(daemon)/fd").count < 100
            }
            #expect(try home.hello().pid == daemon)
        }
    }
}
