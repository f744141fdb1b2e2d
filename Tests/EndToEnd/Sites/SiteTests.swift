import Foundation
import Glibc
import Records
import TestSupport
import Testing

/// The command lines of operations papers, as they were typed there, with `pm2` in PATH.
@Suite("Sites that were run with PM2", .waiting)
struct SiteTests {
    /// Runs lines that must succeed; the last one's output.
    @discardableResult
    private func run(
        _ pm2: PM2Home, _ lines: String..., location: SourceLocation = #_sourceLocation
    ) throws -> String {
        var output = ""
        for line in lines {
            let result = try pm2.sh(line)
            #expect(result.code == 0, "\(line): \(result.output)\(result.errors)", sourceLocation: location)
            output = result.output
        }
        return output
    }

    private func pids(_ pm2: PM2Home) throws -> [String] {
        try pm2.sh("pm2 pid").output.split(separator: "\n").map(String.init)
    }

    @Test("the proof that a resurrect brings front end and API back")
    func resurrectProof() throws {
        try withPM2 { pm2 in
            let site = try Site(pm2)
            try site.buildShop()
            try run(
                pm2, "cd frontend && PORT=\(site.frontendPort) pm2 start npm --name shop-frontend -- start",
                "cd backend && pm2 start /usr/bin/php --name shop-backend -- artisan serve --host=127.0.0.1 --port=\(site.backendPort)"
            )
            try site.answers(site.frontendPort)
            try site.answers(site.backendPort)
            let before = try pids(pm2)

            let saved = try run(pm2, "pm2 save --force")
            #expect(
                saved == """
                    [PM2] Saving current process list...
                    [PM2] Successfully saved in \(pm2.paths.pm2Dump)

                    """)
            let killed = try run(pm2, "pm2 kill")
            #expect(
                killed == """
                    [PM2] Applying action deleteProcessId on app [all](ids: [ 0, 1 ])
                    [PM2] [shop-frontend](0) ✓
                    [PM2] [shop-backend](1) ✓
                    [PM2] [v] All Applications Stopped
                    [PM2] [v] PM2 Daemon Stopped

                    """)
            #expect(try site.status(site.frontendPort) == "000")
            let restored = try run(pm2, "pm2 resurrect")
            #expect(
                restored.hasPrefix(
                    """
                    [PM2] Spawning PM2 daemon with pm2_home=\(pm2.paths.home)
                    [PM2] PM2 Successfully daemonized
                    [PM2] Resurrecting
                    [PM2] Restoring processes located in \(pm2.paths.pm2Dump)
                    [PM2] Process \(pm2.file("bin/npm")) restored
                    [PM2] Process /usr/bin/php restored

                    """), "\(restored)")
            try site.answers(site.frontendPort)
            try site.answers(site.backendPort)
            let list = try run(pm2, "pm2 list")
            #expect(list.contains("shop-frontend") && list.contains("shop-backend"))
            let after = try pids(pm2)
            #expect(after.count == 2 && Set(after).isDisjoint(with: before))
            // And all in one line, as the paper's maintenance notes have it.
            try run(pm2, "pm2 save", "pm2 kill && pm2 resurrect && pm2 list")
            try site.answers(site.frontendPort)
            try site.answers(site.backendPort)
        }
    }

    @Test("new launch commands: everything deleted, started anew, saved")
    func newCommands() throws {
        try withPM2 { pm2 in
            let site = try Site(pm2)
            try site.buildShop()
            let start = "PORT=\(site.frontendPort) pm2 start \"npm start\" --name shop-frontend"
            try run(pm2, "cd frontend && \(start)")
            try site.answers(site.frontendPort)
            let described = try run(pm2, "pm2 show shop-frontend")
            #expect(described.contains("bash") && described.contains("-c npm start"))
            try run(pm2, "pm2 delete all", "cd frontend && \(start)", "pm2 save --force")
            try site.answers(site.frontendPort)
            let status = try run(pm2, "pm2 status")
            #expect(status.contains("online") && !status.contains("errored"))
        }
    }

    @Test("a daemon whose sockets and pid file are gone answers all the same, and no app notices")
    func staleFiles() throws {
        try withPM2 { pm2 in
            let site = try Site(pm2)
            try site.buildShop()
            try run(pm2, "cd frontend && PORT=\(site.frontendPort) pm2 start npm --name shop-frontend -- start")
            try site.answers(site.frontendPort)
            let before = try pids(pm2)
            try run(pm2, "rm -rf ~/.pm2/*.sock ~/.pm2/*.pid")
            #expect(try pids(pm2) == before)
            try pm2.home.eventually("the files are back") {
                try pm2.sh("ls ~/.pm2/rpc.sock ~/.pm2/pub.sock ~/.pm2/pm2.pid").code == 0
            }
            // The paper's way out: kill, clear, resurrect.
            try run(pm2, "pm2 save", "pm2 kill", "rm -rf ~/.pm2/*.sock ~/.pm2/*.pid", "pm2 resurrect", "pm2 list")
            try site.answers(site.frontendPort)
            // The commands that ended with 137 and 255 there.
            try run(pm2, "pm2 restart shop-frontend", "pm2 stop shop-frontend", "pm2 list")
        }
    }

    @Test("test, dev and prod side by side, each with its own port and .env, deployed by the script")
    func environments() throws {
        try withPM2 { pm2 in
            let site = try Site(pm2)
            var ports: [String: Int] = [:]
            for name in ["test", "dev", "prod"] {
                let port = try freePort()
                ports[name] = port
                try site.buildBackend("\(name)/backend", port: port)
                let directory = pm2.file("\(name)/backend")
                try run(
                    pm2,
                    """
                    NODE_ENV=\(name) pm2 start \(directory)/index.js \\
                      --name backend-\(name) \\
                      --cwd \(directory)
                    """)
            }
            for (name, port) in ports {
                try site.answers(port)
                #expect(try site.body(port).hasPrefix("\(name) "))
            }

            let prod = try #require(ports["prod"])
            try run(pm2, "pm2 restart backend-prod")
            try site.answers(prod)
            #expect(try site.body(prod).hasPrefix("prod "))
            try pm2.home.eventually("both starts are in the log") {
                try pm2.sh("pm2 logs backend-prod --lines 50 --nostream").output
                    .components(separatedBy: "listening on \(prod)").count > 2
            }
            let errors = try run(pm2, "pm2 logs backend-prod --err --lines 50 --nostream")
            #expect(errors.contains("no cache on \(prod)") && !errors.contains("listening on"))

            // The deployment script.
            let dev = try #require(ports["dev"])
            let deployed = try pm2.sh(
                """
                SERVICE_NAME=backend-dev BACKEND_DIR=\(pm2.file("dev/backend")) ENV=dev
                pm2 stop "$SERVICE_NAME" 2>/dev/null || true
                pm2 delete "$SERVICE_NAME" 2>/dev/null || true
                NODE_ENV=$ENV pm2 start "$BACKEND_DIR/index.js" --name "$SERVICE_NAME" --cwd "$BACKEND_DIR"
                pm2 save
                """)
            #expect(deployed.code == 0, "\(deployed.errors)")
            try site.answers(dev)
            #expect(FileManager.default.fileExists(atPath: pm2.paths.pm2Dump))
            // The same for one that is not there: the script goes on.
            #expect(try pm2.sh("pm2 stop nobody 2>/dev/null || true; pm2 delete nobody 2>/dev/null || true").code == 0)

            try run(pm2, "pm2 stop backend-test", "pm2 delete backend-test", "pm2 flush")
            #expect(try site.status(try #require(ports["test"])) == "000")
            #expect(pm2.read(pm2.paths.logs + "/backend-prod-error.log").isEmpty)
        }
    }

    @Test("an ecosystem file below a hidden directory, by environment and name; its helper checks by cron")
    func ecosystem() throws {
        try withPM2 { pm2 in
            let site = try Site(pm2)
            let port = site.backendPort
            try site.buildBackend("src", port: port)
            try pm2.write(
                "const port = process.env.PORT; process.env.HIDE = '1';\n"
                    + "require('http').createServer((q, r) => r.end(process.env.NODE_ENV + '\\n')).listen(port, '127.0.0.1');\n",
                to: "src/index.js")
            try pm2.write(
                """
                module.exports = {
                  apps: [{
                    name: 'site-api',
                    script: './src/index.js',
                    instances: 1,
                    exec_mode: 'fork',
                    env_production: {
                      NODE_ENV: 'production',
                      PORT: \(port),
                    },
                    autorestart: true,
                    max_restarts: 10,
                    min_uptime: '10s',
                    max_memory_restart: '1G',
                  }, { name: 'other', script: './src/missing-on-purpose.js' }]
                };

                """, to: ".config/pm2/ecosystem.config.js")
            let start = "pm2 start .config/pm2/ecosystem.config.js --env production --only site-api"
            try run(pm2, start)
            try site.answers(port)
            #expect(try site.body(port) == "production\n")
            let list = try run(pm2, "pm2 jlist")
            let apps = try #require(
                JSONSerialization.jsonObject(with: Data(list.utf8)) as? [[String: Any]], "jlist is JSON")
            #expect(apps.count == 1)
            let settings = try #require(apps.first?["pm2_env"] as? [String: Any])
            #expect(settings["max_memory_restart"] as? Int == 1 << 30)
            #expect(settings["min_uptime"] as? Int == 10_000)
            #expect(settings["max_restarts"] as? Int == 10)

            // What the crontab does each hour, and at boot beside the unit: twice is once.
            try run(pm2, "pm2 save", "pm2 resurrect", "pm2 resurrect")
            #expect(try pids(pm2).count == 1)

            // Recovery of the first level, and of the second.
            try run(pm2, "pm2 stop site-api", "pm2 restart site-api")
            try site.answers(port)
            try run(pm2, "pm2 ping >/dev/null", "pm2 kill", "pm2 ping >/dev/null || true", "pm2 resurrect")
            try site.answers(port)
            let again = try pm2.sh(start)
            #expect(again.code == 0, "\(again.output)\(again.errors)")
            try run(pm2, "pm2 reload all", "pm2 monit", "pm2 delete site-api")
        }
    }
}
