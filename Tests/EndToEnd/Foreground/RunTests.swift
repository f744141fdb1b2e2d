import Control
import Foundation
import Glibc
import Model
import Records
import TestSupport
import Testing

/// Says what it does, and ends in peace.
private let talker = """
    #!/bin/sh
    trap 'echo bye; exit 0' TERM
    number=0
    while :; do
        echo "tick $number"
        echo "oops $number" >&2
        number=$((number + 1))
        sleep 0.05
    done

    """

@Suite("hearth run: apps in the foreground", .waiting)
struct RunTests {
    private func errors(of home: Home) -> String { home.read("run.err") }

    /// `hearth run` in the home's directory, with output and errors in `run.out` and `run.err`.
    private func run(_ home: Home, _ arguments: String) throws -> Int32 {
        try home.write(talker, to: "talker.sh", executable: true)
        let hearth = try Programs.hearth()
        let variables = home.environment.merging([
            "HEARTH_HOME": home.path, "HEARTH_LIBEXEC": (try Programs.keeper() as NSString).deletingLastPathComponent,
        ]) { _, new in new }
        return try home.startProcess(
            "/bin/sh", ["-c", "cd '\(home.path)' && exec '\(hearth)' run \(arguments)"], environment: variables,
            output: "run.out", errors: home.file("run.err"))
    }

    @Test("output and errors come apart, SIGTERM stops app and daemon, and nothing stays")
    func lifetime() throws {
        try withHome(starting: false) { home in
            let pid = try run(home, "./talker.sh --name talker")
            try home.eventually("lines come") { home.read("run.out").contains("tick 3\n") }
            try home.eventually("errors come") { errors(of: home).contains("oops 3\n") }
            #expect(!home.read("run.out").contains("oops"))
            kill(pid, SIGTERM)
            #expect(try home.exitCode(of: pid) == 0)
            let lines = home.read("run.out").split(separator: "\n").map(String.init)
            #expect(lines.last == "bye")
            #expect(lines.dropLast() == (0..<lines.count - 1).map { "tick \($0)" }[...])
            #expect(home.appPids.isEmpty && home.daemonPids.isEmpty)
        }
    }

    @Test("a second run shows nothing of the first one's, and takes the app as it is described now")
    func again() throws {
        try withHome(starting: false) { home in
            for word in ["first", "second"] {
                let pid = try run(home, "\"echo \(word); sleep 1000\" --name app")
                try home.eventually("it speaks") { home.read("run.out").contains(word) }
                kill(pid, SIGINT)
                #expect(try home.exitCode(of: pid) == 0)
            }
            #expect(home.read("run.out") == "first\nsecond\n")
        }
    }

    @Test("with a daemon that was there, only the run's own apps end with it")
    func guest() throws {
        try withHome { home in
            try home.start(home.sleeper("other"))
            let other = try home.pid("other")
            let pid = try run(home, "./talker.sh --name talker --formatted")
            try home.eventually("lines come") { home.read("run.out").contains("1|talker  | tick 2\n") }
            #expect(home.read("run.out").contains("1|talker  | oops 2\n"))
            kill(pid, SIGTERM)
            #expect(try home.exitCode(of: pid) == 0)
            #expect(try home.list().map(\.name) == ["other"])
            #expect(try home.pid("other") == other)
        }
    }

    @Test("lines are not lost when the daemon dies, and the end is as usual")
    func daemonDies() throws {
        try withHome(starting: false) { home in
            let pid = try run(home, "./talker.sh --name talker")
            try home.eventually("lines come") { home.read("run.out").contains("tick 3\n") }
            let daemon = try home.hello().pid
            let app = try home.pid("talker")
            kill(daemon, SIGKILL)
            try home.ready(after: daemon)
            #expect(try home.pid("talker") == app)
            let shown = home.read("run.out").split(separator: "\n").count
            try home.eventually("it goes on") { home.read("run.out").split(separator: "\n").count > shown + 5 }
            kill(pid, SIGTERM)
            #expect(try home.exitCode(of: pid) == 0)
            let lines = home.read("run.out").split(separator: "\n").map(String.init)
            #expect(lines.dropLast() == (0..<lines.count - 1).map { "tick \($0)" }[...])
        }
    }

    @Test("a second signal does not wait for an app that does not want to end")
    func secondSignal() throws {
        try withHome(starting: false) { home in
            let line = "trap '' TERM; echo here; while :; do sleep 0.1; done"
            let pid = try run(home, "\"\(line)\" --name stubborn --kill-timeout 10m")
            try home.eventually("it runs") { home.read("run.out").contains("here") }
            kill(pid, SIGTERM)
            try home.eventually("it is being stopped") { try home.instance("stubborn").status == .stopping }
            kill(pid, SIGTERM)
            #expect(try home.exitCode(of: pid) == 1)
            #expect(home.appPids.isEmpty && home.daemonPids.isEmpty)
        }
    }

    @Test("when nothing is online any more it says so, and ends with 2")
    func autoExit() throws {
        try withHome(starting: false) { home in
            let pid = try run(home, "\"echo only this\" --name short --no-autorestart")
            #expect(try home.exitCode(of: pid) == 2)
            let warnings = (0...3).reversed().map { "0 application online, retry = \($0)\n" }.joined()
            #expect(home.read("run.out") == "only this\n" + warnings)
            #expect(home.daemonPids.isEmpty)
        }
    }

    @Test("what cannot be started ends the run, and the daemon that it began")
    func cannotStart() throws {
        try withHome(starting: false) { home in
            let pid = try run(home, "./missing.js")
            #expect(try home.exitCode(of: pid) == 1)
            #expect(errors(of: home).contains("missing.js"))
            try home.eventually("no daemon stays") { home.daemonPids.isEmpty && home.keeperPids.isEmpty }
        }
    }

    @Test("a reader that does not read keeps nobody from ending")
    func blockedReader() throws {
        try withHome(starting: false) { home in
            let pipe = home.file("pipe")
            #expect(mkfifo(pipe, 0o600) == 0)
            // Held open, never read.
            let reader = open(pipe, O_RDWR | O_CLOEXEC)
            defer { close(reader) }
            let variables = home.environment.merging([
                "HEARTH_HOME": home.path,
                "HEARTH_LIBEXEC": (try Programs.keeper() as NSString).deletingLastPathComponent,
            ]) { _, new in new }
            let pid = try home.startProcess(
                try Programs.hearth(), ["run", "yes", "--name", "yes", "--cwd", home.path], environment: variables,
                output: pipe, errors: home.file("run.err"))
            try home.eventually("it writes") { try home.instance("yes").status == .online }
            kill(pid, SIGTERM)
            #expect(try home.exitCode(of: pid, within: 20) == 0)
            #expect(home.appPids.isEmpty)
        }
    }

    @Test("what was shown does not fill the disk, and is shown to the last byte")
    func space() throws {
        try withHome(starting: false) { home in
            try home.write(
                """
                #!/bin/sh
                number=0
                while [ $number -lt 64 ]; do
                    head -c 131071 /dev/zero | tr '\\0' x
                    echo
                    number=$((number + 1))
                done
                exec sleep 1000

                """, to: "much.sh", executable: true)
            let pid = try run(home, "./much.sh --name much")
            let log = home.paths.logs + "/much-out.log"
            var status = stat()
            try home.eventually("all is shown") {
                stat(home.file("run.out"), &status) == 0 && status.st_size == 8 << 20
            }
            try home.eventually("most is free") {
                stat(log, &status) == 0 && status.st_size == 8 << 20 && status.st_blocks * 512 < 3 << 20
            }
            kill(pid, SIGTERM)
            #expect(try home.exitCode(of: pid) == 0)
            #expect(!home.read("run.out").contains("\0"))
        }
    }

    @Test("one object a line, with what happens to apps")
    func json() throws {
        try withHome(starting: false) { home in
            let pid = try run(home, "./talker.sh --name talker --json")
            try home.eventually("lines come") { home.read("run.out").contains("tick 2") }
            kill(pid, SIGTERM)
            #expect(try home.exitCode(of: pid) == 0)
            let objects = try home.read("run.out").split(separator: "\n").map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            }
            let lines = objects.filter { $0["type"] as? String == "out" }
            #expect(lines.first?["message"] as? String == "tick 0" && lines.first?["process_id"] as? Int == 0)
            #expect(objects.contains { $0["type"] as? String == "err" && $0["message"] as? String == "oops 0" })
            let events = objects.filter { $0["type"] as? String == "process_event" }.map { $0["status"] as? String }
            #expect(events.contains("online") && events.contains("exit"))
        }
    }
}

@Suite("hearth run as process 1 of a container", .waiting, .enabled(if: geteuid() == 0, "needs root for unshare"))
struct ContainerTests {
    /// Starts `hearth run` as process 1 of a pid namespace. Returns the process that waits for it.
    private func container(_ home: Home, _ arguments: String) throws -> Int32 {
        let line = """
            cd '\(home.path)' && exec env HEARTH_HOME='\(home.path)' \
            HEARTH_LIBEXEC='\((try Programs.keeper() as NSString).deletingLastPathComponent)' \
            unshare -pf --mount-proc --kill-child '\(try Programs.hearth())' run \(arguments)
            """
        return try home.startProcess(
            "/bin/sh", ["-c", line], output: "run.out", errors: home.file("run.err"))
    }

    /// Process 1 as we see it from outside.
    private func first(_ home: Home, below pid: Int32) throws -> Int32 {
        var found: Int32?
        try home.eventually("the container has a first process") {
            let children = home.read("/proc/\(pid)/task/\(pid)/children").split(separator: " ").compactMap { Int32($0) }
            found = children.first { Processes.commandLine($0).first?.hasSuffix("/hearth") ?? false }
            return found != nil
        }
        return try #require(found)
    }

    /// Zombies whose parent is this process.
    private func zombies(of parent: Int32) -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.filter { pid in
            guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                let fields = stat.split(separator: ")").last?.split(separator: " "), fields.count > 1
            else { return false }
            return fields[0] == "Z" && Int32(fields[1]) == parent
        }
    }

    @Test("SIGTERM stops the app and ends the container with 0")
    func terminates() throws {
        try withHome(starting: false) { home in
            try home.write(talker, to: "talker.sh", executable: true)
            let outside = try container(home, "./talker.sh --name talker")
            try home.eventually("lines come") { home.read("run.out").contains("tick 3\n") }
            kill(try first(home, below: outside), SIGTERM)
            #expect(try home.exitCode(of: outside) == 0)
            #expect(home.read("run.out").hasSuffix("bye\n"))
            #expect(!home.read("run.err").contains("hearth"))
        }
    }

    @Test("orphans are reaped: those of an app, and those that nobody but process 1 is left for")
    func reaps() throws {
        try withHome(starting: false) { home in
            // Each round leaves a grandchild whose parent is gone before it ends.
            try home.write(
                """
                #!/bin/sh
                number=0
                while :; do
                    (sleep 0.05 & echo "orphan $number")
                    number=$((number + 1))
                    sleep 0.02
                done

                """, to: "orphans.sh", executable: true)
            let outside = try container(home, "./orphans.sh --name orphans")
            try home.eventually("it runs") { home.read("run.out").contains("orphan 20\n") }
            let one = try first(home, below: outside)
            // What `docker exec` does: a process from outside, whose child outlives it.
            let entered = try home.startProcess(
                "/usr/bin/nsenter", ["-t", "\(one)", "-p", "/bin/sh", "-c", "sleep 0.3 & echo $!"],
                output: "entered.out")
            #expect(try home.exitCode(of: entered) == 0)
            var highest = 0
            try home.eventually("many have come and gone") {
                highest = max(highest, zombies(of: one).count)
                return home.read("run.out").contains("orphan 60\n")
            }
            // One may be met between its end and its burial.
            #expect(highest <= 2)
            try home.eventually("no zombie stays with process 1") { zombies(of: one).isEmpty }
            kill(one, SIGTERM)
            #expect(try home.exitCode(of: outside) == 0)
        }
    }
}
