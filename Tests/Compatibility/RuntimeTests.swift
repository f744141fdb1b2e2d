import Glibc
import Records
import TestSupport
import Testing

@Suite("pm2: in the foreground")
struct RuntimeTests {
    @Test(
        "apps run and are heard until SIGTERM, which stops them",
        arguments: [
            "pm2-runtime app.js --name api", "pm2-runtime start apps.json", "pm2 start app.js --name api --no-daemon",
        ])
    func foreground(line: String) throws {
        try withPM2 { pm2 in
            try pm2.write("console.log('begin'); setInterval(() => {}, 1000)\n", to: "app.js")
            try pm2.write("{ apps: [{ name: 'api', script: 'app.js' }] }", to: "apps.json")
            let run = try pm2.start("exec \(line)")
            try pm2.home.eventually("the app is heard") { pm2.home.output(of: run).contains("begin\n") }
            if !line.contains("no-daemon") {
                #expect(PM2Home.lines(of: pm2.home.output(of: run)).contains("begin"), "lines are as they were written")
            }
            let pid = try pm2.process("api").pid
            #expect(Processes.isRunning(pid))
            kill(run.pid, SIGTERM)
            #expect(try pm2.home.result(of: run).code == 0)
            #expect(!Processes.isRunning(pid))
            #expect(pm2.home.daemonPids == [])
        }
    }
}
