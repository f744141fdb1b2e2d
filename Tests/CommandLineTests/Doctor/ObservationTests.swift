import Model
import Platform
import Testing

@testable import CommandLine

@Suite("doctor: what texts of the system mean")
struct ObservationTests {
    @Test("the cgroup and unit of a process, on machines with pure and with mixed hierarchies")
    func cgroups() {
        let pure = "0::/user.slice/user-1000.slice/session-3.scope\n"
        #expect(ProcessFacts.systemdCgroup(in: pure) == "/user.slice/user-1000.slice/session-3.scope")
        let mixed = "9:name=systemd:/system.slice/a.service\n4:memory:/x\n0::/\n"
        #expect(ProcessFacts.systemdCgroup(in: mixed) == "/system.slice/a.service")
        #expect(ProcessFacts.systemdCgroup(in: "nonsense\n:\n") == nil)
        #expect(ProcessFacts.unit(ofCgroup: "/system.slice/hearth-apps.service/3") == "hearth-apps.service")
        #expect(ProcessFacts.unit(ofCgroup: "/") == nil)
        #expect(Origin.place("/system.slice/a.service") == .unit("a.service", isUser: false))
        #expect(
            Origin.place("/user.slice/user-1.slice/user@1.service/app.slice/b.service")
                == .unit("b.service", isUser: true))
        #expect(Origin.place("/user.slice/user-1.slice/session-3.scope") == .session("session-3.scope"))
        #expect(Origin.place("/system.slice/docker-abc.scope") == .container("docker-abc.scope"))
        #expect(Origin.place("/init.scope") == nil)
    }

    @Test("who holds a lock: not who waits for it, and not another file") func locks() {
        let text = """
            1: POSIX  ADVISORY  WRITE 7 fe:00:42 0 EOF
            2: FLOCK  ADVISORY  WRITE 8 fe:00:41 0 EOF
            3: FLOCK  ADVISORY  WRITE 9 fe:00:42 0 EOF
            3: -> FLOCK  ADVISORY  WRITE 10 fe:00:42 0 EOF
            """
        #expect(ProcessFacts.lockHolder(in: text, inode: 42) == 9)
        #expect(ProcessFacts.lockHolder(in: text, inode: 43) == nil)
        #expect(ProcessFacts.lockHolder(in: "", inode: 42) == nil)
    }

    @Test("programs of ExecStart, behind a shell and setpriv, too") func programs() {
        let own = """
            { path=/bin/sh ; argv[]=/bin/sh -c { echo 0 >"$0"; } 2>/dev/null; exec "$@" /sys/fs/cgroup/x/cgroup.procs \
            /usr/bin/setpriv --reuid=1 -- /usr/lib/hearth/hearth-keeper --home /h ; ignore_errors=no ; pid=0 }
            """
        #expect(UnitEvidence.programs(inExecStart: own) == ["/bin/sh", "/usr/lib/hearth/hearth-keeper"])
        #expect(
            UnitEvidence.programs(inExecStart: "{ path=/usr/lib/node_modules/pm2/bin/pm2 ; argv[]=x }") == [
                "/usr/lib/node_modules/pm2/bin/pm2"
            ])
        #expect(UnitEvidence.programs(inExecStart: "") == [])
    }

    @Test("lines of crontabs: whose, when, and which manager they call") func crontabs() {
        let own = Crontabs.lines(
            of: """
                MAILTO=root
                # comment
                @reboot sleep 30 && /usr/bin/pm2 resurrect
                @reboot PATH=/bin HEARTH_HOME=/h /usr/bin/hearth up # hearth-deploy
                */5 * * * * /srv/check.sh
                broken
                """, source: "crontab -l", user: "deploy")
        #expect(own.map(\.isAtBoot) == [true, true, false])
        #expect(own.map { $0.managerCall?.prefix(2).joined(separator: " ") } == ["pm2 resurrect", "hearth up", nil])
        let system = Crontabs.lines(of: "17 * * * * root run-parts /etc/cron.hourly", source: "/etc/crontab", user: nil)
        #expect(system.map(\.user) == ["root"])
        #expect(system.map(\.command) == ["run-parts /etc/cron.hourly"])
    }

    @Test("whether a command line is that of an app") func commandLines() {
        let node = AppSpec(name: "api", script: "/srv/api/server.js", interpreter: "node", cwd: "/srv/api")
        #expect(Copies.runs(node, ["node", "server.js"], "/srv/api"))
        #expect(Copies.runs(node, ["/usr/bin/node", "--inspect", "/srv/api/server.js"], "/"))
        #expect(Copies.runs(node, ["node /srv/api/server.js"], "/"))
        #expect(!Copies.runs(node, ["node", "server.js"], "/srv/other"))
        #expect(!Copies.runs(node, ["node", "/srv/api/server.js", "--migrate"], "/"))
        #expect(!Copies.runs(node, ["vim", "/srv/api/server.js"], "/"))
        #expect(!Copies.runs(node, [], nil))
        let php = AppSpec(
            name: "backend", script: "/usr/bin/php", arguments: ["artisan", "serve"], cwd: "/srv/backend")
        #expect(Copies.runs(php, ["php", "artisan", "serve"], "/srv/backend"))
        #expect(!Copies.runs(php, ["php", "artisan", "serve"], "/srv/other"))
        #expect(!Copies.runs(php, ["php", "artisan", "queue:work"], "/srv/backend"))
    }
}
