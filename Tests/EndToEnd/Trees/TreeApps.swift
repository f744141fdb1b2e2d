import Foundation
import Model
import TestSupport

// Apps whose processes do not stay where they were put. Each process writes its pid into `NAME.pids`.

extension Home {
    /// Pids that the processes of an app wrote down, in the order in which they came up.
    func writtenPids(_ name: String) -> [Int32] { read("\(name).pids").split(separator: "\n").compactMap { Int32($0) } }

    /// Waits until so many processes of an app have written themselves down.
    func pids(_ name: String, count: Int) throws -> [Int32] {
        try eventually("\(count) processes of '\(name)' are up") { writtenPids(name).count >= count }
        return writtenPids(name)
    }

    /// A shell app with `me` (writes down the shell's pid) and `note PID`.
    func tree(_ name: String, _ line: String, interpreter: String = "/bin/sh", stop: StopPolicy = StopPolicy())
        -> AppSpec
    {
        let prelude = "note() { echo $1 >> '\(file(name)).pids'; }; me() { note $$; }; "
        var spec = app(name, interpreter, ["-c", prelude + line])
        spec.stop = stop
        return spec
    }

    func pythonTree(_ name: String, _ body: String, stop: StopPolicy = StopPolicy()) throws -> AppSpec {
        let prelude = """
            import os, signal, socket, subprocess, sys, time
            def note():
                with open(sys.argv[1] if len(sys.argv) > 1 else '\(file(name)).pids', 'a') as file:
                    file.write('%d\\n' % os.getpid())
            def sleep():
                note()
                while True:
                    time.sleep(1000)
            def daemonize(work):
                if os.fork() == 0:
                    os.setsid()
                    if os.fork() == 0:
                        work()
                    os._exit(0)
                os.wait()

            """
        var spec = app(name, try script("\(name).py", prelude + body), interpreter: "python3")
        spec.stop = stop
        return spec
    }

    /// One app of each kind, with the number of processes that it has.
    func everyTree() throws -> [(app: AppSpec, count: Int)] {
        let short = StopPolicy(killTimeout: Milliseconds(300))
        // A process below one without `note`: it gets the file as an argument.
        func file(_ name: String) -> String { self.file("\(name).pids") }
        let link = try pythonTree(
            "link", "note()\nsubprocess.call(['/bin/sh', '-c', 'echo $$ >> \(file("chain")); sleep 100000; :'])")
        return [
            (tree("forks", "me; for n in 1 2; do sleep 100000 & note $!; done; wait"), 3),
            (
                tree(
                    "jobs", "set -m; me; sleep 100000 & note $!; sleep 100000 | sleep 100000 & note $!; wait",
                    interpreter: "/bin/bash"), 3
            ),
            (try pythonTree("daemonizes", "daemonize(sleep)\nsleep()"), 2),
            (
                tree(
                    "other-session",
                    "me; setsid sh -c 'echo $$ >> \(file("other-session")); exec sleep 100000' & wait"), 2
            ),
            (tree("stubborn", "trap '' TERM; me; while :; do sleep 0.05; done", stop: short), 1),
            (
                try pythonTree(
                    "stubborn-descendants",
                    "def stay():\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    sleep()\n"
                        + "daemonize(stay)\ndaemonize(stay)\nsleep()", stop: short), 3
            ),
            (tree("closes-output", "me; exec >&- 2>&-; sleep 100000 & note $!; wait"), 2),
            (
                tree(
                    "spews", "me; head -c 3000000 /dev/urandom; head -c 100000 /dev/zero >&2; while :; do sleep 1; done"
                ),
                1
            ),
            (
                tree(
                    "clears-environment",
                    "me; env -i /bin/sh -c 'echo $$ >> \(file("clears-environment")); sleep 100000 & "
                        + "echo $! >> \(file("clears-environment")); wait' & wait"), 3
            ),
            (
                tree("chain", "me; sh -c 'echo $$ >> \(file("chain")); python3 \(link.script) \(file("chain")); :'; :"),
                4
            ),
        ]
    }
}
