import Control
import Foundation
import Glibc
import Model
import Platform
import TestSupport
import Testing

/// Programs as people run them, each with what it is told in docs/zero-downtime.md.
@Suite("Held sockets of real programs", .waiting)
struct HeldSocketProgramTests {
    @Test("gunicorn, restarted under load: no request fails")
    func gunicorn() throws {
        try withHome { home in
            try home.write(Self.wsgi, to: "shop.py")
            let app = try home.program("gunicorn", ["--workers", "2", "--chdir", home.path, "shop:app"])
            try home.expectRestartsKeep(app, underLoad: true)
        }
    }

    @Test("gunicorn under bash, told the number: LISTEN_PID is another process's there")
    func gunicornInShell() throws {
        try withHome { home in
            try home.write(Self.wsgi, to: "shop.py")
            let line = "gunicorn -b fd://{fd:web} --chdir '\(home.path)' shop:app; exit $?"
            try home.expectRestartsKeep(
                home.app("api", "/bin/bash", ["-c", line]).listening(home.address()), underLoad: true)
        }
    }

    @Test("uvicorn")
    func uvicorn() throws {
        try withHome { home in
            try home.write(
                """
                import os
                async def app(scope, receive, send):
                    if scope["type"] != "http": return
                    await send({"type": "http.response.start", "status": 200, "headers": []})
                    await send({"type": "http.response.body", "body": b"%d\\n" % os.getpid()})
                """, to: "shop.py")
            try home.expectRestartsKeep(
                home.program("uvicorn", ["--fd", "{fd:web}", "--app-dir", home.path, "shop:app"]))
        }
    }

    @Test("Node: listen({fd})")
    func node() throws {
        try withHome { home in
            let script = try home.script("server.js", Self.server("3"))
            try home.expectRestartsKeep(
                home.app("api", script, interpreter: "node").listening(home.address()))
        }
    }

    @Test("Node under npm start, which passes no low number on")
    func npm() throws {
        try withHome { home in
            try home.write(Self.server("+process.env.HEARTH_FD_WEB"), to: "server.js")
            try home.write(#"{"name": "api", "scripts": {"start": "node server.js"}}"#, to: "package.json")
            try home.expectRestartsKeep(
                home.program("npm", ["start"]))
        }
    }

    @Test("plain Python")
    func python() throws {
        try withHome { home in
            let script = try home.script(
                "server.py",
                """
                import http.server, os, socket
                class Handler(http.server.BaseHTTPRequestHandler):
                    def do_GET(self):
                        self.send_response(200)
                        self.end_headers()
                        self.wfile.write(b"%d\\n" % os.getpid())
                server = http.server.HTTPServer(("", 0), Handler, bind_and_activate=False)
                server.socket = socket.socket(fileno=3)
                server.serve_forever()
                """)
            try home.expectRestartsKeep(
                home.app("api", script, interpreter: "python3").listening(home.address()))
        }
    }

    @Test("nginx, where it is installed: no request fails", .enabled(if: Home.find("nginx") != nil))
    func nginx() throws {
        try withHome { home in
            let port = try freePort()
            let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map {
                "\($0)_temp_path \(home.path)/\($0);"
            }
            try home.write(
                """
                daemon off; pid \(home.path)/nginx.pid; error_log /dev/stderr; events {}
                http {
                    access_log off; \(places.joined(separator: " "))
                    server { listen 127.0.0.1:\(port); return 200 "$pid\\n"; }
                }
                """, to: "nginx.conf")
            var app = try home.program("nginx", ["-c", home.file("nginx.conf")])
                .listening(.tcp(host: "127.0.0.1", port: port))
            app.environment["NGINX"] = "3;"
            app.stop.signal = try #require(Signal(parsing: "SIGQUIT"))
            try home.expectRestartsKeep(app, underLoad: true)
        }
    }

    private static let wsgi = """
        import os
        def app(environ, start):
            start("200 OK", [])
            return [b"%d\\n" % os.getpid()]
        """

    private static func server(_ fd: String) -> String {
        """
        const server = require('http').createServer((request, response) => response.end(process.pid + '\\n'));
        server.listen({fd: \(fd)});
        process.on('SIGTERM', () => server.close(() => process.exit(0)));
        """
    }
}

extension Home {
    fileprivate func address() throws -> ListenAddress { .tcp(host: "127.0.0.1", port: try freePort()) }

    /// A program of the test's PATH.
    fileprivate func program(_ name: String, _ arguments: [String]) throws -> AppSpec {
        let path = try #require(Self.find(name), "'\(name)' is missing: make setup-test")
        return app("api", path, arguments).listening(try address())
    }

    fileprivate static func find(_ name: String) -> String? {
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "") + ":/usr/sbin"
        return path.split(separator: ":").map { "\($0)/\(name)" }.first { FileSystem.isExecutable($0) }
    }

    /// Starts the app, restarts it some times, and stops it.
    fileprivate func expectRestartsKeep(_ app: AppSpec, underLoad: Bool = false) throws {
        var app = app
        // What programs write there is gone with the test.
        app.environment["HOME"] = path
        let name = app.name
        let port = UInt16(try #require(app.listen?.first?.address.port))
        try start(app)
        // Whoever asks before it is up waits.
        #expect(SocketAddress.port(port).request()?.contains("200 OK") == true)
        // gunicorn closes the low numbers.
        let link = try socketLink(name, 20)
        let load = underLoad ? RequestLoad(ports: [port], threads: 4) : nil
        for _ in 0..<3 {
            let former = try pid(name)
            try act(.restart, name)
            #expect(try pid(name) != former)
            #expect(try socketLink(name, 20) == link)
            #expect(SocketAddress.port(port).request()?.contains("200 OK") == true)
        }
        if let load {
            let answered = load.answered
            try eventually("it answers") { load.answered > answered + 20 }
            let tally = load.stop()
            #expect(tally.failures == [])
        }
        try act(.stop, name)
        #expect(SocketAddress.port(port).request() == nil)
    }
}
