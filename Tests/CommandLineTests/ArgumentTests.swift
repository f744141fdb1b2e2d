import ArgumentParser
import Configuration
import Foundation
import Model
import Testing

@testable import CommandLine

@Suite("The command line")
struct ArgumentTests {
    @Test(
        "options in front of the command move behind it; numbers and app arguments are protected",
        arguments: [
            ("list", "list"), ("--home /h list", "list --home /h"), ("--home=/h --json ls", "ls --home=/h --json"),
            ("--home /h daemon detach", "daemon detach --home /h"),
            ("--home /h start a.js -- --x -1", "start a.js --home /h --app-argument --x --app-argument -1"),
            ("start a.js --", "start a.js"), ("scale api -1", "scale api --by=-1"), ("scale api +2", "scale api +2"),
            ("scale api -x", "scale api -x"), ("stop -- -odd", "stop -- -odd"), ("--version", "--version"), ("", ""),
            ("--home", "--home"), ("--home /h", "--home /h"),
        ])
    func normalised(given: String, expected: String) {
        let words = given.split(separator: " ").map(String.init)
        #expect(Arguments.normalised(words).joined(separator: " ") == expected)
    }

    @Test(
        "every command, alias and option is understood",
        arguments: [
            "start a.js --name x -i 4 --node-args=--inspect --env A=1 --env B=2 --env-file .env -k 5s --kill-signal INT",
            "start a.js -i4 -n x -o o -e e --merge-logs --stdin null --uid u --gid g -f --no-treekill --no-autostart",
            "start a.js -i -1 --max-restarts 3 --min-uptime 1s --restart-delay 100 --exp-backoff-restart-delay 100",
            "start a.js --restart on-failure --no-autorestart --stop-exit-codes 3,4 --no-slow-retry --namespace n --cwd /",
            "start apps.json --only a,b --env production", "stop all", "restart 0 api /x/ --update-env",
            "restart -a api",
            "delete api", "del 3", "list", "ls", "l", "ps", "status", "list --json", "show api", "describe 0", "info x",
            "desc x", "logs", "log api --lines 50 --err --nostream", "logs --no-stream --out --raw",
            "logs -f --lines -5",
            "flush", "flush api", "save", "save nightly --force", "dump", "resurrect", "reset all", "scale api 4",
            "scale api +2", "scale api --by=-1", "signal SIGHUP api", "sendSignal USR2 api", "pid", "pid api", "env 0",
            "events --replay 5 --json", "ping", "up", "kill", "daemon", "daemon status", "daemon detach", "upgrade",
            "upgrade --path /x", "why", "why api", "snapshots", "snapshots list", "snapshots diff a",
            "snapshots diff a b",
            "snapshots undo", "snapshots undo a", "help", "list --home /h --timeout 500ms", "generate-manual",
        ])
    func parses(line: String) throws {
        let words = line.split(separator: " ").map(String.init)
        try Arguments.requireKnownCommand(words)
        _ = try Hearth.parseAsRoot(Arguments.normalised(words))
    }

    @Test("an unknown command is named, with the nearest known one")
    func unknown() {
        #expect(throws: Failure.usage("there is no command 'lsit'; did you mean 'list'?")) {
            try Arguments.requireKnownCommand(["lsit"])
        }
    }

    @Test("what follows -- belongs to the app, whatever it looks like")
    func appArguments() throws {
        let words = Arguments.normalised(["start", "npm", "--name", "web", "--", "start", "--name", "", "-x", "a=b"])
        let command = try #require(try Hearth.parseAsRoot(words) as? StartCommand)
        #expect(command.operands == ["npm"])
        #expect(command.options.name == "web")
        #expect(command.arguments == ["start", "--name", "", "-x", "a=b"])
    }

    @Test(
        "options with a wrong value are usage errors",
        arguments: [
            ("--max-restarts x", "--max-restarts: expected a whole number, 0 or more, found 'x'"),
            ("--kill-timeout 5x", "--kill-timeout: expected a time: milliseconds, or 5s, 2m, found '5x'"),
            ("-i many", "--instances: expected a number or max, found 'many'"),
            ("--restart sometimes", "--restart: expected always, on-failure or never, found 'sometimes'"),
            ("--kill-signal FOO", "--kill-signal: expected a signal such as SIGTERM, found 'FOO'"),
            ("--stdin file", "--stdin: expected pipe or null, found 'file'"),
            (
                "--stop-exit-codes 300",
                "--stop-exit-codes: expected exit codes from 0 to 255, such as 0,143, found '300'"
            ),
            ("--env =x", "'=x' has no name before the '='"),
        ])
    func usage(options: String, message: String) throws {
        let words = ["start", "a.js"] + options.split(separator: " ").map(String.init)
        let command = try #require(try Hearth.parseAsRoot(words) as? StartCommand)
        #expect(throws: Failure.usage(message)) { try command.options.draft() }
    }

    @Test("options reach the draft")
    func draft() throws {
        let line = "start a.js -n web -i max --env A=1=2 --node-args=--inspect -k 300 --kill-signal int --no-treekill"
        let command = try #require(
            try Hearth.parseAsRoot(line.split(separator: " ").map(String.init)) as? StartCommand)
        let draft = try command.options.draft()
        #expect(draft.name == "web")
        #expect(draft.instances == .processors(fewer: 0))
        #expect(draft.environment == ["A": "1=2"])
        #expect(draft.interpreterArguments == ["--inspect"])
        #expect(draft.killTimeout == Milliseconds(300))
        #expect(draft.killSignal == .int)
        #expect(draft.killsTree == false)
    }

    @Test("the plain forms of list need no parser, all others do")
    func plainList() throws {
        #expect(try ListRunner.plain(["list"]) != nil)
        #expect(try ListRunner.plain(["ls", "--json", "--home", "/h"])?.json == true)
        for words in [
            ["list", "api"], ["list", "--help"], ["stop"], [], ["list", "--home"], ["list", "--timeout", "5s"],
        ] {
            #expect(try ListRunner.plain(words) == nil)
        }
    }

    @Test("the caller's session stays outside")
    func environment() {
        let own = CallerEnvironment(
            entries: [
                "PATH=/bin", "HOME=/h", "A=", "B=x=y", "SSH_AUTH_SOCK=/s", "TERM=xterm", "SHLVL=1", "_=/bin/hearth",
                "HOSTNAME=h", "OLDPWD=/", "XDG_SESSION_ID=1", "XDG_RUNTIME_DIR=/run/u", "HEARTH_HOME=/x",
                "LISTEN_FDS=1",
                "NODE_CHANNEL_FD=3", "NOTIFY_SOCKET=/n", "pm_id=0", "NODE_ENV=production", "nonsense", "=x",
            ].map { Array($0.utf8) } + [[0x42, 0x41, 0x44, 0x3d, 0xff]])
        #expect(
            own.variables == [
                "PATH": "/bin", "HOME": "/h", "A": "", "B": "x=y", "XDG_RUNTIME_DIR": "/run/u",
                "NODE_ENV": "production",
            ])
        #expect(own.unreadable == ["BAD"])
    }

    @Test("the manual names every command that is shown")
    func manual() throws {
        let dump = try JSONDecoder().decode(ManualPage.Dump.self, from: Data(Hearth._dumpHelp().utf8))
        let page = ManualPage.render(dump.command)
        for command in ["start", "stop", "list", "logs", "snapshots undo", "daemon detach", "upgrade"] {
            #expect(page.contains(".SS \"hearth \(command)\""))
        }
        #expect(!page.contains("generate"))
        #expect(!page.contains("app\\-argument"))
    }
}
