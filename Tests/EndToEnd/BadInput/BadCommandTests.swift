import Control
import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("Bad command lines are refused clearly, and change nothing", .waiting)
struct BadCommandTests {
    private static let programs = [
        BadCommand("missing script", "hearth start missing.js", 1, "missing.js' does not exist"),
        BadCommand("missing path", "hearth start ./missing", 1, "/missing' does not exist", "check the path"),
        BadCommand("missing program", "hearth start no-such-program-x", 1, "no-such-program-x", "PATH"),
        BadCommand("script is a directory", "hearth start ./directory", 1, "is a directory"),
        BadCommand("missing cwd", "hearth start ok.sh --cwd /nonexistent", 1, "'/nonexistent' does not exist", "cwd"),
        BadCommand("cwd is a file", "hearth start ok.sh --cwd /etc/passwd", 1, "'/etc/passwd' is not a directory"),
        BadCommand(
            "interpreter not in PATH", "hearth start ok.sh --interpreter no-such-interpreter", 1,
            "'no-such-interpreter' is not in PATH"),
        BadCommand(
            "script not executable, without interpreter", "hearth start ./not-executable.sh --interpreter none", 1,
            "is not executable", "chmod +x"),
        BadCommand("text without interpreter", "hearth start ./plain", 1, "is not executable"),
        BadCommand("missing environment file", "hearth start ok.sh --env-file nowhere", 1, "nowhere", "no such file"),
        BadCommand("unknown user", "hearth start ok.sh --uid no-such-user-x", 1, "no-such-user-x"),
        BadCommand("unknown group", "hearth start ok.sh --gid no-such-group-x", 1, "no-such-group-x"),
        BadCommand("operand empty", "hearth start ''", 2, "empty"),
        BadCommand("name empty", "hearth start ok.sh --name ''", 2, "--name is empty"),
        BadCommand("name that means every app", "hearth start ok.sh --name all", 1, "'all' means every app"),
        BadCommand("name like a pattern", "hearth start ok.sh --name /x/", 1, "pattern"),
        BadCommand(
            "script that runs already", "hearth start /bin/sleep --name witness -- 100000", 1, "already launched"),
    ]

    private static let selectors = [
        BadCommand("bad expression", "hearth stop '/[/'", 1, "'/[/' is not a regular expression"),
        BadCommand("bad expression to list", "hearth list '/(/'", 1, "'/(/' is not a regular expression"),
        BadCommand("unknown name", "hearth stop nobody", 1, "'nobody'", "hearth list"),
        BadCommand("unknown id", "hearth restart 4711", 1, "'4711'"),
        BadCommand("unknown namespace", "hearth delete nowhere", 1, "'nowhere'"),
        BadCommand("negative id", "hearth delete -- -1", 1, "'-1'"),
        BadCommand("id beyond 32 bits", "hearth delete 99999999999999999999", 1, "'99999999999999999999'"),
        BadCommand("unknown to show", "hearth show nobody", 1, "'nobody'"),
        BadCommand("unknown to why", "hearth why nobody", 1, "'nobody'"),
        BadCommand("unknown to logs", "hearth logs nobody --nostream", 1, "'nobody'"),
        BadCommand("unknown to env", "hearth env nobody", 1, "'nobody'"),
        BadCommand("unknown to pid", "hearth pid nobody", 1, "'nobody'"),
        BadCommand("unknown to signal", "hearth signal HUP nobody", 1, "'nobody'"),
        BadCommand("unknown to scale", "hearth scale nobody 3", 1, "'nobody'"),
        BadCommand("unknown to reset", "hearth reset nobody", 1, "'nobody'"),
        BadCommand("unknown to flush", "hearth flush nobody", 1, "'nobody'"),
        BadCommand(
            "selector of 100 KiB", "hearth stop $(head -c 100000 /dev/zero | tr '\\0' x)", 1, "xxxx"),
        BadCommand("expression of 100 KiB", "hearth stop /$(head -c 100000 /dev/zero | tr '\\0' x)[/", 1, "xxxx"),
    ]

    private static let texts = [
        BadCommand(
            "name that is not UTF-8", "hearth start ok.sh --name \"$(printf 'a\\377b')\"", 2, "argument 4", "UTF-8"),
        BadCommand(
            "argument that is not UTF-8", "hearth start ok.sh -- \"$(printf '\\377\\376')\"", 2, "argument 4", "UTF-8"),
        BadCommand(
            "--env that is not UTF-8", "hearth start ok.sh --env \"$(printf 'A=\\377')\"", 2, "argument 4", "UTF-8"),
        BadCommand("selector that is not UTF-8", "hearth stop \"$(printf '\\300\\257')\"", 2, "argument 2", "UTF-8"),
        BadCommand("home that is not UTF-8", "HEARTH_HOME=\"$(printf '/tmp/\\377')\" hearth list", 2, "UTF-8"),
        BadCommand(
            "arguments over the kernel's limit in all",
            "x=$(head -c 120000 /dev/zero | tr '\\0' x); hearth start ok.sh --env-file e.env -- $x $x $x $x $x", 1,
            "e.env"),
        BadCommand("variable without a name", "hearth start ok.sh --env =x", 2, "'=x' has no name"),
        BadCommand("variable without '='", "hearth start ok.sh --env NAME", 2, "'NAME'", "KEY=value"),
        BadCommand("variable empty", "hearth start ok.sh --env ''", 2, "KEY=value"),
        BadCommand(
            "name of 300 bytes", "hearth start ok.sh --name $(head -c 300 /dev/zero | tr '\\0' n)", 1, "300 bytes"),
    ]

    private static let numbers = [
        BadCommand("too many instances", "hearth start ok.sh -i 999999", 2, "--instances", "'999999'"),
        BadCommand("instances not a number", "hearth start ok.sh -i many", 2, "'many'"),
        BadCommand("negative time", "hearth start ok.sh --kill-timeout=-1", 2, "--kill-timeout", "'-1'"),
        BadCommand(
            "time without an end", "hearth start ok.sh --kill-timeout 99999999999999999999", 2, "--kill-timeout"),
        BadCommand("time in a strange unit", "hearth start ok.sh --min-uptime 5parsec", 2, "'5parsec'"),
        BadCommand("negative delay", "hearth start ok.sh --restart-delay=-5", 2, "--restart-delay"),
        BadCommand("negative restarts", "hearth start ok.sh --max-restarts=-3", 2, "--max-restarts", "'-3'"),
        BadCommand("restarts as a float", "hearth start ok.sh --max-restarts 1e9", 2, "'1e9'"),
        BadCommand("unknown policy", "hearth start ok.sh --restart sometimes", 2, "on-failure"),
        BadCommand("unknown signal to stop", "hearth start ok.sh --kill-signal SIGNOPE", 2, "'SIGNOPE'"),
        BadCommand("exit code over 255", "hearth start ok.sh --stop-exit-codes 300", 2, "0 to 255"),
        BadCommand("stdin of an unknown kind", "hearth start ok.sh --stdin tty", 2, "pipe or null"),
        BadCommand("signal 99", "hearth signal 99 witness", 2, "'99' is not a signal"),
        BadCommand("signal 0", "hearth signal 0 witness", 2, "'0' is not a signal"),
        BadCommand("scale below nothing", "hearth scale witness -5", 1, "not possible"),
        BadCommand("scale to 5,000", "hearth scale witness 5000", 1, "0 to 1024"),
        BadCommand("scale beyond 64 bits", "hearth scale witness 99999999999999999999", 2, "number of instances"),
        BadCommand("lines that are no number", "hearth logs --lines 5x witness", 2, "'5x'"),
        BadCommand("timeout of nothing", "hearth list --timeout 0", 2, "--timeout"),
        BadCommand("unknown command", "hearth nonsense", 2, "no command 'nonsense'"),
        BadCommand("unknown option", "hearth list --nonsense", 2, "--nonsense"),
        BadCommand("nothing to start", "hearth start", 2, "Missing expected argument"),
        BadCommand("snapshot outside its directory", "hearth save ../evil", 1, "'../evil'"),
        BadCommand("unknown snapshot to resurrect", "hearth resurrect nowhere", 1, "'nowhere'"),
        BadCommand("unknown snapshot to compare", "hearth snapshots diff nowhere", 1, "'nowhere'"),
        BadCommand("upgrade to what is no program", "hearth upgrade --path ./plain", 1, "plain", "not an executable"),
    ]

    @Test("programs, directories and interpreters that are not there")
    func programs() throws { try run(Self.programs) }

    @Test("selectors that mean nobody")
    func selectors() throws { try run(Self.selectors) }

    @Test("texts that cannot be passed on")
    func texts() throws { try run(Self.texts) }

    @Test("numbers out of range, and words that are none of the choices")
    func numbers() throws { try run(Self.numbers) }

    private func run(_ table: [BadCommand]) throws {
        try withHome { home in
            try home.prepareForBadInput()
            let before = try Unchanged(home)
            for command in table { try command.check(in: home, before) }
        }
    }

    @Test("'all' in an empty list is refused, and `start all` does nothing")
    func allOfNothing() throws {
        try withHome { home in
            for verb in ["stop", "restart", "delete", "reset", "flush", "start"] {
                let result = try home.hearth(verb, "all")
                #expect(result.code == 1, "\(verb)")
                #expect(result.errors.contains("there are no apps"), "\(verb): \(result.errors)")
            }
            #expect(try home.hearth("list").code == 0)
        }
    }

    @Test("several targets of which one is unknown: all that can be done is done, the other is told")
    func oneUnknown() throws {
        try withHome { home in
            try home.start(home.sleeper("one"), home.sleeper("two"))
            let stop = try home.hearth("stop", "one", "nobody", "two")
            #expect(stop.code == 1)
            #expect(stop.errors.contains("'nobody'"))
            #expect(try home.list().map(\.status) == [.stopped, .stopped])
            let delete = try home.hearth("delete", "one", "4711", "--json")
            #expect(delete.code == 1)
            #expect(delete.output.contains("\"ok\":false") && delete.output.contains("\"ok\":true"))
            #expect(try home.list().map(\.name) == ["two"])
        }
    }
}
