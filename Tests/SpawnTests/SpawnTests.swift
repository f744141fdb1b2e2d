import CLinux
import Foundation
import Glibc
import Synchronization
import Testing

@Suite("Spawn")
struct SpawnTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Runs a command and returns what it wrote to its log.
    private func output(of command: String, _ change: (inout Spawn) -> Void = { _ in }) throws -> String {
        var spawn = Spawn.shell(command)
        spawn.stdout = scratch.file("out")
        change(&spawn)
        #expect(try spawn.start().exitCode() == 0)
        return scratch.read("out").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test("a child leads a session of its own, in its directory, with its umask")
    func session() throws {
        let text = try output(of: "echo $(ps -o sid= -p $$) $$ $PWD $(umask)") {
            $0.cwd = scratch.path
            $0.umask = 0o027
        }
        let words = text.split(separator: " ")
        try #require(words.count == 4)
        #expect(words[0] == words[1])
        #expect(words[2] == scratch.path)
        #expect(words[3] == "0027")
    }

    @Test("a child has the descriptors that were meant, also when their numbers cross, and no other")
    func descriptors() throws {
        let left = open("/dev/zero", O_RDONLY), right = open("/dev/full", O_WRONLY), stray = open("/dev/null", O_RDONLY)
        defer { for fd in [left, right, stray] { close(fd) } }
        let text = try output(of: "readlink /proc/$$/fd/* ; ls /proc/$$/fd") {
            $0.descriptors = [clinux_spawn_fd(from: left, to: right), clinux_spawn_fd(from: right, to: left)]
        }
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.contains("/dev/zero"))
        #expect(lines.contains("/dev/full"))
        // The shell keeps no descriptor of its own for -c.
        #expect(Set(lines.suffix(5)) == Set(["0", "1", "2", "\(left)", "\(right)"]))
    }

    @Test("an impossible descriptor fails before anything runs")
    func wrongDescriptor() throws {
        var spawn = Spawn.shell("true")
        spawn.descriptors = [clinux_spawn_fd(from: 900, to: 3)]
        #expect(throws: Spawn.Failure(stage: CLINUX_STAGE_DESCRIPTORS.rawValue, errno: EBADF)) { try spawn.start() }
    }

    @Test("output is appended to two logs, with the mode asked for")
    func logs() throws {
        _ = try scratch.script("before\n", name: "out", mode: 0o600)
        var spawn = Spawn.shell("echo words; echo trouble >&2")
        spawn.stdout = scratch.file("out")
        spawn.stderr = scratch.file("err")
        spawn.logMode = 0o666
        #expect(try spawn.start().exitCode() == 0)
        #expect(scratch.read("out") == "before\nwords\n")
        #expect(scratch.read("err") == "trouble\n")
        let mode = try FileManager.default.attributesOfItem(atPath: scratch.file("err"))[.posixPermissions] as? Int
        #expect(mode == 0o666)
    }

    @Test("one path for both is one description")
    func sameLog() throws {
        let text = try output(of: "echo a; echo b >&2; echo c") { $0.stderr = $0.stdout }
        #expect(text == "a\nb\nc")
    }

    @Test("a device is a log too; a FIFO without a reader and a link are refused")
    func unusualLogs() throws {
        #expect(try output(of: "echo lost >&2; echo kept") { $0.stderr = "/dev/null" } == "kept")
        mkfifo(scratch.file("fifo"), 0o600)
        symlink(scratch.file("out"), scratch.file("link"))
        var spawn = Spawn.shell("true")
        spawn.stdout = scratch.file("fifo")
        #expect(throws: Spawn.Failure(stage: CLINUX_STAGE_STDOUT.rawValue, errno: ENXIO)) { try spawn.start() }
        spawn.stdout = nil
        spawn.stderr = scratch.file("link")
        #expect(throws: Spawn.Failure(stage: CLINUX_STAGE_STDERR.rawValue, errno: ELOOP)) { try spawn.start() }
        let reader = open(scratch.file("fifo"), O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        spawn = .shell("grep flags /proc/self/fdinfo/1")
        spawn.stdout = scratch.file("fifo")
        #expect(try spawn.start().exitCode() == 0)
        var buffer = [UInt8](repeating: 0, count: 100)
        let count = read(reader, &buffer, buffer.count)
        let flags = String(bytes: buffer.prefix(max(0, count)), encoding: .utf8)?.split(whereSeparator: \.isWhitespace)
        // Octal, without O_NONBLOCK: the app is to wait for its reader.
        #expect(flags?.last.flatMap { Int($0, radix: 8) }.map { $0 & Int(O_NONBLOCK) } == 0)
    }

    @Test("stdin waits for ever, in a pipe of one page, and takes words through /proc")
    func stdin() throws {
        var spawn = Spawn.shell("read line; echo \"got $line\"; read line")
        spawn.stdout = scratch.file("out")
        let child = try spawn.start()
        let writer = open("/proc/\(child.pid)/fd/0", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        try #require(writer >= 0)
        #expect(fcntl(writer, 1032 /* F_GETPIPE_SZ */) == 4096)
        #expect(write(writer, "hello\n", 6) == 6)
        #expect(eventually { scratch.read("out") == "got hello\n" })
        close(writer)
        // The last writer outside is gone: the second read must still be waiting.
        #expect(child.exitCode(within: 0.3) == nil)
    }

    @Test("stdin of /dev/null is at its end")
    func stdinNull() throws {
        #expect(try output(of: "cat; echo end; readlink /proc/$$/fd/0") { $0.stdinIsNull = true } == "end\n/dev/null")
    }

    @Test("signals are neither blocked nor ignored")
    func signals() throws {
        let before = signal(SIGUSR2, SIG_IGN)
        var blocked = sigset_t()
        var former = sigset_t()
        sigemptyset(&blocked)
        sigaddset(&blocked, SIGUSR1)
        pthread_sigmask(SIG_BLOCK, &blocked, &former)
        defer {
            pthread_sigmask(SIG_SETMASK, &former, nil)
            signal(SIGUSR2, before)
        }
        var spawn = Spawn(path: "/bin/grep", arguments: ["-E", "Sig(Blk|Ign|Cgt)", "/proc/self/status"])
        spawn.stdout = scratch.file("out")
        #expect(try spawn.start().exitCode() == 0)
        let masks = scratch.read("out").split(separator: "\n").map { $0.split(separator: "\t").last ?? "" }
        #expect(masks.count == 3)
        #expect(masks.prefix(2).allSatisfy { $0.allSatisfy { $0 == "0" } }, "\(masks)")
        // The caller's own mask is as before.
        var now = sigset_t()
        pthread_sigmask(SIG_BLOCK, nil, &now)
        #expect(sigismember(&now, SIGUSR1) == 1)
        #expect(sigismember(&now, SIGINT) == sigismember(&former, SIGINT))
    }

    @Test("the pid is in its slot before exec, and in LISTEN_PID; a failure clears the slot")
    func pidSlot() throws {
        let slot = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
        slot.initialize(to: -1)
        defer { slot.deallocate() }
        var spawn = Spawn.shell("echo $$ $LISTEN_PID")
        spawn.stdout = scratch.file("out")
        spawn.pidSlot = slot
        spawn.setsListenPid = true
        let child = try spawn.start()
        #expect(slot.pointee == child.pid)
        #expect(child.exitCode() == 0)
        #expect(scratch.read("out") == "\(child.pid) \(child.pid)\n")
        spawn.path = "/nonexistent"
        #expect(throws: Spawn.Failure.self) { try spawn.start() }
        #expect(slot.pointee == 0)
    }

    @Test("the soft limit on open files is given back")
    func limit() throws {
        #expect(try output(of: "ulimit -Sn") { $0.openFiles = 99 } == "99")
    }

    @Test("a script without #! is run by the shell, with its arguments")
    func noInterpreter() throws {
        var spawn = Spawn(path: try scratch.script("echo \"$0 $1 $2\"\n"), arguments: ["a b", "c"])
        spawn.stdout = scratch.file("out")
        #expect(try spawn.start().exitCode() == 0)
        #expect(scratch.read("out") == "\(spawn.path) a b c\n")
    }

    @Test("many arguments fit, also through the shell")
    func manyArguments() throws {
        var spawn = Spawn(path: try scratch.script("echo $#\n"))
        spawn.arguments = [String](repeating: "x", count: 50_000)
        spawn.stdout = scratch.file("out")
        #expect(try spawn.start().exitCode() == 0)
        #expect(scratch.read("out") == "50000\n")
    }

    @Test("what fails is told, with its stage and errno")
    func failures() throws {
        let plain = try scratch.script("true", name: "plain", mode: 0o644)
        func check(_ stage: clinux_spawn_stage, _ errno: Int32, _ change: (inout Spawn) -> Void) {
            var spawn = Spawn.shell("true")
            change(&spawn)
            #expect(throws: Spawn.Failure(stage: stage.rawValue, errno: errno)) { try spawn.start() }
        }
        check(CLINUX_STAGE_EXEC, ENOENT) { $0.path = scratch.file("missing") }
        check(CLINUX_STAGE_EXEC, EACCES) { $0.path = plain }
        check(CLINUX_STAGE_CWD, ENOENT) { $0.cwd = scratch.file("missing") }
        check(CLINUX_STAGE_CWD, ENOTDIR) { $0.cwd = plain }
        check(CLINUX_STAGE_STDOUT, ENOENT) { $0.stdout = scratch.file("missing/out") }
        check(CLINUX_STAGE_STDERR, EISDIR) { $0.stderr = scratch.path }
    }

    @Test("a user and his groups are taken on, and the log becomes his", .enabled(if: geteuid() == 0))
    func user() throws {
        let scratch = try Scratch(isPublic: true)
        var spawn = Spawn.shell("id -u; id -g; id -G; test -w /dev/stdin && echo writable")
        spawn.stdout = scratch.file("out")
        spawn.cwd = "/"
        spawn.logMode = 0o640
        spawn.user = (uid: 12345, gid: 23456, groups: [23456, 34567])
        #expect(try spawn.start().exitCode() == 0)
        #expect(scratch.read("out") == "12345\n23456\n23456 34567\nwritable\n")
        var status = stat()
        #expect(stat(scratch.file("out"), &status) == 0)
        #expect(status.st_uid == 12345 && status.st_gid == 23456 && status.st_mode & 0o777 == 0o640)
        #expect(geteuid() == 0, "the threads of the caller keep their user")

        link(scratch.file("out"), scratch.file("second"))
        spawn.user = (uid: 12346, gid: 12346, groups: [])
        #expect(throws: Spawn.Failure(stage: CLINUX_STAGE_STDOUT.rawValue, errno: EMLINK)) { try spawn.start() }
        spawn.stdout = nil
        spawn.cwd = self.scratch.path
        #expect(throws: Spawn.Failure(stage: CLINUX_STAGE_CWD.rawValue, errno: EACCES)) { try spawn.start() }
    }

    @Test("four threads spawn at once")
    func concurrency() throws {
        let path = scratch.path
        let good = Mutex(0)
        let finished = DispatchSemaphore(value: 0)
        for thread in 0..<4 {
            // Threads of their own: the pool of tasks has one per core.
            Thread.detachNewThread {
                for round in 0..<50 {
                    var spawn = Spawn.shell("exit \(round)")
                    spawn.stdout = "\(path)/\(thread)"
                    let mustFail = round % 5 == 0
                    if mustFail { spawn.path = "/nonexistent" }
                    let child = try? spawn.start()
                    if mustFail ? child == nil : child?.exitCode() == Int32(round) { good.withLock { $0 += 1 } }
                }
                finished.signal()
            }
        }
        for _ in 0..<4 { #expect(finished.wait(timeout: .now() + 60) == .success) }
        #expect(good.withLock { $0 } == 200)
    }
}
