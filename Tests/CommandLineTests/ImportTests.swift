import Control
import Foundation
import Model
import Records
import Testing

@testable import CommandLine

@Suite("What is imported")
struct ImportTests {
    @Test(
        "lines of a crontab are taken apart",
        arguments: [
            ("30 4 * * * cd /srv && /usr/bin/pm2 restart api >> /tmp/x 2>&1", "30 4 * * *", ["restart", "api"]),
            ("@reboot sleep 30 && pm2 resurrect", "@reboot", ["resurrect"]),
            ("0 * * * *\tpm2 save", "0 * * * *", ["save"]),
            ("0 0 * * * PM2_HOME=/srv/.pm2 sudo pm2 reload 'my app' >/dev/null", "0 0 * * *", ["reload", "my app"]),
            ("@daily pm2 flush;", "@daily", ["flush"]),
            ("0 0 * * * pm2 restart api || mail -s down ops", "0 0 * * *", nil),
            ("0 0 * * * pm2 restart api && echo done", "0 0 * * *", nil),
            ("0 0 * * * echo pm2 restart api", "0 0 * * *", nil),
            ("0 0 * * * find logs -name '*.log' -delete", "0 0 * * *", nil),
        ] as [(String, String, [String]?)])
    func crontab(line: String, schedule: String, words: [String]?) throws {
        let entry = try #require(CrontabLine(line))
        #expect(entry.schedule == schedule && entry.text == line)
        #expect(entry.onlyStep.flatMap(CrontabLine.pm2Words) == words)
    }

    @Test(
        "comments, variables and empty lines of a crontab are no lines",
        arguments: ["", "  ", "# x", "MAILTO=a b", "A = 1"])
    func noLines(line: String) { #expect(CrontabLine(line) == nil) }

    @Test("a line that cron does not understand is told, whatever it is", arguments: ["pm2 save", "* * *", "@reboot"])
    func malformed(line: String) throws { #expect(try #require(CrontabLine(line)).schedule.isEmpty) }

    @Test("times become cron patterns where there is one")
    func patterns() throws {
        #expect(try #require(CrontabLine("@weekly pm2 flush")).pattern == "0 0 * * 0")
        #expect(try #require(CrontabLine("*/5 1-3 * * MON pm2 flush")).pattern == "*/5 1-3 * * MON")
        #expect(try #require(CrontabLine("@reboot pm2 flush")).pattern == nil)
    }

    @Test("variables of the session are left out, those that every app gets only when they are the same")
    func environment() {
        let variables = [
            "PATH": "/usr/bin", "HOME": "/home/a", "LANG": "C", "SSH_CLIENT": "x", "LS_COLORS": "x",
            "XDG_DATA_DIRS": "x",
            "PM2_HOME": "/x", "pm_id": "0", "km_link": "false", "NODE_ENV": "production", "DB_PASSWORD": "p",
            "URL": "postgres://u:p@h/d", "HOSTNAME": "127.0.0.1",
        ]
        let found = ImportedEnvironment(
            variables, base: ["PATH": "/bin", "HOME": "/home/a", "LANG": "C"], host: "server")
        #expect(found.kept.keys.sorted() == ["DB_PASSWORD", "HOSTNAME", "NODE_ENV", "PATH", "URL"])
        #expect(found.secrets == ["DB_PASSWORD", "URL"])
        #expect(found.unusual == ["HOSTNAME", "PATH"])
        #expect(found.usual == ["HOME", "LANG"])
        #expect(found.session == ["LS_COLORS", "SSH_CLIENT", "XDG_DATA_DIRS"])
        #expect(found.pm2 == ["PM2_HOME", "km_link", "pm_id"])
        #expect(ImportedEnvironment(["HOSTNAME": "server"], base: [:], host: "server").session == ["HOSTNAME"])
    }

    @Test("a unit of PM2's is recognised by its home")
    func unit() {
        let unit = UnitImport(
            path: "/etc/systemd/system/pm2-deploy.service",
            text: """
                [Unit]
                Description=PM2
                [Service]
                # User=root
                User=deploy
                Environment=PATH=/usr/bin \\
                  PM2_HOME=/home/deploy/.pm2
                ExecStart=/usr/lib/node_modules/pm2/bin/pm2 resurrect
                ExecStartPre=/usr/bin/true
                [Install]
                User=nobody
                """)
        let paths = HomePaths(home: "/home/deploy/.pm2", isPM2: true)
        #expect(unit.user == "deploy" && unit.pm2Home == "/home/deploy/.pm2")
        #expect(unit.concerns(paths, user: "other"))
        #expect(!unit.concerns(HomePaths(home: "/root/.pm2", isPM2: true), user: "deploy"))
        let items = unit.report(paths, user: "deploy").items
        #expect(items.map(\.outcome) == [.converted, .notNeeded, .attention, .keep])
        #expect(items.map(\.text)[2] == "ExecStart=/usr/lib/node_modules/pm2/bin/pm2 resurrect")
    }

    @Test("of a dump that breaks off the closed records are found")
    func wholeRecords() {
        func whole(_ text: String) -> String {
            String(decoding: DumpImport.wholeRecords(Array(text.utf8)), as: UTF8.self)
        }
        #expect(whole(#" [{"a":"}]\""},{"b":[1]},{"c"#) == #" [{"a":"}]\""},{"b":[1]}]"#)
        #expect(whole(#"[{"a":1"#) == "")
        #expect(whole(#"{"a":{}}"#) == "")
        #expect(whole("") == "")
        #expect(whole("]]]]{") == "")
    }
}
